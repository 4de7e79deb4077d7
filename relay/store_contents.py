"""Contents on their way in: chunks that nothing refers to yet.

A content has a random place, and no row names it until its envelope is committed.
An upload that dies leaves chunks that the sweep removes; nobody ever sees them.
"""

import contextlib
import hashlib
import secrets
import threading
import zlib
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from typing import TypedDict

from sqlalchemy import ColumnElement, Connection, Engine, delete, func, insert, select

from protocol.errors import StorageError
from protocol.octets import Octets, PieceWriter
from relay.database import Database
from relay.rows import CHUNK_BYTES, CONTENT_CHUNKS, CONTENTS, ContentId
from relay.schema import chunk

TRANSACTION_BYTES = 2 * 1024 * 1024  # a big upload lets others write between two of these
CHUNKS_AT_ONCE = TRANSACTION_BYTES // CHUNK_BYTES
BUFFERED_BYTES = 32 * 1024 * 1024  # of all uploads together; beyond it each chunk is written alone


class ChunkRow(TypedDict):
    """A row of the table, as SQLAlchemy takes it."""

    place: int
    ciphertext: bytes


ChunkRows = Sequence[ChunkRow]


@dataclass
class Upload:
    """A content in progress: what is buffered, what is being written.

    Attributes:
        waiting: chunks for the next transaction.
        writer: a thread of its own, from its first transaction on, so that what comes next
            is sealed while the disk is busy.
        writing: the transaction that was begun last, which may have failed.
        is_written: one has succeeded.
    """

    waiting: list[ChunkRow] = field(default_factory=list)
    waiting_bytes: int = 0
    writer: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(1, "writer"))
    writing: Future[None] | None = None
    is_written: bool = False


class ContentShelf(Database):
    """The part of the store that takes contents before anything refers to them."""

    def __init__(self, *, engine: Engine) -> None:
        """Take the engine that `open_engine` has prepared."""
        super().__init__(engine=engine)
        self._uploads: dict[ContentId, Upload] = {}
        self._uploads_lock = threading.Lock()
        self._buffered_bytes = 0

    def begin_content(self) -> ContentId:
        """Draw the place of a new content; nothing is written yet.

        Where another content lies already, not even the first chunk can be stored.

        Returns:
            Its place. The content lives until `commit_envelope`,
            `replace_content` or `discard_content`.
        """
        content = ContentId(secrets.randbelow(CONTENTS) * CONTENT_CHUNKS)
        with self._uploads_lock:
            self._uploads[content] = Upload()
        return content

    def add_chunk(self, content: ContentId, number: int, ciphertext: bytes) -> None:
        """Take the next chunk of a content; it is written with its neighbours.

        Several chunks share a transaction, because each transaction costs a
        flush of the disk; never more than 2 MiB, because a transaction holds
        the pen. One is written while the chunks of the next one come in;
        `commit_envelope` writes the rest.

        Args:
            content: from `begin_content`.
            number: 0, 1, 2 … in this order, at most 16,383; every chunk but the last
                is full.
            ciphertext: at most 256 KiB.

        Raises:
            StorageError: the disk failed, perhaps with chunks that were taken
                before, or the content is not in progress.
        """
        upload = self._upload(content)
        if not 0 < len(ciphertext) <= CHUNK_BYTES or number >= CONTENT_CHUNKS:
            raise StorageError("A chunk has a size or a number that cannot be stored.")
        upload.waiting.append({"place": content + number, "ciphertext": ciphertext})
        upload.waiting_bytes += len(ciphertext)
        with self._uploads_lock:
            self._buffered_bytes += len(ciphertext)
            crowded = self._buffered_bytes > BUFFERED_BYTES
        if crowded or upload.waiting_bytes >= TRANSACTION_BYTES:
            self._settle(upload)
            rows, upload.waiting, upload.waiting_bytes = upload.waiting, [], 0
            upload.writing = upload.writer.submit(self._write, upload, rows)

    def discard_content(self, content: ContentId) -> None:
        """Remove what was stored of a content that will not be committed.

        Safe to call twice, and after a commit, when it does nothing.

        Raises:
            StorageError: the disk fails; the sweep will remove it later.
        """
        with self._uploads_lock:
            upload = self._uploads.get(content)
        if upload is not None:
            wait([upload.writing] if upload.writing else [])
            self._forget(content)
            if upload.is_written:  # else another content may lie there
                self._delete_chunks(content)

    def close(self) -> None:
        """Wait for the writes that are under way, then close every connection."""
        with self._uploads_lock:
            uploads = list(self._uploads.values())
        for upload in uploads:
            upload.writer.shutdown()
        super().close()

    def _delete_chunks(self, content: ContentId) -> None:
        """Delete the chunks of a content that nothing refers to, a few at a time.

        What is deleted is overwritten, so half a gigabyte in one transaction
        would fill the write-ahead log, on a disk that may be full already.
        """
        last_of_all = select(func.max(chunk.c.place)).where(is_chunk_of(content))
        with self._reading() as connection:
            last = connection.execute(last_of_all).scalar_one()
        for first in range(content, content if last is None else last + 1, CHUNKS_AT_ONCE):
            some = chunk.c.place.between(first, first + CHUNKS_AT_ONCE - 1)
            with self._writing() as connection:
                connection.execute(delete(chunk).where(some))

    def _contents_in_progress(self) -> set[ContentId]:
        with self._uploads_lock:
            return set(self._uploads)

    def _upload(self, content: ContentId) -> Upload:
        with self._uploads_lock:
            upload = self._uploads.get(content)
        if upload is None:
            raise StorageError("This content is not being stored any more; send it again.")
        return upload

    def _settled(self, content: ContentId) -> Upload:
        """Return a content in progress of which no write is under way and none has failed."""
        upload = self._upload(content)
        self._settle(upload)
        return upload

    def _settle(self, upload: Upload) -> None:
        if upload.writing:
            upload.writing.result()  # or raise what it raised, whenever it is asked

    def _write(self, upload: Upload, rows: ChunkRows) -> None:
        try:
            with self._writing() as connection:
                write_chunks(connection, rows)
            upload.is_written = True
        finally:
            with self._uploads_lock:
                self._buffered_bytes -= sum(len(row["ciphertext"]) for row in rows)

    def _forget(self, content: ContentId) -> None:
        with self._uploads_lock:
            upload = self._uploads.pop(content, None)
            if upload is not None:
                self._buffered_bytes -= upload.waiting_bytes
                upload.writer.shutdown(wait=False)


def is_chunk_of(content: ContentId) -> ColumnElement[bool]:
    """Select the chunks of one content."""
    return chunk.c.place.between(content, content + CONTENT_CHUNKS - 1)


def write_chunks(connection: Connection, rows: ChunkRows) -> None:
    """Write what an upload has buffered, inside the caller's transaction."""
    if rows:
        connection.execute(insert(chunk), rows)


@dataclass(frozen=True, kw_only=True)
class StoredContent:
    """What `ContentWriter` stored, ready to go into an `EnvelopeRow`."""

    content: ContentId
    size_bytes: int
    sha256: bytes
    crc32: int


class ContentWriter:
    """Cuts a stream of ciphertext into chunks and counts and digests it on the way.

    A broken upload calls `discard`; what a killed process leaves is swept.
    """

    def __init__(self, *, store: ContentShelf) -> None:
        """Begin a content in this store."""
        self._store = store
        self.content = store.begin_content()
        self._pieces = PieceWriter(header=b"", piece_bytes=CHUNK_BYTES, sink=self._add)
        self._chunks = 0
        self._sha256 = hashlib.sha256()
        self._crc32 = 0
        self._size_bytes = 0

    def write(self, ciphertext: bytes) -> None:
        """Take any number of bytes; raises StorageError when the disk fails."""
        self._sha256.update(ciphertext)
        self._crc32 = zlib.crc32(ciphertext, self._crc32)
        self._size_bytes += len(ciphertext)
        self._pieces.write(ciphertext)

    def finish(self) -> StoredContent:
        """Hand the last chunk over and say what was stored; nothing is visible yet."""
        if rest := self._pieces.rest():
            self._add(rest)
        return StoredContent(
            content=self.content,
            size_bytes=self._size_bytes,
            sha256=self._sha256.digest(),
            crc32=self._crc32,
        )

    def discard(self) -> None:
        """Remove what was stored; does nothing after the commit, and never raises.

        It is called when something has gone wrong already; what a failing disk
        does not let go, the sweep removes.
        """
        with contextlib.suppress(StorageError):
            self._store.discard_content(self.content)

    def _add(self, ciphertext: Octets) -> None:
        self._store.add_chunk(self.content, self._chunks, bytes(ciphertext))
        self._chunks += 1
