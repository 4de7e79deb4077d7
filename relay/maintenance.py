"""Maintenance: what leaves, and that the files forget, whether or not anything came.

Every day the files are rewritten in key order and their times moved to the start
of the day; once a month, what may go goes. Both happen on every day of every
relay alike, so that having happened says nothing (C2).
"""

import contextlib
import os
from datetime import UTC, datetime, time
from pathlib import Path

from protocol.errors import StorageError
from relay.rows import month_of
from relay.settings import Settings
from relay.store import Purge, Store


def maintain(
    store: Store, settings: Settings, now: datetime, *, folder: Path | None = None
) -> Purge | None:
    """Do a day's maintenance; safe to repeat.

    Args:
        store: of the serving process: only this one knows its uploads in progress.
        settings: the periods.
        now: with a time zone.
        folder: the data folder, whose times are moved as well.

    Returns:
        What the month-end purge did, or None when this month had one already.

    Raises:
        StorageError: the disk fails, or has no room for a second copy; what was
            done stays done, and the rest is done the next time.
    """
    now = now.astimezone(UTC)
    month = month_of(now.date())
    purge = None
    if store.purged_month() != month:  # a later one is of a clock that was wrong
        purge = store.purge(
            now=month,
            leaving=settings.leaving_expiry(month),
            unlisted_months=settings.unlisted_months,
        )
    store.sweep()
    store.rewrite_files()
    move_file_times(store, datetime.combine(now.date(), time(), UTC), folder=folder)
    return purge


def move_file_times(store: Store, moment: datetime, *, folder: Path | None = None) -> None:
    """Set access and change times of the database files and their folder to a moment.

    ctime and the file system's journal keep the truth (FACTS, Storage); the
    volume is encrypted for that reason. This is for copies and backups.

    Raises:
        StorageError: the files are not ours to touch.
    """
    seconds = moment.timestamp()
    database = store.sqlite_path
    names = [] if database is None else [Path(f"{database}{end}") for end in ("", "-wal", "-shm")]
    try:
        for path in [*names, *([folder] if folder else [])]:
            with contextlib.suppress(FileNotFoundError):
                os.utime(path, (seconds, seconds))
    except OSError as error:
        raise StorageError("The times of the database files cannot be moved.") from error
