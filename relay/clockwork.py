"""What a relay does by itself: cuts at the fixed hours, maintenance once a day.

One thread of the serving process. It decides by the clock alone, never by what
came, and an error is told and tried again: a relay that nobody logs into must
not stop because a disk was full for an hour.
"""

import logging
import threading
from collections.abc import Callable
from datetime import date, datetime

from protocol.errors import SottoError
from relay.cut import cut_if_due
from relay.deployment import Deployment
from relay.maintenance import maintain

LOOK_SECONDS = 30

_log = logging.getLogger(__name__)


class Clockwork:
    """Keeps the timetable of one relay."""

    def __init__(self, *, deployment: Deployment, clock: Callable[[], datetime]) -> None:
        """Take the relay and its clock; nothing runs before `start`.

        Args:
            deployment: opened for serving.
            clock: returns the current time with a time zone.
        """
        self._deployment = deployment
        self._clock = clock
        self._maintained: date | None = None
        self._tried: tuple[date, int] | None = None
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def run_due(self) -> None:
        """Do what is due now: at a fixed hour the cut first, so that the purge can follow it.

        Raises:
            SottoError: what went wrong; it will be tried again.
        """
        now = self._clock()
        relay = self._deployment
        if not relay.settings.demo:
            cut_if_due(relay.store, relay.settings, relay.relay_key, now, folder=relay.data)
        attempt = now.date(), now.hour
        if self._maintained != now.date() and self._tried != attempt:
            self._tried = attempt  # a rewrite is heavy: on a full disk once an hour is enough
            maintain(relay.store, relay.settings, now, folder=relay.data)
            self._maintained = now.date()

    def start(self) -> None:
        """Begin to keep the timetable in a thread of its own."""
        self._thread = threading.Thread(target=self._run, name="clockwork", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End the thread after what it is doing."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join()

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                self.run_due()
            except SottoError as error:
                _log.error("The timetable could not be kept: %s", error)
            self._stopping.wait(LOOK_SECONDS)
