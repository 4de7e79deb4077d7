"""Secret keys: made here, read by everyone; made elsewhere, opened here; never shown."""

import subprocess
from datetime import timedelta
from pathlib import Path

import pysequoia
import pytest
from key_corpus import NOW, GnuPG, days_ago

from keys.armor import read_armor
from keys.certificate import verify_certificate
from keys.keypair import public_half
from keys.lock import generate_session_key, make_lock
from keys.packets import SECRET_KEY, encode_packet, read_packets
from keys.secretkey import generate_secret_key, read_secret_key
from protocol.errors import KeyMaterialError

PASSPHRASE = "pässphrase 密"


@pytest.fixture(scope="module")
def protected() -> bytes:
    return generate_secret_key(
        user_id="Counselor Ü",
        passphrase=PASSPHRASE,
        created=days_ago(3),
        expires=NOW + timedelta(days=30),
    )


def test_new_key_has_a_certificate_that_our_own_policy_accepts(protected: bytes) -> None:
    key = read_secret_key(protected, PASSPHRASE)
    certificate = verify_certificate(key.certificate, pinned=key.fingerprint, now=NOW)
    assert certificate.user_ids == ("Counselor Ü",)
    assert certificate.expires == (NOW + timedelta(days=30)).date()


def test_new_key_imports_into_gpg_with_its_secret(gpg: GnuPG, protected: bytes) -> None:
    gpg("--passphrase", PASSPHRASE, "--import", stdin=protected)
    key = read_secret_key(protected, PASSPHRASE)
    signed = gpg("--passphrase", PASSPHRASE, "--local-user", key.fingerprint, "--sign", stdin=b"x")
    assert gpg("--decrypt", stdin=signed) == b"x"
    listed = gpg("--with-colons", "--list-secret-keys", key.fingerprint).decode()
    # "+" in the fifteenth field of sec and ssb: the secret itself is here.
    secrets = [line.split(":") for line in listed.splitlines() if line[:3] in {"sec", "ssb"}]
    assert [(fields[14], fields[16]) for fields in secrets] == [("+", "ed25519"), ("+", "cv25519")]


def test_new_key_is_without_fault_for_sequoia(protected: bytes, tmp_path: Path) -> None:
    path = tmp_path / "key"
    path.write_bytes(protected)
    shown = subprocess.run(["sq", "inspect", str(path)], check=True, capture_output=True).stdout
    assert shown.count(b"Secret key: Encrypted") == 2
    assert b"Invalid" not in shown
    assert b"Bad" not in shown
    certificate = read_secret_key(protected, PASSPHRASE).certificate
    assert [str(name) for name in pysequoia.Cert.from_bytes(certificate).user_ids] == [
        "Counselor Ü"
    ]


def test_key_exported_by_gpg_for_sub_keys_only_opens_locks_but_cannot_sign(gpg: GnuPG) -> None:
    pinned = gpg.make("stub", primary="ed25519", subkey="cv25519")
    certificate = verify_certificate(gpg("--export", pinned), pinned=pinned, now=NOW)
    key = read_secret_key(gpg("--export-secret-subkeys", pinned), None)
    session_key = generate_session_key()
    assert key.open_lock([make_lock(certificate, session_key)]) == session_key
    with pytest.raises(KeyMaterialError, match="No key here may sign"):
        key.sign_detached(b"x", created=NOW)


def test_certificate_of_a_secret_key_is_what_gpg_exports(gpg: GnuPG) -> None:
    for kind, subkey in (("rsa3072", "rsa3072"), ("nistp384", "nistp384")):
        pinned = gpg.make(f"public half {kind}", primary=kind, subkey=subkey)
        key = read_secret_key(gpg("--export-secret-keys", pinned), None)
        exported = verify_certificate(gpg("--export", pinned), pinned=pinned, now=NOW)
        ours = verify_certificate(key.certificate, pinned=pinned, now=NOW)
        assert ours.encryption_key_id == exported.encryption_key_id


@pytest.mark.parametrize("passphrase", ["wrong", "", PASSPHRASE + " "])
def test_wrong_passphrase_is_refused_in_words(protected: bytes, passphrase: str) -> None:
    with pytest.raises(KeyMaterialError, match="passphrase does not open"):
        read_secret_key(protected, passphrase)


def test_passphrase_is_neither_forgotten_nor_wasted(protected: bytes) -> None:
    with pytest.raises(KeyMaterialError, match="give its passphrase"):
        read_secret_key(protected, None)
    bare = generate_secret_key(user_id="R", passphrase=None, created=NOW, expires=None)
    with pytest.raises(KeyMaterialError, match="has no passphrase"):
        read_secret_key(bare, "passphrase")


def test_public_key_instead_of_the_secret_one_is_refused(protected: bytes) -> None:
    certificate = read_secret_key(protected, PASSPHRASE).certificate
    with pytest.raises(KeyMaterialError, match="no secret key"):
        read_secret_key(certificate, None)


def test_public_key_with_somebody_elses_secret_is_refused() -> None:
    bodies = []
    for _ in range(2):
        armored = generate_secret_key(user_id="R", passphrase=None, created=NOW, expires=None)
        bodies.append(read_packets(read_armor(armored).data)[0].body)
    one, two = bodies
    public = public_half(one, subkey=False)
    mixed = encode_packet(SECRET_KEY, public + two[len(public_half(two, subkey=False)) :])
    with pytest.raises(KeyMaterialError, match="does not belong"):
        read_secret_key(mixed, None)


def test_key_never_shows_its_secret_or_passphrase(protected: bytes) -> None:
    key = read_secret_key(protected, PASSPHRASE)
    assert repr(key) == f"SecretKey({key.fingerprint})"
    for opened in key._keys:
        secret = f"{int(opened._packet.keymaterial.s)}"
        assert secret not in repr(opened)
        assert secret not in str(vars(key))
    with pytest.raises(KeyMaterialError) as caught:
        read_secret_key(protected, "hunter2")
    assert "hunter2" not in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__


def test_key_that_has_expired_does_not_sign_but_still_opens(protected: bytes) -> None:
    key = read_secret_key(protected, PASSPHRASE)
    session_key = generate_session_key()
    certificate = verify_certificate(key.certificate, pinned=key.fingerprint, now=NOW)
    lock = make_lock(certificate, session_key)
    with pytest.raises(KeyMaterialError, match="expired"):
        key.sign_detached(b"x", created=NOW + timedelta(days=31))
    assert key.open_lock([lock]) == session_key


def test_key_that_would_expire_before_it_begins_is_refused() -> None:
    with pytest.raises(KeyMaterialError, match="expire after"):
        generate_secret_key(user_id="R", passphrase=None, created=NOW, expires=days_ago(1))
