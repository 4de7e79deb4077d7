"""Recipients: who the counselors are. Added and retired at the console only.

A dispatch can bring its signer's own successor certificate and nothing else of
this. Numbers are never used twice: a number is a bit in what was acknowledged.
"""

from typing import Any

from sqlalchemy import Connection, Row, func, insert, select, update

from protocol.errors import CapacityError, KeyMaterialError
from protocol.memo import require_fit
from protocol.names import Fingerprint, RecipientName
from relay.database import Database
from relay.rows import Recipient
from relay.schema import recipient, upkeep

RECIPIENTS_EVER = 62  # bits of a signed 64-bit column, the sign left alone


class RecipientShelf(Database):
    """The part of the store that knows the recipients."""

    def add_recipient(
        self, name: RecipientName, certificate: bytes, fingerprint: Fingerprint
    ) -> Recipient:
        """Add a counselor; her slots appear in every mailbox with the next dispatch.

        Args:
            name: a person, [a-z0-9-]{1,32}; it stays hers through every key.
            certificate: her OpenPGP certificate, verified by the caller.
            fingerprint: of that certificate, compared by the operator.

        Raises:
            KeyMaterialError: the name or the key is in use.
            CapacityError: no number is left, or the names would not fit into a memo.
            StorageError: the disk fails.
        """
        with self._writing() as connection:
            known = [read_recipient(row) for row in connection.execute(select(recipient))]
            if any(one.name == name for one in known):
                raise KeyMaterialError("A recipient of this name exists; choose another name.")
            if any(one.fingerprint == fingerprint and not one.retired for one in known):
                raise KeyMaterialError("This certificate belongs to a recipient already.")
            if len(known) >= RECIPIENTS_EVER:
                raise CapacityError("No number is left for another recipient; set up a new relay.")
            require_fit([*(one.name for one in known if not one.retired), name])
            added = Recipient(
                number=max((one.number for one in known), default=-1) + 1,
                name=name,
                fingerprint=fingerprint,
                certificate=certificate,
                last_serial=0,
                retired=False,
            )
            connection.execute(insert(recipient).values(**vars(added)))
            mark_roster_changed(connection)
        return added

    def recipients(self) -> tuple[Recipient, ...]:
        """Return the active recipients in the fixed order of their numbers."""
        with self._reading() as connection:
            return active_recipients(connection)

    def all_recipients(self) -> tuple[Recipient, ...]:
        """Return every recipient that ever was, the retired ones too."""
        with self._reading() as connection:
            rows = connection.execute(select(recipient).order_by(recipient.c.number))
            return tuple(read_recipient(row) for row in rows)

    def retire_recipient(self, name: RecipientName) -> None:
        """Seal nothing to her any more and take no dispatch of hers; her replies stay readable.

        Raises:
            KeyMaterialError: no active recipient has this name.
            StorageError: the disk fails.
        """
        with self._writing() as connection:
            found = find_active(connection, name)
            connection.execute(
                update(recipient).where(recipient.c.number == found.number).values(retired=True)
            )
            mark_roster_changed(connection)

    def replace_certificate(
        self, name: RecipientName, certificate: bytes, fingerprint: Fingerprint
    ) -> None:
        """Give a recipient another key; number, serial and slots stay hers.

        Raises:
            KeyMaterialError: no active recipient has this name.
            StorageError: the disk fails.
        """
        with self._writing() as connection:
            change_certificate(connection, find_active(connection, name), certificate, fingerprint)

    def roster_revision(self) -> int:
        """Return a number that grows with every change of a recipient, by any process."""
        with self._reading() as connection:
            return int(connection.execute(select(upkeep.c.roster)).scalar_one())


def read_recipient(row: Row[*tuple[Any, ...]]) -> Recipient:
    """Turn a row of the table into its value."""
    return Recipient(**row._mapping)


def active_recipients(connection: Connection) -> tuple[Recipient, ...]:
    """Return the active recipients in fixed order, inside the caller's transaction."""
    rows = connection.execute(
        select(recipient).where(recipient.c.retired.is_(False)).order_by(recipient.c.number)
    )
    return tuple(read_recipient(row) for row in rows)


def active_bits(connection: Connection) -> int:
    """Return the bits that `envelope.acknowledged` has once every active recipient has."""
    return sum(1 << one.number for one in active_recipients(connection))


def find_active(connection: Connection, name: RecipientName) -> Recipient:
    """Return an active recipient by name; KeyMaterialError when there is none."""
    row = connection.execute(
        select(recipient).where(recipient.c.name == name, recipient.c.retired.is_(False))
    ).one_or_none()
    if row is None:
        raise KeyMaterialError("No active recipient has this name.")
    return read_recipient(row)


def change_certificate(
    connection: Connection, found: Recipient, certificate: bytes, fingerprint: Fingerprint
) -> None:
    """Replace a certificate inside the caller's transaction.

    Raises:
        KeyMaterialError: somebody else's key.
    """
    taken = connection.execute(
        select(func.count()).where(
            recipient.c.fingerprint == fingerprint, recipient.c.number != found.number
        )
    ).scalar_one()
    if taken:
        raise KeyMaterialError("This certificate belongs to another recipient.")
    connection.execute(
        update(recipient)
        .where(recipient.c.number == found.number)
        .values(certificate=certificate, fingerprint=fingerprint)
    )
    mark_roster_changed(connection)


def mark_roster_changed(connection: Connection) -> None:
    """Tell every process that what it remembers of the recipients is old."""
    connection.execute(update(upkeep).values(roster=upkeep.c.roster + 1))
