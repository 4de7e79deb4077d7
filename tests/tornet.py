"""What tests on the rehearsal network share: a site of ten lines, and a visit through SOCKS."""

import contextlib
import socket
import socketserver
import struct
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

from onion.client import ClientTor
from onion.notices import News, Notice
from onion.testnet import RehearsalNetwork

# Tor's extended SOCKS errors (socks-extensions, section 4): why a visit failed.
NO_DESCRIPTOR = 0xF0
NO_INTRODUCTION = 0xF2
NO_RENDEZVOUS = 0xF3
KEY_MISSING = 0xF4
KEY_WRONG = 0xF5

# What tor gives to one request of a browser (SocksTimeout).
_PATIENCE_SECONDS = 120.0
_ATTEMPT_SECONDS = 15.0
# How the name of a folder may begin: a space ends an address in a torrc that is not quoted.
ODD_FOLDER = "sotto a'b %-"

Result = TypeVar("Result")


class VisitError(Exception):
    """A visit that Tor did not bring to the site; `code` is its SOCKS error."""

    def __init__(self, code: int) -> None:
        super().__init__(f"SOCKS error 0x{code:02x}")
        self.code = code


@contextlib.contextmanager
def rehearsal_network() -> Iterator[RehearsalNetwork]:
    """Run the rehearsal network; for a session-scoped fixture."""
    with RehearsalNetwork() as network:
        yield network


class Site(socketserver.ThreadingUnixStreamServer):
    """Answers every request with its own name; remembers the PROXY lines it was sent."""

    daemon_threads = True

    def __init__(self, path: Path, name: str) -> None:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        super().__init__(str(path), _Answer)
        self.name = name
        self.proxy_lines: list[str] = []
        self.holding = threading.Event()
        self.dropped = threading.Event()
        self._thread = threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()

    def close(self) -> None:
        self.shutdown()
        self.server_close()
        self._thread.join()


class _Answer(socketserver.StreamRequestHandler):
    server: Site

    def handle(self) -> None:
        self.server.proxy_lines.append(self.rfile.readline().decode().strip())
        request = self.rfile.readline()
        while self.rfile.readline().strip():
            pass
        if b"/hang" in request:  # held open until the circuit goes
            self.server.holding.set()
            with contextlib.suppress(OSError):
                self.rfile.read()
            self.server.dropped.set()
            return
        body = self.server.name.encode()
        head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
        with contextlib.suppress(OSError):  # a visitor who did not wait
            self.wfile.write(head.encode() + body)


def dial(
    socks_port: int, address: str, *, timeout: float = 30.0, isolate: str = ""
) -> socket.socket:
    """Open a connection to port 80 of an onion service.

    Args:
        socks_port: of a visitor's tor, on loopback.
        address: 56 characters.
        timeout: seconds for each step.
        isolate: visits with different words use different circuits.

    Raises:
        VisitError: Tor did not bring it there.
    """
    connection = socket.create_connection(("127.0.0.1", socks_port), timeout=timeout)
    try:
        word = isolate.encode() or b"0"
        connection.sendall(b"\x05\x01\x02")
        _receive(connection, 2)
        connection.sendall(b"\x01" + bytes([len(word)]) + word + b"\x010")
        _receive(connection, 2)
        host = f"{address}.onion".encode()
        connection.sendall(b"\x05\x01\x00\x03" + bytes([len(host)]) + host + struct.pack("!H", 80))
        code = _receive(connection, 10)[1]
        if code:
            raise VisitError(code)
    except BaseException:
        connection.close()
        raise
    return connection


def visit(
    socks_port: int, address: str, *, path: str = "/", timeout: float = 30.0, isolate: str = ""
) -> bytes:
    """GET a page of an onion service and return its body.

    Raises:
        VisitError: Tor did not bring it there.
    """
    with dial(socks_port, address, timeout=timeout, isolate=isolate) as connection:
        head = f"GET {path} HTTP/1.1\r\nHost: {address}.onion\r\nConnection: close\r\n\r\n"
        connection.sendall(head.encode())
        answer = b""
        while part := connection.recv(65536):
            answer += part
    return answer.partition(b"\r\n\r\n")[2]


def visit_soon(visitor: ClientTor, address: str, *, path: str = "/", isolate: str = "") -> bytes:
    """Visit again and again until the service is there; descriptors take seconds to spread."""
    port, patience = visitor.socks_port, _ATTEMPT_SECONDS
    return _soon(
        visitor, lambda: visit(port, address, path=path, timeout=patience, isolate=isolate)
    )


def visit_anew(lines: tuple[str, ...], address: str) -> bytes:
    """Visit with a tor that knows nothing yet, as someone does who opens Tor Browser.

    One that has visited before tries what it knew, for minutes where it is unlucky.
    """
    with ClientTor(lines=lines) as newcomer:
        return visit_soon(newcomer, address)


def dial_soon(visitor: ClientTor, address: str, *, isolate: str = "") -> socket.socket:
    """Dial again and again until the service is there."""
    port, patience = visitor.socks_port, _ATTEMPT_SECONDS
    return _soon(visitor, lambda: dial(port, address, timeout=patience, isolate=isolate))


def _soon(visitor: ClientTor, attempt: Callable[[], Result]) -> Result:
    """Try until it works; take a New Identity where nothing comes, as a person would.

    A tor that knows the descriptor of before a restart tries it for minutes.
    """
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while True:
        try:
            return attempt()
        except (VisitError, OSError) as error:
            if time.monotonic() > deadline:
                raise
            if isinstance(error, TimeoutError):
                visitor.new_identity()
            time.sleep(0.5)


class Notices:
    """Collects what the supervisor tells and waits for a piece of news."""

    def __init__(self) -> None:
        self.all: list[Notice] = []
        self._changed = threading.Condition()

    def __call__(self, notice: Notice) -> None:
        with self._changed:
            self.all.append(notice)
            self._changed.notify_all()

    def count(self, news: News) -> int:
        return sum(notice.news == news for notice in self.all)

    def published(self, address: str) -> int:
        return sum(n.news == News.PUBLISHED and n.address == address for n in self.all)

    def sentences(self) -> str:
        return " | ".join(notice.sentence for notice in self.all)

    def wait(self, found: Callable[[list[Notice]], object], timeout: float = 30.0) -> None:
        with self._changed:
            assert self._changed.wait_for(lambda: found(self.all), timeout), self.sentences()


def _receive(connection: socket.socket, size: int) -> bytes:
    received = b""
    while len(received) < size:
        part = connection.recv(size - len(received))
        if not part:
            raise VisitError(0x01)
        received += part
    return received
