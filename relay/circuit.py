"""Limits for each Tor circuit: slow first, then closed. Never by address.

Over Tor every visitor has the same address, so a limit by address shuts everybody out.
Tor tells which circuit a connection belongs to, as the address `fc00:dead:beef:4dad::HI:LO`
in a PROXY line; the number is local to our tor, means nothing elsewhere and is gone with
the circuit. Without Tor (the demonstration on loopback) everyone is the one circuit
`local`, which has no limits. Claim C5 of docs/THREAT_MODEL.md.
"""

import ipaddress
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field

from protocol.errors import CapacityError

LOCAL = "local"
# Of what is cut, nothing arrives after milliseconds. A tor that starts anew counts its circuits
# from one again, and whoever then gets the number of a circuit that was cut is somebody else:
# a second after tor ended the new one is started, and its first visitor comes seconds later.
_CUT_SECONDS = 3.0
_PREFIX = ipaddress.IPv6Network("fc00:dead:beef:4dad::/64")  # tor, export_hs_client_circuit_id


@dataclass(frozen=True, kw_only=True)
class CircuitLimits:
    """What one circuit may do.

    Args:
        requests_per_second: sustained; a page is two requests, the progress frame one
            every two seconds.
        requests_burst: at once, before anything is slowed.
        bodies: uploads at the same time; more than two windows is no person.
        derivations_per_minute: words tried, sustained.
        derivations_burst: words tried at once; typing errors are corrected before any
            derivation, so a person needs one or two.
        close_after_seconds: of delay owed; fifty requests at once that all wait.
        close_after_refused: words tried on after the first refusal.
    """

    requests_per_second: float = 5.0
    requests_burst: int = 40
    bodies: int = 2
    derivations_per_minute: float = 6.0
    derivations_burst: int = 8
    close_after_seconds: float = 10.0
    close_after_refused: int = 6


@dataclass
class _Bucket:
    """A token bucket kept as one number: when the next one would be on time."""

    due: float = float("-inf")

    def delay(self, now: float, *, interval: float, burst: int) -> float:
        """Count one more and return how late that makes it, in seconds."""
        self.due = max(self.due, now - (burst - 1) * interval)
        late = max(0.0, self.due - now)
        self.due += interval
        return late


@dataclass
class _Usage:
    requests: _Bucket = field(default_factory=_Bucket)
    derivations: _Bucket = field(default_factory=_Bucket)
    closed_at: float | None = None


class Circuits:
    """Counts what each circuit does and says what to do about it.

    Args:
        limits: the same for every circuit.
        monotonic: a clock that only goes forward, in seconds.
        close_circuit: asks Tor to close a circuit; called once for each that is too much, in a
            thread of its own, because a tor that hangs must not stop the poll loop.
        capacity: how many circuits are remembered; the one unseen for longest is forgotten.
    """

    def __init__(
        self,
        *,
        limits: CircuitLimits,
        monotonic: Callable[[], float],
        close_circuit: Callable[[int], None],
        capacity: int = 4096,
    ) -> None:
        self._limits = limits
        self._monotonic = monotonic
        self._close_circuit = close_circuit
        self._closer = ThreadPoolExecutor(1, "circuit-closer")  # no thread before its first use
        self._capacity = capacity
        self._lock = threading.Lock()
        self._usage: OrderedDict[str, _Usage] = OrderedDict()
        self._bodies: dict[str, int] = {}  # bounded by the threads that hold one

    def request(self, circuit: str) -> float:
        """Count one request.

        Returns:
            How many seconds to let it wait before it is looked at; 0 for most.

        Raises:
            CapacityError: the circuit was closed; drop the connection.
        """
        if circuit == LOCAL:
            return 0.0
        with self._lock:
            now = self._monotonic()
            usage = self._of(circuit, now)
            delay = usage.requests.delay(
                now,
                interval=1 / self._limits.requests_per_second,
                burst=self._limits.requests_burst,
            )
            too_much = delay > self._limits.close_after_seconds
            closing = self._close_now(usage, too_much, now)
            closed = usage.closed_at is not None
        if closing:
            self._closer.submit(self._close_circuit, int(circuit))
        if closed:
            raise CapacityError("Too many requests came through one circuit; it was closed.")
        return delay

    def derivation(self, circuit: str) -> None:
        """Count one attempt at deriving keys from words.

        Raises:
            CapacityError: too many; the page says to wait a minute.
        """
        if circuit == LOCAL:
            return
        interval = 60 / self._limits.derivations_per_minute
        with self._lock:
            now = self._monotonic()
            usage = self._of(circuit, now)
            late = usage.derivations.delay(
                now, interval=interval, burst=self._limits.derivations_burst
            )
            too_much = late > self._limits.close_after_refused * interval
            closing = self._close_now(usage, too_much, now)
        if closing:
            self._closer.submit(self._close_circuit, int(circuit))
        if late:
            raise CapacityError("Too many attempts at once; wait a minute and try again.")

    @contextmanager
    def body(self, circuit: str) -> Iterator[None]:
        """Hold one of a circuit's uploads while the body of the `with` runs.

        Raises:
            CapacityError: as many run already as one circuit may have.
        """
        with self._lock:
            held = self._bodies.get(circuit, 0)
            if circuit != LOCAL and held >= self._limits.bodies:
                raise CapacityError("Two uploads are already on their way; let them end first.")
            self._bodies[circuit] = held + 1
        try:
            yield
        finally:
            with self._lock:
                self._bodies[circuit] -= 1
                if not self._bodies[circuit]:
                    del self._bodies[circuit]

    def _of(self, circuit: str, now: float) -> _Usage:
        usage = self._usage.setdefault(circuit, _Usage())
        if usage.closed_at is not None and now >= usage.closed_at + _CUT_SECONDS:
            usage = self._usage[circuit] = _Usage()
        self._usage.move_to_end(circuit)
        if len(self._usage) > self._capacity:
            self._usage.popitem(last=False)
        return usage

    def _close_now(self, usage: _Usage, too_much: bool, now: float) -> bool:
        """Mark a circuit as closed and tell whether that is news."""
        news = too_much and usage.closed_at is None
        if news:
            usage.closed_at = now
        return news


def read_circuit(address: str) -> str | None:
    """Return the circuit that an address from Tor's PROXY line names, or None.

    Returns:
        Tor's own number of the circuit as decimal text, as `close_circuit` takes it.
    """
    try:
        parsed = ipaddress.IPv6Address(address)
    except ValueError:
        return None
    if parsed.scope_id or parsed not in _PREFIX:
        return None
    number = int(parsed) & 0xFFFF_FFFF_FFFF_FFFF
    return str(number) if number <= 0xFFFF_FFFF else None


def circuit_of(environ: Mapping[str, object]) -> str:
    """Return the circuit of a WSGI request; `local` where no circuits are exported."""
    return read_circuit(str(environ.get("REMOTE_ADDR", ""))) or LOCAL
