"""Run a real relay server in a process of its own, with applications made for tests.

Run as a program, it serves what the JSON in its first argument says; imported, it starts
that program and talks to it over real sockets.
"""

import contextlib
import json
import os
import resource
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
CANARY = "nachtigall-4711"
START_SECONDS = 20


def make_app(name: str) -> Callable[..., Iterable[bytes]]:
    """Make a WSGI application that says who it is and what reached it."""

    def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        path = environ["PATH_INFO"]
        if path == "/boom":
            raise RuntimeError(f"could not parse {CANARY}")
        if path == "/count":
            read = 0
            while piece := environ["wsgi.input"].read(65536):
                read += len(piece)
            body = str(read).encode()
        elif path == "/rss":
            pages = int(Path("/proc/self/statm").read_text().split()[1])
            threads = threading.active_count()
            body = json.dumps({"rss": pages * resource.getpagesize(), "threads": threads}).encode()
        elif path == "/slow":
            print("slow request begins", flush=True)
            time.sleep(1)
            body = b"done"
        elif path == "/big":
            body = b"x" * 30_000_000
        elif path == "/page":
            body = b"x" * 60_000
        elif path == "/pid":
            body = str(os.getpid()).encode()
        else:
            body = f"{name} {path} {environ['REMOTE_ADDR']}".encode()
        headers = [("Content-Type", "text/plain"), ("Content-Length", str(len(body)))]
        start_response("200 OK", headers)
        return [body]

    return app


def main() -> None:
    """Serve what the first argument says, and print a line when ready."""
    from relay.circuit import CircuitLimits, Circuits
    from relay.pacing import Pace
    from relay.server import serve
    from relay.site import Deadlines, Plan, Site

    wanted = json.loads(sys.argv[1])

    def circuits() -> Circuits:
        return Circuits(
            limits=CircuitLimits(**wanted.get("limits", {})),
            monotonic=time.monotonic,
            close_circuit=lambda number: print("close", number, flush=True),
        )

    pace = Pace(**wanted.get("pace", {}))
    deadlines = Deadlines(pace=pace, **wanted.get("deadlines", {}))
    sites = [
        Site(
            build=lambda name=site["name"]: make_app(name),  # type: ignore[misc]  # bound now
            bind=site["bind"],
            circuits=circuits() if site.get("circuits") else None,
            deadlines=deadlines,
        )
        for site in wanted["sites"]
    ]
    serve(
        Plan(
            sites=sites,
            on_start=lambda: print("started", flush=True),
            on_ready=lambda: print("ready", flush=True),
            on_stop=lambda: print("stopped", flush=True),
            **wanted.get("plan", {}),
        )
    )


class Served:
    """A server that runs: its process and what it wrote."""

    def __init__(self, process: subprocess.Popen[str], log: Path) -> None:
        self.process = process
        self._log = log

    def log(self) -> str:
        return self._log.read_text()

    def stop(self, number: int = signal.SIGTERM) -> None:
        """Stop it; that takes less time than any deadline of a client that stays."""
        self.process.send_signal(number)
        self.process.wait(START_SECONDS)

    def until_logged(self, words: str) -> None:
        for _ in range(START_SECONDS * 20):
            if words in self.log():
                return
            if self.process.poll() is not None:
                break
            time.sleep(0.05)
        raise AssertionError(f"«{words}» was never written: {self.log()}")


@contextlib.contextmanager
def serving(folder: Path, **wanted: Any) -> Iterator[Served]:
    """Start a server, wait until it is ready, and end it."""
    log = folder / "log.txt"
    with log.open("w") as output:
        process = subprocess.Popen(
            [sys.executable, str(Path(__file__)), json.dumps(wanted)],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT), "HOME": str(folder)},
            stdout=output,
            stderr=output,
            text=True,
        )
    served = Served(process, log)
    try:
        served.until_logged("ready")
        yield served
    finally:
        if process.poll() is None:
            process.kill()
        process.wait(START_SECONDS)


def connect(bind: str, timeout: float = 10) -> socket.socket:
    """Open a connection to a site."""
    if bind.startswith("unix:"):
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        sock.settimeout(timeout)
        sock.connect(bind.removeprefix("unix:"))
        return sock
    host, _, port = bind.rpartition(":")
    return socket.create_connection((host, int(port)), timeout)


def proxy_line(circuit: int) -> bytes:
    """Make the line that tor writes at the start of a connection."""
    high, low = circuit >> 16, circuit & 0xFFFF
    return f"PROXY TCP6 fc00:dead:beef:4dad::{high:x}:{low:x} ::1 {low} 42\r\n".encode()


def receive_answer(sock: socket.socket) -> tuple[int, dict[str, str], bytes]:
    """Read one answer with a Content-Length."""
    data = b""
    while b"\r\n\r\n" not in data:
        piece = sock.recv(65536)
        if not piece:
            raise ConnectionResetError("closed before the end of the header")
        data += piece
    head, _, body = data.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    headers = dict(line.lower().split(": ", 1) for line in lines)
    while len(body) < int(headers["content-length"]):
        piece = sock.recv(65536)
        if not piece:
            raise ConnectionResetError("closed before the end of the body")
        body += piece
    return int(first.split()[1]), headers, body


def get(bind: str, path: str = "/", *, circuit: int | None = None) -> tuple[int, bytes]:
    """Fetch one page over a connection of its own."""
    with connect(bind) as sock:
        line = b"" if circuit is None else proxy_line(circuit)
        sock.sendall(line + f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        status, _, body = receive_answer(sock)
        return status, body


def is_closed_by_server(sock: socket.socket) -> bool:
    """Wait until the server has closed a connection."""
    try:
        while sock.recv(65536):
            pass
    except TimeoutError:
        return False
    except ConnectionError:
        return True
    return True


if __name__ == "__main__":
    main()
