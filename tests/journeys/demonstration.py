"""A running demonstration, started by the command as a person starts it."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Demonstration:
    """Where a running demonstration answers, and what it keeps."""

    data: Path
    log: Path
    pid: int
    port: int

    @property
    def reporter(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def courier(self) -> str:
        return f"http://127.0.0.1:{self.port + 1}"

    @property
    def desk(self) -> str:
        return f"http://127.0.0.1:{self.port + 2}"

    @property
    def key(self) -> Path:
        return self.data / "demo" / "counselor.secret.asc"

    @property
    def certificate(self) -> Path:
        return self.data / "relay.asc"

    def processes(self) -> list[int]:
        """Return the process and all its descendants."""
        found, waiting = [], [self.pid]
        while waiting:
            pid = waiting.pop()
            found.append(pid)
            children = Path(f"/proc/{pid}/task/{pid}/children")
            if children.exists():
                waiting += [int(child) for child in children.read_text().split()]
        return found

    def peak_bytes(self) -> int:
        """Return the largest resident size that any Python process of it has had."""
        peaks = []
        for pid in self.processes():
            status = Path(f"/proc/{pid}/status")
            if not status.exists() or "python" not in Path(f"/proc/{pid}/cmdline").read_text():
                continue
            peaks.append(int(re.findall(r"VmHWM:\s+(\d+) kB", status.read_text())[0]) * 1024)
        return max(peaks)


def free_port() -> int:
    """Return the first of three free ports in a row."""
    while True:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port: int = probe.getsockname()[1]
        if port < 65000 and all(_is_free(port + step) for step in range(3)):
            return port


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0


@contextmanager
def run_demonstration(
    data: Path, *options: str, confine: Callable[[Sequence[str]], list[str]] = list
) -> Iterator[Demonstration]:
    """Start `sotto demo` in a folder and end it as Ctrl-C does.

    `confine` may wrap the command, for instance into a namespace with a disk of its own.
    """
    port = free_port()
    log = data.parent / f"{data.name}.log"
    command = [sys.executable, "-m", "sotto", "demo", "--data", str(data), "--port", str(port)]
    with log.open("wb") as output:
        process = subprocess.Popen(
            confine([*command, *options]),
            stdout=output,
            stderr=subprocess.STDOUT,
            env=os.environ | {"PYTHONUNBUFFERED": "1"},
        )
        try:
            _wait_for(lambda: b"Reporters" in log.read_bytes(), process)
            yield Demonstration(data=data, log=log, pid=process.pid, port=port)
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(30)


def _wait_for(condition, process: subprocess.Popen[bytes]) -> None:  # type: ignore[no-untyped-def]  # a lambda
    deadline = time.monotonic() + 60
    while not condition():
        assert process.poll() is None, "the demonstration ended by itself"
        assert time.monotonic() < deadline, "the demonstration did not start"
        time.sleep(0.1)
