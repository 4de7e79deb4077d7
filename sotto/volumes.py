"""A stream of any length as sealed files: FILE, FILE.2, FILE.3 …, each one OpenPGP message.

One message ends at 4 GiB, a relay does not. Every volume can be opened with stock gpg, and
their contents, one after the other, are the stream. Nothing has its name before all of it is
on the disk, and FILE gets its name last.
"""

import os
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from keys.certificate import Certificate
from keys.lock import generate_session_key, make_lock
from keys.secretkey import SecretKey
from protocol.errors import KeyMaterialError, StorageError
from protocol.limits import MIB
from protocol.sealing import Sealer
from protocol.unsealing import read_sealed

VOLUME_BYTES = 1024 * MIB
CONTENT_NAME = "sotto-backup.tar"
_READ_BYTES = MIB


def volume_path(first: Path, number: int) -> Path:
    """Return where the volume of a number lies, counted from 1."""
    return first if number == 1 else first.with_name(f"{first.name}.{number}")


class VolumeWriter:
    """Seals what is written to one certificate. Leave nothing behind unless finished."""

    def __init__(self, first: Path, *, certificate: Certificate) -> None:
        """Begin; the first volume is opened with the first write.

        Raises:
            StorageError: a backup of that name is there.
        """
        if os.path.lexists(first) or os.path.lexists(volume_path(first, 2)):
            raise StorageError("A file of that name is there already; choose another name.")
        self._first = first
        self._certificate = certificate
        self._number = 0
        self._left = 0
        self._file: BinaryIO | None = None
        self._sealer: Sealer | None = None

    def write(self, data: bytes) -> int:
        """Take more of the stream.

        Raises:
            StorageError: the disk refuses.
        """
        rest = memoryview(data)
        while rest:
            if not self._left:
                self._close_volume()
                self._open_volume()
            piece, rest = rest[: self._left], rest[self._left :]
            self._left -= len(piece)
            self._put(self._sealer.update(bytes(piece)) if self._sealer else b"")
        return len(data)

    def finish(self) -> int:
        """Give every volume its name, the first one last, and return how many there are.

        Raises:
            StorageError: the disk refuses; nothing has a name then but later volumes.
        """
        self._close_volume()
        try:
            for number in range(self._number, 0, -1):
                path = volume_path(self._first, number)
                _beside(path).rename(path)
            _force(self._first.parent)
        except OSError as error:
            raise StorageError("The backup cannot be written there; look at the disk.") from error
        return self._number

    def discard(self) -> None:
        """Remove what was not finished."""
        if self._file is not None:
            self._file.close()
        for number in range(1, self._number + 1):
            with suppress(OSError):  # of a disk that refuses, which was said
                _beside(volume_path(self._first, number)).unlink(missing_ok=True)

    def _open_volume(self) -> None:
        self._number += 1
        self._left = VOLUME_BYTES
        session_key = generate_session_key()
        self._sealer = Sealer(
            session_key=session_key,
            locks=make_lock(self._certificate, session_key),
            file_name=CONTENT_NAME,
        )
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW
        try:
            path = _beside(volume_path(self._first, self._number))
            self._file = os.fdopen(os.open(path, flags, 0o600), "wb")
        except OSError as error:
            raise StorageError("The backup cannot be written there; look at the disk.") from error

    def _close_volume(self) -> None:
        if self._sealer is None or self._file is None:
            return
        for piece in self._sealer.finish_in_pieces():
            self._put(piece)
        try:
            self._file.flush()
            os.fsync(self._file.fileno())
            self._file.close()
        except OSError as error:
            raise StorageError("The backup cannot be written there; look at the disk.") from error
        self._sealer = self._file = None

    def _put(self, data: bytes) -> None:
        try:
            if self._file is not None:
                self._file.write(data)
        except OSError as error:
            raise StorageError("The backup cannot be written there; look at the disk.") from error


def read_volumes(first: Path, key: SecretKey) -> Iterator[bytes]:
    """Yield the stream of a backup; of each volume only what was proven whole.

    Raises:
        KeyMaterialError: the key opens none of it.
        AuthenticityError: a volume was changed.
        FormatError: it is no volume of ours.
        StorageError: it cannot be read.
    """
    number = 1
    while number == 1 or volume_path(first, number).exists():
        path = volume_path(first, number)
        message = read_sealed(lambda path=path: _read_parts(path))  # type: ignore[misc]  # bound now
        session_key = key.open_lock(message.locks)
        if session_key is None:
            raise KeyMaterialError("This key does not open the backup; take the one it is for.")
        yield from message.unseal(session_key)
        number += 1


def _read_parts(path: Path) -> Iterable[bytes]:
    try:
        with path.open("rb") as file:
            while part := file.read(_READ_BYTES):
                yield part
    except OSError as error:
        raise StorageError("The backup cannot be read; look at the disk it lies on.") from error


def _beside(path: Path) -> Path:
    return path.with_name(f".{path.name}.part")


def _force(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
