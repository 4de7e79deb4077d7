"""Locks open for one recipient, blind locks for nobody, in our code and in stock programs."""

import hashlib
import os
import subprocess
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pysequoia
import pytest
from cryptography.hazmat.decrepit.ciphers.modes import CFB
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from key_corpus import NOW, GnuPG, days_ago

from keys.certificate import Certificate, verify_certificate
from keys.keypair import PublicKey
from keys.lock import generate_session_key, make_blind_lock, make_lock
from keys.packets import LOCK, Packet, encode_packet, read_packets
from keys.secretkey import SecretKey, generate_secret_key, read_secret_key
from protocol.errors import KeyMaterialError
from protocol.names import SessionKey
from tests import sq

PASSPHRASE = "correct horse"
KINDS = ("ed25519 cv25519", "rsa3072 rsa3072", "nistp256 nistp256", "nistp384 nistp521")


def message(locks: bytes, key: SessionKey, text: bytes) -> bytes:
    """Write a minimal SEIPD version 1 message, as RFC 9580 section 5.13.1 says."""
    literal = encode_packet(11, b"b\0" + bytes(4) + text)
    prefix = os.urandom(16)
    plain = prefix + prefix[-2:] + literal + b"\xd3\x14"
    plain += hashlib.sha1(plain).digest()  # noqa: S324 - the MDC of RFC 9580 section 5.13.1
    encryptor = Cipher(AES(key), CFB(bytes(16))).encryptor()
    return locks + encode_packet(18, b"\x01" + encryptor.update(plain) + encryptor.finalize())


def new_key(user_id: str = "Counselor") -> SecretKey:
    armored = generate_secret_key(
        user_id=user_id, passphrase=None, created=days_ago(3), expires=None
    )
    return read_secret_key(armored, None)


def certificate_of(key: SecretKey) -> Certificate:
    return verify_certificate(key.certificate, pinned=key.fingerprint, now=NOW)


@pytest.fixture(scope="session", params=KINDS)
def gpg_key(request: pytest.FixtureRequest, gpg: GnuPG) -> SecretKey:
    primary, subkey = request.param.split()
    fingerprint = gpg.make(
        f"lock {request.param}", primary=primary, subkey=subkey, passphrase=PASSPHRASE
    )
    exported = gpg("--passphrase", PASSPHRASE, "--export-secret-keys", fingerprint)
    return read_secret_key(exported, PASSPHRASE)


@pytest.mark.claim("C2")
def test_session_keys_are_drawn_anew_for_real_locks_and_for_blind_ones(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert len({generate_session_key() for _ in range(1_000)}) == 1_000
    held: list[bytes] = []
    encrypt = PublicKey.encrypt
    monkeypatch.setattr(
        PublicKey, "encrypt", lambda key, secret: held.append(secret) or encrypt(key, secret)
    )
    certificate = certificate_of(new_key())
    held.clear()
    for _ in range(50):
        make_blind_lock(certificate)
    keys = {secret[1:-2] for secret in held}
    errors = {int.from_bytes(secret[-2:], "big") - sum(secret[1:-2]) for secret in held}
    assert (len(keys), len(errors) > 40) == (50, True)
    assert not {error % 65_536 for error in errors} & {0}


def test_lock_for_a_key_made_by_gpg_opens_here_and_in_gpg(gpg: GnuPG, gpg_key: SecretKey) -> None:
    session_key = generate_session_key()
    lock = make_lock(certificate_of(gpg_key), session_key)
    assert gpg_key.open_lock([lock]) == session_key
    sealed = message(lock, session_key, b"report")
    assert gpg("--passphrase", PASSPHRASE, "--decrypt", stdin=sealed) == b"report"


def test_lock_made_by_gpg_opens_here(gpg: GnuPG, gpg_key: SecretKey, tmp_path: Path) -> None:
    path = tmp_path / "certificate"
    path.write_bytes(gpg_key.certificate)
    options = ["--cipher-algo", "AES256", "--recipient-file", str(path)]
    sealed = gpg(*options, "--encrypt", stdin=b"x")
    key_id = certificate_of(gpg_key).encryption_key_id
    start = sealed.index(b"\x03" + key_id)
    end = start + int.from_bytes(sealed[start - 2 : start], "big")
    if end > len(sealed):  # a one-octet length
        end = start + sealed[start - 1]
    lock = encode_packet(LOCK, sealed[start:end])
    session_key = gpg_key.open_lock([lock])
    assert session_key is not None
    shown = gpg.run("--passphrase", PASSPHRASE, "--show-session-key", "--decrypt", stdin=sealed)
    assert session_key.hex().upper().encode() in shown.stderr


def test_lock_opens_in_sequoia(tmp_path: Path) -> None:
    armored = generate_secret_key(user_id="C", passphrase=None, created=days_ago(3), expires=None)
    key = read_secret_key(armored, None)
    session_key = generate_session_key()
    sealed = message(make_lock(certificate_of(key), session_key), session_key, b"report")
    path = tmp_path / "key"
    path.write_bytes(armored)
    done = subprocess.run(sq.decrypt(path), input=sealed, check=True, capture_output=True)
    assert done.stdout == b"report"
    secret = pysequoia.Tsk.from_bytes(armored)
    assert pysequoia.decrypt(sealed, secret.decryptor()).bytes == b"report"


@pytest.mark.claim("C2")
def test_blind_lock_opens_for_nobody_and_keeps_nobody_else_from_reading(gpg: GnuPG) -> None:
    reader, left_out = new_key("Reader"), new_key("Left out")
    session_key = generate_session_key()
    blind = make_blind_lock(certificate_of(left_out))
    real = make_lock(certificate_of(reader), session_key)
    assert left_out.open_lock([blind, real]) is None
    assert reader.open_lock([blind, real]) == session_key
    assert read_packets(blind)[0].body[1:9] == certificate_of(left_out).encryption_key_id


@pytest.mark.claim("C2")
def test_blind_lock_leaves_gpg_without_a_key_for_the_one_who_is_left_out(gpg: GnuPG) -> None:
    gpg.make("Left out", primary="ed25519", subkey="cv25519")
    certificate = gpg("--export", "=Left out")
    pinned = gpg("--with-colons", "--list-keys", "=Left out").split(b"fpr:::::::::")[1][:40]
    left_out = verify_certificate(certificate, pinned=pinned.decode(), now=NOW)
    session_key = generate_session_key()
    locks = make_blind_lock(left_out) + make_lock(certificate_of(new_key()), session_key)
    result = gpg.run("--decrypt", stdin=message(locks, session_key, b"report"), check=False)
    assert result.returncode == 2
    assert result.stdout == b""
    assert b"secret key" in result.stderr  # gpg 2.2 has none, to 2.4 it is the wrong one


@pytest.mark.claim("C2")
def test_blind_locks_and_real_ones_have_the_same_lengths(gpg_key: SecretKey) -> None:
    certificate = certificate_of(gpg_key)
    session_key = generate_session_key()
    real = Counter(len(make_lock(certificate, session_key)) for _ in range(60))
    blind = Counter(len(make_blind_lock(certificate)) for _ in range(60))
    # RSA drops leading zero octets: one lock in 256 is shorter, whichever kind it is.
    assert real.most_common(1)[0][0] == blind.most_common(1)[0][0]
    assert max(real) == max(blind)


@pytest.mark.claim("C2")
def test_blind_lock_holds_a_key_under_a_checksum_that_is_never_right() -> None:
    key = new_key()
    certificate = certificate_of(key)
    assert all(key.open_lock([make_blind_lock(certificate)]) is None for _ in range(300))


def test_lock_of_an_expired_and_revoked_subkey_still_opens(gpg: GnuPG) -> None:
    fingerprint = gpg.make(
        "old subkey", primary="ed25519", subkey="cv25519", year=2021, subkey_until="1y"
    )
    then = datetime(2022, 1, 1, tzinfo=UTC)
    before = verify_certificate(gpg("--export", fingerprint), pinned=fingerprint, now=then)
    session_key = generate_session_key()
    lock = make_lock(before, session_key)
    gpg("--passphrase", "", "--quick-add-key", fingerprint, "cv25519", "encr", "never")
    gpg("--command-fd", "0", "--edit-key", fingerprint, stdin=b"key 1\nrevkey\ny\n0\n\ny\nsave\n")
    key = read_secret_key(gpg("--export-secret-keys", fingerprint), None)
    after = verify_certificate(key.certificate, pinned=fingerprint, now=NOW + timedelta(days=0.01))
    assert after.encryption_key_id != before.encryption_key_id
    assert key.open_lock([make_blind_lock(after), lock]) == session_key


def _lock_with(body: bytes) -> bytes:
    return encode_packet(LOCK, body)


def test_locks_that_are_damaged_or_hidden_open_nothing() -> None:
    key = new_key()
    lock = make_lock(certificate_of(key), generate_session_key())
    body = read_packets(lock)[0].body
    damaged = [
        b"",
        b"no packet",
        lock[:-1],
        lock + lock,
        _lock_with(body[:10]),
        _lock_with(b"\x06" + body[1:]),
        _lock_with(body[:1] + bytes(8) + body[9:]),
        _lock_with(body[:9] + b"\x01" + body[10:]),
        _lock_with(body[:13] + bytes(32) + body[45:]),
        _lock_with(body[:-1] + bytes([body[-1] ^ 1])),
        encode_packet(2, body),
    ]
    assert [key.open_lock([one]) for one in damaged] == [None] * len(damaged)


def test_lock_whose_ciphertext_is_not_rsa_opens_nothing(gpg: GnuPG) -> None:
    fingerprint = gpg.make("oracle", primary="rsa3072", subkey="rsa3072")
    key = read_secret_key(gpg("--export-secret-keys", fingerprint), None)
    lock = make_lock(certificate_of(key), generate_session_key())
    packet: Packet = read_packets(lock)[0]
    flipped = packet.body[:-1] + bytes([packet.body[-1] ^ 1])
    beyond = packet.body[:10] + (3080).to_bytes(2, "big") + b"\xff" * 385
    assert key.open_lock([_lock_with(flipped), _lock_with(beyond)]) is None


def test_session_key_of_the_wrong_length_is_refused() -> None:
    with pytest.raises(KeyMaterialError):
        make_lock(certificate_of(new_key()), SessionKey(bytes(16)))
