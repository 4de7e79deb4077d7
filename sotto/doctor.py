"""`sotto relay doctor`: everything on a machine that could undo a promise, and what to do.

It looks and changes nothing. Each finding is one line: well, or one sentence that says what
to do. What the application cannot do for itself (an encrypted disk, a swap that forgets, a
copy elsewhere) is exactly what is looked at here; docs/OPERATIONS.md, «Doctor».
"""

import json
import os
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from shlex import quote

from onion.places import Places
from onion.status import Check, read_health
from protocol.errors import KeyMaterialError
from relay.deployment import RUN_NAME, SECRETS_NAME, Deployment, open_deployment
from relay.hardening import Hardening, Measure, harden_process
from relay.lastbackup import read_backup_day
from relay.roster import Roster
from relay.running import is_served, read_hardening
from relay.watch import collect_warnings
from sotto.machine import Machine, consensus_times

LEAST_RECIPIENTS = 2  # one who is ill, gone or coerced must not be the only one
CONSENSUS_SLACK = timedelta(hours=24)  # tor itself goes on with one that is a day old
_IN_MEMORY = ("tmpfs", "ramfs")
# Python's own calendar, PEP 664, 693, 719, 745: until when flaws of a version are mended.
_PYTHON_ENDS = {
    (3, 11): date(2027, 10, 31),
    (3, 12): date(2028, 10, 31),
    (3, 13): date(2029, 10, 31),
    (3, 14): date(2030, 10, 31),
}


@dataclass(frozen=True, kw_only=True)
class Visit:
    """What one look at a relay needs.

    Attributes:
        data: the relay's folder.
        places: where its Tor keeps its files.
        now: with a time zone.
        machine: what it runs on.
    """

    data: Path
    places: Places
    now: datetime
    machine: Machine = field(default_factory=Machine)


def examine(visit: Visit) -> tuple[Check, ...]:
    """Look at everything, the machine first.

    Raises:
        SottoError: the folder holds no relay that this account may open.
    """
    served = is_served(visit.data)
    deployment = open_deployment(visit.data, serving=False)
    try:
        return (
            *_machine(visit, served=served),
            *_disk(visit),
            check_permissions(visit.data),
            _clock(visit, deployment, served=served),
            *_relay(visit, deployment),
            *_tor(visit, served=served),
        )
    finally:
        deployment.close()


def granted_here() -> Hardening:
    """Harden a child that ends at once, to learn what a worker would be granted here.

    Hardening cannot be taken back, so it is not tried on this process.
    """
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reader)
        found = [vars(measure) for measure in harden_process().measures]
        os.write(writer, json.dumps(found).encode())  # below PIPE_BUF: never in two pieces
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader, "rb") as pipe:
        told = pipe.read()
    os.waitpid(child, 0)
    return Hardening(tuple(Measure(**one) for one in json.loads(told)))


def _machine(visit: Visit, *, served: bool) -> Iterator[Check]:
    yield check_python(sys.version_info[:2], visit.now.date())
    yield _account()
    yield _swap(visit.machine)
    hardening = read_hardening(visit.data) if served else granted_here()
    for measure in hardening.measures:
        words = "granted" if measure.held else _mend(measure)
        yield Check(measure.name, is_well=measure.held, sentence=words)
    ports = visit.machine.listeners(os.geteuid())
    yield Check(
        "open ports",
        is_well=not ports,
        sentence=f"This account listens on {', '.join(ports)}: close it, Tor needs no port."
        if ports
        else "none beyond this machine",
    )


def check_python(version: tuple[int, int], today: date) -> Check:
    """Say whether flaws of this Python are still mended."""
    name = f"Python {version[0]}.{version[1]}"
    ends = _PYTHON_ENDS.get(version)
    if ends is not None and today > ends:
        return Check("python", False, f"{name} is mended no more: install a newer Python.")
    return Check("python", True, f"{name}, mended until {ends}" if ends else name)


def _account() -> Check:
    if os.geteuid() == 0:
        return Check("account", False, "This is root: run the relay under an account of its own.")
    return Check("account", True, "not root")


def _swap(machine: Machine) -> Check:
    swaps = machine.swaps()
    plain = [name for name, safe in swaps if not safe]
    if plain:
        return Check(
            "swap",
            False,
            f"{', '.join(plain)} is not encrypted: run `swapoff -a` or encrypt it with a key"
            " that is new at each start (crypttab: /dev/urandom, swap).",
        )
    return Check("swap", True, "encrypted or in memory" if swaps else "none")


def _mend(measure: Measure) -> str:
    if "LimitMEMLOCK" in measure.reason:
        return measure.reason
    return f"{measure.reason} Update the kernel, or let the container or unit allow it."


def _disk(visit: Visit) -> Iterator[Check]:
    mount = visit.machine.mount_of(visit.data)
    if mount is None or mount.kind == "overlay":
        sentence = "What lies below the data folder cannot be seen from here: look on the host."
        yield Check("disk encryption", False, sentence)
    elif mount.kind in _IN_MEMORY:
        yield Check(
            "disk", False, "The data folder lies in memory and goes with the power: move it."
        )
    elif visit.machine.is_encrypted(mount.device):
        yield Check("disk encryption", True, f"dm-crypt below {mount.point}")
    else:
        yield Check(
            "disk encryption",
            False,
            f"No dm-crypt is seen below {mount.point}: put the data folder on a LUKS volume,"
            " for journals of a file system keep times that nothing can remove.",
        )
    usage = shutil.disk_usage(visit.data)
    yield Check("disk space", True, f"{usage.free * 100 // usage.total} % free")


def check_permissions(data: Path) -> Check:
    """Look at every file; the serving process checks only the secrets that it opens."""
    wrong = [path for path in [data, *sorted(data.rglob("*"))] if _is_open(path, data)]
    if wrong:
        secret = any(path.is_relative_to(data / SECRETS_NAME) for path in wrong)
        return Check(
            "permissions",
            False,
            f"{wrong[0]} is open to others or not this account's:"
            f" run `chmod -R go= {quote(str(data))}`"
            + (", and ask who could have read the secrets." if secret else "."),
        )
    return Check("permissions", True, "data and secrets are this account's alone")


def _is_open(path: Path, data: Path) -> bool:
    """Tell whether others could come to a file through the folders above it."""
    found = path.lstat()
    inside = path.relative_to(data).parts[:1]
    if path == data or inside == (RUN_NAME,):
        # The system's tor comes to the sockets by its group, and nobody otherwise.
        return bool(found.st_mode & 0o007) or found.st_uid != os.geteuid()
    if inside == (SECRETS_NAME,):
        return bool(found.st_mode & 0o077) or found.st_uid != os.geteuid()
    return bool(data.stat().st_mode & 0o070) and bool(found.st_mode & 0o077)


def _clock(visit: Visit, deployment: Deployment, *, served: bool) -> Check:
    cut = deployment.store.last_cut()
    today = visit.now.astimezone(UTC).date()
    if cut is not None and today < cut[1]:
        told = "It is earlier than the last bundle, so it is wrong now or was then: set it right."
        return Check("clock", False, told)
    times = consensus_times(visit.places.tor / "cached-microdesc-consensus")
    if times is not None and visit.now < times[0]:
        return Check(
            "clock", False, "It is behind the Tor network: run `timedatectl set-ntp true`."
        )
    if times is not None and served and visit.now > times[1] + CONSENSUS_SLACK:
        return Check(
            "clock",
            False,
            "It is ahead, or Tor has not reached its network for a day: look at both.",
        )
    return Check("clock", True, "in step with Tor" if times else "not before the last bundle")


def _relay(visit: Visit, deployment: Deployment) -> Iterator[Check]:
    roster = Roster(store=deployment.store)
    try:
        count = len(roster.valid(visit.now))
    except KeyMaterialError:
        count = 0
    if count < LEAST_RECIPIENTS:
        yield Check(
            "recipients",
            False,
            f"{count} can read: add another with `sotto keys add`, so that no report hangs"
            " on one person.",
        )
    else:
        yield Check("recipients", True, f"{count} can read")
    for warning in collect_warnings(
        deployment.store, deployment.settings, roster, folder=visit.data, now=visit.now
    ):
        yield Check("warning", False, warning)
    backed_up = read_backup_day(visit.data)
    if backed_up is not None:
        yield Check("last backup", True, backed_up.isoformat())


def _tor(visit: Visit, *, served: bool) -> Iterator[Check]:
    for check in read_health(visit.places):
        if served or check.subject != "tor running":  # what does not run cannot be asked
            yield check
    if not served:
        yield Check("serving", False, "The relay does not run: start it, then look again.")
