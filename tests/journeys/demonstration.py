"""A running demonstration, started by the command as a person starts it."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from onion.ports import free_ports


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

    def grown_bytes(self, work: Callable[[], object]) -> int:
        """Return by how much its processes together grew at most while some work was done.

        Sampled, and not the kernel's high-water mark: making keys at the start leaves one
        behind which an upload would not show.
        """
        done = threading.Event()
        before = most = self._resident_bytes()

        def watch() -> None:
            nonlocal most
            while not done.wait(0.01):
                most = max(most, self._resident_bytes())

        watcher = threading.Thread(target=watch)
        watcher.start()
        try:
            work()
        finally:
            done.set()
            watcher.join()
        return most - before

    def _resident_bytes(self) -> int:
        pages = 0
        for pid in self.processes():
            with suppress(FileNotFoundError, ProcessLookupError):
                pages += int(Path(f"/proc/{pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE")


@contextmanager
def run_demonstration(
    data: Path, *options: str, confine: Callable[[Sequence[str]], list[str]] = list
) -> Iterator[Demonstration]:
    """Start `sotto demo` in a folder and end it as Ctrl-C does.

    `confine` may wrap the command, for instance into a namespace with a disk of its own.
    """
    port = free_ports(3)[0]
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
            _wait_for(b"Reporters", log, process)
            yield Demonstration(data=data, log=log, pid=process.pid, port=port)
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(30)


def _wait_for(words: bytes, log: Path, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 60
    while words not in (said := log.read_bytes()):
        assert process.poll() is None, said.decode()
        assert time.monotonic() < deadline, said.decode()
        time.sleep(0.1)
