"""The ZIP that we write and read: stored entries, and for one list of entries one archive.

Ordinary `unzip` must open it, and it must have one reading only. ZIP readers disagree about
which of two headers counts, what lies between entries, and where the directory is; so the
reader here rebuilds the directory from what it says and compares, and refuses whatever leaves
one byte unaccounted for. PROTOCOL.md, «Archive».
"""

import zlib
from collections.abc import Callable, Iterator, Sequence

from protocol import limits
from protocol.errors import CapacityError, FormatError
from protocol.filenames import check_entry_name
from protocol.ziprecords import (
    END_BYTES,
    StoredEntry,
    archive_tail,
    descriptor,
    local_header,
    name_key,
    read_directory,
    read_end,
    stride,
)

__all__ = ["ArchiveFrame", "ArchiveReader", "ArchiveWriter", "StoredEntry"]


class ArchiveWriter:
    """Write an archive as a stream: nothing is known in advance, nothing is kept but sizes."""

    def __init__(self) -> None:
        """Start with no entries."""
        self._entries: list[StoredEntry] = []
        self._keys: set[str] = set()
        self._open: StoredEntry | None = None
        self._written = 0

    def begin(self, name: str) -> bytes:
        """Begin an entry.

        Raises:
            FormatError: the name is not allowed, or already used (letter case apart).
            CapacityError: 65,534 entries are written.
        """
        if self._open is not None:
            raise ValueError("end the open entry first")
        check_entry_name(name)
        if name_key(name) in self._keys:
            raise FormatError("an archive has no two entries of one name")
        if len(self._entries) == limits.ARCHIVE_ENTRIES:
            raise CapacityError("an archive holds at most 65,534 entries; send less at once")
        self._keys.add(name_key(name))
        self._open = StoredEntry(name=name, size_bytes=0, crc32=0)
        return self._count(local_header(self._open, streamed=True))

    def update(self, data: bytes) -> bytes:
        """Take more of the open entry; stored, so the same octets come out.

        Raises:
            CapacityError: the archive would pass 4 GiB.
        """
        entry = self._opened()
        self._open = StoredEntry(
            name=entry.name,
            size_bytes=entry.size_bytes + len(data),
            crc32=zlib.crc32(data, entry.crc32),
        )
        return self._count(data)

    def end(self) -> bytes:
        """End the open entry with its descriptor."""
        entry = self._opened()
        self._entries.append(entry)
        self._open = None
        return self._count(descriptor(entry))

    def finish(self) -> bytes:
        """Write the directory; nothing may follow."""
        if self._open is not None:
            raise ValueError("end the open entry first")
        return archive_tail(self._entries, streamed=True)

    def _opened(self) -> StoredEntry:
        if self._open is None:
            raise ValueError("begin an entry first")
        return self._open

    def _count(self, data: bytes) -> bytes:
        self._written += len(data)
        if self._written > limits.ARCHIVE_BYTES:
            raise CapacityError("an archive holds at most 4 GiB; send less at once")
        return data


class ArchiveFrame:
    """Everything of an archive but the data, when sizes and checksums are known before.

    A bundle must have a length and answer requests for ranges before its envelopes are read.
    """

    def __init__(self, entries: Sequence[StoredEntry]) -> None:
        """Lay the frame out.

        Args:
            entries: in the order in which their data will follow the headers.

        Raises:
            FormatError: a name is not allowed or there twice.
            CapacityError: more than 4 GiB or 65,534 entries.
        """
        for entry in entries:
            check_entry_name(entry.name)
        if len({name_key(entry.name) for entry in entries}) != len(entries):
            raise FormatError("an archive has no two entries of one name")
        self.tail = archive_tail(entries, streamed=False)
        self.headers = tuple(local_header(entry, streamed=False) for entry in entries)
        data = sum(stride(entry, streamed=False) for entry in entries)
        self.total_bytes = data + len(self.tail)


class ArchiveReader:
    """Read an archive that we could have written, and no other.

    The directory says what is there; headers and descriptors must repeat it, entries must
    follow one another from the first octet to the directory, and the end is the end.
    """

    entries: tuple[StoredEntry, ...]

    def __init__(
        self,
        read_at: Callable[[int, int], bytes],
        size_bytes: int,
        *,
        entries_limit: int = limits.ARCHIVE_ENTRIES,
    ) -> None:
        """Read the directory and check it against every header.

        Args:
            read_at: gives exactly the octets of (offset, length); fewer is a truncated file.
            size_bytes: of the whole archive.
            entries_limit: above this many entries the archive is refused.

        Raises:
            FormatError: not an archive of ours, octet for octet.
        """
        self._read_at = read_at
        self._size_bytes = size_bytes
        tail = self._read_tail(entries_limit)
        self.entries, self._streamed = read_directory(tail[:-END_BYTES])
        self._check_names()
        try:
            expected = archive_tail(self.entries, streamed=self._streamed)
        except CapacityError:
            raise FormatError("the directory of the archive says more than fits") from None
        if tail != expected:
            raise FormatError("the directory of the archive has fields that are not allowed")
        self._offsets = self._check_headers(size_bytes - len(tail))

    def read(self, name: str) -> Iterator[bytes]:
        """Yield an entry in pieces of at most 256 KiB, and check it at the end.

        Raises:
            FormatError: no such entry, or its CRC-32 is wrong (after the last piece).
        """
        entry = self._entry(name)
        offset = self._offsets[name]
        left = entry.size_bytes
        crc32 = 0
        while left:
            piece = self._exactly(offset, min(left, limits.ARCHIVE_PIECE_BYTES))
            crc32 = zlib.crc32(piece, crc32)
            offset += len(piece)
            left -= len(piece)
            yield piece
        if crc32 != entry.crc32:
            raise FormatError("an entry of the archive is damaged; fetch the file again")

    def read_small(self, name: str, limit: int) -> bytes:
        """Read an entry of at most `limit` octets, whole and checked.

        Raises:
            FormatError: no such entry, longer than `limit`, or damaged.
        """
        if self._entry(name).size_bytes > limit:
            raise FormatError("an entry of the archive is longer than its format allows")
        return b"".join(self.read(name))

    def _entry(self, name: str) -> StoredEntry:
        if name not in self._offsets:
            raise FormatError("an entry that the format asks for is missing from the archive")
        return self._by_name[name]

    def _exactly(self, offset: int, length: int) -> bytes:
        piece = self._read_at(offset, length)
        if len(piece) != length:
            raise FormatError("the archive ends too early; fetch the file again")
        return piece

    def _read_tail(self, entries_limit: int) -> bytes:
        if not END_BYTES <= self._size_bytes <= limits.ARCHIVE_BYTES:
            raise FormatError("this is not an archive of a size that we write")
        end = self._exactly(self._size_bytes - END_BYTES, END_BYTES)
        count, directory_bytes = read_end(end)
        if count > entries_limit or directory_bytes > limits.DIRECTORY_BYTES:
            raise FormatError("the archive has more entries than its format allows")
        start = self._size_bytes - END_BYTES - directory_bytes
        if start < 0:
            raise FormatError("the directory of the archive is longer than the archive")
        return self._exactly(start, directory_bytes) + end

    def _check_names(self) -> None:
        for entry in self.entries:
            check_entry_name(entry.name)
        self._by_name = {entry.name: entry for entry in self.entries}
        if len({name_key(entry.name) for entry in self.entries}) != len(self.entries):
            raise FormatError("an archive has no two entries of one name")

    def _check_headers(self, directory_offset: int) -> dict[str, int]:
        """Walk from entry to entry; whatever is not header, data or descriptor has no room."""
        offsets = {}
        offset = 0
        for entry in self.entries:
            header = local_header(entry, streamed=self._streamed)
            following = offset + stride(entry, streamed=self._streamed)
            if following > directory_offset:
                raise FormatError("entries of the archive overlap its directory")
            if self._exactly(offset, len(header)) != header:
                raise FormatError("a header of the archive contradicts its directory")
            if self._streamed:
                last = descriptor(entry)
                if self._exactly(following - len(last), len(last)) != last:
                    raise FormatError("a descriptor of the archive contradicts its directory")
            offsets[entry.name] = offset + len(header)
            offset = following
        if offset != directory_offset:
            raise FormatError("the archive holds octets that belong to no entry")
        return offsets
