"""Envelopes made to break a desk, imported on its pages: told in a sentence, the rest taken.

Whoever holds the relay can seal whatever he likes and sign it, so nothing that comes out of
an envelope is believed before it was looked at.
"""

import io
import json
import resource
import secrets
import struct
import subprocess
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest
from deskbrowser import DeskBrowser
from livedin import HOSTILE
from relayside import Counselor, FakeRelay, SealedEnvelope

from keys.lock import generate_session_key, make_lock
from protocol.archive import ArchiveFrame, StoredEntry
from protocol.canonical import encode_json
from protocol.derivation import generate_throwaway_keys
from protocol.sealing import Sealer, read_sealed

GIB = 1 << 30
FILE = b"attachments/001-notes.txt"
Parts = dict[str, bytes]


def honest(relay: FakeRelay) -> tuple[SealedEnvelope, Parts]:
    """Return an ordinary envelope of anna's, and the parts of the archive in it."""
    envelope = relay.send(generate_throwaway_keys(), files={"notes.txt": b"noon"})
    anna = relay.counselors[0].secret_key
    message = read_sealed(lambda: [envelope.ciphertext])
    session_key = anna.open_lock(message.locks)
    assert session_key is not None
    with zipfile.ZipFile(io.BytesIO(b"".join(message.unseal(session_key)))) as archive:
        return envelope, {one: archive.read(one) for one in archive.namelist()}


def zipped(parts: Parts) -> bytes:
    """Write an archive as the relay does, whatever is in it."""
    frame = ArchiveFrame(
        [StoredEntry(name, len(data), zlib.crc32(data)) for name, data in parts.items()]
    )
    pieces = (a + b for a, b in zip(frame.headers, parts.values(), strict=True))
    return b"".join(pieces) + frame.tail


def sealed(relay: FakeRelay, envelope: SealedEnvelope, archive: bytes) -> SealedEnvelope:
    """Seal anything at all under the id of an envelope."""
    session_key = generate_session_key()
    locks = b"".join(make_lock(one.certificate, session_key) for one in relay.counselors)
    sealer = Sealer(session_key=session_key, locks=locks, file_name="envelope.zip")
    return SealedEnvelope(envelope.id, sealer.update(archive) + sealer.finish(), envelope.token)


def with_parts(change: Callable[[Parts], object]) -> Callable[[FakeRelay], SealedEnvelope]:
    """Let the archive hold something else."""

    def make(relay: FakeRelay) -> SealedEnvelope:
        envelope, parts = honest(relay)
        change(parts)
        return sealed(relay, envelope, zipped(parts))

    return make


def with_bytes(change: Callable[[bytes], bytes]) -> Callable[[FakeRelay], SealedEnvelope]:
    """Let the archive be written otherwise."""

    def make(relay: FakeRelay) -> SealedEnvelope:
        envelope, parts = honest(relay)
        return sealed(relay, envelope, change(zipped(parts)))

    return make


def named(name: bytes) -> Callable[[FakeRelay], SealedEnvelope]:
    """Let the one file have another name, of the same length."""
    assert len(name) == len(FILE)
    return with_bytes(lambda archive: archive.replace(FILE, name))


def deflated_bomb(relay: FakeRelay) -> SealedEnvelope:
    envelope, parts = honest(relay)
    parts["attachments/002-bomb"] = bytes(GIB // 4)
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return sealed(relay, envelope, out.getvalue())


def bomb_of_openpgp(relay: FakeRelay) -> SealedEnvelope:
    """Compress a gibibyte in the message itself, as any OpenPGP program may."""
    envelope, _ = honest(relay)
    session_key = generate_session_key()
    deflate = zlib.compressobj(9, zlib.DEFLATED, -15)
    literal = b"\xcb\xff" + struct.pack(">I", GIB) + b"b\x00\x00\x00\x00\x00"
    body = [deflate.compress(literal)]
    body += [deflate.compress(bytes(1 << 20)) for _ in range(GIB >> 20)]
    compressed = b"\x01" + b"".join(body) + deflate.flush()
    packet = b"\xc8\xff" + struct.pack(">I", len(compressed)) + compressed
    locks = b"".join(make_lock(one.certificate, session_key) for one in relay.counselors)
    return SealedEnvelope(envelope.id, locks + encrypted(packet, session_key), envelope.token)


def encrypted(packet: bytes, session_key: bytes) -> bytes:
    """Write SEIPD version 1 around a packet (RFC 4880 section 5.13)."""
    import hashlib

    from cryptography.hazmat.decrepit.ciphers.modes import CFB
    from cryptography.hazmat.primitives.ciphers import Cipher, algorithms

    prefix = secrets.token_bytes(16)
    plain = prefix + prefix[-2:] + packet + b"\xd3\x14"
    plain += hashlib.sha1(plain, usedforsecurity=False).digest()
    cipher = Cipher(algorithms.AES(session_key), CFB(bytes(16))).encryptor()
    body = b"\x01" + cipher.update(plain) + cipher.finalize()
    return b"\xd2\xff" + struct.pack(">I", len(body)) + body


def more(parts: Parts, count: int) -> None:
    """Put files before the manifest, which is the last part of an envelope."""
    manifest = parts.pop("manifest.json")
    parts.update({f"attachments/{number:05d}-x": b"" for number in range(2, 2 + count)})
    parts["manifest.json"] = manifest


def changed(parts: Parts, name: str, **fields: object) -> None:
    parts[name] = encode_json({**json.loads(parts[name]), **fields})


ENVELOPES = {
    "a bomb in the archive": deflated_bomb,
    "a bomb in the message": bomb_of_openpgp,
    "a path upwards": named(b"attachments/../../../cron"),
    "a path from the root": named(b"/etc/cron.d/00-everything"),
    "a path of Windows": named(b"attachments\\..\\..\\cron.xy"),
    "10,000 entries": with_parts(lambda p: more(p, 10_000)),
    "no report": with_parts(lambda p: p.pop("report.json")),
    "a report that is no JSON": with_parts(lambda p: p.update({"report.json": b"{"})),
    "a report nested deeply": with_parts(lambda p: p.update({"report.json": b"[" * 100_000})),
    "a report of another shape": with_parts(lambda p: p.update({"report.json": b"[]\n"})),
    "a number beyond all numbers": with_parts(
        lambda p: p.update({"report.json": b'{"format":' + b"9" * 5000 + b"}\n"})
    ),
    "a future format": with_parts(lambda p: changed(p, "report.json", format=2)),
    "text changed after it was signed": with_parts(
        lambda p: p.update(
            {"report.json": p["report.json"].replace(b"Something happened", b"Nothing happened!!")}
        )
    ),
    "a file that is not what the manifest lists": with_parts(
        lambda p: p.update({"attachments/001-notes.txt": b"ten!"})
    ),
    "a file that no manifest lists": with_parts(lambda p: more(p, 1)),
    "no manifest": with_parts(lambda p: p.pop("manifest.json")),
    "something before the archive": with_bytes(lambda z: b"MZ" + bytes(100) + z),
    "something after the archive": with_bytes(lambda z: z + b"more"),
    "two directories": with_bytes(lambda z: z + z),
    "a name in the directory that the file does not bear": with_bytes(
        lambda z: (
            z[: z.rindex(b"report.txt")]
            + b"deport.txt"
            + z[z.rindex(b"report.txt") + len(b"report.txt") :]
        )
    ),
    "a size in the directory that the file does not have": with_bytes(
        lambda z: z.replace(struct.pack("<II", 4, 4), struct.pack("<II", 9, 9))
    ),
    "no archive": with_bytes(lambda z: b"%PDF-1.7" + bytes(500)),
    "nothing": with_bytes(lambda z: b""),
}


@pytest.mark.parametrize("make", ENVELOPES.values(), ids=ENVELOPES.keys())
def test_envelope_made_to_break_the_desk_is_told_and_the_next_one_is_taken(
    browser: DeskBrowser,
    relay: FakeRelay,
    bundle: Path,
    folder: Path,
    make: Callable[[FakeRelay], SealedEnvelope],
) -> None:
    bad = make(relay)
    relay.cut(bundle, [bad, relay.send(generate_throwaway_keys())])
    told = browser.send("/import", {"path": str(bundle)})
    assert browser.status == 200
    assert f"Envelope {bad.id.hex()[:8]} was not taken: " in told
    assert told.count("opens case") == 1
    assert "Traceback" not in browser.source
    assert "1 open, 1 new." in browser.goto("/")
    assert "1 envelopes could not be read" in browser.text
    assert len(list((folder / "objects").iterdir())) == 1
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss < GIB >> 10


def test_honest_envelope_sealed_the_same_way_is_taken(
    browser: DeskBrowser, relay: FakeRelay, bundle: Path
) -> None:
    """The control: what the table above does to an envelope is all that is wrong with it."""
    envelope, parts = honest(relay)
    relay.cut(bundle, [sealed(relay, envelope, zipped(parts))])
    assert "opens case" in browser.send("/import", {"path": str(bundle)})


def test_message_that_gpg_compressed_is_refused_whatever_is_in_it(
    browser: DeskBrowser, relay: FakeRelay, anna: Counselor, bundle: Path, tmp_path: Path
) -> None:
    """A stock program seals a gibibyte of nothing into a megabyte."""
    home = tmp_path / "gnupg"
    home.mkdir(mode=0o700)
    gpg = ["gpg", "--homedir", str(home), "--batch", "--quiet"]
    subprocess.run([*gpg, "--import"], input=anna.certificate.armored.encode(), check=True)
    command = [*gpg, "--trust-model", "always", "--encrypt", "-z", "9", "--recipient"]
    made = subprocess.run(
        [*command, anna.certificate.fingerprint],
        input=bytes(GIB // 4),
        stdout=subprocess.PIPE,
        check=True,
    )
    envelope, _ = honest(relay)
    bad = SealedEnvelope(envelope.id, made.stdout, envelope.token)
    relay.cut(bundle, [bad])
    assert "was not taken" in browser.send("/import", {"path": str(bundle)})
    assert browser.status == 200


def test_names_and_words_of_a_stranger_are_shown_and_obeyed_by_nothing(
    browser: DeskBrowser, relay: FakeRelay, bundle: Path
) -> None:
    keys = generate_throwaway_keys()
    files = {"\u202ecod.exe": b"x", "<img src=x>.txt": b"x", "a\x00b\x1b[2J.txt": b"x", "CON": b"x"}
    report = relay.report(
        keys, text=HOSTILE, track="<b>track</b>", language="x-<script>", policy="../../etc"
    )
    relay.cut(bundle, [relay.send(keys, report, files=files)])
    told = browser.send("/import", {"path": str(bundle)})
    assert "opens case" in told, told
    case = browser.link("To the inbox") and browser.source.split("/case/")[1].split('"')[0]
    for address in ("/", f"/case/{case}", f"/case/{case}/reply/", f"/case/{case}/record/"):
        browser.goto(address)
        assert browser.status == 200
        for forbidden in ("<script", "<img", "<b>track", "\u202e", "\x00", "\x1b"):
            assert forbidden not in browser.source, (address, forbidden)
