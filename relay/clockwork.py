"""What a relay does by itself: cuts at the fixed hours, maintenance once a day.

One thread of the serving process. It decides by the clock alone, never by what
came, and an error is told and tried again: a relay that nobody logs into must
not stop because a disk was full for an hour.
"""

import logging
import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime

from protocol.errors import KeyMaterialError, SottoError
from relay.cover import make_cover
from relay.cut import cut_if_due, part_of_interval
from relay.deployment import Deployment
from relay.maintenance import maintain
from relay.roster import Roster

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
        self._roster = Roster(store=deployment.store)
        self._covered: datetime | None = None
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
        if not relay.settings.demo:
            self._scatter_cover(now)

    def _scatter_cover(self, now: datetime) -> None:
        """Lay the cover of the next cut while its time passes, as reports come.

        Made at the cut alone, it would all lie in the current bundle, and one image of the
        disk would show in whatever lies outside reports that came within hours (C2). Each look
        has its chance, in proportion to the time since the last one: a Poisson process needs
        no schedule, and what a stopped relay has missed is never made up for.
        """
        former, self._covered = self._covered, now
        relay, settings = self._deployment, self._deployment.settings
        if former is None:
            return
        try:
            recipients = self._roster.valid(now)
        except KeyMaterialError:
            return  # the site is closed, and cover has nobody to go to
        part = part_of_interval(settings, former, now)
        make_cover(
            relay.store,
            replace(settings, cover_mean=settings.cover_mean * part),
            relay=relay.relay_id,
            recipients=recipients,
            policy=relay.store.policy_in_force() or (settings.policy, ""),
            today=now.date(),
        )

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
