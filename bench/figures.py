"""One figure: what was measured, beside what, and the aim; and how two things are compared."""

import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

ROUNDS = 5

Result = TypeVar("Result")


@dataclass(frozen=True, kw_only=True)
class Figure:
    """A line of the table that `make bench` prints."""

    name: str
    ours: str
    beside: str
    ratio: str
    aim: str


def by_turns(*works: Callable[[], Result], rounds: int = ROUNDS) -> tuple[tuple[Result, ...], ...]:
    """Do some works in turn, round after round, and return the results of each.

    A machine that does other things as well is slower in one minute than in the next; in
    turn that falls on all works alike, and a ratio within one round means something.
    """
    return tuple(zip(*([work() for work in works] for _ in range(rounds)), strict=True))


def ratio(ours: Sequence[float], theirs: Sequence[float]) -> str:
    """Return the median of the ratios of each round, and their range."""
    ratios = [here / there for here, there in zip(ours, theirs, strict=True)]
    return f"{statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})"


def seconds(work: Callable[[], object]) -> float:
    """Return how long some work takes."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


@dataclass(frozen=True, kw_only=True)
class Run:
    """What a program took: processor time, of the program and the kernel for it, and memory."""

    cpu_seconds: float
    peak_bytes: int


def run_measured(command: Sequence[str | Path]) -> Run:
    """Run a program to its end.

    Raises:
        RuntimeError: it failed.
    """
    script = (
        "import resource, subprocess, sys\n"
        "code = subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL).returncode\n"
        "used = resource.getrusage(resource.RUSAGE_CHILDREN)\n"
        "print(code, used.ru_utime + used.ru_stime, used.ru_maxrss * 1024, file=sys.stderr)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, *map(str, command)],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=True,
    )
    code, cpu_seconds, peak_bytes = done.stderr.split()[-3:]
    if code != "0":
        raise RuntimeError(f"{command[0]} failed: {done.stderr}")
    return Run(cpu_seconds=float(cpu_seconds), peak_bytes=int(peak_bytes))


def mebibytes(size_bytes: float) -> str:
    """Return a size in words."""
    return f"{size_bytes / 1024**2:.0f} MiB"
