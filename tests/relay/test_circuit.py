"""Limits per circuit: slow, then closed, forgotten in time, never by address."""

import threading

import pytest

from protocol.errors import CapacityError
from relay.circuit import LOCAL, CircuitLimits, Circuits, circuit_of, read_circuit

LIMITS = CircuitLimits(
    requests_per_second=2.0,
    requests_burst=4,
    bodies=2,
    derivations_per_minute=6.0,
    derivations_burst=3,
    close_after_seconds=30.0,
    close_after_refused=3,
)


class Relay:
    """Circuits with a clock that the test moves and a list of what was closed."""

    def __init__(self, *, capacity: int = 100) -> None:
        self.now = 1000.0
        self._closed: list[int] = []
        self.circuits = Circuits(
            limits=LIMITS,
            monotonic=lambda: self.now,
            close_circuit=self._closed.append,
            capacity=capacity,
        )

    @property
    def closed(self) -> list[int]:
        """What was closed, once the thread that closes has done all it was asked."""
        self.circuits._closer.submit(int).result(10)
        return self._closed


@pytest.mark.parametrize(
    ("address", "circuit"),
    [
        ("fc00:dead:beef:4dad::0:1c", "28"),
        ("fc00:dead:beef:4dad::1:2", "65538"),
        ("fc00:dead:beef:4dad::ffff:ffff", "4294967295"),
        ("fc00:dead:beef:4dad:1::1", None),
        ("fc00:dead:beef:4dae::1", None),
        ("127.0.0.1", None),
        ("::1", None),
        ("", None),
        ("fc00:dead:beef:4dad::1%eth0", None),
        ("nonsense", None),
    ],
)
def test_circuit_is_read_only_from_an_address_that_tor_writes(
    address: str, circuit: str | None
) -> None:
    assert read_circuit(address) == circuit
    assert circuit_of({"REMOTE_ADDR": address}) == (circuit or LOCAL)


def test_request_without_an_address_is_local() -> None:
    assert circuit_of({}) == LOCAL


def test_requests_within_the_burst_are_not_slowed() -> None:
    relay = Relay()
    assert [relay.circuits.request("7") for _ in range(4)] == [0.0] * 4


def test_requests_beyond_the_burst_wait_their_turn_at_the_rate() -> None:
    relay = Relay()
    delays = [relay.circuits.request("7") for _ in range(7)]
    assert delays == [0.0, 0.0, 0.0, 0.0, 0.5, 1.0, 1.5]


def test_circuit_that_rests_has_its_burst_again() -> None:
    relay = Relay()
    for _ in range(6):
        relay.circuits.request("7")
    relay.now += 10
    assert [relay.circuits.request("7") for _ in range(5)] == [0.0] * 4 + [0.5]


def test_one_circuit_that_floods_does_not_slow_another() -> None:
    relay = Relay()
    for _ in range(50):
        relay.circuits.request("7")
    assert relay.circuits.request("8") == 0.0


@pytest.mark.claim("C5")
def test_circuit_that_floods_on_is_closed_once() -> None:
    relay = Relay()
    refused = 0
    for _ in range(100):
        try:
            relay.circuits.request("28")
        except CapacityError:
            refused += 1
    assert relay.closed == [28]
    assert refused == 100 - 4 - 60  # the burst, then half a second each up to thirty


@pytest.mark.claim("C5")
def test_number_of_a_closed_circuit_that_a_new_tor_gives_out_again_is_served() -> None:
    relay = Relay()
    with pytest.raises(CapacityError):
        for _ in range(100):
            relay.circuits.request("28")
    relay.now += 1
    with pytest.raises(CapacityError):  # what the closed circuit still carried
        relay.circuits.request("28")
    relay.now += 2
    assert relay.circuits.request("28") == 0.0
    assert relay.closed == [28]


def test_tor_that_hangs_does_not_stop_the_counting() -> None:
    tor_answers = threading.Event()

    def hang(_circuit: int) -> None:
        tor_answers.wait(10)

    circuits = Circuits(limits=LIMITS, monotonic=lambda: 1000.0, close_circuit=hang)
    for _ in range(64):
        circuits.request("28")
    with pytest.raises(CapacityError):
        circuits.request("28")
    assert circuits.request("29") == 0.0
    assert not tor_answers.is_set()
    tor_answers.set()


def test_words_tried_too_often_are_refused_then_the_circuit_is_closed() -> None:
    relay = Relay()
    for _ in range(3):
        relay.circuits.derivation("28")
    for _ in range(3):
        with pytest.raises(CapacityError):
            relay.circuits.derivation("28")
    assert relay.closed == []
    with pytest.raises(CapacityError):
        relay.circuits.derivation("28")
    assert relay.closed == [28]
    with pytest.raises(CapacityError):
        relay.circuits.request("28")


def test_words_tried_after_a_pause_are_taken_again() -> None:
    relay = Relay()
    for _ in range(3):
        relay.circuits.derivation("28")
    relay.now += 10
    relay.circuits.derivation("28")


def test_uploads_of_one_circuit_are_bounded_and_those_of_others_are_not() -> None:
    circuits = Relay().circuits
    with circuits.body("7"), circuits.body("7"):
        with pytest.raises(CapacityError), circuits.body("7"):
            raise AssertionError("a third upload")
        with circuits.body("8"):
            pass
    with circuits.body("7"), circuits.body("7"):
        pass


def test_upload_that_fails_gives_its_place_back() -> None:
    circuits = Relay().circuits
    for _ in range(5):
        with pytest.raises(ZeroDivisionError), circuits.body("7"):
            raise ZeroDivisionError


def test_local_visitors_have_no_limits_and_nothing_is_closed() -> None:
    relay = Relay()
    assert {relay.circuits.request(LOCAL) for _ in range(1000)} == {0.0}
    for _ in range(100):
        relay.circuits.derivation(LOCAL)
    with relay.circuits.body(LOCAL), relay.circuits.body(LOCAL), relay.circuits.body(LOCAL):
        pass
    assert relay.closed == []


@pytest.mark.claim("C5")
def test_memory_of_circuits_is_bounded_and_the_longest_unseen_goes() -> None:
    relay = Relay(capacity=10)
    for _ in range(6):
        relay.circuits.request("1")
    for number in range(2, 11):
        relay.circuits.request(str(number))
    assert relay.circuits.request("1") == 1.5  # remembered, and now seen last
    for number in range(100, 200):
        relay.circuits.request(str(number))
    assert relay.circuits.request("1") == 0.0  # forgotten


def test_counting_from_many_threads_loses_nothing() -> None:
    relay = Relay()
    start = threading.Barrier(8)
    delays: list[float] = []

    def ask() -> None:
        start.wait(10)
        for _ in range(8):
            delays.append(relay.circuits.request("7"))

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert sorted(delays) == [0.0] * 4 + [n / 2 for n in range(1, 61)]
