"""Envelopes: their contents arrive in chunks, and become visible in one transaction.

A content has a random place that nothing refers to until `commit_envelope`; an
upload that dies leaves chunks that no row names, which the sweep removes. So a
confirmed report is whole, and one that was not confirmed is as good as absent.
"""

import contextlib
from collections.abc import Iterator
from typing import Any

from sqlalchemy import Connection, Row, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from protocol.errors import CapacityError, StorageError
from protocol.names import EnvelopeId
from relay.rows import CHUNK_BYTES, EnvelopeRow, HeldEnvelope
from relay.schema import chunk, cut, envelope
from relay.store_acknowledgements import AcknowledgementShelf
from relay.store_contents import (
    ContentShelf,
    ContentWriter,
    StoredContent,
    is_chunk_of,
    write_chunks,
)

__all__ = [
    "CollectedError",
    "ContentWriter",
    "EnvelopeShelf",
    "IdTakenError",
    "StoredContent",
]


class IdTakenError(StorageError):
    """An envelope of this id is there already: store this one as a follow-up."""


class CollectedError(CapacityError):
    """The envelope lies in a bundle, or was read: it can no longer be withdrawn."""


class EnvelopeShelf(ContentShelf, AcknowledgementShelf):
    """The part of the store that holds envelopes and their chunks."""

    def commit_envelope(self, row: EnvelopeRow) -> None:
        """Make an envelope visible; after the return it is on the disk and may be confirmed.

        Raises:
            IdTakenError: an envelope of this id exists; the content stays in
                progress, so that it can be committed under another id.
            StorageError: the disk fails, or the chunks do not add up.
        """
        upload = self._settled(row.content)
        with self._writing() as connection:
            write_chunks(connection, upload.waiting)
            _verify_chunks(connection, row)
            try:
                connection.execute(insert(envelope).values(**_values(row), id=row.id))
            except IntegrityError as error:
                raise IdTakenError("An envelope of this id exists already.") from error
        self._forget(row.content)

    def replace_content(self, envelope_id: EnvelopeId, row: EnvelopeRow) -> None:
        """Withdraw what nobody collected: put cover of the same size in its place.

        The id, the memo and the expiry stay, so that no row of another shape
        shows that something was withdrawn.

        Args:
            envelope_id: the envelope to withdraw.
            row: the cover; its content is in progress, its id equals `envelope_id`.

        Raises:
            CollectedError: it lies in the current cut, or somebody proved reading.
            StorageError: the disk fails, or size or id differ.
        """
        upload = self._settled(row.content)
        with self._writing() as connection:
            held = connection.execute(
                select(envelope.c.content, envelope.c.size_bytes, envelope.c.proven).where(
                    envelope.c.id == envelope_id
                )
            ).one_or_none()
            carried = connection.execute(select(cut.c.envelopes)).scalar_one_or_none() or b""
            read = held is not None and (held.proven or self._is_proven(envelope_id))
            if held is None or read or envelope_id in split_ids(carried):
                raise CollectedError("This has been collected; it cannot be withdrawn any more.")
            if row.size_bytes != held.size_bytes or row.id != envelope_id:
                raise StorageError("Cover has to have the size and the id of what it replaces.")
            write_chunks(connection, upload.waiting)
            _verify_chunks(connection, row)
            kept = {"memo", "expiry"}
            changed = {name: value for name, value in _values(row).items() if name not in kept}
            connection.execute(
                update(envelope).where(envelope.c.id == envelope_id).values(**changed)
            )
        self._forget(row.content)
        with contextlib.suppress(StorageError):  # withdrawn it is; the sweep removes the rest
            self._delete_chunks(held.content)
            self._empty_log()  # which holds what was overwritten, and both states of the row

    def has_envelope(self, envelope_id: EnvelopeId) -> bool:
        """Say whether an envelope of this id exists, its content there or gone."""
        return self.read_memo(envelope_id) is not None

    def read_memo(self, envelope_id: EnvelopeId) -> bytes | None:
        """Return the sealed memo of an envelope, or None when there is no such row."""
        with self._reading() as connection:
            memo: bytes | None = connection.execute(
                select(envelope.c.memo).where(envelope.c.id == envelope_id)
            ).scalar_one_or_none()
            return memo

    def find_held(self, envelope_id: EnvelopeId) -> HeldEnvelope | None:
        """Return the row of an envelope whose content is still here, else None."""
        with self._reading() as connection:
            row = connection.execute(
                select(*HELD_COLUMNS).where(
                    envelope.c.id == envelope_id, envelope.c.content.is_not(None)
                )
            ).one_or_none()
            return read_held(row) if row else None

    def is_collected(self, envelope_id: EnvelopeId) -> bool:
        """Say whether an envelope can no longer be withdrawn: in the cut, read, or gone."""
        held = self.find_held(envelope_id)
        with self._reading() as connection:
            carried = connection.execute(select(cut.c.envelopes)).scalar_one_or_none() or b""
        read = held is not None and (held.proven or self._is_proven(envelope_id))
        return held is None or read or envelope_id in split_ids(carried)

    def held_bytes(self) -> int:
        """Return how many bytes of ciphertext the visible envelopes hold together."""
        with self._reading() as connection:
            total = connection.execute(select(func.sum(envelope.c.size_bytes))).scalar_one()
            return int(total or 0)

    def read_content(self, envelope_id: EnvelopeId, offset: int, length: int) -> Iterator[bytes]:
        """Yield a part of an envelope's ciphertext, one chunk at a time.

        Each chunk is its own short transaction: a download of hours must not
        keep the write-ahead log from being emptied.

        Raises:
            StorageError: the content is not there, or not whole.
        """
        with self._reading() as connection:
            content = connection.execute(
                select(envelope.c.content).where(envelope.c.id == envelope_id)
            ).scalar_one_or_none()
        if content is None:
            raise StorageError("The content of this envelope is no longer here.")
        while length > 0:
            number, skip = divmod(offset, CHUNK_BYTES)
            piece = self._read_chunk(content + number)[skip : skip + length]
            if not piece:
                raise StorageError("The content of this envelope is not whole.")
            yield piece
            offset += len(piece)
            length -= len(piece)

    def _read_chunk(self, place: int) -> bytes:
        with self._reading() as connection:
            ciphertext: bytes | None = connection.execute(
                select(chunk.c.ciphertext).where(chunk.c.place == place)
            ).scalar_one_or_none()
        return ciphertext or b""


HELD_COLUMNS = (
    envelope.c.id,
    envelope.c.size_bytes,
    envelope.c.sha256,
    envelope.c.crc32,
    envelope.c.proven,
    envelope.c.expiry,
)


def read_held(row: Row[*tuple[Any, ...]]) -> HeldEnvelope:
    """Turn a row of `HELD_COLUMNS` into its value."""
    return HeldEnvelope(**row._mapping)


def split_ids(ids: bytes) -> tuple[EnvelopeId, ...]:
    """Take apart the ids of a cut, which lie one after the other, 16 bytes each."""
    return tuple(EnvelopeId(ids[at : at + 16]) for at in range(0, len(ids), 16))


def _values(row: EnvelopeRow) -> dict[str, object]:
    return {
        "memo": row.memo,
        "token_hash": row.token_hash,
        "content": row.content,
        "size_bytes": row.size_bytes,
        "sha256": row.sha256,
        "crc32": row.crc32,
        "expiry": row.expiry,
        "proven": False,
        "acknowledged": 0,
    }


def _verify_chunks(connection: Connection, row: EnvelopeRow) -> None:
    """Count once more, in the same transaction: what is not whole is not confirmed."""
    chunks, last, stored_bytes = connection.execute(
        select(
            func.count(),
            func.max(chunk.c.place),
            func.sum(func.length(chunk.c.ciphertext)),
        ).where(is_chunk_of(row.content))
    ).one()
    full = -(-row.size_bytes // CHUNK_BYTES)
    expected = (full, row.content + full - 1, row.size_bytes)
    if not row.size_bytes or (chunks, last, stored_bytes) != expected:
        raise StorageError("The chunks of this envelope do not add up; nothing was accepted.")
