"""Several sites in one process: sockets, separation, start and end, and what is logged."""

import os
import signal
import socket
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from served import (
    CANARY,
    Served,
    connect,
    get,
    is_closed_by_server,
    proxy_line,
    receive_answer,
    serving,
)

from protocol.errors import CapacityError
from relay.server import open_listener
from relay.site import Site


def site(bind: str, **more: int) -> Site:
    return Site(build=lambda: None, bind=bind, **more)  # type: ignore[arg-type,return-value]  # never built


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as name:  # a short path, as UNIX sockets need it
        yield Path(name)


@pytest.fixture(scope="module")
def served(folder: Path) -> Iterator[Served]:
    sites = [
        {"name": "reporter", "bind": f"unix:{folder}/reporter.sock", "circuits": True},
        {"name": "courier", "bind": f"unix:{folder}/courier.sock", "circuits": True},
        {"name": "desk", "bind": "127.0.0.1:18473"},
    ]
    with serving(folder, sites=sites) as running:
        yield running


@pytest.mark.claim("C4")
def test_request_reaches_the_site_of_its_socket_whatever_it_says(
    served: Served, folder: Path
) -> None:
    lines = [
        "GET /bundle HTTP/1.1\r\nHost: courier\r\n\r\n",
        "GET http://courier/bundle HTTP/1.1\r\nHost: courier\r\n\r\n",
        "GET /bundle HTTP/1.1\r\nHost: x\r\nSCRIPT_NAME: /courier\r\n\r\n",
        "GET /bundle HTTP/1.1\r\nHost: x\r\nX-Forwarded-Host: courier\r\n\r\n",
    ]
    for name in ("reporter", "courier"):
        for line in lines:
            with connect(f"unix:{folder}/{name}.sock") as sock:
                sock.sendall(proxy_line(28) + line.encode())
                body = receive_answer(sock)[2]
            assert body == f"{name} /bundle fc00:dead:beef:4dad::0:1c".encode()


def test_sites_of_one_plan_share_one_process(served: Served, folder: Path) -> None:
    pids = {
        get(f"unix:{folder}/reporter.sock", "/pid", circuit=1),
        get(f"unix:{folder}/courier.sock", "/pid", circuit=1),
        get("127.0.0.1:18473", "/pid"),
    }
    assert len(pids) == 1


def test_site_on_loopback_needs_no_circuit_and_believes_no_proxy_line(served: Served) -> None:
    assert get("127.0.0.1:18473", "/") == (200, b"desk / 127.0.0.1")
    with connect("127.0.0.1:18473") as sock:
        sock.sendall(proxy_line(28) + b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        assert receive_answer(sock)[0] == 400


def test_forwarding_headers_are_not_believed(served: Served) -> None:
    with connect("127.0.0.1:18473") as sock:
        sock.sendall(
            b"GET / HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: 10.0.0.1\r\n"
            b"X-Forwarded-Proto: https\r\n\r\n"
        )
        assert receive_answer(sock)[2] == b"desk / 127.0.0.1"


@pytest.mark.parametrize(
    "start",
    [
        pytest.param(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", id="no line"),
        pytest.param(b"PROXY TCP4 10.0.0.1 10.0.0.2 1 2\r\nGET /", id="an address"),
        pytest.param(b"PROXY TCP6 ::1 ::1 1 2\r\nGET /", id="not tor's prefix"),
        pytest.param(b"PROXY UNKNOWN\r\nGET /", id="unknown"),
        pytest.param(b"P" * 200, id="endless line"),
    ],
)
def test_connection_without_tors_line_is_closed_unanswered(
    served: Served, folder: Path, start: bytes
) -> None:
    with connect(f"unix:{folder}/reporter.sock") as sock:
        sock.sendall(start)
        assert sock.recv(100) == b""


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        (b"X: " + b"a" * 40_000, 431),
        (b"Content-Length: -5", 400),
        (b"Content-Length: " + b"9" * 40, 400),
    ],
    ids=["a header without end", "a length below zero", "a length of many digits"],
)
def test_header_that_no_browser_sends_is_refused_with_its_status(
    served: Served, folder: Path, headers: bytes, status: int
) -> None:
    with connect(f"unix:{folder}/reporter.sock") as sock:
        sock.sendall(proxy_line(28) + b"POST / HTTP/1.1\r\nHost: x\r\n" + headers + b"\r\n\r\n")
        assert receive_answer(sock)[0] == status
        assert is_closed_by_server(sock)


def test_socket_is_for_its_owner_alone(served: Served, folder: Path) -> None:
    mode = (folder / "reporter.sock").stat().st_mode
    assert (stat.S_ISSOCK(mode), stat.S_IMODE(mode)) == (True, 0o600)


def test_server_writes_nothing_beside_its_sockets_and_log(served: Served, folder: Path) -> None:
    get("127.0.0.1:18473", "/")
    assert sorted(path.name for path in folder.iterdir()) == [
        "courier.sock",
        "log.txt",
        "reporter.sock",
    ]


@pytest.mark.claim("C1")
def test_log_holds_neither_addresses_nor_texts_nor_times(served: Served) -> None:
    for request in (
        f"GET /boom?q={CANARY} HTTP/1.1\r\nHost: {CANARY}\r\n\r\n",
        f"GET /{CANARY} HTTP/9.9\r\n{CANARY}: {CANARY}\r\n\r\n",
        f"{CANARY} / HTTP/1.1\r\n\r\n",
        f"GET / HTTP/1.1\r\n{CANARY}\r\n\r\n",
        f"POST /count HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n{CANARY}\r\n",
    ):
        with connect("127.0.0.1:18473") as sock:
            sock.sendall(request.encode())
            status = receive_answer(sock)[0]
            assert status in (400, 500)
    log = served.log()
    assert "RuntimeError at served.py" in log
    assert CANARY not in log
    assert not any(mark in line[10:] for line in log.splitlines() for mark in (":0", ":1", ":2:"))


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_stop_is_clean_though_clients_stay(tmp_path: Path, number: int) -> None:
    with tempfile.TemporaryDirectory() as name:
        bind = f"unix:{name}/a.sock"
        with (
            serving(tmp_path, sites=[{"name": "a", "bind": bind}]) as running,
            connect(bind) as idle,
            connect(bind) as kept,
        ):
            kept.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            receive_answer(kept)
            running.stop(number)
            assert running.process.returncode == 0
            assert is_closed_by_server(idle) and is_closed_by_server(kept)
            assert not Path(name, "a.sock").exists()
            assert "Traceback" not in running.log()


def test_stop_lets_the_request_that_is_under_way_end(tmp_path: Path) -> None:
    with tempfile.TemporaryDirectory() as name:
        bind = f"unix:{name}/a.sock"
        with serving(tmp_path, sites=[{"name": "a", "bind": bind}]) as running:
            with connect(bind) as sock:
                sock.sendall(b"GET /slow HTTP/1.1\r\nHost: x\r\n\r\n")
                running.until_logged("slow request begins")
                running.process.send_signal(signal.SIGTERM)
                status, headers, body = receive_answer(sock)
            running.process.wait(10)
            assert (status, headers["connection"], body) == (200, "close", b"done")
            assert "stopped" in running.log()


def test_worker_that_is_killed_comes_back_on_the_same_socket(tmp_path: Path) -> None:
    with tempfile.TemporaryDirectory() as name:
        bind = f"unix:{name}/a.sock"
        with serving(tmp_path, sites=[{"name": "a", "bind": bind}]) as running:
            first = int(get(bind, "/pid")[1])
            os.kill(first, signal.SIGKILL)
            second = int(get(bind, "/pid")[1])
            assert second != first
            assert (running.log().count("started"), running.log().count("ready")) == (2, 1)


def test_listener_at_a_socket_left_by_a_killed_process_takes_its_place(tmp_path: Path) -> None:
    with tempfile.TemporaryDirectory() as name:
        bind = f"unix:{name}/a.sock"
        open_listener(site(bind)).close()
        open_listener(site(bind, socket_mode=0o660)).close()
        assert stat.S_IMODE(Path(name, "a.sock").stat().st_mode) == 0o660


def test_listener_handed_over_by_the_system_is_used(tmp_path: Path) -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as given,
        open_listener(site(f"fd:{os.dup(given.fileno())}")) as listener,
    ):
        assert listener.getsockname() == given.getsockname()


@pytest.mark.parametrize(
    ("bind", "reason"),
    [
        ("0.0.0.0:8080", "only 127.0.0.1"),
        ("relay.example:80", "only 127.0.0.1"),
        ("127.0.0.1:notaport", "invalid literal"),
        ("127.0.0.1:99999", "must be 0-65535"),
        ("unix:/nowhere/at/all.sock", "No such file"),
        ("unix:/tmp/" + "x" * 120, "longer than 107 bytes"),
        ("fd:x", "invalid literal"),
    ],
)
def test_place_that_cannot_be_listened_at_is_refused_with_its_reason(
    bind: str, reason: str
) -> None:
    with pytest.raises(CapacityError, match=reason):
        open_listener(site(bind))


def test_place_that_is_taken_is_refused_and_left_alone(tmp_path: Path) -> None:
    with tempfile.TemporaryDirectory() as name:
        taken = f"unix:{name}/a.sock"
        with open_listener(site(taken)), pytest.raises(CapacityError, match="another process"):
            open_listener(site(taken))
        file = Path(name, "b.sock")
        file.write_text("mine")
        with pytest.raises(CapacityError, match="a file of that name"):
            open_listener(site(f"unix:{file}"))
        assert file.read_text() == "mine"


def test_port_that_another_program_has_is_refused_in_words() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(CapacityError, match=f"{port}: another program .*choose another port"):
            open_listener(site(f"127.0.0.1:{port}"))
