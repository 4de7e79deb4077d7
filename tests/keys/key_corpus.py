"""Certificates good and bad: made by gpg and sq, and forged packet by packet.

`forged_cases` builds what no program would write; `gpg_cases` and `sq_cases` are
what people really hold. Each case says what we must decide, and whether gpg and
Sequoia are expected to encrypt to it, so that a forgery built wrongly shows up.
"""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pysequoia

from keys import packets, signing
from keys.issuing import issue_signature
from keys.keypair import PrivateKey, PublicKey, generate
from keys.parts import key_subject, read_parts
from protocol.names import Fingerprint
from tests import sq

# Somewhat later than the true time: gpg makes some of the keys while the tests run.
NOW = datetime.now(UTC).replace(microsecond=0) + timedelta(minutes=15)
DAY = 24 * 3600
ENCRYPTS, SIGNS, CERTIFIES = 0x0C, 0x02, 0x01


def days_ago(days: float) -> datetime:
    return NOW - timedelta(days=days)


@dataclass(frozen=True)
class Case:
    name: str
    data: bytes
    pinned: Fingerprint
    refusal: str | None = None  # words of the sentence; None: accepted
    subkey: Fingerprint | None = None  # the one to seal to
    others: bool | None = None  # do gpg and Sequoia encrypt? None: our rule is our own
    laxer: str = ""  # the one of the two that encrypts, in some version at least, all the same


class Forge:
    """A primary key that signs whatever it is told."""

    def __init__(self, days: float = 30) -> None:
        self.created = days_ago(days)
        self.key = generate(encrypts=False, created=self.created)

    @property
    def fingerprint(self) -> Fingerprint:
        return self.key.public.fingerprint

    def primary(self) -> bytes:
        return packets.encode_packet(packets.PUBLIC_KEY, self.key.public.body)

    def sign(
        self, subject: bytes, kind: int, days: float, subpackets: Sequence[tuple[int, bytes]] = ()
    ) -> bytes:
        return sign_as(self.key, subject, kind, days, subpackets)

    def name(
        self,
        days: float = 30,
        flags: int = CERTIFIES | SIGNS,
        lifetime_days: float = 0,
        more: Sequence[tuple[int, bytes]] = (),
        text: bytes = b"Counselor",
    ) -> bytes:
        subpackets = [(signing.KEY_FLAGS, bytes([flags])), *_lifetime(lifetime_days), *more]
        return packets.encode_packet(packets.USER_ID, text) + self.sign(
            self.name_subject(text), signing.POSITIVE_CERTIFICATION, days, subpackets
        )

    def name_subject(self, text: bytes = b"Counselor") -> bytes:
        return key_subject(self.key.public) + b"\xb4" + len(text).to_bytes(4, "big") + text

    def subkey_subject(self, subkey: PublicKey) -> bytes:
        return key_subject(self.key.public) + key_subject(subkey)

    def bind(
        self,
        subkey: PublicKey,
        days: float = 30,
        flags: int = ENCRYPTS,
        lifetime_days: float = 0,
        more: Sequence[tuple[int, bytes]] = (),
    ) -> bytes:
        subpackets = [(signing.KEY_FLAGS, bytes([flags])), *_lifetime(lifetime_days), *more]
        return self.sign(self.subkey_subject(subkey), signing.SUBKEY_BINDING, days, subpackets)


def sign_as(
    key: PrivateKey,
    subject: bytes,
    kind: int,
    days: float,
    subpackets: Sequence[tuple[int, bytes]] = (),
) -> bytes:
    body = issue_signature(
        key,
        subject=subject,
        kind=kind,
        created=int(days_ago(days).timestamp()),
        subpackets=subpackets,
    )
    return packets.encode_packet(packets.SIGNATURE, body)


def with_unhashed(packet: bytes, kind: int, value: bytes) -> bytes:
    """Add a subpacket where no signature protects it."""
    body = packets.read_packets(packet)[0].body
    start = 6 + int.from_bytes(body[4:6], "big")
    length = int.from_bytes(body[start : start + 2], "big") + len(value) + 2
    added = bytes([len(value) + 1, kind]) + value
    body = body[:start] + length.to_bytes(2, "big") + added + body[start + 2 :]
    return packets.encode_packet(packets.SIGNATURE, body)


def encryption_key(days: float = 30) -> PublicKey:
    return generate(encrypts=True, created=days_ago(days)).public


def subkey_packet(subkey: PublicKey) -> bytes:
    return packets.encode_packet(packets.PUBLIC_SUBKEY, subkey.body)


def _lifetime(days: float) -> list[tuple[int, bytes]]:
    return [(signing.KEY_EXPIRES, int(days * DAY).to_bytes(4, "big"))] if days else []


def forged_cases() -> Iterator[Case]:
    yield from _forged_subkeys()
    yield from _forged_primaries()


def _forged_subkeys() -> Iterator[Case]:
    forge, other = Forge(), Forge()
    old, new = encryption_key(20), encryption_key(5)
    base = forge.primary() + forge.name()
    bound_old = subkey_packet(old) + forge.bind(old, 20)
    bound_new = subkey_packet(new) + forge.bind(new, 5)
    pinned = forge.fingerprint
    revoke_new = forge.sign(forge.subkey_subject(new), signing.SUBKEY_REVOCATION, 1)

    def case(name: str, tail: bytes, **expected: object) -> Case:
        return Case(name=name, data=base + tail, pinned=pinned, **expected)  # type: ignore[arg-type]  # a test table

    yield case("newest of two subkeys", bound_old + bound_new, subkey=new.fingerprint, others=True)
    yield case(
        "grafted subkey, bound by its own owner",
        bound_old + subkey_packet(new) + other.bind(new, 5),
        subkey=old.fingerprint,
        others=True,
    )
    grafted = other.bind(new, 5).replace(other.key.public.key_id, forge.key.public.key_id)
    yield case(
        "only a grafted subkey that names the victim as its issuer",
        subkey_packet(new) + grafted,
        refusal="No encryption subkey",
        others=False,
    )
    yield case(
        "newest subkey without any binding",
        bound_old + subkey_packet(new),
        subkey=old.fingerprint,
        others=True,
    )
    yield case(
        "newest subkey revoked, older one good",
        bound_old + subkey_packet(new) + revoke_new + forge.bind(new, 5),
        subkey=old.fingerprint,
        others=True,
    )
    yield case(
        "only subkey revoked, with SHA-512",
        bound_new + revoke_new,
        refusal="subkey is revoked",
        others=False,
    )
    yield case(
        "subkey revocation by a stranger",
        bound_new + sign_as(other.key, forge.subkey_subject(new), signing.SUBKEY_REVOCATION, 1),
        subkey=new.fingerprint,
        others=True,
    )
    yield case(
        "subkey revocation in the wrong place",
        revoke_new + bound_new,
        refusal="wrong place",
    )
    yield case(
        "subkey expired",
        subkey_packet(old) + forge.bind(old, 20, lifetime_days=10),
        refusal="subkey has expired",
        others=False,
    )
    yield case(
        "subkey expired, then extended",
        subkey_packet(old) + forge.bind(old, 20, lifetime_days=10) + forge.bind(old, 9),
        subkey=old.fingerprint,
        others=True,
    )
    yield case(
        "subkey without an end, then shortened",
        subkey_packet(old) + forge.bind(old, 9, lifetime_days=15) + forge.bind(old, 20),
        refusal="subkey has expired",
        others=False,
    )
    future = encryption_key(-3)
    yield case(
        "subkey made in the future",
        subkey_packet(future) + forge.bind(future, 1),
        refusal="made in the future",
        others=False,
        laxer="sq",
    )
    yield case(
        "binding made in the future",
        subkey_packet(new) + forge.bind(new, -3),
        refusal="No encryption subkey",
        others=False,
        laxer="gpg",
    )
    yield case(
        "subkey for authentication only",
        subkey_packet(new) + forge.bind(new, 5, flags=0x20),
        refusal="No encryption subkey",
        others=False,
    )
    unflagged = forge.sign(forge.subkey_subject(new), signing.SUBKEY_BINDING, 5)
    yield case(
        "binding flagged for encryption only where nothing protects it",
        subkey_packet(new) + with_unhashed(unflagged, signing.KEY_FLAGS, bytes([ENCRYPTS])),
        refusal="No encryption subkey",
    )
    yield case("no subkey at all", b"", refusal="No encryption subkey", others=False)
    yield case(
        "binding with a critical subpacket that nobody knows",
        subkey_packet(new) + forge.bind(new, 5, more=[(0x80 | 101, b"?")]),
        refusal="No encryption subkey",
        others=False,
    )
    low = _low_order(new)
    yield case(
        "subkey whose point has low order",
        subkey_packet(low) + forge.bind(low, 5),
        refusal="does not work",
    )
    unknown = new.body[:5] + bytes([25]) + bytes(32)
    yield case(
        "subkey of an unknown kind beside a good one",
        bound_old + packets.encode_packet(packets.PUBLIC_SUBKEY, unknown),
        subkey=old.fingerprint,
        others=True,
    )


def _low_order(subkey: PublicKey) -> PublicKey:
    from keys.keypair import read_public_key

    start = subkey.body.index(b"\x01\x07\x40") + 3
    body = subkey.body[:start] + bytes(32) + subkey.body[start + 32 :]
    return read_public_key(body, subkey=True)


def _forged_primaries() -> Iterator[Case]:
    forge, other = Forge(), Forge()
    key = encryption_key()
    tail = subkey_packet(key) + forge.bind(key)
    primary, pinned = forge.primary(), forge.fingerprint
    own = key_subject(forge.key.public)
    revocation = forge.sign(own, signing.KEY_REVOCATION, 1)
    superseded = forge.sign(own, signing.KEY_REVOCATION, 1, [(29, b"\x01")])

    def case(name: str, data: bytes, **expected: object) -> Case:
        return Case(name=name, data=data, pinned=pinned, **expected)  # type: ignore[arg-type]  # a test table

    yield case("plain", primary + forge.name() + tail, subkey=key.fingerprint, others=True)
    yield case(
        "another fingerprint",
        other.primary() + other.name() + tail,
        refusal="another fingerprint",
    )
    yield case(
        "hard revocation",
        primary + revocation + forge.name() + tail,
        refusal="revoked",
        others=False,
        laxer="sq",
    )
    yield case(
        "soft revocation",
        primary + superseded + forge.name() + tail,
        refusal="revoked",
        others=False,
        laxer="sq",
    )
    yield case(
        "revocation at the very end", primary + forge.name() + tail + revocation, refusal="revoked"
    )
    yield case(
        "revocation by a stranger",
        primary + sign_as(other.key, own, signing.KEY_REVOCATION, 1) + forge.name() + tail,
        refusal="revoked",
    )
    yield case(
        "primary expired",
        primary + forge.name(lifetime_days=10) + tail,
        refusal="key has expired",
        others=False,
    )
    yield case(
        "primary expired, then extended",
        primary + forge.name(lifetime_days=10) + forge.name(days=1)[11:] + tail,
        subkey=key.fingerprint,
        others=True,
    )
    yield case(
        "direct-key signature shortens what the name allows",
        primary
        + forge.sign(
            own, signing.DIRECT_KEY, 1, [(27, b"\x03"), (9, (10 * DAY).to_bytes(4, "big"))]
        )
        + forge.name()
        + tail,
        refusal="key has expired",
    )
    yield case(
        "no self-signature", primary + packets.encode_packet(13, b"C") + tail, refusal="self-sig"
    )
    yield case(
        "name certified by a stranger only",
        primary
        + packets.encode_packet(13, b"Counselor")
        + sign_as(other.key, forge.name_subject(), 0x13, 5, [(27, b"\x03")])
        + tail,
        refusal="self-sig",
    )
    yield case(
        "self-signature from the future",
        primary + forge.name(days=-3) + tail,
        refusal="self-sig",
        others=False,
        laxer="gpg",
    )
    yield case(
        "self-signature that has itself expired",
        primary + forge.name(more=[(3, (5 * DAY).to_bytes(4, "big"))]) + tail,
        refusal="self-sig",
        others=False,
        laxer="gpg",
    )
    yield case(
        "only name taken back",
        primary
        + forge.name()
        + forge.sign(forge.name_subject(), signing.CERTIFICATION_REVOCATION, 1)
        + tail,
        refusal="self-sig",
    )
    yield case("two certificates", 2 * (primary + forge.name() + tail), refusal="more than one")
    yield case("foreign packet", primary + forge.name() + tail + b"\xca\x03PGP", refusal="foreign")
    yield case("cut off", (primary + forge.name() + tail)[:-1], refusal="cut off")
    future = Forge(days=-3)
    yield Case(
        name="primary made in the future",
        data=future.primary() + future.name(days=-3) + tail,
        pinned=future.fingerprint,
        refusal="made in the future",
        others=False,
    )


class GnuPG:
    """Stock gpg in a home of its own."""

    def __init__(self, home: Path) -> None:
        self.home = home

    def __call__(self, *arguments: str, stdin: bytes = b"", check: bool = True) -> bytes:
        return self.run(*arguments, stdin=stdin, check=check).stdout

    def run(
        self, *arguments: str, stdin: bytes = b"", check: bool = True
    ) -> subprocess.CompletedProcess[bytes]:
        command = ["gpg", "--batch", "--quiet", "--no-tty", "--pinentry-mode", "loopback"]
        return subprocess.run(
            [*command, *arguments],
            input=stdin,
            check=check,
            capture_output=True,
            env=os.environ | {"GNUPGHOME": str(self.home), "LC_ALL": "C"},
        )

    def make(
        self,
        name: str,
        *,
        primary: str,
        subkey: str | None,
        year: int = 2024,
        until: str = "never",
        subkey_until: str = "never",
        options: Sequence[str] = (),
        passphrase: str = "",
    ) -> Fingerprint:
        then = [f"--faked-system-time={year}0601T000000!", "--passphrase", passphrase, *options]
        usage = "cert,sign"
        self(*then, "--quick-generate-key", name, primary, usage, until)
        fingerprint = read_parts(self("--export", f"={name}")).primary.fingerprint
        if subkey is not None:
            self(*then, "--quick-add-key", fingerprint, subkey, "encr", subkey_until)
        return fingerprint


@contextmanager
def gnupg() -> Iterator[GnuPG]:
    """Give a gpg whose agent ends with it; the path is short because sockets want that."""
    home = Path(tempfile.mkdtemp(prefix="k", dir="/tmp"))
    home.chmod(0o700)
    (home / "gpg-agent.conf").write_text("s2k-count 65536\n")  # protection is not what is tested
    try:
        yield GnuPG(home)
    finally:
        subprocess.run(
            ["gpgconf", "--kill", "all"], env=os.environ | {"GNUPGHOME": str(home)}, check=False
        )
        shutil.rmtree(home, ignore_errors=True)


def gpg_cases(gpg: GnuPG) -> Iterator[Case]:
    def case(name: str, fingerprint: Fingerprint, refusal: str | None, others: bool | None) -> Case:
        data = gpg("--armor", "--export", fingerprint)
        return Case(name=name, data=data, pinned=fingerprint, refusal=refusal, others=others)

    for name, primary, subkey in (
        ("gpg Curve25519", "ed25519", "cv25519"),
        ("gpg RSA 3072", "rsa3072", "rsa3072"),
        ("gpg NIST P-256", "nistp256", "nistp256"),
    ):
        yield case(name, gpg.make(name, primary=primary, subkey=subkey), None, True)
    rsa = gpg.make("gpg RSA 2048 subkey", primary="ed25519", subkey="rsa2048")
    yield case("gpg RSA 2048 subkey", rsa, "too weak", None)
    weak = gpg.make("gpg RSA 2048", primary="rsa2048", subkey="rsa2048")
    yield case("gpg RSA 2048", weak, "too weak", None)
    brainpool = gpg.make("gpg Brainpool", primary="ed25519", subkey="brainpoolP256r1")
    yield case("gpg Brainpool", brainpool, "of a kind", None)
    sha1 = gpg.make(
        "gpg SHA-1", primary="rsa3072", subkey="rsa3072", options=["--cert-digest-algo", "SHA1"]
    )
    yield case("gpg SHA-1", sha1, "self-sig", None)
    expired = gpg.make("gpg expired", primary="ed25519", subkey="cv25519", year=2020, until="1y")
    yield case("gpg expired", expired, "key has expired", False)
    subkey = gpg.make(
        "gpg subkey", primary="ed25519", subkey="cv25519", year=2020, subkey_until="1y"
    )
    yield case("gpg expired subkey", subkey, "subkey has expired", False)
    none = gpg.make("gpg none", primary="ed25519", subkey=None)
    yield case("gpg without encryption subkey", none, "No encryption subkey", False)
    revoked = gpg.make("gpg revoked", primary="ed25519", subkey="cv25519")
    text = (gpg.home / "openpgp-revocs.d" / f"{revoked}.rev").read_text()
    gpg("--import", stdin=text.replace(":-----BEGIN", "-----BEGIN").encode())
    yield replace(case("gpg revoked", revoked, "revoked", False), laxer="sq")
    commands = b"key 1\nrevkey\ny\n0\n\ny\nsave\n"
    subkey = gpg.make("gpg revoked subkey", primary="ed25519", subkey="cv25519")
    gpg("--command-fd", "0", "--edit-key", subkey, stdin=commands)
    yield case("gpg revoked subkey", subkey, "subkey is revoked", False)
    good = gpg.make("gpg secret", primary="ed25519", subkey="cv25519")
    for name, data in (
        ("secret key instead of the public one", gpg("--export-secret-keys", good)),
        ("secret key in armour", gpg("--armor", "--export-secret-keys", good)),
    ):
        yield Case(name=name, data=data, pinned=good, refusal="secret key")
    both = gpg("--armor", "--export", good) + gpg("--armor", "--export", none)
    yield Case(name="two armoured blocks", data=both, pinned=good, refusal="more than one")


def sq_cases() -> Iterator[Case]:
    for suite in ("cv25519", "rsa4k"):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "key"
            subprocess.run(sq.generate(path, suite=suite), check=True, capture_output=True)
            data = bytes(pysequoia.Tsk.from_file(str(path)).extract_certificate())
        fingerprint = read_parts(data).primary.fingerprint
        yield Case(name=f"sq {suite}", data=data, pinned=fingerprint, others=True)
