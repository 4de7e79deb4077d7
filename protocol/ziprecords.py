"""The records of our ZIP: every octet of them follows from name, size and CRC of the entries.

Writer, frame and reader build them with the same functions, so what one writes the other
rebuilds and compares. PROTOCOL.md, «Archive».
"""

import struct
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from protocol import limits
from protocol.errors import CapacityError, FormatError

# APPNOTE 6.3.10 sections 4.3.7 (local), 4.3.9 (descriptor), 4.3.12 (central), 4.3.16 (end).
_LOCAL = struct.Struct("<4sHHHHHLLLHH")
_DESCRIPTOR = struct.Struct("<4sLLL")
_CENTRAL = struct.Struct("<4sHHHHHHLLLHHHHHLL")
_END = struct.Struct("<4sHHHHLLH")
END_BYTES = _END.size
_LOCAL_MAGIC = b"PK\x03\x04"
_DESCRIPTOR_MAGIC = b"PK\x07\x08"
_CENTRAL_MAGIC = b"PK\x01\x02"
_END_MAGIC = b"PK\x05\x06"

_NEEDED = 20  # version 2.0: folders in names and data descriptors
_MADE_BY = 3 << 8 | _NEEDED  # on Unix, so that unzip applies the mode below
_MODE = 0o100600 << 16  # a regular file that only its owner reads; never a link, never a folder
_UTF8 = 1 << 11
_DESCRIBED = 1 << 3  # sizes and CRC follow the data
_STORED = 0
_TIME = 0
_DATE = 1 << 5 | 1  # 1980-01-01, the first day that ZIP knows: no time leaves the relay


@dataclass(frozen=True)
class StoredEntry:
    """What the directory says about one entry; data is stored, so there is one size."""

    name: str
    size_bytes: int
    crc32: int


def local_header(entry: StoredEntry, *, streamed: bool) -> bytes:
    """Build what stands before the data; when streamed, sizes and CRC are zero here."""
    name = entry.name.encode("utf-8")
    known = (0, 0) if streamed else (entry.crc32, entry.size_bytes)
    flags = _UTF8 | (_DESCRIBED if streamed else 0)
    fixed = (_LOCAL_MAGIC, _NEEDED, flags, _STORED, _TIME, _DATE)
    return _LOCAL.pack(*fixed, known[0], known[1], known[1], len(name), 0) + name


def descriptor(entry: StoredEntry) -> bytes:
    """Build what stands after streamed data: its CRC and sizes."""
    return _DESCRIPTOR.pack(_DESCRIPTOR_MAGIC, entry.crc32, entry.size_bytes, entry.size_bytes)


def stride(entry: StoredEntry, *, streamed: bool) -> int:
    """Return how many octets an entry takes: header, data and, when streamed, descriptor."""
    header = _LOCAL.size + len(entry.name.encode("utf-8"))
    return header + entry.size_bytes + (_DESCRIPTOR.size if streamed else 0)


def archive_tail(entries: Sequence[StoredEntry], *, streamed: bool) -> bytes:
    """Build the central directory and its end, the same for writer, frame and reader."""
    records = []
    offset = 0
    for entry in entries:
        if offset > limits.ARCHIVE_BYTES or entry.size_bytes > limits.ARCHIVE_BYTES:
            break  # would not fit its field; refused below
        name = entry.name.encode("utf-8")
        flags = _UTF8 | (_DESCRIBED if streamed else 0)
        fixed = (_CENTRAL_MAGIC, _MADE_BY, _NEEDED, flags, _STORED, _TIME, _DATE)
        sizes = (entry.crc32, entry.size_bytes, entry.size_bytes, len(name))
        records.append(_CENTRAL.pack(*fixed, *sizes, 0, 0, 0, 0, _MODE, offset) + name)
        offset += stride(entry, streamed=streamed)
    directory = b"".join(records)
    count = len(entries)
    if offset + len(directory) + END_BYTES > limits.ARCHIVE_BYTES or (
        count > limits.ARCHIVE_ENTRIES or len(records) < count
    ):
        raise CapacityError("an archive holds at most 4 GiB and 65,534 entries; send less at once")
    end = _END.pack(_END_MAGIC, 0, 0, count, count, len(directory), offset, 0)
    return directory + end


def name_key(name: str) -> str:
    """Return what file systems that ignore case take a name for."""
    return unicodedata.normalize("NFC", name.casefold())


def read_directory(data: bytes) -> tuple[tuple[StoredEntry, ...], bool]:
    """Take from each record what is free (name, size, CRC); the caller compares the rest."""
    entries = []
    streamed = False
    offset = 0
    while offset < len(data):
        if len(data) - offset < _CENTRAL.size or data[offset : offset + 4] != _CENTRAL_MAGIC:
            raise FormatError("the directory of the archive is broken")
        fields = _CENTRAL.unpack_from(data, offset)
        start = offset + _CENTRAL.size
        offset = start + fields[10]
        try:
            name = data[start:offset].decode("utf-8")
        except UnicodeDecodeError:
            raise FormatError("a name in an archive is not in UTF-8") from None
        streamed = bool(fields[3] & _DESCRIBED)
        entries.append(StoredEntry(name=name, size_bytes=fields[8], crc32=fields[7]))
    return tuple(entries), streamed


def read_end(data: bytes) -> tuple[int, int]:
    """Return how many entries the end announces, and how long their directory is."""
    magic, _, _, _, count, directory_bytes, _, _ = _END.unpack(data)
    if magic != _END_MAGIC:
        raise FormatError("the archive does not end as it must; fetch the file again")
    return count, directory_bytes
