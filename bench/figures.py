"""One figure: what was measured, beside what, and the aim."""

import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

ROUNDS = 3


@dataclass(frozen=True, kw_only=True)
class Figure:
    """A line of the table that `make bench` prints."""

    name: str
    ours: str
    beside: str
    ratio: str
    aim: str


def median_seconds(work: Callable[[], object], rounds: int = ROUNDS) -> float:
    """Return the median time of some work, in seconds."""
    times = []
    for _ in range(rounds):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def run_measured(command: Sequence[str | Path], stdin: Path | None = None) -> tuple[float, int]:
    """Run a program and return its wall time in seconds and its peak memory in bytes."""
    script = (
        "import resource, subprocess, sys, time\n"
        "start = time.perf_counter()\n"
        "done = subprocess.run(sys.argv[1:], stdin=sys.stdin, stdout=subprocess.DEVNULL)\n"
        "seconds = time.perf_counter() - start\n"
        "peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024\n"
        "print(done.returncode, seconds, peak, file=sys.stderr)\n"
    )
    with (stdin or Path("/dev/null")).open("rb") as source:
        done = subprocess.run(
            [sys.executable, "-c", script, *map(str, command)],
            stdin=source,
            capture_output=True,
            text=True,
            check=True,
        )
    code, seconds, peak = done.stderr.split()[-3:]
    if code != "0":
        raise RuntimeError(f"{command[0]} failed: {done.stderr}")
    return float(seconds), int(peak)


def mebibytes(size_bytes: float) -> str:
    """Return a size in words."""
    return f"{size_bytes / 1024**2:.0f} MiB"
