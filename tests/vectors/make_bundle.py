"""Vectors of «Bundle»: heads as text, and whole bundles as lists of entries."""

import hashlib
from typing import Any
from zlib import crc32

from protocol.archive import ArchiveFrame, StoredEntry

SMALL = b"small envelope"
LARGE = b"an envelope that is somewhat larger"
ID_SMALL, ID_LARGE = "f0" * 16, "0f" * 16
HEAD = (
    '{"certificates":[{"certificate":"99aa","fingerprint":"' + "A1" * 20 + '",'
    '"recipient":"counselor-1"}],"cut":7,"day":"2026-11-22","envelopes":['
    f'{{"id":"{ID_SMALL}","sha256":"{hashlib.sha256(SMALL).hexdigest()}","size_bytes":{len(SMALL)}}},'
    f'{{"id":"{ID_LARGE}","sha256":"{hashlib.sha256(LARGE).hexdigest()}","size_bytes":{len(LARGE)}}}'
    '],"format":1,"policy":"generic","policy_version":"1","relay":"' + "0B" * 20 + '",'
    '"serials":{"counselor-1":3,"counselor-2":0},"type":"sotto bundle","warnings":["The disk '
    'is nearly full."]}\n'
)
SIGNATURE = "-----BEGIN PGP SIGNATURE-----\n(an example)\n-----END PGP SIGNATURE-----\n"

Entry = tuple[str, bytes]
ENTRIES: list[Entry] = [
    ("bundle.json", HEAD.encode()),
    ("bundle.json.asc", SIGNATURE.encode()),
    (f"envelopes/{ID_SMALL}.pgp", SMALL),
    (f"envelopes/{ID_LARGE}.pgp", LARGE),
]


def make() -> list[dict[str, Any]]:
    """Make all vectors of this format."""
    return [*_heads(), *_bundles()]


def _heads() -> list[dict[str, Any]]:
    first, second = HEAD.index(f'{{"id":"{ID_SMALL}'), HEAD.index(f'{{"id":"{ID_LARGE}')
    end = HEAD.index('],"format"')
    one, other = HEAD[first : second - 1], HEAD[second:end]
    certificate = HEAD[HEAD.index('{"certificate"') : HEAD.index('],"cut"')]
    changes = {
        "another type": ("sotto bundle", "sotto dispatch"),
        "a later format": ('"format":1', '"format":2'),
        "not canonical": (":", ": "),
        "large envelope first": (f"{one},{other}", f"{other},{one}"),
        "an envelope twice": (one, f"{one},{one}"),
        "an envelope of no octets": (f'"size_bytes":{len(SMALL)}', '"size_bytes":0'),
        "a digest too short": (hashlib.sha256(SMALL).hexdigest(), "00" * 31),
        "an id in capitals": (ID_SMALL, ID_SMALL.upper()),
        "a relay named by a short key id": ("0B" * 20, "0B" * 8),
        "a fingerprint in small letters": ("A1" * 20, "a1" * 20),
        "no certificate octets": ("99aa", ""),
        "two certificates of one recipient": (certificate, f"{certificate},{certificate}"),
        "a serial below zero": ('"counselor-2":0', '"counselor-2":-1'),
        "a serial of a name in capitals": ("counselor-2", "Counselor-2"),
        "serials as a list": ('{"counselor-1":3,"counselor-2":0}', "[3,0]"),
        "a cut that is text": ('"cut":7', '"cut":"7"'),
        "a member that the format does not know": ('"cut"', '"created":0,"cut"'),
        "a member missing": ('"policy_version":"1",', ""),
    }
    return [
        _head("a head", HEAD, "success"),
        *(_head(name, HEAD.replace(*change), "FormatError") for name, change in changes.items()),
    ]


def _head(name: str, document: str, expect: str) -> dict[str, Any]:
    return {"name": f"head: {name}", "kind": "head", "expect": expect, "document": document}


def _bundles() -> list[dict[str, Any]]:
    head, signature, small, large = ENTRIES
    changed = (large[0], b"AN" + large[1][2:])
    return [
        _bundle("complete", ENTRIES, "success", missing=[]),
        _bundle("one envelope missing", [head, signature, small], "success", missing=[ID_LARGE]),
        _bundle("an envelope changed", [head, signature, small, changed], "AuthenticityError"),
        _bundle(
            "an envelope too many",
            [*ENTRIES, (f"envelopes/{'aa' * 16}.pgp", b"more")],
            "FormatError",
        ),
        _bundle("a note beside the envelopes", [*ENTRIES, ("README.txt", b"hello")], "FormatError"),
        _bundle("no signature", [head, small, large], "FormatError"),
        _bundle("no head", [signature, small, large], "FormatError"),
    ]


def _bundle(
    name: str, entries: list[Entry], expect: str, *, missing: list[str] | None = None
) -> dict[str, Any]:
    frame = ArchiveFrame([StoredEntry(n, len(data), crc32(data)) for n, data in entries])
    parts = [part for h, (_, d) in zip(frame.headers, entries, strict=True) for part in (h, d)]
    archive = b"".join([*parts, frame.tail])
    found = {"name": f"bundle: {name}", "kind": "bundle", "expect": expect}
    return found | {"archive": archive.hex()} | ({} if missing is None else {"missing": missing})
