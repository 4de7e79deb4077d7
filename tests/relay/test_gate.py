"""The Argon2 gate: bounded, fair between circuits, with room kept for sending."""

import hashlib
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from protocol.errors import CapacityError
from relay.gate import Gate, Purpose

WAIT_SECONDS = 10  # a bound for a test that would otherwise hang; nothing waits this long


class Visitors:
    """Threads that come to a gate, stay inside until told to leave, and are counted."""

    def __init__(self, gate: Gate) -> None:
        self.gate = gate
        self.inside: list[str] = []
        self.refused: list[str] = []
        self.changed = threading.Condition()
        self._leave: dict[str, threading.Event] = {}
        self._threads: list[threading.Thread] = []

    def come(self, name: str, purpose: Purpose, *, circuit: str) -> None:
        """Start one visitor and wait until the gate has let it in, queued or refused it."""
        self._leave[name] = threading.Event()
        before = self._known()
        thread = threading.Thread(target=self._visit, args=(name, purpose, circuit))
        self._threads.append(thread)
        thread.start()
        self.until(lambda: self._known() > before)

    def _known(self) -> int:
        queued = sum(queue.length for queue in self.gate._queues.values())
        return queued + len(self.inside) + len(self.refused) + self._left

    _left = 0

    def _visit(self, name: str, purpose: Purpose, circuit: str) -> None:
        try:
            with self.gate.admit(purpose, circuit=circuit):
                with self.changed:
                    self.inside.append(name)
                    self.changed.notify_all()
                self._leave[name].wait(WAIT_SECONDS)
                with self.changed:
                    self.inside.remove(name)
                    self._left += 1
        except CapacityError:
            with self.changed:
                self.refused.append(name)
        with self.changed:
            self.changed.notify_all()

    def leave(self, name: str) -> None:
        self._leave[name].set()

    def until(self, condition: Callable[[], bool]) -> None:
        with self.changed:
            # The gate's queue has no condition of its own to wait on, hence the short turns.
            for _ in range(WAIT_SECONDS * 1000):
                if condition():
                    return
                self.changed.wait(0.001)
        raise AssertionError("The gate did not do what it should within the bound.")

    def until_inside(self, *names: str) -> None:
        self.until(lambda: set(self.inside) == set(names))

    def end(self) -> None:
        for event in self._leave.values():
            event.set()
        for thread in self._threads:
            thread.join(WAIT_SECONDS)


@contextmanager
def visitors(gate: Gate) -> Iterator[Visitors]:
    them = Visitors(gate)
    try:
        yield them
    finally:
        them.end()


@pytest.mark.claim("C5")
def test_gate_never_lets_in_more_than_its_slots() -> None:
    gate = Gate(slots=2)
    running, most = 0, 0
    lock, work = threading.Lock(), bytes(500_000)
    start = threading.Barrier(12)

    def visit(number: int) -> None:
        nonlocal running, most
        start.wait(WAIT_SECONDS)
        purpose = Purpose.SENDING if number % 2 else Purpose.READING
        for _ in range(30):
            with gate.admit(purpose, circuit=str(number)):
                with lock:
                    running += 1
                    most = max(most, running)
                hashlib.sha256(work)  # lets go of the interpreter, as Argon2 does
                with lock:
                    running -= 1

    threads = [threading.Thread(target=visit, args=(n,)) for n in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(WAIT_SECONDS)
    assert not any(thread.is_alive() for thread in threads)
    assert (most, running) == (2, 0)


@pytest.mark.claim("C5")
def test_flood_of_readers_leaves_a_slot_to_the_one_who_sends() -> None:
    with visitors(Gate(slots=2, waiting=4)) as them:
        for number in range(8):
            them.come(f"reader {number}", Purpose.READING, circuit=f"c{number}")
        assert them.inside == ["reader 0"]
        them.come("sender", Purpose.SENDING, circuit="s")
        them.until_inside("reader 0", "sender")
        assert len(them.refused) == 3


def test_single_slot_is_shared_in_turns_between_sending_and_reading() -> None:
    with visitors(Gate(slots=1)) as them:
        them.come("r1", Purpose.READING, circuit="a")
        for name in ("r2", "r3"):
            them.come(name, Purpose.READING, circuit="a")
        for name in ("s1", "s2"):
            them.come(name, Purpose.SENDING, circuit="b")
        order = ["r1", "s1", "r2", "s2", "r3"]
        for name in order:
            them.until_inside(name)
            them.leave(name)


def test_circuit_that_asks_often_waits_in_turn_with_one_that_asks_once() -> None:
    with visitors(Gate(slots=1)) as them:
        for name in ("flood 1", "flood 2", "flood 3", "flood 4"):
            them.come(name, Purpose.READING, circuit="flood")
        them.come("once", Purpose.READING, circuit="other")
        order = ["flood 1", "flood 2", "once", "flood 3", "flood 4"]
        for name in order:
            them.until_inside(name)
            them.leave(name)


def test_circuit_with_too_many_waiting_is_refused_and_others_are_not() -> None:
    with visitors(Gate(slots=1, waiting_per_circuit=2)) as them:
        for number in range(4):
            them.come(f"flood {number}", Purpose.READING, circuit="flood")
        assert them.refused == ["flood 3"]
        them.come("other", Purpose.READING, circuit="other")
        assert them.refused == ["flood 3"]


def test_full_queue_makes_room_at_the_expense_of_the_greediest() -> None:
    with visitors(Gate(slots=1, waiting=4)) as them:
        for number in range(5):
            them.come(f"flood {number}", Purpose.READING, circuit="flood")
        them.come("newcomer", Purpose.READING, circuit="new")
        them.until(lambda: them.refused == ["flood 4"])
        assert them.inside == ["flood 0"]
        them.leave("flood 0")
        them.until_inside("flood 1")
        them.leave("flood 1")
        them.until_inside("newcomer")


def test_full_queue_of_equals_refuses_the_newcomer() -> None:
    with visitors(Gate(slots=1, waiting=3)) as them:
        for number in range(4):
            them.come(f"v{number}", Purpose.READING, circuit=f"c{number}")
        them.come("newcomer", Purpose.READING, circuit="new")
        assert them.refused == ["newcomer"]


def test_patience_that_ends_is_a_capacity_error_and_leaves_no_trace() -> None:
    gate = Gate(slots=1, patience_seconds=0)
    with gate.admit(Purpose.SENDING, circuit="a"):
        for _ in range(100):
            with pytest.raises(CapacityError), gate.admit(Purpose.SENDING, circuit="b"):
                raise AssertionError("two at once")
    with gate.admit(Purpose.SENDING, circuit="b"):
        pass


def test_derivation_that_fails_gives_its_slot_back() -> None:
    gate = Gate(slots=1, patience_seconds=0)
    for _ in range(3):
        with pytest.raises(ZeroDivisionError), gate.admit(Purpose.READING, circuit="a"):
            raise ZeroDivisionError
