"""One client's connection: where its bytes are, which stage it is in, how long that may last."""

import select
import socket
from enum import Enum, auto
from typing import Any

from relay.circuit import LOCAL, read_circuit
from relay.collector import Collector
from relay.pacing import PacedSocket, Pressure
from relay.site import Deadlines, Site


class Stage(Enum):
    """What a connection without a thread waits for."""

    HEADER = auto()
    BODY = auto()
    KEPT = auto()  # for another request
    TAKING = auto()  # for the client to take the answer before the next one is made
    LINGER = auto()  # for the client to close


class Connection:
    """A connection of one site.

    Args:
        sock: the client's socket, non-blocking.
        site: decided by the listener it came through, for good.
        pressure: shared by everything that waits for a thread.
    """

    def __init__(self, sock: socket.socket, *, site: Site, pressure: Pressure) -> None:
        self.sock = sock
        self.site = site
        self.paced = PacedSocket(sock, pace=site.deadlines.pace, pressure=pressure)
        self.collector = Collector(wants_circuit=site.circuits is not None)
        self.circuit: str | None = None
        self.client = ("127.0.0.1", 0)
        self.server = ("127.0.0.1", 80)
        self.stage = Stage.HEADER
        self.deadline = 0.0
        self.lingered = 0
        self.parser: Any = None

    def enter(self, stage: Stage, now: float) -> None:
        """Begin a stage, whose deadline no byte moves."""
        self.stage = stage
        self.deadline = now + _seconds(self.site.deadlines, stage)

    def read_circuit(self) -> str | None:
        """Return the circuit, or None while Tor's line has not come yet."""
        if self.site.circuits is None:
            return LOCAL
        address = self.collector.address
        if address is None:
            return None
        self.client = (address, 0)
        return read_circuit(address)

    def has_room(self) -> bool:
        """Whether a page can be written without waiting: what went before has been taken."""
        poll = select.poll()
        poll.register(self.sock, select.POLLOUT)
        return bool(poll.poll(0))

    def next_request(self) -> None:
        """Make ready for another request; the circuit stays with the connection."""
        self.collector = Collector(
            wants_circuit=False, already=self.parser.unreader.take_buffered()
        )
        self.parser = None


def _seconds(deadlines: Deadlines, stage: Stage) -> float:
    return {
        Stage.HEADER: deadlines.header_seconds,
        Stage.BODY: deadlines.pace.grace_seconds * 2,
        Stage.KEPT: deadlines.kept_seconds,
        Stage.TAKING: deadlines.pace.write_seconds,
        Stage.LINGER: deadlines.linger_seconds,
    }[stage]
