"""How far tor has come on its way into the network, and whether it stands still."""

import threading
import time

from onion.notices import stall_sentence
from protocol.errors import OnionError


class Arrival:
    """Told by one thread, awaited by another."""

    def __init__(self) -> None:
        """Begin at the start."""
        self._changed = threading.Condition()
        self._percent = 0
        self._hindrance = ""

    def restart(self) -> None:
        """Begin again: another tor sets out."""
        with self._changed:
            self._percent, self._hindrance = 0, ""

    def reach(self, percent: int) -> None:
        """Note how far it has come; it never goes back."""
        with self._changed:
            self._percent = max(percent, self._percent)
            self._changed.notify_all()

    def hinder(self, reason: str) -> None:
        """Note what holds it up: a sentence, or tor's word for it."""
        with self._changed:
            self._hindrance = reason

    def wait(self, stall_seconds: float) -> None:
        """Wait until it has arrived.

        Args:
            stall_seconds: how long it may stand still; slow progress is progress.

        Raises:
            OnionError: it stood still for so long.
        """
        with self._changed:
            while self._percent < 100:
                before, since = self._percent, time.monotonic()
                while self._percent == before:
                    rest = since + stall_seconds - time.monotonic()
                    if rest <= 0:
                        raise OnionError(stall_sentence(before, self._hindrance))
                    self._changed.wait(rest)
