"""A relay that serves real people's pages on a private Tor network, and who visits it there.

The relay is started by its own command; its tor runs here, in the test's process, so that a
test can wait for its news and kill it.
"""

import contextlib
import http.client
import os
import signal
import socket
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from onion.address import Addresses, OnionAddress
from onion.client import ClientTor
from onion.control import Control
from onion.courier_keys import add_courier
from onion.places import Places
from onion.process import RelayTor
from protocol.errors import StorageError
from relay.rows import CONTENT_CHUNKS
from sotto.demo import courier_line, prepare
from sotto.status import ask_sites
from tests.journeys.people import COMMAND, Reporter
from tests.journeys.web import Answer, Web
from tests.tornet import Notices, VisitError, dial, dial_soon

EVERYBODY = ("counselor-1", "counselor-2", "head")
START_SECONDS = 60
ANSWER_SECONDS = 60
CLIENTS = 30
PATIENCE_SECONDS = 1.0  # of a client that floods: then it asks anew
REBUILD_SECONDS = 5.0
REPORTERS = 3
VISITS = 5  # of each reporter


@dataclass(frozen=True, kw_only=True)
class OnionRelay:
    """A relay with the demonstration's people, published; two couriers have keys."""

    places: Places
    addresses: Addresses
    tor: RelayTor
    notices: Notices
    first_courier: str
    second_courier: str

    def kill_tor(self) -> None:
        """Kill the relay's tor as a full machine does: without a word."""
        assert self.tor.pid is not None
        os.kill(self.tor.pid, signal.SIGKILL)

    def published(self, address: OnionAddress) -> int:
        return self.notices.published(address)

    def wait_published_again(self, address: OnionAddress, before: int) -> None:
        self.notices.wait(lambda _: self.notices.published(address) > before, timeout=60)

    def envelopes(self) -> int:
        return self._count("SELECT count(*) FROM envelope")

    def unfinished_chunks(self) -> int:
        return self._count(
            f"SELECT count(*) FROM chunk WHERE place - place % {CONTENT_CHUNKS} NOT IN"  # noqa: S608  ours
            " (SELECT content FROM envelope WHERE content IS NOT NULL)"
        )

    def visits(self) -> set[str]:
        """Return the numbers of the circuits on which visitors of the reporters' site are."""
        with Control(self.places.control) as control:
            lines = control.info("circuit-status").splitlines()
        return {
            line.split()[0]
            for line in lines
            if "HS_STATE=HSSR_JOINED" in line and f"REND_QUERY={self.addresses.reporter}" in line
        }

    def _count(self, question: str) -> int:
        path = self.places.data / "relay.sqlite"
        with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as store:
            count: int = store.execute(question).fetchone()[0]
        return count


@contextlib.contextmanager
def onion_relay(lines: Sequence[str]) -> Iterator[OnionRelay]:
    """Make a relay and serve it on the network of these torrc lines until the end."""
    with tempfile.TemporaryDirectory(prefix="sotto-") as folder, contextlib.ExitStack() as running:
        data = Path(folder) / "d"
        prepare(data, policy="generic", now=datetime.now(UTC))
        places = Places(data)
        running.enter_context(_served(places))
        notices = Notices()
        tor = RelayTor(data=data, tell=notices, extra=lines)
        second = add_courier(places.courier, "second", tor.addresses.courier)
        running.callback(tor.stop)
        tor.start()
        tor.wait_published(START_SECONDS)
        tor.wait_published(START_SECONDS, courier=True)
        yield OnionRelay(
            places=places,
            addresses=tor.addresses,
            tor=tor,
            notices=notices,
            first_courier=courier_line(data),
            second_courier=second.line,
        )


@contextlib.contextmanager
def _served(places: Places) -> Iterator[None]:
    command = [*COMMAND, "relay", "serve", "--system-tor", "--data", str(places.data)]
    with subprocess.Popen(command, stdout=sys.stderr) as process:
        try:
            _until_answered(places, process)
            yield
        finally:
            process.terminate()
            process.wait(30)


def _until_answered(places: Places, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            return ask_sites(places)
        except StorageError:
            assert process.poll() is None, "the relay ended by itself"
            assert time.monotonic() < deadline, "the relay did not start"
            time.sleep(0.1)


class OnionWeb(Web):
    """One onion site as seen through a visitor's tor; each word has a circuit of its own."""

    def __init__(self, visitor: ClientTor, address: OnionAddress, word: str = "") -> None:
        super().__init__(f"http://{address}.onion", ANSWER_SECONDS)
        self._visitor = visitor
        self._address = address
        self._word = word

    def _connect(self) -> http.client.HTTPConnection:
        connection = super()._connect()
        port = self._visitor.socks_port
        connection.sock = dial(port, self._address, timeout=ANSWER_SECONDS, isolate=self._word)
        return connection

    def arrive(self) -> None:
        """Wait until the site is reached: descriptors take seconds to spread."""
        dial_soon(self._visitor, self._address, isolate=self._word).close()


def onion_reporter(visitor: ClientTor, relay: OnionRelay, word: str = "") -> Reporter:
    """Return a reporter whose browser is already at the onion site."""
    web = OnionWeb(visitor, relay.addresses.reporter, word)
    web.arrive()
    reporter = Reporter(web.base)
    reporter.web = web
    return reporter


@dataclass(frozen=True, kw_only=True)
class Visit:
    """How many seconds the three steps of a visit took."""

    form: float
    report: float
    mailbox: float

    @property
    def whole(self) -> float:
        return self.form + self.report + self.mailbox


def median_visit(relay: OnionRelay, visitor: ClientTor, word: str) -> Visit:
    """Let three reporters at a time visit again and again, each time on another circuit."""
    with ThreadPoolExecutor(REPORTERS) as reporters:
        words = [f"{word} {number}" for number in range(REPORTERS * VISITS)]
        visits = list(reporters.map(lambda one: _visit(relay, visitor, one), words))
    return Visit(
        form=statistics.median(visit.form for visit in visits),
        report=statistics.median(visit.report for visit in visits),
        mailbox=statistics.median(visit.mailbox for visit in visits),
    )


def _visit(relay: OnionRelay, visitor: ClientTor, word: str) -> Visit:
    reporter = onion_reporter(visitor, relay, word)  # the circuit is there before the clock starts
    return Visit(
        form=seconds(reporter.opens_the_form),
        report=seconds(lambda: _require(reporter.sends("What I saw. " * 20, to=EVERYBODY))),
        mailbox=seconds(lambda: _require(reporter.opens_the_mailbox())),
    )


def _require(answer: Answer) -> None:
    assert answer.status == 200, answer.text


def seconds(work: Callable[[], object]) -> float:
    """Return how long some work took."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


class Flood:
    """Thirty clients on one circuit that ask, give up after a second, and ask again.

    When the circuit is cut they share the next one: that is what their tor does.
    """

    def __init__(self, visitor: ClientTor, address: OnionAddress) -> None:
        self.met: Counter[str] = Counter()  # "answered", "waited in vain", "cut", "shut out"
        self._visitor = visitor
        self._address = address
        self._stop = threading.Event()
        self._lock = threading.Lock()

    def arrive(self) -> None:
        """Build the circuit, with a connection that asks nothing."""
        dial_soon(self._visitor, self._address, isolate="flood").close()

    def __enter__(self) -> "Flood":
        self._clients = ThreadPoolExecutor(CLIENTS, "flood")
        for _ in range(CLIENTS):
            self._clients.submit(self._ask_on)
        return self

    def __exit__(self, *why: object) -> None:
        self._stop.set()
        self._clients.shutdown()

    def wait_for(self, outcome: str, count: int, within: float = 30.0) -> None:
        deadline = time.monotonic() + within
        while self.met[outcome] < count:
            assert time.monotonic() < deadline, self.met
            time.sleep(0.05)

    def _ask_on(self) -> None:
        while not self._stop.is_set():
            outcome = self._ask()
            with self._lock:
                self.met[outcome] += 1

    def _ask(self) -> str:
        try:
            port = self._visitor.socks_port
            connection = dial(port, self._address, timeout=REBUILD_SECONDS, isolate="flood")
        except (VisitError, OSError):
            self._stop.wait(0.1)
            return "shut out"
        with connection:
            return self._first_answer(connection)

    def _first_answer(self, connection: socket.socket) -> str:
        try:
            connection.settimeout(PATIENCE_SECONDS)
            connection.sendall(f"GET /en/ HTTP/1.1\r\nHost: {self._address}.onion\r\n\r\n".encode())
            return "answered" if connection.recv(65536) else "cut"
        except TimeoutError:
            return "waited in vain"
        except OSError:
            return "cut"
