"""The store: everything that the relay keeps, behind one object.

Each shelf is a module of its own; this one puts them together and opens them.
Every method is safe to call from many threads, and whatever the disk does
surfaces as `StorageError`, with nothing half done.
"""

from relay.database import open_engine
from relay.store_cuts import CutShelf
from relay.store_envelopes import CollectedError, IdTakenError
from relay.store_recipients import RecipientShelf
from relay.store_slots import DispatchRows, SlotShelf
from relay.store_upkeep import Purge, UpkeepShelf

__all__ = ["CollectedError", "DispatchRows", "IdTakenError", "Purge", "Store", "open_store"]


class Store(SlotShelf, RecipientShelf, CutShelf, UpkeepShelf):
    """Envelopes, mailboxes, recipients and cuts of one relay."""


def open_store(url: str) -> Store:
    """Open the store and bring its schema to the newest version.

    Args:
        url: `sqlite:///PATH` or `postgresql+psycopg://…`.

    Raises:
        StorageError: the database cannot be opened or is of a newer version.
    """
    return Store(engine=open_engine(url))
