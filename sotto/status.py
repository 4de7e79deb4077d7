"""`sotto relay status`: how a relay is, on one screen; and whether its sites answer.

Sums are told as size classes only, cover included: an operator's screen is looked at by others.
"""

import contextlib
import shutil
import socket
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from onion.places import Places
from onion.status import Check, read_health
from protocol.errors import KeyMaterialError, StorageError
from protocol.padding import padme
from relay.deployment import Deployment, open_deployment
from relay.roster import Roster
from relay.running import is_served, read_hardening
from relay.watch import collect_warnings

PING_SECONDS = 10.0
# The web side takes no connection without a circuit; this one is no number that Tor gives.
_PROXY_LINE = b"PROXY TCP6 fc00:dead:beef:4dad::ffff:ffff ::1 65535 80\r\n"
_EVERYTHING = -1  # no content is older than that: also what is only kept lies in the sum
_MIB = 1024 * 1024


def read_status(data: Path, places: Places, now: datetime) -> tuple[Check, ...]:
    """Look at a relay.

    Args:
        data: its folder.
        places: where its Tor keeps its files.
        now: with a time zone.

    Raises:
        SottoError: the folder holds no relay that this account may open.
    """
    served = is_served(data)
    deployment = open_deployment(data, serving=False)
    try:
        return (
            *_serving(data, served=served),
            *_published(places, served=served),
            *_contents(deployment, now),
        )
    finally:
        deployment.close()


def ask_sites(places: Places) -> None:
    """Ask both sites over their sockets, as Tor would, whether they answer.

    Raises:
        StorageError: one does not.
    """
    for path in (places.reporter_socket, places.courier_socket):
        with contextlib.suppress(OSError):
            if _asks(path).startswith(b"HTTP/1.1 "):
                continue
        raise StorageError("A site of the relay does not answer: look at the relay's own words.")


def _asks(path: Path) -> bytes:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as asked:
        asked.settimeout(PING_SECONDS)
        asked.connect(str(path))
        asked.sendall(_PROXY_LINE + b"GET /style.css HTTP/1.1\r\nHost: ping\r\n\r\n")
        return asked.recv(64)


def _serving(data: Path, *, served: bool) -> Iterator[Check]:
    if not served:
        yield Check("relay", False, "It does not run: start it with `sotto relay serve`.")
        return
    yield Check("relay", True, "running")
    for measure in read_hardening(data).missing:
        yield Check("hardening", False, f"Not granted: {measure.name}. {measure.reason}")


def _published(places: Places, *, served: bool) -> Iterator[Check]:
    """Say whether people can come; why not, `sotto onion status` tells at length."""
    sites = [check for check in read_health(places) if check.subject.startswith("site for ")]
    if served and sites:
        yield from sites
    else:
        yield Check("published", False, "Nobody can come over Tor: see `sotto onion status`.")


def _contents(deployment: Deployment, now: datetime) -> Iterator[Check]:
    store, roster = deployment.store, Roster(store=deployment.store)
    active = len(store.recipients())
    try:
        valid = len(roster.valid(now))
    except KeyMaterialError:
        valid = 0
    yield Check("recipients", valid == active > 0, f"{valid} of {active} have a valid key")
    cut = store.last_cut()
    yield Check(
        "bundle", True, f"cut {cut[0]} of {cut[1].isoformat()}" if cut else "none was cut yet"
    )
    held = padme(sum(one.size_bytes for one in store.envelopes_to_carry(leaving=_EVERYTHING)))
    yield Check("held", True, f"up to {held / _MIB:.1f} MiB to be carried, cover included")
    usage = shutil.disk_usage(deployment.data)
    yield Check("disk", True, f"{usage.free / _MIB / 1024:.1f} GiB free")
    for warning in collect_warnings(
        store, deployment.settings, roster, folder=deployment.data, now=now.astimezone(UTC)
    ):
        yield Check("warning", False, warning)
