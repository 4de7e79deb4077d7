"""Files that are whole or absent, and readable by nobody but the counselor.

A desk is switched off by pulling a stick or a plug. What it writes is therefore
written beside its name, forced to the disk, and only then given the name.
"""

import fcntl
import os
import secrets
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from protocol.errors import StorageError

COPY_BYTES = 1 << 20  # one read or write; large enough that the disk and not Python is the limit


def make_private_directory(directory: Path) -> None:
    """Create a folder that only its owner may enter (0700), or make an existing one so.

    Raises:
        StorageError: it cannot be created or belongs to somebody else.
    """
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        directory.chmod(0o700)
    except OSError as error:
        raise StorageError(_sentence("This folder cannot be made private", error)) from error


def is_used(directory: Path) -> bool:
    """Tell whether a folder is there and holds anything.

    Raises:
        StorageError: it cannot be read.
    """
    try:
        return directory.exists() and any(directory.iterdir())
    except OSError as error:
        raise StorageError(_sentence("This folder cannot be read", error)) from error


def force_directory(directory: Path) -> None:
    """Force a folder's list of names to the disk, so that a rename survives a power cut."""
    handle = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


class StagedFile:
    """A file that is written in full before anybody sees it under its name."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._beside = path.with_name(f".{secrets.token_hex(8)}.part")

    def write(self, parts: Iterable[bytes]) -> int:
        """Write the content, mode 0600, and force it to the disk.

        Args:
            parts: in order; it may be large and is never held at once.

        Returns:
            The number of bytes written.

        Raises:
            StorageError: the disk refused.
        """
        written = 0
        try:
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
            with os.fdopen(os.open(self._beside, flags, 0o600), "wb") as out:
                for part in parts:
                    out.write(part)
                    written += len(part)
                out.flush()
                os.fsync(out.fileno())
                # Whoever reads this back shall read the disk, not what memory remembers of it.
                os.posix_fadvise(out.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
        except OSError as error:
            raise StorageError(_sentence("The file could not be written", error)) from error
        return written

    def publish(self) -> None:
        """Give the file its name, in place of an older one.

        Raises:
            StorageError: the disk refused.
        """
        try:
            self._beside.replace(self._path)
            force_directory(self._path.parent)
        except OSError as error:
            raise StorageError(_sentence("The file could not be written", error)) from error

    def discard(self) -> None:
        """Remove what was not published."""
        with suppress(OSError):
            self._beside.unlink(missing_ok=True)


@contextmanager
def staged_file(path: Path) -> Iterator[StagedFile]:
    """Stage a file; what the context does not publish is gone when it ends."""
    staged = StagedFile(path)
    try:
        yield staged
    finally:
        staged.discard()


def write_whole(path: Path, parts: Iterable[bytes]) -> int:
    """Write a file of mode 0600 that appears under its name only when it is complete.

    Returns:
        The number of bytes written.

    Raises:
        StorageError: the disk refused.
    """
    with staged_file(path) as staged:
        written = staged.write(parts)
        staged.publish()
    return written


@contextmanager
def alone(directory: Path) -> Iterator[None]:
    """Hold a desk's folder: two imports, or an import and a backup, would undo each other.

    Raises:
        StorageError: another command holds it.
    """
    handle = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise StorageError(
                "Another command is importing or copying this desk; wait until it is done."
            ) from error
        yield
    finally:
        os.close(handle)


def read_parts(path: Path) -> Iterator[bytes]:
    """Yield a file piece by piece.

    Raises:
        StorageError: it cannot be read to its end.
    """
    try:
        with path.open("rb") as source:
            while part := source.read(COPY_BYTES):
                yield part
    except OSError as error:
        raise StorageError(_sentence("A file of the desk cannot be read", error)) from error


def read_small(path: Path, limit_bytes: int, *, what: str) -> bytes:
    """Read a file that is known to be small.

    Args:
        what: names it in a sentence, as "The secret key"; file names are not repeated.

    Raises:
        StorageError: it cannot be read, or is larger than `limit_bytes`.
    """
    try:
        with path.open("rb") as source:
            data = source.read(limit_bytes + 1)
    except OSError as error:
        raise StorageError(_sentence(f"{what} cannot be read", error)) from error
    if len(data) > limit_bytes:
        raise StorageError(f"{what} is far too large; check which file you gave.")
    return data


@contextmanager
def random_access(path: Path) -> Iterator[tuple[Callable[[int, int], bytes], int]]:
    """Open a large file for reading at any place, never as a whole.

    Returns:
        `read_at(offset, length)`, which gives fewer octets where the file ends or the disk
        fails, and the size in bytes; while the context lasts.

    Raises:
        StorageError: the file cannot be opened.
    """
    try:
        handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError as error:
        raise StorageError(_sentence("The file cannot be opened", error)) from error
    try:
        yield _reader(handle), os.fstat(handle).st_size
    finally:
        os.close(handle)


def _reader(handle: int) -> Callable[[int, int], bytes]:
    def read_at(offset: int, length: int) -> bytes:
        parts: list[bytes] = []
        # A bad sector reads as an early end: one envelope is damaged, the others are not.
        with suppress(OSError):
            while length > 0 and (part := os.pread(handle, min(length, COPY_BYTES), offset)):
                parts.append(part)
                offset += len(part)
                length -= len(part)
        return b"".join(parts)

    return read_at


def _sentence(what: str, error: OSError) -> str:
    return f"{what}: {error.strerror or 'the disk gave no reason'}."
