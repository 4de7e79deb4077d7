"""Remove what a file says about its maker, with mat2 where it is installed.

mat2 reads what a stranger made, so it gets a sandbox of bubblewrap: no network, no disk but
the programs of this system, no other process. The file lies in memory there, and so does
what comes out: neither touches the disk of the desk. Decision 0017.
"""

import os
import shutil
import subprocess
from collections.abc import Iterable
from pathlib import PurePath
from typing import BinaryIO

from protocol.errors import CapacityError, FormatError, StorageError

FILE_BYTES = 256 << 20  # in memory, and once more as it was
_SECONDS = 300
_PLACE = "/room/file"
_SANDBOX = (
    *("bwrap", "--unshare-all", "--die-with-parent", "--new-session", "--clearenv"),
    *("--setenv", "PATH", "/usr/bin", "--setenv", "LC_ALL", "C.UTF-8"),
    *("--ro-bind", "/usr", "/usr", "--symlink", "usr/bin", "/bin"),
    *("--symlink", "usr/lib", "/lib", "--symlink", "usr/lib64", "/lib64"),
    *("--proc", "/proc", "--dev", "/dev", "--tmpfs", "/room"),
)
# mat2 replaces the file in its place; its own sandbox would be one within ours.
_SCRIPT = 'mat2 --no-sandbox --inplace "$0" >&2 || exit 77; cat "$0"'
_NOT_CLEANED = 77  # any other failure is the sandbox's


def can_clean() -> bool:
    """Tell whether this machine has both programs."""
    return all(shutil.which(one) for one in ("mat2", "bwrap"))


def clean(content: Iterable[bytes], name: str) -> BinaryIO:
    """Return a file without its metadata, as far as mat2 knows its kind.

    Args:
        content: of the file, at most `FILE_BYTES`.
        name: from the reporter; only its ending is used, which says what kind it is.

    Raises:
        FormatError: mat2 does not know the kind, or could not read the file.
        CapacityError: the file is too large.
        StorageError: the sandbox cannot be made here.
    """
    place = _PLACE + _ending(name)
    with _in_memory(content) as given:
        cleaned = os.fdopen(os.memfd_create("cleaned", os.MFD_CLOEXEC), "w+b")
        command = (*_SANDBOX, "--file", str(given.fileno()), place, "--", "sh", "-c", _SCRIPT)
        done = subprocess.run(
            [*command, place],
            stdin=subprocess.DEVNULL,
            stdout=cleaned,
            stderr=subprocess.DEVNULL,
            pass_fds=(given.fileno(),),
            timeout=_SECONDS,
            check=False,
        )
    cleaned.seek(0)
    if done.returncode == 0:
        return cleaned
    cleaned.close()
    if done.returncode == _NOT_CLEANED:
        raise FormatError(
            "mat2 could not clean this file: it does not know the kind, or the file is damaged. "
            "Nothing was saved."
        )
    raise StorageError(
        "bubblewrap cannot make its sandbox on this machine, so nothing was cleaned. Save the "
        "file as it came, and clean it on a machine that can be lost."
    )


def _in_memory(content: Iterable[bytes]) -> BinaryIO:
    given = os.fdopen(os.memfd_create("given", os.MFD_CLOEXEC), "w+b")
    for piece in content:
        given.write(piece)
        if given.tell() > FILE_BYTES:
            given.close()
            raise CapacityError("This file is too large to be cleaned here; save it as it came.")
    given.seek(0)  # bubblewrap reads on from here
    return given


def _ending(name: str) -> str:
    ending = PurePath(name).suffix.lower()
    return ending if ending[1:].isalnum() and ending.isascii() and len(ending) < 10 else ""
