"""Free TCP ports on loopback, for rehearsals and tests alone: the relay opens none."""

import contextlib
import secrets
import socket

from protocol.errors import OnionError

# Below those that Linux gives to outgoing connections (ip_local_port_range): one of these
# could be taken by any connection between the look and the use.
_PORTS = range(10_000, 32_768)
_TRIES = 1_000


def free_ports(count: int) -> list[int]:
    """Find ports in a row that nobody listens on.

    Args:
        count: how many.

    Raises:
        OnionError: there are none.
    """
    for _ in range(_TRIES):
        first = secrets.choice(_PORTS[: -count + 1 or None])
        ports = list(range(first, first + count))
        if _are_free(ports):
            return ports
    raise OnionError("No port of this machine is free: end what listens on so many.")


def _are_free(ports: list[int]) -> bool:
    with contextlib.ExitStack() as held:
        try:
            for port in ports:
                held.enter_context(socket.socket()).bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
