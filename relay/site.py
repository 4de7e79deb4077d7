"""What is served where: applications, their sockets, and the numbers of the worker."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from relay.circuit import Circuits
from relay.pacing import Pace

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication


@dataclass(frozen=True, kw_only=True)
class Deadlines:
    """How long a client may take.

    Args:
        header_seconds: from the connection to the end of the header.
        kept_seconds: between two requests.
        linger_seconds: to close after the last answer.
        pace: for bodies and answers.
    """

    header_seconds: float = 15.0
    kept_seconds: float = 30.0
    linger_seconds: float = 5.0
    pace: Pace = field(default_factory=Pace)


@dataclass(frozen=True, kw_only=True)
class Site:
    """One application on one socket; no request on another socket reaches it.

    Args:
        build: makes the application, in the worker, after the fork.
        bind: `unix:/path`, `fd:3` (handed over by the system) or `127.0.0.1:8080`.
        circuits: the limits per circuit; given exactly where Tor exports circuit ids, and
            then a connection without Tor's PROXY line is closed unread.
        socket_mode: of a UNIX socket.
        deadlines: how long its clients may take.
    """

    build: "Callable[[], WSGIApplication]"
    bind: str
    circuits: Circuits | None = None
    socket_mode: int = 0o600
    deadlines: Deadlines = field(default_factory=Deadlines)


def _nothing() -> None:
    pass


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What one process serves, and with how much.

    Args:
        sites: at least one.
        threads: for pages and short forms; more than can wait at the Argon2 gate.
        uploads: for bodies beyond 16 KiB, each up to about a mebibyte.
        connections: open at once; a waiting one costs a descriptor and a few KiB.
        connections_per_circuit: of these.
        stop_seconds: for what is under way when told to stop.
        on_start: called in every worker when its applications are built, also in one that
            takes the place of another that died; what must run, runs from here.
        on_ready: called once, after that, in the first worker: the place to tell somebody.
        on_stop: called in the worker before it ends; not after a kill.
    """

    sites: Sequence[Site]
    threads: int = 96
    uploads: int = 128
    connections: int = 4000
    connections_per_circuit: int = 64
    stop_seconds: int = 10
    on_start: Callable[[], None] = _nothing
    on_ready: Callable[[], None] = _nothing
    on_stop: Callable[[], None] = _nothing
