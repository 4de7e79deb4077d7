"""Uploads and reports through the running demonstration, beside what else would bound them."""

import os
import secrets
import shutil
import socket
import statistics
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import repeat
from pathlib import Path

from bench.bare import bare_flask
from bench.figures import Figure, by_turns, mebibytes, ratio, seconds
from protocol.derivation import receipt_root
from protocol.names import DeploymentSalt
from protocol.receipt import generate_receipt
from tests.journeys.demonstration import Demonstration, run_demonstration
from tests.journeys.people import Files, Reporter
from tests.journeys.web import Web

UPLOAD_BYTES = 300 * 1000 * 1000
REPORTERS = 20
AT_A_TIME = 4  # enough to keep every core busy, not enough to make a queue
EVERYBODY = ("counselor-1", "counselor-2", "head")


def measure() -> Iterator[Figure]:
    """Start a demonstration and use it as reporters do."""
    folder = Path(tempfile.mkdtemp(prefix="bench-"))
    try:
        with run_demonstration(folder / "data") as demonstration:
            yield _upload(demonstration, folder)  # first: a crowd's peak would hide its own
            yield _reports(demonstration, at_once=AT_A_TIME)
            yield _reports(demonstration, at_once=REPORTERS)
    finally:
        shutil.rmtree(folder)


def _upload(demonstration: Demonstration, folder: Path) -> Figure:
    file = folder / "upload"
    with file.open("wb") as target:
        for _ in range(300):
            target.write(secrets.token_bytes(UPLOAD_BYTES // 300))
    send = partial(_send_opened, demonstration, [("file", file)])
    send_small = partial(_send_opened, demonstration, [])
    send_small()  # what only the first one needs is there afterwards
    grown = demonstration.grown_bytes(send) - demonstration.grown_bytes(send_small)
    with socket.create_server(("127.0.0.1", 0)) as listener, bare_flask(folder, listener):
        bare = Web("http://127.0.0.1:{1}".format(*listener.getsockname()))
        keep = partial(bare.post, "/", [], [("file", "file", file)])
        ours, theirs = by_turns(lambda: seconds(send), lambda: seconds(keep))
    return Figure(
        name="upload of 300 MB, sealed and stored",
        ours=f"{_speed(ours)}, memory +{mebibytes(grown)} over a small report",
        beside=f"bare Flask, plaintext, {_speed(theirs)}",
        ratio=f"{ratio(ours, theirs)} of bare Flask's time",
        aim="100 MB/s; less than 64 MiB more",
    )


def _speed(times: tuple[float, ...]) -> str:
    slowest, median, fastest = (
        f"{UPLOAD_BYTES / one(times) / 1e6:.0f}" for one in (max, statistics.median, min)
    )
    return f"{median} MB/s ({slowest} to {fastest})"


def _send_opened(demonstration: Demonstration, files: Files) -> None:
    reporter = Reporter(demonstration.reporter)
    reporter.opens_the_form()
    if reporter.sends("a report", to=EVERYBODY, files=files).status != 200:
        raise RuntimeError("the report was refused")


def _reports(demonstration: Demonstration, *, at_once: int) -> Figure:
    statuses: list[int] = []

    def crowd() -> float:
        opened = [Reporter(demonstration.reporter) for _ in range(REPORTERS)]
        for reporter in opened:
            reporter.opens_the_form()
        with ThreadPoolExecutor(at_once) as pool:
            return seconds(lambda: statuses.extend(pool.map(_send, opened)))

    alone, ours = by_turns(lambda: seconds(_derive_alone), crowd)
    errors = sum(status != 200 for status in statuses)
    here, there = statistics.median(ours), statistics.median(alone)
    return Figure(
        name=f"{REPORTERS} first reports, {at_once} at a time",
        ours=f"{here:.2f} s, {REPORTERS / here:.1f} a second, {errors} errors",
        beside=f"Argon2 alone {there:.2f} s",
        ratio=f"{ratio(alone, ours)} of what Argon2 allows",
        aim="0.85, no error",
    )


def _send(reporter: Reporter) -> int:
    return reporter.sends("What I saw. " * 200, to=EVERYBODY).status


def _derive_alone() -> None:
    """Derive as many receipts as fast as this machine can: what bounds every relay of ours."""
    salt = DeploymentSalt(secrets.token_bytes(16))
    receipts = [generate_receipt() for _ in range(REPORTERS)]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        list(pool.map(receipt_root, receipts, repeat(salt)))
