"""What a running tor must be before it is let into the network.

Asked of the process itself, not of the file it was started with: a line from
elsewhere, an option of another version or a port opened by default shows here.
"""

from onion.control import Control
from onion.launch import verify_version
from protocol.errors import OnionError

_PORTS = (
    *("SocksPort", "ControlPort", "ORPort", "DirPort", "DNSPort", "TransPort", "NATDPort"),
    *("HTTPTunnelPort", "ExtORPort", "MetricsPort"),
)
_NOT_ANONYMOUS = ("HiddenServiceNonAnonymousMode", "HiddenServiceSingleHopMode")


def verify_harmless(control: Control) -> None:
    """Refuse a tor that is too old, serves without hiding, or listens on a TCP port.

    Raises:
        OnionError: it is one of these, or it is gone.
    """
    verify_version(control.info("version"))
    verify_anonymous(control)
    for name in _PORTS:
        # Asked by option, not by listener: while its network is off, tor has opened none.
        if not all(value == "0" or value.startswith("unix:") for value in control.option(name)):
            raise OnionError(f"Tor would open a TCP port: remove {name} from its torrc.")


def verify_anonymous(control: Control) -> None:
    """Refuse a tor whose onion services do not hide where they are.

    Raises:
        OnionError: a non-anonymous mode is on, or tor is gone.
    """
    for mode in _NOT_ANONYMOUS:
        if control.option(mode) != ("0",):
            raise OnionError(
                f"Remove {mode} from tor's configuration: it tells where the relay is."
            )
