"""Free TCP ports on loopback, for the rehearsal network alone: the relay opens none."""

import contextlib
import socket


def free_ports(count: int) -> list[int]:
    """Find ports that nobody listens on.

    All are held until the last is found, so that no port comes twice.

    Args:
        count: how many.
    """
    with contextlib.ExitStack() as held:
        ports = []
        for _ in range(count):
            listener = held.enter_context(socket.socket())
            listener.bind(("127.0.0.1", 0))
            ports.append(int(listener.getsockname()[1]))
        return ports
