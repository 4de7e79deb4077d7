"""What tor is told: the configuration of the relay's own tor, and of the system's.

No SocksPort and no TCP port: tor is reached by one UNIX socket and reaches the
two sites by two others. What would undo the hiding is refused in words.
"""

import os
import re
from collections.abc import Sequence
from pathlib import Path

from onion.places import Places, check_socket_path
from protocol.errors import OnionError

# Per circuit. A browser opens six; the limit only bounds what one circuit can hold
# open. Circuits are not closed for it: that would kill uploads in flight, and the
# web side, which knows what a request costs, closes circuits by itself.
MAX_STREAMS = 500

# A comment begins at #, a quoted value at ", and a space ends an address.
_QUOTED_VALUE = re.compile(r"""["#\\]""")
_QUOTED_ADDRESS = re.compile(r"""[\s"\\]""")
_FORBIDDEN = frozenset({"hiddenservicenonanonymousmode", "hiddenservicesinglehopmode"})

Options = tuple[tuple[str, str], ...]


def service_options(folder: Path, socket: Path) -> Options:
    """Say how one site is served.

    The circuit's number goes to the application (`haproxy`), so that limits need
    no address; proof of work is on, so that a flood pays and a reporter waits.

    Args:
        folder: the HiddenServiceDir.
        socket: the UNIX socket on which the site listens.

    Returns:
        Options in the order in which tor needs them.
    """
    return (
        ("HiddenServiceDir", str(folder)),
        ("HiddenServiceVersion", "3"),
        ("HiddenServicePort", f"80 {socket_address(socket)}"),
        ("HiddenServiceExportCircuitID", "haproxy"),
        ("HiddenServicePoWDefensesEnabled", "1"),
        ("HiddenServiceMaxStreams", str(MAX_STREAMS)),
        ("HiddenServiceMaxStreamsCloseCircuit", "0"),
    )


def relay_options(places: Places) -> Options:
    """Say how the relay's own tor runs, before any site.

    It starts with its network off: the supervisor looks at what it became before
    it lets it out. The log goes to the supervisor's memory, never to a disk.
    """
    return (
        ("DataDirectory", str(places.tor)),
        ("SocksPort", "0"),
        ("ControlSocket", socket_address(places.control)),
        ("CookieAuthentication", "1"),
        ("CookieAuthFile", str(places.tor / "control_auth_cookie")),
        ("__OwningControllerProcess", str(os.getpid())),
        ("DisableNetwork", "1"),
        ("ClientOnly", "1"),
        ("AvoidDiskWrites", "1"),
        ("SafeLogging", "1"),
        ("Log", "notice stdout"),
    )


def read_own_lines(path: Path) -> tuple[str, ...]:
    """Read the lines that the operator adds, such as bridges; none where there is no file.

    Raises:
        OnionError: the file cannot be read.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return ()
    except (OSError, UnicodeDecodeError) as error:
        raise OnionError(f"{path} cannot be read: correct it or take it away.") from error
    stripped = (line.strip() for line in lines)
    return tuple(line for line in stripped if line and not line.startswith("#"))


def check_extra(lines: Sequence[str]) -> tuple[str, ...]:
    """Return additional lines that do not undo the hiding of the service.

    Raises:
        OnionError: a line asks for a service that is not anonymous, or includes a file
            that cannot be judged here.
    """
    for line in lines:
        word = line.split(maxsplit=1)[0].lower().lstrip("+/") if line.strip() else ""
        if word in _FORBIDDEN:
            raise OnionError("Remove HiddenServiceNonAnonymousMode and HiddenServiceSingleHopMode.")
        if word == "%include" or "\n" in line:
            raise OnionError("Give additional torrc lines one by one, without %include.")
    return tuple(lines)


def socket_address(path: Path) -> str:
    """Write where a UNIX socket lies, as tor reads it among other words.

    Raises:
        OnionError: tor cannot use this path.
    """
    text = str(check_socket_path(path))
    return f"unix:{_quoted(text) if _QUOTED_ADDRESS.search(text) else text}"


def write_lines(options: Options) -> tuple[str, ...]:
    """Write options as lines of a torrc, quoted where tor would read them otherwise."""
    return tuple(
        f"{name} {_quoted(value) if _QUOTED_VALUE.search(value) else value}"
        for name, value in options
    )


def _quoted(text: str) -> str:
    """Quote as torrc(5) and tor's addresses both do, after C."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def system_torrc(*, folder: Path, reporter_socket: Path, courier_socket: Path) -> tuple[str, ...]:
    """Write the lines for a tor that the system runs (Debian's `tor@default`).

    Args:
        folder: holds `reporter/` and `courier/`, owned by the system's tor.
        reporter_socket: where the reporter site listens.
        courier_socket: where the courier site listens.
    """
    return write_lines(
        service_options(folder / "reporter", reporter_socket)
        + service_options(folder / "courier", courier_socket)
    )
