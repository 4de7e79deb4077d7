"""The onion service on a private Tor network: how soon, how fast, and how fast in a flood."""

import contextlib
import itertools
import shutil
import socket
import statistics
import tempfile
import time
from collections.abc import Iterator, Sequence
from functools import partial
from operator import attrgetter
from pathlib import Path

from bench.bare import bare_flask
from bench.figures import Figure, by_turns, ratio, seconds
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
    Visit,
    median_visit,
    onion_relay,
)
from tests.tornet import Notices

CIRCUITS = 9
PAGES_OF_A_CIRCUIT = 12  # far below the burst that one circuit is granted
FLOODS = 3
STEPS = {
    "GET of the form": attrgetter("form"),
    "POST of a small report": attrgetter("report"),
    "POST of a receipt": attrgetter("mailbox"),
    "all three": attrgetter("whole"),
}


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
    """Ask both page by page in turn, on one circuit each after another.

    A few circuits: nobody asks for a hundred pages in ten seconds, and whoever does is slowed
    down on purpose.
    """

    def on_a_circuit() -> tuple[float, float]:
        word = f"circuit {next(numbers)}"
        landing = OnionWeb(visitor, landing_at, f"landing, {word}")
        hello = OnionWeb(visitor, hello_at, f"hello, {word}")
        landing.arrive()
        hello.arrive()
        ours, bare = by_turns(
            lambda: seconds(partial(_get, landing, "/en/")),
            lambda: seconds(partial(_get, hello, "/")),
            rounds=PAGES_OF_A_CIRCUIT,
        )
        return statistics.median(ours), statistics.median(bare)

    numbers = itertools.count()
    ours, bare = zip(*(on_a_circuit() for _ in range(CIRCUITS)), strict=True)
    return Figure(
        name=f"GET of the first page through the onion, {CIRCUITS} circuits",
        ours=f"{statistics.median(ours) * 1000:.0f} ms",
        beside=f"bare Flask «hello» {statistics.median(bare) * 1000:.0f} ms",
        ratio=ratio(ours, bare),
        aim="at most 2",
    )


def _flooded(relay: OnionRelay, visitor: ClientTor, flooder: ClientTor) -> Iterator[Figure]:
    numbers = itertools.count()

    def quiet() -> Visit:
        return median_visit(relay, visitor, f"quiet {next(numbers)}")

    def loud() -> Visit:
        flood = Flood(flooder, relay.addresses.reporter)
        flood.arrive()
        with flood:
            flood.wait_for("waited in vain", 1)
            return median_visit(relay, visitor, f"loud {next(numbers)}")

    alone, flooded = by_turns(quiet, loud, rounds=FLOODS)
    for step, duration in STEPS.items():
        yield _during_flood(step, list(map(duration, flooded)), list(map(duration, alone)))


def _during_flood(step: str, flooded: Sequence[float], alone: Sequence[float]) -> Figure:
    return Figure(
        name=f"{step}, by three, while {CLIENTS} clients flood from one circuit",
        ours=f"{statistics.median(flooded):.2f} s",
        beside=f"without the flood {statistics.median(alone):.2f} s",
        ratio=ratio(flooded, alone),
        aim="at most 2",
    )


def _get(site: OnionWeb, path: str) -> None:
    if site.get(path).status != 200:
        raise RuntimeError("the page was refused")


@contextlib.contextmanager
def _hello(network: RehearsalNetwork) -> Iterator[OnionAddress]:
    """Serve the smallest Flask application behind a tor of its own."""
    folder = Path(tempfile.mkdtemp(prefix="bench-"))
    places = Places(folder / "d")
    places.prepare()
    places.reporter_socket.parent.mkdir()
    try:
        with (
            socket.socket(socket.AF_UNIX) as listener,
            RelayTor(data=places.data, tell=Notices(), extra=network.lines) as tor,
        ):
            listener.bind(str(places.reporter_socket))
            listener.listen()
            with bare_flask(folder, listener):
                tor.wait_published(60)
                yield tor.addresses.reporter
    finally:
        shutil.rmtree(folder, ignore_errors=True)
