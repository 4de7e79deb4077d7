"""On which day the last backup was made: all that the relay remembers of it.

A day, not a time, and in no backup itself. It tells a seizer when somebody was last at the
console, nothing of what came.
"""

from datetime import date
from pathlib import Path

from protocol.errors import StorageError

NAME = "backup.day"
STALE_DAYS = 7


def read_backup_day(data: Path) -> date | None:
    """Return the day of the last backup, or None when none was ever made."""
    try:
        return date.fromisoformat((data / NAME).read_text(encoding="ascii").strip())
    except (OSError, ValueError):
        return None


def write_backup_day(data: Path, day: date) -> None:
    """Remember the day of a backup.

    Raises:
        StorageError: the disk refuses.
    """
    try:
        path = data / NAME
        path.touch(mode=0o600)
        path.write_text(f"{day.isoformat()}\n", encoding="ascii")
    except OSError as error:
        raise StorageError("The data folder cannot be written; check its owner.") from error


def about_the_backup(data: Path, today: date) -> list[str]:
    """Return a warning when the last backup is old or there is none."""
    day = read_backup_day(data)
    if day is None:
        return ["The relay has no backup; make one with `sotto relay backup`."]
    age_days = (today - day).days
    if age_days <= STALE_DAYS:
        return []
    return [
        f"The last backup of the relay was made {age_days} days ago; "
        "make one with `sotto relay backup`."
    ]
