"""Detached signatures: whose are believed, and that stock programs believe ours."""

import subprocess
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
from key_corpus import DAY, NOW, Forge, GnuPG, days_ago, encryption_key, sign_as, subkey_packet

from keys import signing
from keys.keypair import generate
from keys.packets import encode_packet, read_packets
from keys.parts import key_subject
from keys.secretkey import generate_secret_key, read_secret_key
from keys.signature import verify_detached
from protocol.errors import AuthenticityError, KeyMaterialError
from tests import sq

DATA = "bundle Ünï\r\n".encode()


@dataclass(frozen=True)
class Signed:
    signature: bytes
    certificate: bytes
    pinned: str

    def verify(self, data: bytes = DATA, days: float = 0) -> bytes:
        return verify_detached(
            data,
            self.signature,
            certificate=self.certificate,
            pinned=self.pinned,
            now=NOW + timedelta(days=days),
        )


def forged(signature_days: float = 1, kind: int = 0, certificate: bytes = b"", **more) -> Signed:
    forge = more.pop("forge", None) or Forge()
    signature = sign_as(forge.key, DATA, kind, signature_days, more.pop("subpackets", ()))
    return Signed(signature, certificate or forge.primary() + forge.name(**more), forge.fingerprint)


def test_signature_by_the_primary_key_returns_what_was_signed() -> None:
    assert forged().verify() == DATA


@pytest.mark.claim("C4")
def test_signature_over_other_bytes_is_refused() -> None:
    with pytest.raises(AuthenticityError, match="did not sign"):
        forged().verify(DATA + b"\n")


@pytest.mark.claim("C4")
def test_signature_by_somebody_else_is_refused() -> None:
    good, other = forged(), forged()
    with pytest.raises(AuthenticityError, match="did not sign"):
        Signed(other.signature, good.certificate, good.pinned).verify()
    with pytest.raises(KeyMaterialError, match="another one"):
        Signed(other.signature, other.certificate, good.pinned).verify()


@pytest.mark.claim("C4")
@pytest.mark.parametrize(
    ("signed", "words"),
    [
        pytest.param(forged(kind=0x40), "not over a document", id="a timestamp"),
        pytest.param(forged(kind=0x01), "not over a document", id="a text signature"),
        pytest.param(forged(signature_days=-1.1), "future", id="beyond a day of skew"),
        pytest.param(forged(signature_days=31), "did not sign", id="older than its key"),
        pytest.param(
            forged(subpackets=[(3, (3600).to_bytes(4, "big"))]), "expired", id="expired itself"
        ),
        pytest.param(
            forged(subpackets=[(0x80 | 20, bytes(8))]), "too weak", id="a critical notation"
        ),
        pytest.param(
            forged(subpackets=[(3, bytes(4)), (3, (10**9).to_bytes(4, "big"))]),
            "cannot be read",
            id="two ends that disagree",
        ),
        pytest.param(forged(flags=1), "did not sign", id="a primary key that only certifies"),
        pytest.param(Signed(b"", b"", ""), "cannot be read", id="nothing"),
        pytest.param(Signed(b"\xc2\x01\x04", b"", ""), "cannot be read", id="a stub"),
        pytest.param(Signed(2 * forged().signature, b"", ""), "cannot be read", id="two"),
        pytest.param(Signed(b"\xc2" * 20_000, b"", ""), "too large", id="20 kB"),
    ],
)
def test_signature_that_is_unfit_is_refused(signed: Signed, words: str) -> None:
    with pytest.raises(AuthenticityError, match=words):
        signed.verify()


def test_signature_with_octets_behind_its_numbers_is_refused() -> None:
    good = forged()
    longer = encode_packet(2, read_packets(good.signature)[0].body + b"\0")
    with pytest.raises(AuthenticityError, match="did not sign"):
        Signed(longer, good.certificate, good.pinned).verify()


def test_signature_within_a_day_of_clock_skew_is_accepted() -> None:
    assert forged(signature_days=-0.9).verify() == DATA


@pytest.mark.claim("C4")
def test_signature_of_a_key_that_has_since_expired_is_refused() -> None:
    signed = forged(signature_days=25, lifetime_days=20)
    with pytest.raises(KeyMaterialError, match="expired"):
        signed.verify()
    assert signed.verify(days=-11) == DATA


@pytest.mark.claim("C4")
@pytest.mark.parametrize("subpackets", [(), [(29, b"\x01")]], ids=["hard", "soft"])
def test_signature_of_a_revoked_key_is_refused(subpackets: list[tuple[int, bytes]]) -> None:
    forge = Forge()
    own = key_subject(forge.key.public)
    revocation = forge.sign(own, signing.KEY_REVOCATION, 0.5, subpackets)
    certificate = forge.primary() + revocation + forge.name()
    with pytest.raises(KeyMaterialError, match="revoked"):
        forged(forge=forge, certificate=certificate).verify()


def by_subkey(
    *, agrees: bool, flags: int = 2, revoked: bool = False, lifetime: float = 0
) -> Signed:
    forge = Forge()
    subkey = generate(encrypts=False, created=days_ago(20))
    subject = forge.subkey_subject(subkey.public)
    agreement = sign_as(subkey if agrees else forge.key, subject, signing.PRIMARY_BINDING, 20)
    more = [(signing.EMBEDDED, agreement[2:])]
    certificate = (
        forge.primary()
        + forge.name()
        + subkey_packet(subkey.public)
        + forge.bind(subkey.public, 20, flags=flags, lifetime_days=lifetime, more=more)
    )
    if revoked:
        certificate += forge.sign(subject, signing.SUBKEY_REVOCATION, 0.5)
    return Signed(sign_as(subkey, DATA, 0, 1), certificate, forge.fingerprint)


def test_signature_by_a_subkey_that_agreed_is_accepted() -> None:
    assert by_subkey(agrees=True).verify() == DATA


@pytest.mark.claim("C4")
@pytest.mark.parametrize(
    "signed",
    [
        pytest.param(by_subkey(agrees=False), id="adopted without its agreement"),
        pytest.param(by_subkey(agrees=True, flags=0x20), id="not flagged for signing"),
        pytest.param(by_subkey(agrees=True, revoked=True), id="revoked"),
        pytest.param(by_subkey(agrees=True, lifetime=10), id="expired"),
    ],
)
def test_signature_by_an_unfit_subkey_is_refused(signed: Signed) -> None:
    with pytest.raises(AuthenticityError, match="did not sign"):
        signed.verify()


def test_signature_by_an_encryption_key_cannot_even_be_tried() -> None:
    forge, key = Forge(), encryption_key()
    certificate = forge.primary() + forge.name() + subkey_packet(key) + forge.bind(key, flags=0x0E)
    good = forged(forge=forge, certificate=certificate)
    assert good.verify() == DATA
    relabelled = good.signature[:4] + bytes([18]) + good.signature[5:]
    with pytest.raises(AuthenticityError):
        Signed(relabelled, certificate, good.pinned).verify()


def test_our_signature_is_the_same_bytes_twice_and_good_for_gpg_and_sq(
    gpg: GnuPG, tmp_path: Path
) -> None:
    armored = generate_secret_key(
        user_id="Relay", passphrase=None, created=days_ago(9), expires=None
    )
    key = read_secret_key(armored, None)
    signature = key.sign_detached(DATA, created=days_ago(1))
    assert signature == key.sign_detached(DATA, created=days_ago(1))
    assert signature != key.sign_detached(DATA, created=days_ago(2))
    paths = {name: str(tmp_path / name) for name in ("data", "data.asc", "relay.asc")}
    for name, content in zip(paths, (DATA, signature, key.certificate), strict=True):
        (tmp_path / name).write_bytes(content)
    gpg("--import", paths["relay.asc"])
    shown = gpg.run("--verify", paths["data.asc"], paths["data"])
    assert b"Good signature" in shown.stderr
    command = sq.verify(paths["data.asc"], paths["data"], paths["relay.asc"])
    subprocess.run(command, check=True, capture_output=True)


@pytest.mark.parametrize("kind", ["ed25519", "rsa3072", "nistp256", "nistp521"])
def test_signature_by_gpg_is_accepted_armoured_and_binary(gpg: GnuPG, kind: str) -> None:
    pinned = gpg.make(f"signer {kind}", primary=kind, subkey=None)
    certificate = gpg("--export", pinned)
    for options in (["--armor"], []):
        signature = gpg("--local-user", pinned, *options, "--detach-sign", stdin=DATA)
        assert Signed(signature, certificate, pinned).verify(days=0.01) == DATA


@pytest.mark.claim("C4")
@pytest.mark.parametrize("option", ["--digest-algo=SHA1", "--digest-algo=SHA224", "--textmode"])
def test_signature_by_gpg_that_is_weak_or_text_is_refused(gpg: GnuPG, option: str) -> None:
    pinned = gpg.make(f"weak {option}", primary="rsa3072", subkey=None)
    signature = gpg("--local-user", pinned, option, "--detach-sign", stdin=DATA)
    with pytest.raises(AuthenticityError):
        Signed(signature, gpg("--export", pinned), pinned).verify(days=0.01)


def test_signature_by_the_signing_subkey_of_sq_is_accepted(tmp_path: Path) -> None:
    path = tmp_path / "key"
    subprocess.run(sq.generate(path), check=True, capture_output=True)
    signature = subprocess.run(sq.sign(path), input=DATA, check=True, capture_output=True).stdout
    key = read_secret_key(path.read_bytes(), None)
    assert Signed(signature, key.certificate, key.fingerprint).verify(days=0.01) == DATA
    ours = key.sign_detached(DATA, created=NOW + timedelta(days=0.01))
    assert Signed(ours, key.certificate, key.fingerprint).verify(days=0.02) == DATA


def test_signature_before_a_creation_time_that_is_not_signed_is_refused() -> None:
    body = bytes([4, 0, 22, 10, 0, 0]) + b"\x00\x06\x05\x02" + bytes(4) + b"\0\0" + bytes(10)
    signed = Signed(encode_packet(2, body), b"", "")
    with pytest.raises(AuthenticityError, match="when it was made"):
        signed.verify()


def test_forged_day_is_a_day() -> None:
    """The corpus counts in days; a slip there would make the tables above mean nothing."""
    assert (NOW - days_ago(1)).total_seconds() == DAY
