"""Large sealed files of the desk: what an envelope held, readable at any place.

Each object has a random name and a random key of its own. The key stands in the
sealed record of the envelope, so a new key of the counselor re-seals one short
message and no object. docs/PROTOCOL.md, Chunked container.
"""

import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Self

from desk.files import force_directory, make_private_directory, random_access
from desk.records import ObjectRef
from protocol.chunked import ChunkedReader, ChunkedWriter
from protocol.errors import StorageError
from protocol.padding import padme

_ZEROS = bytes(64 * 1024)


class ObjectWriter:
    """Write one object; it counts only after `commit`, and is swept if that never comes."""

    def __init__(self, *, folder: Path) -> None:
        self._folder = folder
        self._name = secrets.token_hex(16)
        self._key = secrets.token_bytes(32)
        self._chunks = ChunkedWriter(self._key)
        self._size_bytes = 0
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
        try:
            self._out = os.fdopen(os.open(folder / self._name, flags, 0o600), "wb")
        except OSError as error:
            raise StorageError("The desk's folder cannot be written; check the disk.") from error

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *failure: object) -> None:
        """Remove what was not committed."""
        if not self._out.closed:
            self._out.close()
            (self._folder / self._name).unlink(missing_ok=True)

    def write(self, part: bytes) -> None:
        """Seal and append.

        Raises:
            StorageError: the disk is full or failed.
        """
        self._size_bytes += len(part)
        self._append(part)

    def commit(self) -> ObjectRef:
        """Pad to the size class, force to the disk, and return what finds and opens it.

        Padded because the exact size of a ZIP is a fingerprint of the files in it.
        """
        padding = padme(self._size_bytes) - self._size_bytes
        while padding > 0:
            self._append(_ZEROS[:padding])
            padding -= min(padding, len(_ZEROS))
        try:
            self._out.write(self._chunks.finish())
            self._out.flush()
            os.fsync(self._out.fileno())
            self._out.close()
            force_directory(self._folder)
        except OSError as error:
            raise StorageError("The desk's disk is full or failing; nothing was filed.") from error
        return ObjectRef(name=self._name, key=self._key, size_bytes=self._size_bytes)

    def _append(self, part: bytes) -> None:
        try:
            self._out.write(self._chunks.update(part))
        except OSError as error:
            raise StorageError("The desk's disk is full or failing; nothing was filed.") from error


class Objects:
    """The folder of objects; their names say nothing and are listed by nobody else."""

    def __init__(self, *, folder: Path) -> None:
        self._folder = folder

    def create_folder(self) -> None:
        """Make the folder, for its owner alone."""
        make_private_directory(self._folder)

    def writer(self) -> ObjectWriter:
        """Begin a new object."""
        return ObjectWriter(folder=self._folder)

    @contextmanager
    def reader(self, ref: ObjectRef) -> Iterator[Callable[[int, int], bytes]]:
        """Open an object for reading at any place.

        Raises:
            StorageError: it is gone.
            AuthenticityError: it was changed, shortened or reordered.
        """
        with random_access(self._folder / ref.name) as (read_at, size_bytes):
            yield ChunkedReader(ref.key, read_at, size_bytes).read_at

    def remove(self, ref: ObjectRef) -> None:
        """Remove an object; one that is gone already is no error."""
        (self._folder / ref.name).unlink(missing_ok=True)

    def names(self) -> set[str]:
        """Return the names of all files in the folder."""
        return {entry.name for entry in self._folder.iterdir()}

    def path(self, name: str) -> Path:
        """Return where the object of that name lies."""
        return self._folder / name

    def sweep(self, wanted: set[str]) -> int:
        """Remove what no record names: the remains of an import that was cut off.

        Args:
            wanted: names of the objects that some record names.

        Returns:
            How many were removed.
        """
        lost = self.names() - wanted
        for name in lost:
            (self._folder / name).unlink(missing_ok=True)
        return len(lost)
