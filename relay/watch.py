"""What the operator should hear: only the courier will carry it, so it travels in the bundle.

A relay that nobody logs into has no other voice. Every warning is one sentence
that says what to do; none says anything about a single envelope.
"""

import shutil
from datetime import date, datetime
from pathlib import Path

from protocol.errors import KeyMaterialError
from relay.budget import HOUSEKEEPING_BYTES
from relay.lastbackup import about_the_backup
from relay.roster import Roster
from relay.rows import Month, month_of
from relay.settings import Settings
from relay.store import Store

EXPIRY_DAYS = (7, 30, 60)  # the nearest one that holds is said
DISK_FREE_PART = 0.1  # of the whole disk
UNREAD_MONTHS = 1  # a report that waits longer than the second month's end is forgotten


def collect_warnings(
    store: Store, settings: Settings, roster: Roster, *, folder: Path, now: datetime
) -> tuple[str, ...]:
    """Collect what the operator should know at this cut.

    Args:
        store: of the relay.
        settings: for the reserve and the period of rows.
        roster: whose certificates are looked at.
        folder: on the disk that envelopes are written to.
        now: with a time zone.

    Raises:
        StorageError: the store cannot be read.
    """
    return (
        *_about_certificates(roster, now),
        *_about_the_disk(folder, settings),
        *_about_unread(store, settings, month_of(now.date())),
        *([] if settings.demo else about_the_backup(folder, now.date())),
    )


def _about_certificates(roster: Roster, now: datetime) -> list[str]:
    said = [
        f"The certificate of {name} is refused, and nothing is sealed to it: {reason}"
        for name, reason in roster.refused(now)
    ]
    try:
        valid = roster.valid(now)
    except KeyMaterialError:
        return [*said, "No recipient has a valid key: the site is closed until one has."]
    for name, certificate in valid:
        days = _nearest(certificate.expires, now.date())
        if days is not None:
            said.append(
                f"The certificate of {name} expires within {days} days; "
                "send a successor with the next dispatch."
            )
    return said


def _nearest(expires: date | None, today: date) -> int | None:
    if expires is None:
        return None
    return next((days for days in EXPIRY_DAYS if (expires - today).days <= days), None)


def _about_the_disk(folder: Path, settings: Settings) -> list[str]:
    usage = shutil.disk_usage(folder)
    if usage.free < HOUSEKEEPING_BYTES:
        return ["The disk of the relay is full: it takes nothing any more; make room now."]
    if usage.free < settings.text_reserve_bytes:
        return ["The disk of the relay is full: it takes words only, no files; make room now."]
    if usage.free < DISK_FREE_PART * usage.total:
        return ["Less than a tenth of the relay's disk is free; make room."]
    return []


def _about_unread(store: Store, settings: Settings, this_month: Month) -> list[str]:
    older = Month(this_month - UNREAD_MONTHS - 1 + settings.expiry_months)
    said = []
    if store.count_unread(before=older):
        said.append(
            "Envelopes have waited for more than a month, and nobody has shown that they were "
            "read; bring the bundle to every desk, and the dispatches back."
        )
    if store.count_unread(before=this_month):
        said.append(
            "The time of some envelopes is over, and nobody has shown that they were read; "
            "the relay keeps them until somebody does."
        )
    return said
