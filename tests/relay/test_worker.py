"""The worker: deadlines for every wait, circuits kept and in turn, nothing told in headers."""

import socket
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from served import (
    Served,
    connect,
    get,
    is_closed_by_server,
    proxy_line,
    receive_answer,
    serving,
)

from relay.collector import BODY_BYTES, HEADER_BYTES, Collector, RefusedError
from relay.pacing import Pace, PacedSocket, Pressure
from relay.scrub import describe
from relay.turns import Turns

REQUEST = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as name:
        yield Path(name)


@pytest.fixture(scope="module")
def onion(folder: Path) -> str:
    return f"unix:{folder}/onion.sock"


@pytest.fixture(scope="module")
def served(folder: Path, onion: str) -> Iterator[Served]:
    """A server with short deadlines, so that a test can wait for their end."""
    with serving(
        folder,
        sites=[{"name": "onion", "bind": onion, "circuits": True}],
        limits={
            "requests_per_second": 10.0,
            "requests_burst": 20,
            "close_after_seconds": 0.7,
        },
        pace={"idle_seconds": 1.0, "grace_seconds": 0.5, "write_seconds": 1.0},
        deadlines={"header_seconds": 1.0, "kept_seconds": 1.0, "linger_seconds": 1.0},
        plan={"threads": 4, "uploads": 4, "connections": 60, "connections_per_circuit": 10},
    ) as running:
        yield running


@pytest.fixture(scope="module")
def patient(folder: Path) -> Iterator[tuple[Served, str]]:
    """A server whose deadlines no test lives to see: what is over soon is over without them."""
    bind = f"unix:{folder}/patient.sock"
    with serving(
        folder,
        sites=[{"name": "patient", "bind": bind, "circuits": True}],
        deadlines={"header_seconds": 300.0},
        plan={"threads": 4, "uploads": 4, "connections_per_circuit": 10},
    ) as running:
        yield running, bind


@pytest.mark.usefixtures("served")
class TestConnections:
    """Real connections to the server above."""

    def test_circuit_stays_with_the_connection_for_every_request(self, onion: str) -> None:
        with connect(onion) as sock:
            for number in range(3):
                sock.sendall((proxy_line(65564) if number == 0 else b"") + REQUEST)
                assert receive_answer(sock)[2] == b"onion / fc00:dead:beef:4dad::1:1c"

    def test_requests_sent_at_once_are_answered_in_order(self, onion: str) -> None:
        with connect(onion) as sock:
            sock.sendall(proxy_line(1))
            for path in ("/a", "/b", "/c"):
                sock.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
            bodies = b""
            while bodies.count(b"onion /") < 3:
                bodies += sock.recv(65536)
        assert bodies.index(b"/a") < bodies.index(b"/b") < bodies.index(b"/c")

    def test_answer_tells_neither_clock_nor_software(self, onion: str) -> None:
        for path in ("/", "/boom"):
            with connect(onion) as sock:
                sock.sendall(proxy_line(2) + f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
                _, headers, body = receive_answer(sock)
            assert not {"date", "server"} & set(headers)
            assert b"gunicorn" not in body

    def test_header_that_drips_is_cut_at_its_deadline(self, onion: str) -> None:
        with connect(onion) as sock:
            try:
                for byte in proxy_line(3) + REQUEST:
                    sock.sendall(bytes([byte]))
                    time.sleep(0.05)
            except ConnectionError:
                pass
            assert is_closed_by_server(sock)

    def test_silent_connection_is_cut_at_its_deadline(self, onion: str) -> None:
        with connect(onion) as sock:
            assert is_closed_by_server(sock)

    def test_kept_connection_is_cut_at_its_deadline(self, onion: str) -> None:
        with connect(onion) as sock:
            sock.sendall(proxy_line(4) + REQUEST)
            receive_answer(sock)
            assert is_closed_by_server(sock)

    @pytest.mark.parametrize(
        ("announced", "sent"),
        [
            pytest.param(10_000, 100, id="short form, stalled"),
            pytest.param(10_000_000, 100, id="upload, stalled at once"),
            pytest.param(10_000_000, 100_000, id="upload, stalled later"),
        ],
    )
    def test_body_that_stalls_is_cut_at_its_deadline(
        self, onion: str, announced: int, sent: int
    ) -> None:
        with connect(onion) as sock:
            head = f"POST /count HTTP/1.1\r\nHost: x\r\nContent-Length: {announced}\r\n\r\n"
            sock.sendall(proxy_line(5) + head.encode() + b"x" * sent)
            assert is_closed_by_server(sock)

    def test_body_slower_than_the_least_rate_is_cut_though_it_never_stalls(
        self, onion: str
    ) -> None:
        with connect(onion) as sock:
            head = b"POST /count HTTP/1.1\r\nHost: x\r\nContent-Length: 10000000\r\n\r\n"
            sock.sendall(proxy_line(6) + head + b"x" * BODY_BYTES)
            closed_after = 0
            try:
                while closed_after < 400:
                    sock.sendall(b"x")
                    closed_after += 1
                    time.sleep(0.05)
            except ConnectionError:
                pass
            assert closed_after < 400

    def test_answer_that_nobody_reads_is_given_up(self, onion: str, served: Served) -> None:
        before = served.process.poll()
        with connect(onion) as sock:
            sock.sendall(proxy_line(7) + b"GET /big HTTP/1.1\r\nHost: x\r\n\r\n")
            time.sleep(3)
            got = 0
            try:
                while piece := sock.recv(1 << 20):
                    got += len(piece)
            except ConnectionError:
                pass
            assert got < 30_000_000
        assert before is None

    def test_upload_that_keeps_its_pace_is_read_whole(self, onion: str) -> None:
        with connect(onion) as sock:
            size = 5_000_000
            head = f"POST /count HTTP/1.1\r\nHost: x\r\nContent-Length: {size}\r\n\r\n"
            sock.sendall(proxy_line(8) + head.encode())
            for _ in range(10):
                sock.sendall(b"x" * (size // 10))
            assert receive_answer(sock)[2] == b"5000000"

    def test_upload_that_asks_to_continue_is_told_to(self, onion: str) -> None:
        with connect(onion) as sock:
            head = (
                b"POST /count HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n"
                b"Expect: 100-continue\r\n\r\n"
            )
            sock.sendall(proxy_line(9) + head)
            assert sock.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
            sock.sendall(b"x" * 100_000)
            assert receive_answer(sock)[2] == b"100000"

    def test_answer_to_an_upload_that_was_not_read_arrives(self, onion: str) -> None:
        with connect(onion) as sock:
            head = b"POST /boom HTTP/1.1\r\nHost: x\r\nContent-Length: 500000\r\n\r\n"
            sock.sendall(proxy_line(10) + head + b"x" * 500_000)
            assert receive_answer(sock)[0] == 500

    def test_stalled_uploads_leave_threads_for_pages(self, patient: tuple[Served, str]) -> None:
        _, bind = patient
        stalled = []
        try:
            for number in range(8):
                sock = connect(bind)
                head = b"POST /count HTTP/1.1\r\nHost: x\r\nContent-Length: 9000000\r\n\r\n"
                sock.sendall(proxy_line(100 + number) + head + b"x" * BODY_BYTES)
                stalled.append(sock)
            for _ in range(20):  # the first may come before the uploads have taken their places
                assert get(bind, circuit=11)[0] == 200
                time.sleep(0.05)
        finally:
            for sock in stalled:
                sock.close()

    def test_circuit_that_holds_many_connections_is_refused_more(
        self, patient: tuple[Served, str]
    ) -> None:
        _, bind = patient
        socks = [connect(bind) for _ in range(12)]
        try:
            for sock in socks:
                sock.sendall(proxy_line(12) + b"GET")
            assert all(is_closed_by_server(sock) for sock in socks[10:])
            assert get(bind, circuit=13)[0] == 200
        finally:
            for sock in socks:
                sock.close()

    def test_full_server_makes_room_for_a_newcomer(self, onion: str) -> None:
        socks = [connect(onion) for _ in range(60)]
        try:
            assert get(onion, circuit=14)[0] == 200
        finally:
            for sock in socks:
                sock.close()

    def test_circuit_that_floods_is_slowed_then_closed_and_others_are_not(
        self, onion: str, served: Served
    ) -> None:
        answered = dropped = 0
        with connect(onion) as sock:
            sock.sendall(proxy_line(4000))
            started = time.monotonic()
            try:
                for _ in range(22):
                    sock.sendall(REQUEST)
                    receive_answer(sock)
                    answered += 1
            except ConnectionError:
                dropped += 1
            slowed = time.monotonic() - started
        assert (answered, slowed > 0.1) == (22, True)
        socks = [connect(onion) for _ in range(10)]
        try:
            for sock in socks:
                sock.sendall(proxy_line(4000) + REQUEST * 30)
            assert get(onion, circuit=15)[0] == 200
            served.until_logged("close 4000")
        finally:
            for sock in socks:
                sock.close()


def fed(data: bytes, *, step: int, wants_circuit: bool) -> tuple[object, ...]:
    collector = Collector(wants_circuit=wants_circuit)
    try:
        for start in range(0, len(data), step):
            collector.feed(data[start : start + step])
    except RefusedError:
        return ("refused",)
    return (collector.address, collector.is_complete, collector.is_upload, collector.taken())


@pytest.mark.claim("C5")
def test_pages_that_nobody_takes_hold_no_thread(tmp_path: Path) -> None:
    """Two clients ask for page after page, over all the threads there are, and read none."""
    with tempfile.TemporaryDirectory() as name, ExitStack() as held:
        bind = f"unix:{name}/site.sock"
        sites = [{"name": "site", "bind": bind, "circuits": True}]
        with serving(tmp_path, sites=sites, plan={"threads": 2, "uploads": 2}):
            for circuit in (1, 2):
                sock = held.enter_context(connect(bind))
                sock.sendall(proxy_line(circuit) + b"GET /page HTTP/1.1\r\nHost: x\r\n\r\n" * 30)
            for circuit in range(10, 20):
                assert get(bind, circuit=circuit)[0] == 200


@pytest.mark.parametrize(
    ("data", "complete", "upload"),
    [
        (REQUEST, True, False),
        (REQUEST[:-1], False, False),
        (b"POST / HTTP/1.1\r\nContent-Length: 5\r\n\r\n1234", False, False),
        (b"POST / HTTP/1.1\r\ncontent-length:5\r\n\r\n12345", True, False),
        (b"POST / HTTP/1.1\r\nContent-Length: 99999999\r\n\r\n1", False, True),
        (b"POST / HTTP/1.1\r\nContent-Length: 99999999\r\n\r\n" + b"1" * BODY_BYTES, True, True),
        (b"POST / HTTP/1.1\r\nContent-Length: 9\r\nExpect: 100-continue\r\n\r\n", True, True),
        (b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n", True, True),
        (b"POST / HTTP/1.1\r\nX-Content-Length: 5\r\n\r\n", True, False),
    ],
)
def test_collector_knows_when_a_thread_is_worth_it(
    data: bytes, complete: bool, upload: bool
) -> None:
    for step in (1, 7, len(data)):
        result = fed(data, step=step, wants_circuit=False)
        assert result == (None, complete, upload, data)


@pytest.mark.claim("C5")
def test_collector_refuses_a_header_without_end() -> None:
    collector = Collector(wants_circuit=False)
    with pytest.raises(RefusedError):
        for _ in range(HEADER_BYTES):
            collector.feed(b"GET / HTTP/1.1\r\nA: b\r\n")
    assert len(collector.taken()) <= HEADER_BYTES + 30


@given(
    st.lists(
        st.binary(max_size=30)
        | st.sampled_from([REQUEST, proxy_line(28), b"\r\n\r\n", b"Content-Length: 3\r\n"]),
        max_size=5,
    ).map(b"".join),
    st.booleans(),
)
def test_collector_refuses_or_keeps_any_bytes_but_never_breaks(
    data: bytes, wants_circuit: bool
) -> None:
    for step in (1, 1 + len(data)):
        result = fed(data, step=step, wants_circuit=wants_circuit)
        assert result == ("refused",) or isinstance(result[3], bytes)


def test_turns_go_round_the_circuits_and_hold_each_to_its_share() -> None:
    turns: Turns[str] = Turns(places=3, per_circuit=2)
    for item in ("a1", "a2", "a3", "b1"):
        turns.offer(item[0], item)
    assert [turns.take() for _ in range(4)] == ["a1", "b1", "a2", None]
    assert turns.waiting == 1
    turns.give_back("b")
    assert turns.take() is None  # `a` holds its two
    turns.give_back("a")
    assert (turns.take(), turns.waiting) == ("a3", 0)


def test_turns_let_the_unbounded_circuit_hold_every_place() -> None:
    turns: Turns[int] = Turns(places=3, per_circuit=1)
    for item in range(4):
        turns.offer("local", item)
    assert [turns.take(unbounded="local") for _ in range(4)] == [0, 1, 2, None]


def test_upload_under_pressure_must_be_faster() -> None:
    pace = Pace(grace_seconds=0.0, bytes_per_second=1, pressed_bytes_per_second=10**12)
    pressure = Pressure()
    ours, theirs = socket.socketpair()
    with ours, theirs:
        paced = PacedSocket(ours, pace=pace, pressure=pressure)
        paced.begin(competes=True)
        theirs.sendall(b"x" * 10)
        assert paced.recv(5) == b"x" * 5
        pressure.waiting = 1
        with pytest.raises(TimeoutError, match="slowly"):
            paced.recv(5)
        theirs.sendall(b"y" * 5)
        paced.begin(competes=False)
        assert paced.recv(5) == b"y" * 5


@pytest.mark.claim("C5")
def test_long_answer_that_nobody_takes_gives_its_place_to_those_who_wait() -> None:
    pressure = Pressure(waiting=1)
    ours, theirs = socket.socketpair()
    with ours, theirs:
        paced = PacedSocket(ours, pace=Pace(pressed_bytes_per_second=10**6), pressure=pressure)
        paced.begin(competes=True)
        with pytest.raises(TimeoutError, match="too little"):
            paced.sendall(b"x" * 1_000_000)


def test_time_that_the_relay_needs_itself_does_not_count_as_slow() -> None:
    pace = Pace(grace_seconds=0.2, bytes_per_second=10**6)
    ours, theirs = socket.socketpair()
    with ours, theirs:
        paced = PacedSocket(ours, pace=pace, pressure=Pressure())
        theirs.sendall(b"x" * 10)
        assert paced.recv(5) == b"x" * 5
        threading.Event().wait(0.3)
        assert paced.recv(5) == b"x" * 5


def test_error_described_for_a_log_keeps_no_text_but_our_own() -> None:
    from protocol.errors import StorageError

    try:
        try:
            raise ValueError("what the reporter wrote")
        except ValueError as error:
            raise StorageError("The disk is full; make room.") from error
    except StorageError as error:
        words = describe(error)
    assert "The disk is full; make room." in words
    assert "builtins.ValueError at test_worker.py" in words
    assert "what the reporter wrote" not in words
