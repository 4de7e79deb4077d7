"""Let only as many Argon2 derivations run at once as there are cores, in a fair order.

Each derivation takes 64 MiB and a core for a seventh of a second, so this, not the web
server, is what a flood would exhaust. The gate bounds how many run (and so memory), takes
circuits in turn instead of first come first served, and keeps room for those who send a
report: trying wrong receipts, however many, never stops a report from being taken.
Claim C5 of docs/THREAT_MODEL.md. It knows no clock; patience is the caller's number.
"""

import threading
from collections import OrderedDict, deque
from collections.abc import Iterator
from contextlib import contextmanager
from enum import Enum, auto

from protocol.errors import CapacityError


class Purpose(Enum):
    """What a derivation is for; each has a queue of its own."""

    SENDING = auto()
    READING = auto()


class _Place:
    """One place in a queue: open once the derivation may run, or its reason is gone."""

    def __init__(self, circuit: str) -> None:
        self.circuit = circuit
        self.called = threading.Event()
        self.admitted = False


class _Queue:
    """Waiting places, one circuit after the other."""

    def __init__(self) -> None:
        self._circuits: OrderedDict[str, deque[_Place]] = OrderedDict()
        self.length = 0

    def waiting_of(self, circuit: str) -> int:
        return len(self._circuits.get(circuit, ()))

    def append(self, place: _Place) -> None:
        self._circuits.setdefault(place.circuit, deque()).append(place)
        self.length += 1

    def next(self) -> _Place:
        """Take the oldest place of the circuit whose turn it is, which then goes last."""
        circuit, places = self._circuits.popitem(last=False)
        place = places.popleft()
        if places:
            self._circuits[circuit] = places
        self.length -= 1
        return place

    def remove(self, place: _Place) -> None:
        places = self._circuits[place.circuit]
        places.remove(place)
        if not places:
            del self._circuits[place.circuit]
        self.length -= 1

    def greediest(self) -> _Place:
        """Return the newest place of the circuit that waits most often."""
        return max(self._circuits.values(), key=len)[-1]


class Gate:
    """Admits derivations.

    Args:
        slots: how many run at once; the number of cores, each costs 64 MiB.
        waiting: how many wait at most, of each purpose; each holds a thread.
        waiting_per_circuit: how many of these may belong to one circuit.
        patience_seconds: how long one waits before its page says «try again».
    """

    def __init__(
        self,
        *,
        slots: int,
        waiting: int = 32,
        waiting_per_circuit: int = 8,
        patience_seconds: float = 20.0,
    ) -> None:
        self._slots = slots
        self._reading_slots = max(1, slots - 1)  # one is kept for sending where there are two
        self._waiting = waiting
        self._waiting_per_circuit = waiting_per_circuit
        self._patience_seconds = patience_seconds
        self._lock = threading.Lock()
        self._running = dict.fromkeys(Purpose, 0)
        self._queues = {purpose: _Queue() for purpose in Purpose}
        self._last = Purpose.READING

    @contextmanager
    def admit(self, purpose: Purpose, *, circuit: str) -> Iterator[None]:
        """Hold one of the slots while the body of the `with` runs.

        Args:
            purpose: reading never takes the slots kept for sending.
            circuit: from `relay.circuit.circuit_of`; circuits take turns.

        Raises:
            CapacityError: too many wait, or the patience has ended.
        """
        self._enter(purpose, circuit)
        try:
            yield
        finally:
            with self._lock:
                self._running[purpose] -= 1
                self._call_next()

    def _enter(self, purpose: Purpose, circuit: str) -> None:
        place = _Place(circuit)
        with self._lock:
            queue = self._queues[purpose]
            self._make_room(queue, circuit)
            queue.append(place)
            self._call_next()
        if place.called.wait(self._patience_seconds) and place.admitted:
            return
        with self._lock:
            if place.admitted:  # called in the moment in which the patience ended
                return
            if not place.called.is_set():
                queue.remove(place)
        raise _busy()

    def _make_room(self, queue: _Queue, circuit: str) -> None:
        waiting = queue.waiting_of(circuit)
        if waiting >= self._waiting_per_circuit:
            raise _busy()
        if queue.length < self._waiting:
            return
        victim = queue.greediest()
        if queue.waiting_of(victim.circuit) <= waiting + 1:
            raise _busy()
        queue.remove(victim)
        victim.called.set()

    def _call_next(self) -> None:
        while (purpose := self._whose_turn()) is not None:
            place = self._queues[purpose].next()
            self._running[purpose] += 1
            self._last = purpose
            place.admitted = True
            place.called.set()

    def _whose_turn(self) -> Purpose | None:
        if sum(self._running.values()) >= self._slots:
            return None
        sending = self._queues[Purpose.SENDING].length > 0
        reading = (
            self._queues[Purpose.READING].length > 0
            and self._running[Purpose.READING] < self._reading_slots
        )
        if sending and reading:
            return Purpose.READING if self._last is Purpose.SENDING else Purpose.SENDING
        if sending:
            return Purpose.SENDING
        return Purpose.READING if reading else None


def _busy() -> CapacityError:
    return CapacityError("The relay is very busy; try again in a minute.")
