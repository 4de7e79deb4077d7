"""A place on the disk for what must be read twice, readable by nobody else, ever.

A dispatch is sealed to the relay's key, which lies on the same disk: its bytes,
even deleted ones, would tell a seizer what the counselors acknowledged. So they
go to the disk only under a key that lives in this object, in a file without a name.
"""

import os
import secrets
import tempfile
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType

from protocol.chunked import ChunkedReader, ChunkedWriter
from protocol.errors import CapacityError, StorageError

PIECE_BYTES = 64 * 1024
KEY_BYTES = 32


class Scratch:
    """Written once, then read at any place; a context manager that leaves nothing."""

    def __init__(self, *, folder: Path, limit_bytes: int) -> None:
        """Open a nameless file.

        Args:
            folder: on the encrypted volume.
            limit_bytes: of plaintext; more is refused.

        Raises:
            StorageError: the folder cannot be written.
        """
        self._key = secrets.token_bytes(KEY_BYTES)
        self._writer = ChunkedWriter(self._key)
        self._limit_bytes = limit_bytes
        self._reader: ChunkedReader | None = None
        self.size_bytes = 0
        try:
            # Removed from the folder at once, or never in it: a crash leaves nothing.
            self._file = tempfile.TemporaryFile(dir=folder, buffering=0)  # noqa: SIM115  see __exit__
        except OSError as error:
            raise StorageError("The data folder cannot be written; try again later.") from error

    def write(self, plain: bytes) -> None:
        """Take more bytes.

        Raises:
            CapacityError: more than the limit.
            StorageError: the disk fails.
        """
        self.size_bytes += len(plain)
        if self.size_bytes > self._limit_bytes:
            raise CapacityError("This is larger than anything that a desk makes.")
        self._put(self._writer.update(plain))

    def seal(self) -> None:
        """End the writing; from now on it can be read."""
        self._put(self._writer.finish())
        stored_bytes = self._file.seek(0, os.SEEK_END)
        self._reader = ChunkedReader(self._key, self._pread, stored_bytes)

    def read_at(self, offset: int, length: int) -> bytes:
        """Return a part of what was written.

        Raises:
            StorageError: the disk gives back something else.
        """
        if self._reader is None:
            raise StorageError("What is being written cannot be read yet.")
        return self._reader.read_at(offset, length)

    def pieces(self) -> Iterator[bytes]:
        """Yield everything from the beginning, in pieces of 64 KiB."""
        for offset in range(0, self.size_bytes, PIECE_BYTES):
            yield self.read_at(offset, min(PIECE_BYTES, self.size_bytes - offset))

    def __enter__(self) -> "Scratch":
        """Use as a context."""
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        """Close the file, which ends it."""
        self._file.close()

    def _put(self, sealed: bytes) -> None:
        try:
            view = memoryview(sealed)
            while view:
                view = view[self._file.write(view) :]
        except OSError as error:
            raise StorageError("The disk is full; nothing was accepted.") from error

    def _pread(self, offset: int, length: int) -> bytes:
        try:
            return os.pread(self._file.fileno(), length, offset)
        except OSError as error:
            raise StorageError("The disk could not be read; try again.") from error
