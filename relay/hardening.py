"""Ask the kernel to keep this process's memory to itself, and report what it granted.

Called in every worker after the fork: what is locked or forbidden is not all inherited.
Nothing here is required to run, because a container or an old kernel may refuse; what was
refused is told by `sotto relay status` and `doctor`, never passed over in silence.
Claim C1 of docs/THREAT_MODEL.md: no plaintext in a core or in swap.
"""

import ctypes
import os
import resource
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

# Numbers of the kernel's interface: include/uapi/linux/prctl.h and asm-generic/mman.h.
_PR_SET_DUMPABLE = 4
_PR_SET_NO_NEW_PRIVS = 38
_PR_SET_MDWE, _PR_MDWE_REFUSE_EXEC_GAIN = 65, 1  # Linux 6.3
_MCL_CURRENT, _MCL_FUTURE, _MCL_ONFAULT = 1, 2, 4
_CAP_IPC_LOCK = 14
_M_MMAP_THRESHOLD = -3  # glibc, malloc.h
_LARGE_BYTES = 1024 * 1024


@dataclass(frozen=True, kw_only=True)
class Measure:
    """One measure: its name, whether it holds, and if not, why and what to do."""

    name: str
    held: bool
    reason: str = ""


@dataclass(frozen=True)
class Hardening:
    """What was asked of the kernel, in order."""

    measures: tuple[Measure, ...]

    @property
    def missing(self) -> tuple[Measure, ...]:
        """The measures that do not hold."""
        return tuple(measure for measure in self.measures if not measure.held)


def harden_process() -> Hardening:
    """Forbid cores, tracing, new privileges and writable code; keep memory from swap and hoards.

    Cannot be undone in this process. Memory is locked as it is touched (MCL_ONFAULT):
    locking everything at once would cost gigabytes of address space that is never used.

    Returns:
        Which of the measures hold.
    """
    return Hardening(
        (
            _measure("no core dumps", _forbid_cores),
            _measure("no tracing by other processes", lambda: _prctl(_PR_SET_DUMPABLE, 0)),
            _measure("no new privileges", lambda: _prctl(_PR_SET_NO_NEW_PRIVS, 1)),
            _measure("no writable code", lambda: _prctl(_PR_SET_MDWE, _PR_MDWE_REFUSE_EXEC_GAIN)),
            _measure("memory kept out of swap", _lock_memory),
            _measure("freed memory given back", _give_back_memory),
        )
    )


def _measure(name: str, attempt: Callable[[], None]) -> Measure:
    try:
        attempt()
    except (OSError, ValueError) as error:
        return Measure(name=name, held=False, reason=str(error))
    return Measure(name=name, held=True)


def _forbid_cores() -> None:
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _prctl(option: int, value: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    arguments = [ctypes.c_ulong(number) for number in (value, 0, 0, 0)]
    if libc.prctl(ctypes.c_int(option), *arguments) != 0:
        raise OSError(ctypes.get_errno(), f"The kernel refused: {os.strerror(ctypes.get_errno())}.")


def _lock_memory() -> None:
    hard = resource.getrlimit(resource.RLIMIT_MEMLOCK)[1]
    if hard != resource.RLIM_INFINITY and not _has_capability(_CAP_IPC_LOCK):
        # With a finite limit every later allocation beyond it would fail: worse than swap.
        raise ValueError("Locked memory is limited; set LimitMEMLOCK=infinity for the service.")
    resource.setrlimit(resource.RLIMIT_MEMLOCK, (hard, hard))
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.mlockall(_MCL_CURRENT | _MCL_FUTURE | _MCL_ONFAULT) != 0:
        raise OSError(ctypes.get_errno(), f"The kernel refused: {os.strerror(ctypes.get_errno())}.")


def _give_back_memory() -> None:
    """Have each large buffer of its own pages, which the kernel takes back when it is freed.

    glibc hoards what was freed, for each thread: a hundred long texts that came back in pages
    left most of a gigabyte behind, with what was typed in it.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is None or mallopt(_M_MMAP_THRESHOLD, _LARGE_BYTES) != 1:
        raise ValueError("This C library has no such setting; use one that is glibc.")


def _has_capability(number: int) -> bool:
    status = Path("/proc/self/status").read_text(encoding="ascii")
    effective = next(line for line in status.splitlines() if line.startswith("CapEff:"))
    return bool(int(effective.split()[1], 16) >> number & 1)
