"""Days, sizes and clocks in words, the same on every page of the desk."""

from datetime import date

from desk.casework.clocks import Clocks
from policies.days import written_day


def day_words(day: date | str) -> str:
    """Write a day so that nobody mistakes the month, as 5 March 2026."""
    found = date.fromisoformat(day) if isinstance(day, str) else day
    return written_day(found, "en")


def size_words(size_bytes: int) -> str:
    """Write a size as people say it."""
    size = float(size_bytes)
    for unit in ("bytes", "KiB", "MiB"):
        if size < 1024:
            return f"{size:.0f} {unit}" if unit == "bytes" else f"{size:.1f} {unit}"
        size /= 1024
    return f"{size:.1f} GiB"


def clock_class(clocks: Clocks) -> str:
    """Return the style class of a clock: overdue stands out, and says so in words too."""
    return "late" if clocks.overdue else ""
