"""Vectors of «Archive»: records packed here by hand, and hostile archives of known tricks.

Octets in hexadecimal digits. `entries` of a success lists name and content.
"""

import io
import struct
import zipfile
import zlib
from dataclasses import dataclass, replace
from typing import Any

MODE = 0o100600 << 16
DATE = 0x0021


@dataclass(frozen=True)
class Entry:
    """One entry, any field of which can be a lie; None means the truth."""

    name: bytes
    data: bytes = b"said quietly"
    flags: int = 0x0800
    method: int = 0
    time: int = 0
    date: int = DATE
    needed: int = 20
    made_by: int = 0x0314
    mode: int = MODE
    extra: bytes = b""
    comment: bytes = b""
    crc: int | None = None
    size: int | None = None
    local_name: bytes | None = None
    local_crc: int | None = None
    local_size: int | None = None
    offset: int | None = None
    descriptor: bytes | None = None
    gap: bytes = b""

    def local(self) -> bytes:
        """Header, data and descriptor."""
        name = self.name if self.local_name is None else self.local_name
        crc, size = zlib.crc32(self.data), len(self.data)
        shown = (0, 0) if self.flags & 8 else (crc, size)
        shown = (
            shown[0] if self.local_crc is None else self.local_crc,
            shown[1] if self.local_size is None else self.local_size,
        )
        head = struct.pack(
            "<4sHHHHHLLLHH", b"PK\3\4", self.needed, self.flags, self.method, self.time, self.date,
            shown[0], shown[1], shown[1], len(name), len(self.extra),
        )  # fmt: skip
        tail = struct.pack("<4sLLL", b"PK\7\x08", crc, size, size) if self.flags & 8 else b""
        tail = tail if self.descriptor is None else self.descriptor
        return head + name + self.extra + self.data + tail + self.gap

    def central(self, offset: int) -> bytes:
        """The record of the directory."""
        size = len(self.data) if self.size is None else self.size
        return (
            struct.pack(
                "<4sHHHHHHLLLHHHHHLL", b"PK\1\2", self.made_by, self.needed, self.flags,
                self.method, self.time, self.date,
                zlib.crc32(self.data) if self.crc is None else self.crc, size, size,
                len(self.name), len(self.extra), len(self.comment), 0, 0, self.mode,
                offset if self.offset is None else self.offset,
            )
            + self.name + self.extra + self.comment
        )  # fmt: skip


ONE, TWO = Entry(b"report.json", b"{}\n"), Entry(b"attachments/001-a.txt")


def make() -> list[dict[str, Any]]:
    """Make all vectors of this format."""
    return [*_successes(), *_lies(), *_shapes(), *_names()]


def _successes() -> list[dict[str, Any]]:
    streamed = [replace(ONE, flags=0x0808), replace(TWO, flags=0x0808)]
    scripts = "attachments/001-تقرير 報告 é😀 a\u200db.txt".encode()
    return [
        _success("framed", [ONE, TWO]),
        _success("streamed", streamed),
        _success("no entry", []),
        _success("an entry of no octets", [replace(ONE, data=b"")]),
        _success("a name in several scripts", [Entry(scripts)]),
        _success("data that looks like records", [Entry(b"a", _zip([ONE]))]),
        _success("a name of 255 octets", [Entry(b"x" * 255)]),
    ]


def _lies() -> list[dict[str, Any]]:
    lies = {
        "deflated": replace(TWO, method=8),
        "a method of no ZIP": replace(TWO, method=99),
        "marked as encrypted": replace(TWO, flags=0x0801),
        "marked as strongly encrypted": replace(TWO, flags=0x0841),
        "a name not marked as UTF-8": replace(TWO, flags=0),
        "a time": replace(TWO, time=1),
        "another date": replace(TWO, date=0x5000),
        "a symbolic link": replace(TWO, mode=0o120777 << 16),
        "a folder": replace(TWO, mode=0o040755 << 16 | 0x10),
        "an executable file": replace(TWO, mode=0o100755 << 16),
        "made on MS-DOS": replace(TWO, made_by=20),
        "needs ZIP64": replace(TWO, needed=45),
        "extra fields": replace(TWO, extra=b"\x75\x70\1\0x"),
        "a comment of an entry": replace(TWO, comment=b"hello"),
        "another name in its header": replace(TWO, local_name=b"attachments/001-b.txt"),
        "a longer name in its header": replace(TWO, local_name=b"attachments/001-abc.txt"),
        "another CRC in its header": replace(TWO, local_crc=1),
        "another size in its header": replace(TWO, local_size=5),
        "a wrong CRC in both": replace(TWO, crc=1, local_crc=1),
        "a size beyond the end": replace(TWO, size=10_000, local_size=10_000),
        "a size that means ZIP64": replace(TWO, size=0xFFFFFFFF, local_size=0xFFFFFFFF),
        "an offset elsewhere": replace(TWO, offset=0),
        "a header among streamed ones that is framed": replace(TWO, flags=0x0808),
        "octets behind its data": replace(TWO, gap=b"hidden"),
    }
    described = replace(TWO, flags=0x0808)
    streamed = {
        "no descriptor": replace(described, descriptor=b""),
        "a descriptor of zeros": replace(described, descriptor=bytes(16)),
        "a descriptor without its magic": replace(described, descriptor=bytes(12)),
        "its size in the header": replace(described, local_size=12),
        "its CRC in the header": replace(described, local_crc=1),
        "octets behind its descriptor": replace(described, gap=b"hidden"),
    }
    return [
        *(_fault(f"an entry with {name}", _zip([ONE, lie])) for name, lie in lies.items()),
        *(
            _fault(f"a streamed entry with {name}", _zip([replace(ONE, flags=0x0808), lie]))
            for name, lie in streamed.items()
        ),
        _fault("a part of a record", _zip([ONE])[:-23] + _zip([ONE])[-22:]),
        _fault("a name that is not UTF-8", _zip([Entry(b"\xff\xfe")])),
        _fault("overlapping entries", _overlapping()),
        _fault("one entry listed twice", _zip([ONE], directory=[ONE.central(0)] * 2)),
        _fault(
            "an entry that the directory leaves out", _zip([ONE, TWO], directory=[ONE.central(0)])
        ),
        _fault("the directory in another order", _reordered()),
    ]


def _shapes() -> list[dict[str, Any]]:
    good = _zip([ONE, TWO])
    end = good[-22:]
    (directory,) = struct.unpack("<L", end[16:20])
    ordinary = io.BytesIO()
    with zipfile.ZipFile(ordinary, "w") as archive:
        archive.writestr(zipfile.ZipInfo("report.json"), "{}\n")
    other = _zip([Entry(b"evil.json", b"[]\n")])
    comment = good[:-2] + struct.pack("<H", len(other)) + other
    locator = b"PK\6\7" + struct.pack("<LQL", 0, 0, 1)
    return [
        _fault("nothing", b""),
        _fault("no archive", b"said quietly, and not in an archive at all"),
        _fault("octets in front", b"#!/bin/sh\n" + good),
        _fault(
            "octets before the directory that no offset counts",
            good[:directory] + b"hidden" + good[directory:],
        ),
        _fault("octets at the end", good + b"\0"),
        _fault("one octet short", good[:-1]),
        _fault("one octet less in front", good[1:]),
        _fault("a comment of the archive", good[:-2] + b"\5\0hello"),
        _fault("another archive in its comment", comment),
        _fault("two ends", good + end),
        _fault("two archives", good + other),
        _fault("a ZIP64 locator", good[:-22] + locator + end),
        _fault("counts that differ", good[:-14] + struct.pack("<HH", 1, 2) + good[-10:]),
        _fault("a count too low", good[:-14] + struct.pack("<HH", 1, 1) + good[-10:]),
        _fault("several disks", good[:-18] + struct.pack("<HH", 1, 1) + good[-14:]),
        _fault("a directory longer than the file", good[:-10] + b"\xff\xff\0\0" + good[-6:]),
        _fault("a directory elsewhere", good[:-6] + b"\1\0\0\0\0\0"),
        _fault("written by an ordinary tool", ordinary.getvalue()),
    ]


def _names() -> list[dict[str, Any]]:
    names = {
        "a way up": "../report.json",
        "a way up in the middle": "attachments/../../x",
        "an absolute path": "/etc/passwd",
        "a backslash": "attachments\\x",
        "a drive": "C:x",
        "a dot": "./x",
        "an empty part": "a//b",
        "a folder's ending": "attachments/",
        "no octet": "",
        "a zero octet": "a\0b",
        "a line end": "a\nb",
        "an escape": "a\x1b[2Jb",
        "a reversed ending": "a\u202etxt.exe",
        "an isolate": "a\u2066b",
        "a byte order mark": "\ufeffa",
        "a line separator": "a\u2028b",
        "letters not in form NFC": "e\u0301.txt",
        "more than 255 octets": "é" * 128,
    }
    return [
        *(
            _fault(f"a name with {name}", _zip([Entry(bad.encode())]))
            for name, bad in names.items()
        ),
        _fault("one name twice", _zip([ONE, ONE])),
        _fault("one name twice but for case", _zip([Entry(b"Report.txt"), Entry(b"report.TXT")])),
        _fault(
            "one name twice but for folding", _zip([Entry("Straße".encode()), Entry(b"STRASSE")])
        ),
    ]


def _zip(entries: list[Entry], *, directory: list[bytes] | None = None) -> bytes:
    body, records = b"", []
    for entry in entries:
        records.append(entry.central(len(body)))
        body += entry.local()
    records = records if directory is None else directory
    listed = b"".join(records)
    counts = (len(records), len(records), len(listed), len(body))
    return body + listed + struct.pack("<4sHHHHLLH", b"PK\5\6", 0, 0, *counts, 0)


def _overlapping() -> bytes:
    """Two entries over the same octets, the trick of the non-recursive zip bomb."""
    inner = Entry(b"inner", b"x" * 50)
    outer = Entry(b"outer", inner.local())
    start = len(outer.local()) - len(inner.local())
    return _zip([outer], directory=[outer.central(0), inner.central(start)])


def _reordered() -> bytes:
    return _zip([ONE, TWO], directory=[TWO.central(len(ONE.local())), ONE.central(0)])


def _success(name: str, entries: list[Entry]) -> dict[str, Any]:
    listed = [[entry.name.decode(), entry.data.hex()] for entry in entries]
    return _fault(name, _zip(entries), "success") | {"entries": listed}


def _fault(name: str, archive: bytes, expect: str = "FormatError") -> dict[str, Any]:
    return {"name": name, "expect": expect, "archive": archive.hex()}
