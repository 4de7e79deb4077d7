"""Uploads and reports through the running demonstration, beside what Argon2 alone allows."""

import secrets
import shutil
import statistics
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import repeat
from pathlib import Path

from bench.figures import ROUNDS, Figure, mebibytes, median_seconds
from protocol.derivation import receipt_root
from protocol.names import DeploymentSalt
from protocol.receipt import generate_receipt
from tests.journeys.demonstration import Demonstration, run_demonstration
from tests.journeys.people import Files, Reporter

UPLOAD_BYTES = 300 * 1000 * 1000
REPORTERS = 20
REPORTS = 60
EVERYBODY = ("counselor-1", "counselor-2", "head")


def measure() -> Iterator[Figure]:
    """Start a demonstration and use it as reporters do."""
    folder = Path(tempfile.mkdtemp(prefix="bench-"))
    try:
        with run_demonstration(folder / "data") as demonstration:
            yield _upload(demonstration, folder)  # first: a crowd's peak would hide its own
            yield from _reports(demonstration)
    finally:
        shutil.rmtree(folder)


def _upload(demonstration: Demonstration, folder: Path) -> Figure:
    file = folder / "upload"
    with file.open("wb") as target:
        for _ in range(300):
            target.write(secrets.token_bytes(UPLOAD_BYTES // 300))
    small = demonstration.grown_bytes(lambda: _send_opened(demonstration, []))
    seconds, grown = [], 0
    for _ in range(ROUNDS):
        start = time.perf_counter()
        large = demonstration.grown_bytes(lambda: _send_opened(demonstration, [("file", file)]))
        seconds.append(time.perf_counter() - start)
        grown = max(grown, large - small)
    speed = UPLOAD_BYTES / statistics.median(seconds) / 1e6
    return Figure(
        name="upload of 300 MB, sealed and stored",
        ours=f"{speed:.0f} MB/s, memory +{mebibytes(grown)} over a small report",
        beside="",
        ratio=f"{speed / 100:.1f} of the aim",
        aim="100 MB/s; less than 64 MiB more",
    )


def _send_opened(demonstration: Demonstration, files: Files) -> None:
    reporter = Reporter(demonstration.reporter)
    reporter.opens_the_form()
    if reporter.sends("a report", to=EVERYBODY, files=files).status != 200:
        raise RuntimeError("the report was refused")


def _reports(demonstration: Demonstration) -> Iterator[Figure]:
    derivations = median_seconds(_derive_twenty)
    opened = [Reporter(demonstration.reporter) for _ in range(REPORTS)]
    for reporter in opened:
        reporter.opens_the_form()
    start = time.perf_counter()
    with ThreadPoolExecutor(4) as pool:
        statuses = list(pool.map(_send, opened))
    per_second = REPORTS / (time.perf_counter() - start)
    limit = REPORTERS / derivations
    yield Figure(
        name="first reports",
        ours=f"{per_second:.1f} a second, {sum(s != 200 for s in statuses)} errors",
        beside=f"Argon2 alone {limit:.1f} a second",
        ratio=f"{per_second / limit:.0%} of what Argon2 allows",
        aim="85 %, no error",
    )
    seconds, errors = [], 0
    for _ in range(ROUNDS):
        crowd = [Reporter(demonstration.reporter) for _ in range(REPORTERS)]
        for reporter in crowd:
            reporter.opens_the_form()
        start = time.perf_counter()
        with ThreadPoolExecutor(REPORTERS) as pool:
            errors += sum(status != 200 for status in pool.map(_send, crowd))
        seconds.append(time.perf_counter() - start)
    yield Figure(
        name="20 reporters at once",
        ours=f"{statistics.median(seconds):.2f} s for all, {errors} errors",
        beside=f"Argon2 alone {derivations:.2f} s",
        ratio=f"{derivations / statistics.median(seconds):.0%} of what Argon2 allows",
        aim="85 %, no error",
    )


def _send(reporter: Reporter) -> int:
    return reporter.sends("What I saw. " * 200, to=EVERYBODY).status


def _derive_twenty() -> None:
    """Derive twenty receipts as fast as this machine can: what bounds every relay of ours."""
    salt = DeploymentSalt(secrets.token_bytes(16))
    receipts = [generate_receipt() for _ in range(REPORTERS)]
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(receipt_root, receipts, repeat(salt)))
