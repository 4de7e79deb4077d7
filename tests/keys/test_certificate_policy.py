"""Which certificates reports may be sealed to; compared with gpg and Sequoia."""

import subprocess
from datetime import UTC, datetime, timedelta

import pysequoia
import pytest
from key_corpus import NOW, Case, Forge, GnuPG, encryption_key, forged_cases, subkey_packet

from keys.armor import PUBLIC_BLOCK, encode_armor
from keys.bindings import encryption_subkey
from keys.certificate import describe, read_certificate, read_fingerprint, verify_certificate
from keys.lock import make_lock
from keys.packets import LOCK, read_packets
from keys.parts import read_parts
from protocol.errors import KeyMaterialError
from tests import sq

FORGED = {case.name: case for case in forged_cases()}


def check(case: Case) -> None:
    if case.refusal is None:
        certificate = verify_certificate(case.data, pinned=case.pinned, now=NOW)
        assert certificate.fingerprint == case.pinned
        if case.subkey is not None:
            assert certificate.encryption_key_id.hex().upper() == case.subkey[-16:]
    else:
        with pytest.raises(KeyMaterialError) as caught:
            verify_certificate(case.data, pinned=case.pinned, now=NOW)
        assert case.refusal in str(caught.value)


def gpg_recipient(gpg: GnuPG, case: Case) -> bytes | None:
    """Return the key id that gpg encrypts to, or None when it refuses."""
    path = gpg.home / "recipient"
    path.write_bytes(case.data)
    result = gpg.run("--recipient-file", str(path), "--encrypt", stdin=b"x", check=False)
    if result.returncode:
        return None
    (lock,) = (packet for packet in read_packets_until_data(result.stdout) if packet.tag == LOCK)
    return lock.body[1:9]


def read_packets_until_data(message: bytes):
    """Only the lock is framed with a definite length that our strict reader accepts."""
    header = 2 if message[0] & 0x40 else 3
    length = message[1] if header == 2 else int.from_bytes(message[1:3], "big")
    return read_packets(message[: header + length])


def gpg_would_choose(case: Case) -> bytes:
    parts = read_parts(case.data)
    if not case.others:
        (only,) = parts.subkeys
        return only.key.key_id
    return encryption_subkey(parts, int(NOW.timestamp())).key.key_id


def sq_encrypts(gpg: GnuPG, case: Case) -> bool:
    path = gpg.home / "recipient"
    path.write_bytes(case.data)
    done = subprocess.run(sq.encrypt(path), input=b"x", check=False, capture_output=True)
    return done.returncode == 0


@pytest.mark.claim("C4")
@pytest.mark.parametrize("name", FORGED)
def test_certificate_forged_packet_by_packet_is_judged_as_the_table_says(name: str) -> None:
    check(FORGED[name])


@pytest.mark.claim("C4")
def test_certificates_made_by_gpg_and_sq_are_judged_as_the_table_says(
    made_cases: tuple[Case, ...],
) -> None:
    for case in made_cases:
        check(case)


def test_gpg_and_sequoia_agree_wherever_the_table_says_so(
    gpg: GnuPG, made_cases: tuple[Case, ...]
) -> None:
    differing = []
    for case in (*FORGED.values(), *made_cases):
        if case.others is None:
            continue
        wanted = gpg_would_choose(case) if case.others or case.laxer == "gpg" else None
        verdicts = gpg_recipient(gpg, case), sq_encrypts(gpg, case)
        if verdicts[0] != wanted or (case.laxer != "sq" and verdicts[1] != case.others):
            differing.append((case.name, verdicts))
    assert not differing, "\n".join(map(str, differing))


def test_revoked_primary_keys_of_the_corpus_are_revoked_for_sequoia_too(
    made_cases: tuple[Case, ...],
) -> None:
    plain = pysequoia.Cert.from_bytes(FORGED["plain"].data)
    assert not plain.is_revoked
    revoked = [case for case in (*FORGED.values(), *made_cases) if case.refusal == "revoked"]
    assert all(pysequoia.Cert.from_bytes(case.data).is_revoked for case in revoked)


def test_certificate_tells_the_earliest_day_on_which_it_expires() -> None:
    forge, key = Forge(days=10), encryption_key(10)
    data = (
        forge.primary()
        + forge.name(days=10, lifetime_days=300)
        + subkey_packet(key)
        + forge.bind(key, days=10, lifetime_days=100)
    )
    certificate = verify_certificate(data, pinned=forge.fingerprint, now=NOW)
    assert certificate.expires == (NOW + timedelta(days=90)).date()
    with pytest.raises(KeyMaterialError, match="expired"):
        verify_certificate(data, pinned=forge.fingerprint, now=NOW + timedelta(days=90))


def test_certificate_merely_read_cannot_be_sealed_to() -> None:
    certificate = read_certificate(FORGED["plain"].data)
    with pytest.raises(KeyMaterialError, match="not verified"):
        make_lock(certificate, bytes(32))


def test_certificate_armoured_and_binary_reads_the_same() -> None:
    case = FORGED["plain"]
    armored = encode_armor(case.data, PUBLIC_BLOCK)
    with_comment = armored.replace("\n\n", "\nComment: Größe\n\n", 1).replace("\n", "\r\n")
    for data in (armored.encode(), with_comment.encode(), b"\n" + armored.encode() + b"\n\n"):
        certificate = verify_certificate(data, pinned=case.pinned, now=NOW)
        assert certificate.armored == armored


def test_certificate_with_text_around_its_armour_is_refused() -> None:
    armored = encode_armor(FORGED["plain"].data, PUBLIC_BLOCK)
    for data in ("Dear all,\n" + armored, armored + "Regards\n"):
        with pytest.raises(KeyMaterialError):
            read_certificate(data.encode())


def test_description_groups_the_fingerprint_and_says_what_is_known() -> None:
    case = FORGED["plain"]
    verified = describe(verify_certificate(case.data, pinned=case.pinned, now=NOW))
    groups = " ".join(case.pinned[i : i + 4] for i in range(0, 40, 4))
    assert verified[0] == f"Fingerprint: {groups}"
    assert verified[1] == "User id: Counselor"
    assert verified[2].startswith("Primary key: Ed25519, 256 bits, made ")
    assert verified[3].startswith("Encryption key: Curve25519, 256 bits, made ")
    assert verified[4] == "Expires: never"
    assert describe(read_certificate(case.data))[-1].startswith("Not verified")


def test_description_of_a_name_with_terminal_codes_shows_no_control_character() -> None:
    forge = Forge()
    data = forge.primary() + forge.name(text="\x1b[2J\u202eevil\n".encode() + b"\xff")
    lines = describe(read_certificate(data))
    assert lines[1] == "User id: \ufffd[2J\ufffdevil\ufffd\ufffd"


@pytest.mark.parametrize("text", ["ABCD", "0x" + 38 * "A", 41 * "A", 39 * "A" + "G", 16 * "A"])
def test_fingerprint_that_is_not_whole_is_refused(text: str) -> None:
    with pytest.raises(KeyMaterialError):
        read_fingerprint(text)


def test_fingerprint_is_read_in_any_case_and_spacing() -> None:
    text = "abcd EF01 2345 6789 ABCD  EF01 2345 6789 ABCD ef01\n"
    assert read_fingerprint(text) == "ABCDEF0123456789ABCDEF0123456789ABCDEF01"


def test_moment_without_a_time_zone_is_a_mistake_of_the_caller() -> None:
    case = FORGED["plain"]
    naive = datetime.now(UTC).replace(tzinfo=None)
    with pytest.raises(ValueError, match="time zone"):
        verify_certificate(case.data, pinned=case.pinned, now=naive)
