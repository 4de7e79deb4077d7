"""How much of the disk files may still take: nobody may fill it and shut others out.

Files have a daily budget, a reserve on the disk is kept for text alone, and the last of it
for housekeeping: on a disk that is wholly full nothing can be deleted either. The day's
count lives in memory only: on the disk it would be a time. DESIGN: Serving.
"""

import shutil
import threading
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path

from protocol.errors import CapacityError, StorageError

# What is deleted is overwritten, and what a dispatch rewrites goes through the log, all of it.
HOUSEKEEPING_BYTES = 256 * 1024 * 1024


class NoRoomError(CapacityError):
    """No room for files; the words alone can still be sent."""


class Budget:
    """Counts what files took today, and looks at the free space of the disk.

    Args:
        folder: lies on the disk that envelopes are written to.
        daily_bytes: what all files of one UTC day may take together.
        text_reserve_bytes: free space that only text may use.
        today: returns the current UTC day.
    """

    def __init__(
        self, *, folder: Path, daily_bytes: int, text_reserve_bytes: int, today: Callable[[], date]
    ) -> None:
        self._folder = folder
        self._daily_bytes = daily_bytes
        self._text_reserve_bytes = text_reserve_bytes
        self._today = today
        self._lock = threading.Lock()
        self._day = today()
        self._spent = 0

    def spend(self, chunks: Iterator[bytes]) -> Iterator[bytes]:
        """Pass a file on while there is room for it.

        Raises:
            NoRoomError: the day's budget is used up, or only the text's reserve is left.
        """
        for chunk in chunks:
            self._take(len(chunk))
            yield chunk

    def require_room(self, size_bytes: int = 0) -> None:
        """Refuse what would take the room that housekeeping needs.

        Raises:
            StorageError: not so much is left.
        """
        if shutil.disk_usage(self._folder).free - size_bytes < HOUSEKEEPING_BYTES:
            raise StorageError("The disk is full; nothing was accepted.")

    def _take(self, size_bytes: int) -> None:
        with self._lock:
            if self._today() != self._day:
                self._day, self._spent = self._today(), 0
            self._spent += size_bytes
            spent = self._spent
        free = shutil.disk_usage(self._folder).free
        if spent > self._daily_bytes or free < self._text_reserve_bytes:
            raise NoRoomError("There is no room for files today; the words alone can be sent.")
