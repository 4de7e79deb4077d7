"""`sotto relay purge`: what the month-end rules let go, now, by hand.

The rules stay the same: nothing goes that nobody has proven to have read.
"""

from datetime import datetime
from pathlib import Path

from protocol.errors import StorageError
from relay.deployment import Deployment, open_deployment
from relay.maintenance import move_file_times
from relay.rows import month_of
from relay.running import is_served
from relay.store import Purge


def purge_now(data: Path, *, now: datetime) -> Purge:
    """Apply the month-end rules to a relay that is stopped, and rewrite its files.

    Only a stopped relay: while it serves, it alone knows which uploads are in progress,
    and it does all this by itself once a day.

    Args:
        data: the relay's folder.
        now: with a time zone.

    Raises:
        StorageError: a process serves this relay, or the disk fails.
    """
    if is_served(data):
        raise StorageError(
            "The relay runs, and keeps house by itself every day; stop it to purge by hand."
        )
    deployment = open_deployment(data)
    try:
        return _purge(deployment, now)
    finally:
        deployment.close()


def _purge(deployment: Deployment, now: datetime) -> Purge:
    store, settings = deployment.store, deployment.settings
    month = month_of(now.date())
    purged = store.purge(
        now=month,
        leaving=settings.leaving_expiry(month),
        unlisted_months=settings.unlisted_months,
    )
    store.sweep()
    store.rewrite_files()
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    move_file_times(store, midnight, folder=deployment.data)
    return purged
