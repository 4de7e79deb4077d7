"""Take everything from this process but computing: what comes afterwards can only answer.

For the one program of the desk that reads what a stranger made in a format full of traps,
a picture decoder. After `confine` the kernel refuses every system call but to read and write
what is open already, to get memory that cannot be executed, and to end. Whoever takes such a
process over can show a wrong picture, and that is all.
"""

import ctypes
import platform
import resource
import struct
from collections.abc import Iterator, Mapping

from protocol.errors import StorageError

MEMORY_BYTES = 1 << 30
PROCESSOR_SECONDS = 20

# Linux: include/uapi/linux/{prctl,seccomp,audit,filter}.h, asm-generic/mman-common.h.
_PR_SET_DUMPABLE, _PR_SET_SECCOMP, _PR_SET_NO_NEW_PRIVS = 4, 22, 38
_SECCOMP_MODE_FILTER = 2
_ALLOW, _REFUSE, _KILL = 0x7FFF0000, 0x00050001, 0x80000000  # refused calls give EPERM
_LOAD, _EQUAL, _ANY_BIT, _RETURN = 0x20, 0x15, 0x45, 0x06
_NUMBER_AT, _MACHINE_AT, _THIRD_ARGUMENT_AT = 0, 4, 32  # in struct seccomp_data
_PROT_EXEC = 4

# read, write, munmap, brk, rt_sigreturn, mremap, madvise, futex, clock_gettime, exit,
# exit_group; and, with their protection looked at: mmap, mprotect.
_MACHINES: Mapping[str, tuple[int, tuple[int, ...], tuple[int, ...]]] = {
    "x86_64": (0xC000003E, (0, 1, 11, 12, 15, 25, 28, 202, 228, 60, 231), (9, 10)),
    "aarch64": (0xC00000B7, (63, 64, 215, 214, 139, 216, 233, 98, 113, 93, 94), (222, 226)),
}


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("instructions", ctypes.c_char_p))


def confine() -> None:
    """Confine this process for the rest of its life.

    Raises:
        StorageError: the kernel refuses, or this kind of machine is not known here.
    """
    machine = _MACHINES.get(platform.machine())
    if machine is None:
        raise StorageError("This kind of machine is not known to the confinement.")
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (PROCESSOR_SECONDS, PROCESSOR_SECONDS))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    code = b"".join(_filter(*machine))
    program = _Program(len(code) // 8, code)
    _prctl(_PR_SET_DUMPABLE, 0)
    _prctl(_PR_SET_NO_NEW_PRIVS, 1)
    _prctl(_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, ctypes.addressof(program))


def _prctl(option: int, *arguments: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    given = [ctypes.c_ulong(one) for one in (*arguments, 0, 0, 0, 0)[:4]]
    if libc.prctl(ctypes.c_int(option), *given) != 0:
        raise StorageError("The kernel refuses to confine this process.")


def _filter(
    machine: int, plain: tuple[int, ...], with_protection: tuple[int, ...]
) -> Iterator[bytes]:
    """Yield a classic BPF program; jumps count the instructions that are left out."""
    yield _instruction(_LOAD, _MACHINE_AT)
    yield _instruction(_EQUAL, machine, skip_if=1)
    yield _instruction(_RETURN, _KILL)
    yield _instruction(_LOAD, _NUMBER_AT)
    for number in plain:
        yield _instruction(_EQUAL, number, skip_unless=1)
        yield _instruction(_RETURN, _ALLOW)
    for number in with_protection:
        yield _instruction(_EQUAL, number, skip_unless=4)
        yield _instruction(_LOAD, _THIRD_ARGUMENT_AT)
        yield _instruction(_ANY_BIT, _PROT_EXEC, skip_unless=1)
        yield _instruction(_RETURN, _REFUSE)
        yield _instruction(_RETURN, _ALLOW)
    yield _instruction(_RETURN, _REFUSE)


def _instruction(code: int, value: int, *, skip_if: int = 0, skip_unless: int = 0) -> bytes:
    return struct.pack("=HBBI", code, skip_if, skip_unless, value)
