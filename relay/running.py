"""What a serving relay tells the console commands beside it: that it serves, and how hardened.

Both lie in `run/`, which belongs to no backup. Neither says when anything happened.
"""

import fcntl
import json
import os
from pathlib import Path

from protocol.errors import FormatError, StorageError
from relay.deployment import LOCK_NAME, RUN_NAME
from relay.hardening import Hardening, Measure

HARDENING_NAME = "hardening.json"


def is_served(data: Path) -> bool:
    """Tell whether a process serves this relay now: whether its lock is held.

    Raises:
        StorageError: the folder is not ours to look into.
    """
    try:
        descriptor = os.open(data / RUN_NAME / LOCK_NAME, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    except OSError as error:
        raise StorageError("The data folder cannot be read; run this as the relay's user.") from (
            error
        )
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def write_hardening(data: Path, hardening: Hardening) -> None:
    """Leave word of what the kernel granted to the worker that serves now.

    Raises:
        StorageError: the disk refuses.
    """
    place = data / RUN_NAME / HARDENING_NAME
    measures = [vars(measure) for measure in hardening.measures]
    try:
        descriptor = os.open(place, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump(measures, file)
    except OSError as error:
        raise StorageError("The data folder cannot be written; check its owner.") from error


def read_hardening(data: Path) -> Hardening:
    """Read what the kernel granted to the worker that serves now.

    Raises:
        FormatError: nothing was left, or nothing that can be read.
    """
    try:
        found = json.loads((data / RUN_NAME / HARDENING_NAME).read_text(encoding="utf-8"))
        return Hardening(tuple(Measure(**measure) for measure in found))
    except (OSError, ValueError, TypeError) as error:
        raise FormatError("The relay left no word of its hardening; start it again.") from error
