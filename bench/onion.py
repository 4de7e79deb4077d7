"""The onion service on a private Tor network: how soon, how fast, and how fast in a flood."""

import contextlib
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from bench.figures import Figure
from onion.address import OnionAddress
from onion.client import ClientTor
from onion.places import Places
from onion.process import RelayTor
from onion.testnet import RehearsalNetwork
from tests.journeys.overtor import (
    CLIENTS,
    Flood,
    OnionRelay,
    OnionWeb,
    median_visit,
    onion_relay,
    seconds,
)
from tests.tornet import Notices

PAGES = 100
PAGES_OF_A_CIRCUIT = 25  # below the burst that one circuit is granted
GUNICORN = (
    *("-m", "gunicorn", "--worker-class", "gthread", "--threads", "8", "--proxy-protocol", "auto"),
    *("--no-control-socket", "--worker-tmp-dir", "/dev/shm", "--log-level", "warning"),
)
HELLO = """
from flask import Flask
app = Flask(__name__)
app.add_url_rule("/", view_func=lambda: "hello")
"""


def measure() -> Iterator[Figure]:
    """Start a network with a relay and a bare Flask application on it, and visit both."""
    started = time.perf_counter()
    with (
        RehearsalNetwork() as network,
        onion_relay(network.lines) as relay,
        ClientTor(lines=network.lines) as visitor,
    ):
        landing = OnionWeb(visitor, relay.addresses.reporter)
        landing.arrive()
        _get(landing, "/en/")
        yield _reached(time.perf_counter() - started)
        with _hello(network) as address:
            yield _pages(visitor, relay.addresses.reporter, address)
        with ClientTor(lines=network.lines) as flooder:
            yield from _flooded(relay, visitor, flooder)


def _reached(after_seconds: float) -> Figure:
    return Figure(
        name="first page of a relay on a network that starts with it",
        ours=f"{after_seconds:.1f} s",
        beside="",
        ratio=f"{after_seconds / 30:.0%} of the aim",
        aim="30 s, 10 times of 10 (make proof)",
    )


def _pages(visitor: ClientTor, landing_at: OnionAddress, hello_at: OnionAddress) -> Figure:
    """Ask both by turns, so that whatever else the machine does falls on both.

    A few circuits each: nobody asks for a hundred pages in ten seconds, and whoever does
    is slowed down on purpose.
    """
    ours, bare = [], []
    for number in range(PAGES // PAGES_OF_A_CIRCUIT):
        landing = OnionWeb(visitor, landing_at, f"landing {number}")
        hello = OnionWeb(visitor, hello_at, f"hello {number}")
        landing.arrive()
        hello.arrive()
        for _ in range(PAGES_OF_A_CIRCUIT):
            ours.append(seconds(partial(_get, landing, "/en/")))
            bare.append(seconds(partial(_get, hello, "/")))
    here, there = statistics.median(ours), statistics.median(bare)
    return Figure(
        name=f"GET of the first page through the onion, median of {PAGES}",
        ours=f"{here * 1000:.0f} ms",
        beside=f"bare Flask «hello» {there * 1000:.0f} ms",
        ratio=f"{here / there:.2f}",
        aim="at most 2",
    )


def _flooded(relay: OnionRelay, visitor: ClientTor, flooder: ClientTor) -> Iterator[Figure]:
    quiet = median_visit(relay, visitor, "quiet")
    flood = Flood(flooder, relay.addresses.reporter)
    flood.arrive()
    with flood:
        flood.wait_for("waited in vain", 1)
        loud = median_visit(relay, visitor, "loud")
    met = ", ".join(f"{count} × {outcome}" for outcome, count in flood.met.most_common())
    for step, flooded, alone in (
        ("GET of the form", loud.form, quiet.form),
        ("POST of a small report", loud.report, quiet.report),
        ("POST of a receipt", loud.mailbox, quiet.mailbox),
        ("all three", loud.whole, quiet.whole),
    ):
        yield Figure(
            name=f"{step}, by three, while {CLIENTS} clients flood from one circuit",
            ours=f"{flooded:.2f} s" + (f" (the flood: {met})" if step == "all three" else ""),
            beside=f"without the flood {alone:.2f} s",
            ratio=f"{flooded / alone:.2f}",
            aim="at most 2",
        )


def _get(site: OnionWeb, path: str) -> None:
    if site.get(path).status != 200:
        raise RuntimeError("the page was refused")


@contextlib.contextmanager
def _hello(network: RehearsalNetwork) -> Iterator[OnionAddress]:
    """Serve the smallest Flask application as gunicorn serves it unasked, behind its own tor."""
    folder = Path(tempfile.mkdtemp(prefix="bench-"))
    (folder / "hello.py").write_text(HELLO)
    places = Places(folder / "d")
    places.prepare()
    places.reporter_socket.parent.mkdir()
    bind = ["--chdir", str(folder), "--bind", f"unix:{places.reporter_socket}", "hello:app"]
    with subprocess.Popen([sys.executable, *GUNICORN, *bind]) as process:
        try:
            with RelayTor(data=places.data, tell=Notices(), extra=network.lines) as tor:
                tor.wait_published(60)
                yield tor.addresses.reporter
        finally:
            process.terminate()
            process.wait(30)
            shutil.rmtree(folder, ignore_errors=True)
