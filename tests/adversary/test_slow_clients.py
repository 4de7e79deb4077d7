"""Many slow connections at once: others are still answered and memory stays bounded."""

import contextlib
import json
import resource
import socket
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "relay"))
from served import Served, connect, get, proxy_line, serving

HEADER = b"GET /never HTTP/1.1\r\nHost: x\r\nX-Slow: "
UPLOAD = b"POST /count HTTP/1.1\r\nHost: x\r\nContent-Length: 400000000\r\n\r\n"
FORM = b"POST /count HTTP/1.1\r\nHost: x\r\nContent-Length: 9000\r\n\r\n"
PREFIX = b"x" * 16 * 1024  # as much as it takes to be given a thread
MEMORY_BYTES = 64 * 1024 * 1024


@contextlib.contextmanager
def relay() -> Iterator[tuple[Served, str]]:
    """A server with its real numbers."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    with tempfile.TemporaryDirectory() as name:
        bind = f"unix:{name}/onion.sock"
        sites = [{"name": "onion", "bind": bind, "circuits": True}]
        with serving(Path(name), sites=sites) as served:
            yield served, bind


class Crowd:
    """Slow clients, each on a circuit of its own, that send one byte a round."""

    def __init__(self, bind: str) -> None:
        self._bind = bind
        self._socks: list[socket.socket] = []

    def join(self, count: int, opening: bytes) -> None:
        for number in range(count):
            if number % 500 == 499:
                time.sleep(0.1)  # no faster than circuits come, and below the kernel's backlog
            sock = connect(self._bind)
            sock.sendall(proxy_line(1000 + len(self._socks)) + opening)
            sock.setblocking(False)
            self._socks.append(sock)

    def drip(self) -> None:
        for sock in self._socks:
            with contextlib.suppress(OSError):  # cut by the server, as it should be
                sock.send(b"x")

    def leave(self) -> None:
        for sock in self._socks:
            sock.close()


def state(bind: str) -> dict[str, int]:
    answer: dict[str, int] = json.loads(get(bind, "/rss", circuit=2)[1])
    return answer


def attack(headers: int, uploads: int, forms: int, *, rounds: int) -> tuple[list[float], int]:
    """Return how long others waited for a page meanwhile, and by how much memory grew."""
    with relay() as (_, bind):
        before = state(bind)["rss"]
        crowd = Crowd(bind)
        waits = []
        peak = 0
        try:
            crowd.join(headers, HEADER)
            crowd.join(uploads, UPLOAD + PREFIX)
            crowd.join(forms, FORM)
            for number in range(rounds):
                crowd.drip()
                started = time.monotonic()
                status, _ = get(bind, circuit=100_000 + number)
                waits.append(time.monotonic() - started)
                assert status == 200
                peak = max(peak, state(bind)["rss"])
                time.sleep(0.1)
            assert upload(bind, 3_000_000) == b"3000000"
        finally:
            crowd.leave()
        print(f"slowest {max(waits):.3f} s, median {statistics.median(waits):.4f} s, {peak=}")
        return waits, peak - before


def upload(bind: str, size: int) -> bytes:
    """Send an honest upload while the crowd is there."""
    with connect(bind, timeout=60) as sock:
        head = f"POST /count HTTP/1.1\r\nHost: x\r\nContent-Length: {size}\r\n\r\n"
        sock.sendall(proxy_line(3) + head.encode() + b"x" * size)
        answer = sock.recv(65536)
        while not answer.endswith(str(size).encode()):
            answer += sock.recv(65536)
        return answer.rpartition(b"\n")[2]


@pytest.mark.slow
@pytest.mark.claim("C5")
def test_twelve_hundred_slow_clients_leave_pages_and_uploads_to_others() -> None:
    waits, growth = attack(1000, 200, 100, rounds=20)
    assert max(waits) < 10.0  # no page waited for a deadline, the first of which is at 15 seconds
    assert growth < MEMORY_BYTES


@pytest.mark.proof
@pytest.mark.claim("C5")
def test_four_thousand_slow_clients_for_a_minute_leave_pages_and_uploads_to_others() -> None:
    waits, growth = attack(3000, 1000, 500, rounds=300)
    assert max(waits) < 1.0
    assert statistics.median(waits) < 0.1
    assert growth < 2 * MEMORY_BYTES
