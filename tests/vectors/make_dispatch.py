"""Vectors of «Dispatch»: heads as text, and whole dispatches as lists of entries.

A slot of 17,520 octets is given by the octet that it repeats, so that the file stays small.
"""

import hashlib
from typing import Any

from protocol.archive import ArchiveWriter

SLOT_BYTES = 17_520
FIRST, SECOND = "0a" * 16, "b0" * 16
DIGESTS = {octet: hashlib.sha256(bytes([octet]) * SLOT_BYTES).hexdigest() for octet in (1, 2)}
HEAD = (
    '{"acknowledgements":[{"envelope":"' + "11" * 16 + '","token":"' + "22" * 32 + '"},'
    '{"envelope":"' + "33" * 16 + '","token":"' + "44" * 32 + '"}],"counselor":"counselor-1",'
    '"day":"2026-11-22","format":1,"notices":[{"kind":"holiday","language":"en","text":"Nobody '
    'reads from 24 December to 2 January."}],"relay":"' + "0B" * 20 + '","serial":4,"slots":['
    f'{{"mailbox":"{FIRST}","sha256":"{DIGESTS[1]}"}},'
    f'{{"mailbox":"{SECOND}","sha256":"{DIGESTS[2]}"}}'
    '],"successor":null,"type":"sotto dispatch"}\n'
)
SIGNATURE = "-----BEGIN PGP SIGNATURE-----\n(an example)\n-----END PGP SIGNATURE-----\n"

Entry = tuple[str, str | int]  # a name, and text or the octet that a slot repeats
ENTRIES: list[Entry] = [
    ("dispatch.json", HEAD),
    ("dispatch.json.asc", SIGNATURE),
    (f"slots/{FIRST}.slot", 1),
    (f"slots/{SECOND}.slot", 2),
]


def make() -> list[dict[str, Any]]:
    """Make all vectors of this format."""
    return [*_heads(), *_dispatches()]


def _heads() -> list[dict[str, Any]]:
    first = f'{{"mailbox":"{FIRST}","sha256":"{DIGESTS[1]}"}}'
    second = f'{{"mailbox":"{SECOND}","sha256":"{DIGESTS[2]}"}}'
    changes = {
        "another type": ("sotto dispatch", "sotto bundle"),
        "a later format": ('"format":1', '"format":2'),
        "not canonical": (":", ": "),
        "slots in descending order": (f"{first},{second}", f"{second},{first}"),
        "a mailbox twice": (first, f"{first},{first}"),
        "an envelope acknowledged twice": ("33" * 16, "11" * 16),
        "acknowledgements in descending order": ("33" * 16, "00" * 16),
        "a token too short": ("22" * 32, "22" * 31),
        "serial zero": ('"serial":4', '"serial":0'),
        "a counselor in capitals": ("counselor-1", "Counselor-1"),
        "a relay named by a short key id": ("0B" * 20, "0B" * 8),
        "a successor that is not hexadecimal": ('"successor":null', '"successor":"zz"'),
        "a notice without language": ('"language":"en",', ""),
        "a member that the format does not know": ('"day"', '"created":0,"day"'),
        "no successor member": ('"successor":null,', ""),
    }
    successor = HEAD.replace('"successor":null', '"successor":"99aa"')
    return [
        _head("a head", HEAD, "success"),
        _head("a head with a successor", successor, "success"),
        *(_head(name, HEAD.replace(*change), "FormatError") for name, change in changes.items()),
    ]


def _head(name: str, document: str, expect: str) -> dict[str, Any]:
    return {"name": f"head: {name}", "kind": "head", "expect": expect, "document": document}


def _dispatches() -> list[dict[str, Any]]:
    head, signature, first, second = ENTRIES
    cases: dict[str, tuple[list[Entry], str]] = {
        "complete": (ENTRIES, "success"),
        "a slot changed": ([head, signature, first, (second[0], 3)], "AuthenticityError"),
        "two slots exchanged": (
            [head, signature, (first[0], 2), (second[0], 1)],
            "AuthenticityError",
        ),
        "a slot missing": ([head, signature, first], "FormatError"),
        "a slot too many": ([*ENTRIES, (f"slots/{'cc' * 16}.slot", 3)], "FormatError"),
        "a slot that is too short": ([head, signature, first, (second[0], "x")], "FormatError"),
        "a note beside the slots": ([*ENTRIES, ("README.txt", "hello")], "FormatError"),
        "slots in another order": ([head, signature, second, first], "FormatError"),
        "no signature": ([head, first, second], "FormatError"),
        "no head": ([signature, first, second], "FormatError"),
    }
    return [
        {
            "name": f"dispatch: {name}",
            "kind": "dispatch",
            "expect": expect,
            "entries": entries,
            "archive_sha256": hashlib.sha256(archive_of(entries)).hexdigest(),
        }
        for name, (entries, expect) in cases.items()
    ]


def archive_of(entries: list[Entry]) -> bytes:
    """Write a streamed archive of entries in the short form of these vectors."""
    writer, written = ArchiveWriter(), b""
    for name, content in entries:
        data = content.encode() if isinstance(content, str) else bytes([content]) * SLOT_BYTES
        written += writer.begin(name) + writer.update(data) + writer.end()
    return written + writer.finish()
