"""Sealing 500 MB, beside `gpg --encrypt` without compression.

In processor time: both use one core, and a machine that others use as well has no other. What
Python takes to start is told apart, since a relay starts once and not for each envelope.
"""

import hashlib
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

from cryptography.hazmat.decrepit.ciphers.modes import CFB
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms

from bench.figures import Figure, Run, by_turns, mebibytes, ratio, run_measured
from keys.certificate import verify_certificate
from keys.lock import generate_session_key, make_lock
from keys.secretkey import generate_secret_key, read_secret_key
from protocol.sealing import Sealer

SIZE_BYTES = 500 * 1000 * 1000
PIECE_BYTES = 64 * 1024


def seal_file(source: Path, certificate: Path) -> None:
    """Seal a file to a certificate and throw the result away."""
    content = certificate.read_bytes()
    found = read_secret_key(content, None)
    now = datetime.now(UTC)
    verified = verify_certificate(found.certificate, pinned=found.fingerprint, now=now)
    session_key = generate_session_key()
    sealer = Sealer(
        session_key=session_key, locks=make_lock(verified, session_key), file_name="file"
    )
    with Path("/dev/null").open("wb", buffering=0) as sink:
        for piece in _pieces(source):
            sink.write(sealer.update(piece))
        sink.write(sealer.finish())


def encrypt_and_hash(source: Path) -> None:
    """Do what no sealing of this format can do without: AES-256-CFB and SHA-1, by OpenSSL."""
    encryptor = Cipher(algorithms.AES(generate_session_key()), CFB(bytes(16))).encryptor()
    sha1 = hashlib.sha1(usedforsecurity=False)
    ciphertext = bytearray(PIECE_BYTES + 16)
    for piece in _pieces(source):
        sha1.update(piece)
        encryptor.update_into(piece, ciphertext)


def _pieces(source: Path) -> Iterator[bytes]:
    with source.open("rb", buffering=0) as file:
        while piece := file.read(PIECE_BYTES):
            yield piece


def measure() -> Iterator[Figure]:
    """Seal the same file with both, in turn."""
    folder = Path(tempfile.mkdtemp(prefix="bench-", dir="/tmp"))
    try:
        source, nothing, key = folder / "file", folder / "nothing", folder / "key.asc"
        size = ["head", "-c", str(SIZE_BYTES), "/dev/urandom"]
        with source.open("wb") as target:
            subprocess.run(size, stdout=target, check=True)
        nothing.touch()
        created = datetime(2026, 1, 1, tzinfo=UTC)
        key.write_bytes(
            generate_secret_key(user_id="bench", passphrase=None, created=created, expires=None)
        )
        gpg = _gpg(folder / "gpg", key)
        ours = [sys.executable, "-m", "bench.sealing"]
        yield _figure(
            *by_turns(
                lambda: run_measured([*ours, source, key]),
                lambda: run_measured([*ours, nothing, key]),
                lambda: run_measured([*ours, source]),
                lambda: run_measured([*gpg, source]),
            )
        )
    finally:
        subprocess.run(["gpgconf", "--homedir", folder / "gpg", "--kill", "all"], check=False)
        shutil.rmtree(folder)


def _gpg(home: Path, key: Path) -> list[str | Path]:
    home.mkdir(mode=0o700)
    gpg = ["gpg", "--homedir", home, "--batch", "--yes", "--trust-model", "always"]
    subprocess.run([*gpg, "--import", key], check=True, capture_output=True)
    return [
        *(*gpg, "--compress-algo", "none", "--recipient", "bench"),
        *("--output", "/dev/null", "--encrypt"),
    ]


def _figure(
    ours: Sequence[Run], starts: Sequence[Run], least: Sequence[Run], gpg: Sequence[Run]
) -> Figure:
    theirs = [one.cpu_seconds for one in gpg]
    start = statistics.median(one.cpu_seconds for one in starts)
    whole = [one.cpu_seconds for one in ours]
    floor = [one.cpu_seconds - start for one in least]
    sealing = [seconds - start for seconds in whole]
    return Figure(
        name="seal 500 MB",
        ours=f"{statistics.median(sealing):.2f} s and {start:.2f} s for Python to start, "
        f"peak {mebibytes(max(one.peak_bytes for one in ours))}",
        beside=f"gpg {statistics.median(theirs):.2f} s; its AES-CFB and SHA-1 alone, by OpenSSL, "
        f"{statistics.median(floor):.2f} s",
        ratio=f"{ratio(sealing, theirs)} of gpg's time, with the start {ratio(whole, theirs)}, "
        f"the least {ratio(floor, theirs)}",
        aim="1.00; at most 48 MiB",
    )


if __name__ == "__main__":
    if sys.argv[2:]:
        seal_file(Path(sys.argv[1]), Path(sys.argv[2]))
    else:
        encrypt_and_hash(Path(sys.argv[1]))
