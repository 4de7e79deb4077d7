"""Upkeep of the database: what leaves it, and that the files keep no order.

Nothing goes while it is unproven (P36). What has gone is overwritten, and the
tables are rewritten in the order of their random keys, because a file remembers
the order of insertion until somebody makes it forget (FACTS, Storage).
"""

from dataclasses import dataclass

from sqlalchemy import Connection, delete, select, text, update

from relay.rows import CONTENT_CHUNKS, ContentId, Month
from relay.schema import chunk, cut, envelope, metadata, slot, upkeep
from relay.store_acknowledgements import settle
from relay.store_envelopes import EnvelopeShelf, split_ids
from relay.store_recipients import active_bits

GONE = bytes(32)  # in place of a digest or token hash whose content has left
ITEM_TABLES = ("envelope", "chunk", "slot")


@dataclass(frozen=True, kw_only=True)
class Purge:
    """What a month-end purge did and what it kept back for the operator to hear.

    Attributes:
        contents: contents that left.
        rows: envelopes whose period was over.
        mailboxes: slots that went because no desk listed them any more.
        unproven: envelopes that would have gone if anybody had proven reading.
    """

    contents: int
    rows: int
    mailboxes: int
    unproven: int


class UpkeepShelf(EnvelopeShelf):
    """The part of the store that maintenance calls."""

    def purged_month(self) -> Month:
        """Return the month in which the last month-end purge was made."""
        with self._reading() as connection:
            return Month(connection.execute(select(upkeep.c.purged)).scalar_one())

    def purge(self, *, now: Month, leaving: int, unlisted_months: int) -> Purge:
        """Apply the month-end rules in one transaction.

        A content goes once it is proven and acknowledged by every active
        recipient, or proven and old; a row goes at its
        expiry; a mailbox goes when no desk has listed it for `unlisted_months`.
        Envelopes of the current cut stay: a download may be under way. The chunks
        of what left belong to nothing from then on, and the sweep removes them.

        Args:
            now: the month that has begun.
            leaving: a proven content with this expiry (a Month) or an earlier one is old.
            unlisted_months: how long a mailbox waits to be listed again.

        Returns:
            Counts, for the operator's eyes; they are not stored.

        Raises:
            StorageError: the disk fails; nothing has left.
        """
        with self._hearing:
            with self._writing() as connection:
                heard = settle(connection, self._heard)
                unproven = self._count_unread(connection, before=now)
                gone = set(self._leaving(connection, leaving))
                for envelope_id in sorted(gone):
                    _empty_row(connection, envelope_id)
                rows = connection.execute(
                    delete(envelope).where(envelope.c.expiry <= now, envelope.c.content.is_(None))
                ).rowcount
                mailboxes = connection.execute(
                    delete(slot).where(slot.c.listed <= now - unlisted_months)
                ).rowcount
                connection.execute(update(upkeep).values(purged=now))
            self._heard = {one: known for one, known in heard.items() if one not in gone}
        return Purge(contents=len(gone), rows=rows, mailboxes=mailboxes, unproven=unproven)

    def count_unread(self, *, before: Month) -> int:
        """Count envelopes that expire at or before a month and that nobody has proven to read."""
        with self._reading() as connection:
            return self._count_unread(connection, before=before)

    def _count_unread(self, connection: Connection, *, before: Month) -> int:
        waiting = select(envelope.c.id).where(
            envelope.c.content.is_not(None), ~envelope.c.proven, envelope.c.expiry <= before
        )
        return sum(not self._is_proven(one) for one in connection.execute(waiting).scalars())

    def _leaving(self, connection: Connection, old: int) -> list[bytes]:
        everyone = active_bits(connection)
        acknowledged = envelope.c.acknowledged.bitwise_and(everyone) == everyone
        carried = connection.execute(select(cut.c.envelopes)).scalar_one_or_none() or b""
        kept = set(split_ids(carried))
        is_old = envelope.c.expiry <= old
        rows = connection.execute(
            select(envelope.c.id, envelope.c.proven)
            .where(
                envelope.c.content.is_not(None),
                is_old | (envelope.c.proven & acknowledged),
            )
            .order_by(envelope.c.id)
        )
        return [
            row.id for row in rows if row.id not in kept and (row.proven or self._is_proven(row.id))
        ]

    def sweep(self) -> int:
        """Remove every chunk that belongs to nothing: died uploads, contents that left.

        Only the serving process may call this: another one does not know which
        contents are in progress here.

        Returns:
            How many contents were removed.

        Raises:
            StorageError: the disk fails; the rest is removed the next time.
        """
        with self._writing() as connection:  # nobody commits between these two questions
            content = chunk.c.place - chunk.c.place % CONTENT_CHUNKS
            stored = set(connection.execute(select(content).distinct()).scalars())
            named = connection.execute(
                select(envelope.c.content).where(envelope.c.content.is_not(None))
            ).scalars()
            dead = stored - set(named) - self._contents_in_progress()
        for content in sorted(dead):
            self._delete_chunks(ContentId(content))
        return len(dead)

    def rewrite_files(self) -> None:
        """Rewrite every table in the order of its keys and empty the write-ahead log.

        Raises:
            StorageError: no room for the second copy, or a reader held on; the
                data is whole either way.
        """
        if self.is_sqlite:
            self._empty_log(rewrite=True)
        else:
            with self._writing() as connection:
                for name in ITEM_TABLES:
                    _rewrite_postgresql(connection, name)


def _empty_row(connection: Connection, envelope_id: bytes) -> None:
    """Leave id, memo and month, so that the receipt still opens; the rest says nothing."""
    connection.execute(
        update(envelope)
        .where(envelope.c.id == envelope_id)
        .values(content=None, size_bytes=0, sha256=GONE, crc32=0, token_hash=GONE, acknowledged=0)
    )


def _rewrite_postgresql(connection: Connection, name: str) -> None:
    """Copy a table in key order inside the caller's transaction.

    CLUSTER and VACUUM FULL keep each row's xmin, which tells the order; rows
    copied by one statement all carry the same one (FACTS, Storage).
    """
    table = metadata.tables[name]
    keys = ", ".join(column.name for column in table.primary_key)
    for statement in (
        f"LOCK TABLE {name} IN ACCESS EXCLUSIVE MODE",
        f"CREATE TABLE {name}_anew (LIKE {name} INCLUDING ALL)",
        f"INSERT INTO {name}_anew SELECT * FROM {name} ORDER BY {keys}",  # noqa: S608  our names
        f"DROP TABLE {name}",
        f"ALTER TABLE {name}_anew RENAME TO {name}",
        f"ALTER INDEX {name}_anew_pkey RENAME TO {name}_pkey",
    ):
        connection.execute(text(statement))
