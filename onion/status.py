"""The health of the relay's Tor, on one screen.

Everything is asked of the running tor and of the files as they are now; nothing
is written down, so there is no history of outages to find on the disk.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

from onion.address import Addresses, OnionAddress, read_addresses
from onion.checks import verify_anonymous
from onion.control import Control
from onion.courier_keys import verify_courier_keys
from onion.launch import installed_version, verify_version
from onion.places import Places
from protocol.errors import OnionError


@dataclass(frozen=True)
class Check:
    """One line of the screen: what was looked at, how it is, and what to do if it is not well."""

    subject: str
    is_well: bool
    sentence: str


def read_health(places: Places, binary: str = "tor") -> tuple[Check, ...]:
    """Look at everything that an operator would want to know.

    Args:
        places: the relay's.
        binary: the installed tor.

    Returns:
        The checks, most basic first; what depends on one that failed is left out.
    """
    checks = [_check("tor installed", lambda: _version(binary))]
    try:
        addresses = read_addresses(places)
    except OnionError as error:
        return (*checks, Check("addresses", is_well=False, sentence=str(error)))
    checks.append(Check("addresses", is_well=True, sentence="both there, keys readable to us only"))
    checks.append(_check("courier keys", lambda: _couriers(places)))
    try:
        with Control(places.control) as control:
            checks.extend(_running(control, addresses))
    except OnionError as error:
        checks.append(Check("tor running", is_well=False, sentence=str(error)))
    return tuple(checks)


def _running(control: Control, addresses: Addresses) -> Iterator[Check]:
    yield _check("tor running", lambda: _running_version(control))
    yield _check("bootstrap", lambda: _bootstrap(control))
    yield _check("hidden", lambda: _hidden(control))
    yield _check("proof of work", lambda: _proof_of_work(control))
    for name, address in (("reporters", addresses.reporter), ("couriers", addresses.courier)):
        yield _check(f"site for {name}", partial(_site, control, address))


def _check(subject: str, look: Callable[[], str]) -> Check:
    try:
        return Check(subject, is_well=True, sentence=look())
    except OnionError as error:
        return Check(subject, is_well=False, sentence=str(error))


def _version(binary: str) -> str:
    return ".".join(map(str, installed_version(binary)))


def _running_version(control: Control) -> str:
    return ".".join(map(str, verify_version(control.info("version"))))


def _couriers(places: Places) -> str:
    names = [key.name for key in verify_courier_keys(places.courier)]
    return f"{len(names)} good: {', '.join(names)}"


def _bootstrap(control: Control) -> str:
    phase = control.info("status/bootstrap-phase")
    if "PROGRESS=100" not in phase:
        raise OnionError("Tor is still on its way into its network: wait, then look again.")
    if control.info("network-liveness") != "up":
        raise OnionError("Tor has lost its network: check the cable and the firewall.")
    return "in the network"


def _hidden(control: Control) -> str:
    verify_anonymous(control)
    return "services do not tell where they are"


def _proof_of_work(control: Control) -> str:
    if not control.service_defended():
        raise OnionError("Proof of work is off: set HiddenServicePoWDefensesEnabled 1.")
    return "on"


def _site(control: Control, address: OnionAddress) -> str:
    count = control.introduction_points(address)
    if not count:
        raise OnionError("Nobody can reach it yet: wait a minute, then look at the lines above.")
    return f"reachable over {count} introduction points"
