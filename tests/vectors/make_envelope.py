"""Vectors of «Envelope»: what the sealed message holds, as an archive in hexadecimal digits.

Documents are text written here, not encoded by report.py; the signature is made anew for each.
"""

import hashlib
import json
from collections.abc import Callable
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from protocol.archive import ArchiveWriter

VOICE = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
OTHER = Ed25519PrivateKey.from_private_bytes(bytes(range(1, 33)))
ID, RELAY = "0f" * 16, "0B" * 20
REPORT: dict[str, Any] = {
    "answers": [
        {"label": "Where?", "question": "where", "shown": ["In Rome"], "values": ["rome"]},
        {"label": "Which?", "question": "which", "shown": ["One", "Two"], "values": ["1", "2"]},
        {"label": "Consents", "question": "consents", "shown": [], "values": []},
    ],
    "day": "2026-11-22",
    "envelope": ID,
    "format": 1,
    "kind": "report",
    "language": "ar",
    "left_out": ["head"],
    "policy": "generic",
    "policy_version": "1",
    "read_token": "77" * 32,
    "readers": ["counselor-1", "counselor-2"],
    "relay": RELAY,
    "reply_public": "ab" * 1216,
    "text": "قيل همسا\nسطر ثان",
    "track": "complaint",
    "voice_public": VOICE.public_key().public_bytes_raw().hex(),
}
FILES = [("001-صورة.png", b"\x89PNG\r\n"), ("002-letter.asc", b"-----BEGIN PGP MESSAGE-----\n\n")]

Entries = list[tuple[str, bytes]]


def make() -> list[dict[str, Any]]:
    """Make all vectors of this format."""
    return [*_successes(), *_reports(), *_layouts(), *_manifests()]


def _successes() -> list[dict[str, Any]]:
    return [
        _vector("a report with two files, one of them nested", "success")
        | {"nested": [False, True]},
        _vector("a report without files", "success", files=[]) | {"nested": []},
        _vector("nobody left out", "success", report=REPORT | {"left_out": []}),
        _vector("nothing but cover", "success", report=REPORT | {"kind": "cover", "text": ""}),
    ]


def _reports() -> list[dict[str, Any]]:
    answer = REPORT["answers"][0]
    wrong: dict[str, dict[str, Any]] = {
        "a later format": {"format": 2},
        "format 0": {"format": 0},
        "a kind unknown to the format": {"kind": "rumour"},
        "a day that does not exist": {"day": "2026-02-30"},
        "a time of day": {"day": "2026-11-22T10:00"},
        "a day from which no deadline can be counted back": {"day": "1999-12-31"},
        "a day from which no deadline can be counted on": {"day": "3000-01-01"},
        "an id too short": {"envelope": ID[2:]},
        "a relay named by a short key id": {"relay": RELAY[:16]},
        "a read-token too short": {"read_token": "77" * 31},
        "a reply key too short": {"reply_public": "ab" * 1215},
        "a voice too long": {"voice_public": "ab" * 33},
        "text too long": {"text": "x" * 100_001},
        "text that is a list": {"text": ["x"]},
        "no reader": {"readers": []},
        "a reader twice": {"readers": ["counselor-1", "counselor-1"]},
        "a reader who is left out": {"readers": ["head"]},
        "a reader in capitals": {"readers": ["Counselor"]},
        "a reader with a path for a name": {"readers": ["../head"]},
        "an answer that shows less than it holds": {"answers": [answer | {"shown": []}]},
        "an answer with a member too many": {"answers": [answer | {"at": "noon"}]},
        "an answer that is text": {"answers": ["yes"]},
        "too many answers": {"answers": [answer] * 201},
        "a member too many": {"address": "127.0.0.1"},
        "a mailbox beside the key": {"mailbox": "00" * 16},
    }
    missing = {k: v for k, v in REPORT.items() if k != "left_out"}
    return [
        *(_vector(f"report.json: {n}", "FormatError", report=REPORT | w) for n, w in wrong.items()),
        _vector("report.json: a member missing", "FormatError", report=missing),
        _changed("report.json: not canonical", "FormatError", _not_canonical),
        _vector(
            "under the id of another", "AuthenticityError", report=REPORT | {"envelope": "aa" * 16}
        ),
        _vector("of another relay", "AuthenticityError", report=REPORT | {"relay": "0C" * 20}),
    ]


def _layouts() -> list[dict[str, Any]]:
    many = [(f"{n:03d}-a", b"") for n in range(1, 102)]
    return [
        _changed("nothing in it", "FormatError", lambda found: []),
        _changed("no report.txt", "FormatError", lambda found: [found[0], *found[2:]]),
        _changed("no manifest", "FormatError", lambda found: found[:-1]),
        _changed("report.txt first", "FormatError", lambda found: [found[1], found[0], *found[2:]]),
        _changed("the manifest in the middle", "FormatError", lambda f: [*f[:2], f[-1], *f[2:-1]]),
        _changed("a second folder", "FormatError", lambda f: [*f[:-1], ("x/1-a", b""), f[-1]]),
        _vector("an attachment in a folder", "FormatError", files=[("001-a/b", b"")]),
        _vector("an attachment without a number", "FormatError", files=[("a.txt", b"")]),
        _vector("an attachment without a name", "FormatError", files=[("001-", b"")]),
        _vector("attachments that begin at two", "FormatError", files=[("002-a", b"")]),
        _vector(
            "attachments with a number twice", "FormatError", files=[("001-a", b""), ("001-b", b"")]
        ),
        _vector("a hundred and one attachments", "FormatError", files=many),
    ]


def _manifests() -> list[dict[str, Any]]:
    report = _entries(REPORT, FILES)
    other_text = _json(REPORT | {"text": "something else entirely"})
    zeros = {"signature": "00" * 64}
    doubled = _listed([*report, report[-1]])
    return [
        _vector("manifest.json: a later format", "FormatError", manifest={"format": 2}),
        _vector("manifest.json: a member too many", "FormatError", manifest={"day": "2026-11-22"}),
        _vector(
            "manifest.json: a signature too short", "FormatError", manifest={"signature": "00"}
        ),
        _vector("manifest.json: a signature of zeros", "AuthenticityError", manifest=zeros),
        _vector("signed by another voice", "AuthenticityError", voice=OTHER),
        _vector("signed for another envelope", "AuthenticityError", signed_id="aa" * 16),
        _vector("signed for another purpose", "AuthenticityError", context=b"sotto/1 memo\0"),
        _vector(
            "a voice that is no point",
            "AuthenticityError",
            report=REPORT | {"voice_public": "ff" * 32},
        ),
        _changed(
            "report.json exchanged", "AuthenticityError", lambda f: [(f[0][0], other_text), *f[1:]]
        ),
        _changed(
            "report.txt exchanged", "AuthenticityError", lambda f: [f[0], (f[1][0], b"x"), *f[2:]]
        ),
        _changed(
            "a file exchanged",
            "AuthenticityError",
            lambda f: [*f[:2], (f[2][0], b"GIF89a"), *f[3:]],
        ),
        _changed(
            "a file exchanged for one as long",
            "AuthenticityError",
            lambda f: [*f[:2], (f[2][0], b"\x89JPG\r\n"), *f[3:]],
        ),
        _changed(
            "a file renamed",
            "AuthenticityError",
            lambda f: [*f[:2], ("attachments/001-x.png", f[2][1]), *f[3:]],
        ),
        _changed(
            "a file added",
            "AuthenticityError",
            lambda f: [*f[:-1], ("attachments/003-x", b""), f[-1]],
        ),
        _changed("the last file taken away", "AuthenticityError", lambda f: [*f[:3], f[-1]]),
        _vector("a file listed that is not there", "AuthenticityError", entries=doubled),
    ]


def _json(value: object) -> bytes:
    text = json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return text.encode() + b"\n"


def _not_canonical(found: Entries) -> Entries:
    return [(found[0][0], found[0][1].replace(b'":', b'": ', 1)), *found[1:]]


def _entries(report: dict[str, Any], files: Entries) -> Entries:
    text = b"SOTTO: REPORT\n"
    named = [(f"attachments/{name}", data) for name, data in files]
    return [("report.json", _json(report)), ("report.txt", text), *named]


def _listed(entries: Entries) -> list[dict[str, Any]]:
    return [
        {"name": name, "sha256": hashlib.sha256(data).hexdigest(), "size": len(data)}
        for name, data in entries
    ]


def _archive(entries: Entries) -> bytes:
    writer, out = ArchiveWriter(), b""
    for name, data in entries:
        out += writer.begin(name) + writer.update(data) + writer.end()
    return out + writer.finish()


def _complete(
    *,
    report: dict[str, Any] = REPORT,
    files: Entries = FILES,
    voice: Ed25519PrivateKey = VOICE,
    signed_id: str = "",
    context: bytes = b"sotto/1 manifest\0",
    manifest: dict[str, Any] | None = None,
    entries: list[dict[str, Any]] | None = None,
) -> Entries:
    found = _entries(report, files)
    listed = _listed(found) if entries is None else entries
    digest = hashlib.sha256(_json(listed)).digest()
    signature = voice.sign(context + bytes.fromhex(signed_id or report["envelope"]) + digest)
    document = {"entries": listed, "format": 1, "signature": signature.hex()} | (manifest or {})
    return [*found, ("manifest.json", _json(document))]


def _vector(name: str, expect: str, **parts: Any) -> dict[str, Any]:
    return _described(name, expect, _complete(**parts))


def _changed(name: str, expect: str, change: Callable[[Entries], Entries]) -> dict[str, Any]:
    """Change what was signed, after it was signed."""
    return _described(name, expect, change(_complete()))


def _described(name: str, expect: str, entries: Entries) -> dict[str, Any]:
    archive = _archive(entries).hex()
    return {"name": name, "expect": expect, "id": ID, "relay": RELAY, "archive": archive}
