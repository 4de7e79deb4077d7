"""What we seal, read by programs that have never heard of us (C7)."""

import os
import shutil
import subprocess
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pysequoia
import pytest

from keys.certificate import Certificate, verify_certificate
from keys.lock import generate_session_key, make_blind_lock, make_lock
from keys.secretkey import generate_secret_key, read_secret_key
from protocol.errors import FormatError
from protocol.names import Fingerprint
from protocol.padding import padme
from protocol.sealing import Sealer, read_sealed
from tests import sq

pytestmark = pytest.mark.claim("C7")

KIB = 1024
SIZES = [0, 1, 16 * KIB - 1, 16 * KIB, 16 * KIB + 1, 64 * KIB - 1, 64 * KIB, 64 * KIB + 1]
LARGE = [1024 * KIB, 20 * 1024 * KIB + 7]


@dataclass(frozen=True)
class Reader:
    """A recipient whose key stock gpg made, and the programs that hold it."""

    home: Path
    secret: Path
    certificate: Certificate

    def run(self, *command: str | Path, sealed: bytes) -> subprocess.CompletedProcess[bytes]:
        environment = os.environ | {"GNUPGHOME": str(self.home), "LC_ALL": "C"}
        return subprocess.run(
            command, input=sealed, capture_output=True, check=False, env=environment
        )

    def gpg(self, sealed: bytes, *options: str) -> subprocess.CompletedProcess[bytes]:
        return self.run("gpg", "--batch", "--no-tty", *options, "--decrypt", sealed=sealed)

    def by_gpg(self, sealed: bytes) -> bytes:
        return _content(self.gpg(sealed))

    def by_sq(self, sealed: bytes) -> bytes:
        return _content(self.run(*sq.decrypt(self.secret), sealed=sealed))

    def by_rnp(self, sealed: bytes) -> bytes:
        return _content(self.run("rnp", "--keyfile", self.secret, "--decrypt", "-", sealed=sealed))

    def by_sequoia(self, sealed: bytes) -> bytes:
        decrypted = pysequoia.decrypt(
            sealed, pysequoia.Tsk.from_bytes(self.secret.read_bytes()).decryptor()
        )
        content = decrypted.bytes
        assert content is not None
        return bytes(content)


PROGRAMS: list[Callable[[Reader, bytes], bytes]] = [
    Reader.by_gpg,
    Reader.by_sq,
    Reader.by_rnp,
    Reader.by_sequoia,
]
programs = pytest.mark.parametrize("program", PROGRAMS, ids=lambda one: one.__name__)


def _content(result: subprocess.CompletedProcess[bytes]) -> bytes:
    assert result.returncode == 0, result.stderr.decode()
    return result.stdout


@pytest.fixture(scope="module")
def reader() -> Iterator[Reader]:
    home = Path(tempfile.mkdtemp(prefix="s", dir="/tmp"))  # sockets want a short path
    home.chmod(0o700)
    environment = os.environ | {"GNUPGHOME": str(home), "LC_ALL": "C"}

    def gpg(*arguments: str) -> bytes:
        command = ["gpg", "--batch", "--no-tty", "--passphrase", "", "--pinentry-mode", "loopback"]
        done = subprocess.run(
            [*command, *arguments], capture_output=True, check=True, env=environment
        )
        return done.stdout

    try:
        gpg("--quick-generate-key", "Counselor", "ed25519", "cert,sign", "never")
        listed = gpg("--with-colons", "--list-keys").decode()
        pinned = Fingerprint(listed.split("fpr:::::::::")[1][:40])
        gpg("--quick-add-key", pinned, "cv25519", "encr", "never")
        secret = home / "secret.asc"
        secret.write_bytes(gpg("--armor", "--export-secret-keys"))
        certificate = verify_certificate(gpg("--export"), pinned=pinned, now=datetime.now(UTC))
        yield Reader(home=home, secret=secret, certificate=certificate)
    finally:
        subprocess.run(["gpgconf", "--kill", "all"], check=False, env=environment)
        shutil.rmtree(home, ignore_errors=True)


@pytest.fixture(scope="module")
def left_out() -> Certificate:
    now = datetime.now(UTC)
    armored = generate_secret_key(user_id="Head", passphrase=None, created=now, expires=None)
    key = read_secret_key(armored, None)
    return verify_certificate(key.certificate, pinned=key.fingerprint, now=now)


def seal(content: bytes, certificate: Certificate, *, before: bytes = b"") -> bytes:
    session_key = generate_session_key()
    locks = before + make_lock(certificate, session_key)
    sealer = Sealer(session_key=session_key, locks=locks, file_name="envelope.zip")
    message = sealer.update(content) + sealer.finish()
    assert len(message) == padme(len(message))
    return message


@programs
@pytest.mark.parametrize("size", SIZES)
def test_message_of_ours_is_read_by_other_programs(
    program: Callable[[Reader, bytes], bytes], size: int, reader: Reader
) -> None:
    content = os.urandom(size)
    assert program(reader, seal(content, reader.certificate)) == content


@programs
@pytest.mark.parametrize("size", LARGE)
def test_large_message_of_ours_is_read_by_other_programs(
    program: Callable[[Reader, bytes], bytes], size: int, reader: Reader
) -> None:
    content = os.urandom(size)
    assert program(reader, seal(content, reader.certificate)) == content


@programs
def test_message_with_a_blind_lock_for_somebody_else_is_read_by_other_programs(
    program: Callable[[Reader, bytes], bytes], reader: Reader, left_out: Certificate
) -> None:
    blind = make_blind_lock(left_out)
    assert (
        program(reader, seal(b"said quietly", reader.certificate, before=blind)) == b"said quietly"
    )


@programs
@pytest.mark.parametrize("last_part", ["full", "empty"])
def test_message_whose_parts_fill_its_class_just_so_is_read_by_other_programs(
    program: Callable[[Reader, bytes], bytes], last_part: str, reader: Reader
) -> None:
    # 67,584 octets is a class; a lock of nobody makes up what is missing to a part's border.
    wanted = 67_584 - 6 - 65_537 + (1 if last_part == "full" else 0)
    room = wanted - len(seal_locks := _lock(reader))
    content = os.urandom(64_000)
    session_key = generate_session_key()
    locks = _filler(room) + make_lock(reader.certificate, session_key)
    assert len(locks) == room + len(seal_locks)
    sealer = Sealer(session_key=session_key, locks=locks, file_name="envelope.zip")
    message = sealer.update(content) + sealer.finish()
    assert len(message) == 67_584
    assert (len(message) - len(locks) - 6) % 65_537 == (65_536 if last_part == "full" else 0)
    assert program(reader, message) == content


def _lock(reader: Reader) -> bytes:
    return make_lock(reader.certificate, generate_session_key())


def _filler(length: int) -> bytes:
    """A lock for an RSA key that nobody has."""
    octets = length - 6 - 12
    body = b"\x03" + b"\x09" * 8 + b"\x01" + (octets * 8).to_bytes(2, "big") + b"\xff" * octets
    return b"\xc1\xff" + len(body).to_bytes(4, "big") + body


def test_message_is_read_by_gpg_with_the_session_key_alone(reader: Reader) -> None:
    session_key = generate_session_key()
    sealer = Sealer(session_key=session_key, locks=_filler(300), file_name="envelope.zip")
    message = sealer.update(b"said quietly") + sealer.finish()
    shown = reader.gpg(message, "--override-session-key", f"9:{session_key.hex().upper()}")
    assert (shown.returncode, shown.stdout) == (0, b"said quietly")


def test_message_that_was_changed_fails_in_gpg(reader: Reader) -> None:
    message = bytearray(seal(bytes(30_000), reader.certificate))
    message[20_000] ^= 1
    assert reader.gpg(bytes(message)).returncode != 0


def test_message_made_by_gpg_is_not_taken_for_one_of_ours(reader: Reader) -> None:
    encrypt = ["gpg", "--batch", "--no-tty", "--trust-model", "always", "-r", "Counselor", "-e"]
    foreign = _content(reader.run(*encrypt, sealed=b"said quietly"))
    key = read_secret_key(reader.secret.read_bytes(), None)
    sealed = read_sealed(lambda: [foreign])
    session_key = key.open_lock(sealed.locks)
    assert session_key is not None
    with pytest.raises(FormatError):
        b"".join(sealed.unseal(session_key))


def test_file_name_proposed_by_gpg_is_that_of_the_envelope(reader: Reader, tmp_path: Path) -> None:
    archive = tmp_path / "x.zip"
    with zipfile.ZipFile(archive, "w") as out:
        out.writestr("report.txt", "said quietly")
    sealed = seal(archive.read_bytes(), reader.certificate)
    listed = reader.run("gpg", "--batch", "--no-tty", "--list-packets", sealed=sealed)
    assert b'name="envelope.zip"' in listed.stdout
