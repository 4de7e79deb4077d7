"""Sealing 500 MB, beside `gpg --encrypt` without compression."""

import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from bench.figures import ROUNDS, Figure, mebibytes, run_measured
from keys.certificate import verify_certificate
from keys.lock import generate_session_key, make_lock
from keys.secretkey import generate_secret_key, read_secret_key
from protocol.sealing import Sealer

SIZE_BYTES = 500 * 1000 * 1000
PIECE_BYTES = 64 * 1024


def seal_file(certificate: Path, source: Path) -> None:
    """Seal a file to a certificate and throw the result away; run in a process of its own."""
    content = certificate.read_bytes()
    found = read_secret_key(content, None)
    now = datetime.now(UTC)
    verified = verify_certificate(found.certificate, pinned=found.fingerprint, now=now)
    session_key = generate_session_key()
    sealer = Sealer(
        session_key=session_key, locks=make_lock(verified, session_key), file_name="file"
    )
    with source.open("rb") as file, Path("/dev/null").open("wb") as sink:
        while piece := file.read(PIECE_BYTES):
            sink.write(sealer.update(piece))
        sink.write(sealer.finish())


def measure() -> Iterator[Figure]:
    """Seal the same file with both, in turn."""
    folder = Path(tempfile.mkdtemp(prefix="bench-", dir="/tmp"))
    try:
        source, key, home = folder / "file", folder / "key.asc", folder / "gpg"
        subprocess.run(
            ["head", "-c", str(SIZE_BYTES), "/dev/urandom"], stdout=source.open("wb"), check=True
        )
        secret = generate_secret_key(
            user_id="bench", passphrase=None, created=datetime(2026, 1, 1, tzinfo=UTC), expires=None
        )
        key.write_bytes(secret)
        home.mkdir(mode=0o700)
        gpg = ["gpg", "--homedir", home, "--batch", "--yes", "--trust-model", "always"]
        subprocess.run([*gpg, "--import", key], check=True, capture_output=True)
        encrypt = [*gpg, "--compress-algo", "none", "--recipient", "bench"]
        encrypt += ["--output", "/dev/null", "--encrypt", source]
        ours, theirs = [], []
        for _ in range(ROUNDS):
            ours.append(run_measured([sys.executable, "-m", "bench.sealing", key, source]))
            theirs.append(run_measured(encrypt))
        seconds = statistics.median(one[0] for one in ours)
        gpg_seconds = statistics.median(one[0] for one in theirs)
        peak = max(one[1] for one in ours)
        yield Figure(
            name="seal 500 MB",
            ours=f"{seconds:.2f} s, peak {mebibytes(peak)}",
            beside=f"gpg {gpg_seconds:.2f} s, peak {mebibytes(max(one[1] for one in theirs))}",
            ratio=f"{seconds / gpg_seconds:.2f} of gpg's time",
            aim="1.00; at most 48 MiB",
        )
    finally:
        subprocess.run(["gpgconf", "--homedir", folder / "gpg", "--kill", "all"], check=False)
        shutil.rmtree(folder)


if __name__ == "__main__":
    seal_file(Path(sys.argv[1]), Path(sys.argv[2]))
