"""The courier's tool against a running demonstration: resumed, checked, refused in words."""

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

import sotto.courier_tool
from onion.address import encode_address
from protocol.errors import AuthenticityError, OnionError, StorageError
from sotto.cli import main
from sotto.courier_tool import check_bundle, fetch_bundle
from sotto.socks import read_way
from tests.counselor import new_key
from tests.journeys.demonstration import Demonstration, run_demonstration
from tests.journeys.people import Counselor, Reporter
from tests.sotto.proxy import Noted, socks_proxy

ONION = f"{encode_address(bytes(range(32)))}.onion"
EVERYBODY = ("counselor-1", "counselor-2", "head")


@pytest.fixture(scope="module")
def demonstration(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demonstration]:
    """A demonstration that holds a report with a file, so that its bundle is not tiny."""
    with run_demonstration(tmp_path_factory.mktemp("demo") / "data") as running:
        reporter = Reporter(running.reporter)
        reporter.opens_the_form()
        file = ("photo.raw", bytes(range(256)) * 2000)
        assert reporter.sends("The stores were empty.", to=EVERYBODY, files=[file]).status == 200
        yield running


@pytest.fixture
def proxy(demonstration: Demonstration) -> Iterator[Noted]:
    with socks_proxy(("127.0.0.1", demonstration.port + 1)) as noted:
        yield noted


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sotto.courier_tool, "PAUSE_SECONDS", 0.0)


def fetch(demonstration: Demonstration, site: str, socks: str, to: Path) -> Result:
    return CliRunner().invoke(
        main,
        f"courier fetch --site {site} --socks {socks} --to {to}"
        f" --relay {demonstration.certificate}".split(),
    )


pytestmark = pytest.mark.slow


def test_bundle_comes_through_socks_by_name_and_is_checked(
    demonstration: Demonstration, proxy: Noted, tmp_path: Path
) -> None:
    done = fetch(demonstration, f"http://{ONION}/", f"127.0.0.1:{proxy.port}", tmp_path)
    assert done.exit_code == 0, done.output
    assert "signed by the relay and whole" in done.stdout
    assert set(proxy.names) == {ONION}
    (taken,) = tmp_path.iterdir()
    head = check_bundle(
        taken, certificate=demonstration.certificate.read_bytes(), now=datetime.now(UTC)
    )
    assert any(one.size_bytes > 500_000 for one in head.envelopes)


def test_interrupted_download_goes_on_where_it_ended(
    demonstration: Demonstration, proxy: Noted, tmp_path: Path
) -> None:
    proxy.hang_up_after += [100_000, 200_000]
    done = fetch(demonstration, ONION, f"127.0.0.1:{proxy.port}", tmp_path)
    assert done.exit_code == 0, done.output
    downloads = [one for one in proxy.requests if one.startswith(b"GET /bundle/")]
    assert len(downloads) == 3
    assert b"Range:" not in downloads[0]
    starts = [int(one.partition(b"bytes=")[2].partition(b"-")[0]) for one in downloads[1:]]
    assert 90_000 < starts[0] < 100_000 < starts[1] < 300_000
    assert all(b'If-Range: "cut-' in one for one in downloads[1:])


def test_download_given_up_is_resumed_by_the_next_command(
    demonstration: Demonstration,
    proxy: Noted,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with monkeypatch.context() as once:
        once.setattr(sotto.courier_tool, "ATTEMPTS", 1)
        proxy.hang_up_after.append(150_000)
        broken = fetch(demonstration, ONION, f"127.0.0.1:{proxy.port}", tmp_path)
        assert (broken.exit_code, "kept" in broken.stderr) == (1, True)
    (part,) = tmp_path.iterdir()
    kept = part.stat().st_size
    assert fetch(demonstration, ONION, f"127.0.0.1:{proxy.port}", tmp_path).exit_code == 0
    assert f"bytes={kept}-".encode() in proxy.requests[-1]
    assert [path.suffix for path in tmp_path.iterdir()] == [".zip"]


def test_newer_bundle_replaces_one_that_was_half_taken(
    demonstration: Demonstration,
    proxy: Noted,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sotto.courier_tool, "ATTEMPTS", 1)
    proxy.hang_up_after.append(50_000)
    assert fetch(demonstration, ONION, f"127.0.0.1:{proxy.port}", tmp_path).exit_code == 1
    (half,) = tmp_path.iterdir()
    reporter = Reporter(demonstration.reporter)
    reporter.opens_the_form()
    reporter.sends("Another one.", to=EVERYBODY)
    assert fetch(demonstration, ONION, f"127.0.0.1:{proxy.port}", tmp_path).exit_code == 0
    (whole,) = [path for path in tmp_path.iterdir() if path.suffix == ".zip"]
    assert whole.name not in half.name


def test_bundle_that_is_there_already_is_not_taken_twice(
    demonstration: Demonstration, proxy: Noted, tmp_path: Path
) -> None:
    for _ in range(2):
        assert fetch(demonstration, ONION, f"127.0.0.1:{proxy.port}", tmp_path).exit_code == 0
    assert sum(one.startswith(b"GET /bundle/") for one in proxy.requests) == 1


def test_bundle_that_is_there_already_stays_when_another_certificate_is_taken_for_the_relays(
    demonstration: Demonstration, tmp_path: Path
) -> None:
    assert fetch(demonstration, demonstration.courier, "none", tmp_path).exit_code == 0
    (bundle,) = tmp_path.iterdir()
    mistaken = replace(demonstration, data=tmp_path / "other")
    mistaken.data.mkdir()
    mistaken.certificate.write_bytes(new_key("another relay").certificate)
    done = fetch(mistaken, demonstration.courier, "none", tmp_path)
    assert done.exit_code == 1
    assert "whether the certificate is the relay's" in done.stderr
    assert bundle.exists()


class Forger(ThreadingHTTPServer):
    """A site that hands out whatever it is given."""

    bundle = b""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Hands(BaseHTTPRequestHandler):
    server: Forger

    def do_GET(self) -> None:
        if self.path == "/bundle":
            self.send_response(303)
            self.send_header("Location", "/bundle/7")
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        self.send_response(200)
        self.send_header("Content-Length", str(len(self.server.bundle)))
        self.end_headers()
        self.wfile.write(self.server.bundle)

    def log_message(self, format: str, *args: object) -> None:
        return


@pytest.fixture
def forger() -> Iterator[Forger]:
    with Forger(("127.0.0.1", 0), _Hands) as server:
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        yield server
        server.shutdown()


@pytest.fixture(scope="module")
def honest(demonstration: Demonstration, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    folder = tmp_path_factory.mktemp("honest")
    done = fetch(demonstration, demonstration.courier, "none", folder)
    assert done.exit_code == 0, done.output
    (bundle,) = folder.iterdir()
    return bundle.read_bytes()


@pytest.mark.claim("C4")
@pytest.mark.parametrize(
    "forge",
    [
        pytest.param(lambda honest: honest[:-5000] + b"x" + honest[-4999:], id="an octet"),
        pytest.param(lambda honest: honest.replace(b'"cut":', b'"cuT":'), id="the head"),
        pytest.param(lambda honest: honest[:-1], id="cut short"),
        pytest.param(lambda honest: honest + b"x", id="something added"),
        pytest.param(lambda honest: b"<html>no bundle</html>", id="no bundle"),
    ],
)
def test_tampered_bundle_is_refused_and_nothing_of_it_is_kept(
    demonstration: Demonstration,
    forger: Forger,
    honest: bytes,
    tmp_path: Path,
    forge: Callable[[bytes], bytes],
) -> None:
    forger.bundle = forge(honest)
    done = fetch(demonstration, forger.url, "none", tmp_path)
    assert done.exit_code == 1
    assert done.stderr.startswith("sotto: ")
    assert list(tmp_path.iterdir()) == []


def test_bundle_of_another_relay_is_refused(forger: Forger, honest: bytes, tmp_path: Path) -> None:
    forger.bundle = honest
    with pytest.raises(AuthenticityError):
        fetch_bundle(
            read_way(forger.url, "none"),
            certificate=new_key("another relay").certificate,
            folder=tmp_path,
            now=datetime.now(UTC),
            progress=lambda have, total: None,
        )


def test_dispatch_is_brought_through_socks_and_the_relays_sentence_is_printed(
    demonstration: Demonstration, proxy: Noted, tmp_path: Path
) -> None:
    assert fetch(demonstration, demonstration.courier, "none", tmp_path).exit_code == 0
    (bundle,) = tmp_path.iterdir()
    counselor = Counselor(tmp_path / "desk", key=demonstration.key, relay=demonstration.certificate)
    counselor.imports(bundle)
    dispatch = counselor.exports(tmp_path / "dispatch")
    push = f"courier push {dispatch} --site {ONION} --socks 127.0.0.1:{proxy.port}".split()
    done = CliRunner().invoke(main, push)
    assert (done.exit_code, done.stdout) == (0, "Accepted: dispatch 1 of counselor-1.\n")
    again = CliRunner().invoke(main, push)
    assert again.exit_code == 1
    assert again.stderr.startswith("sotto: Refused. ")


def test_refused_dispatch_shows_the_relays_sentence(
    demonstration: Demonstration, tmp_path: Path
) -> None:
    (tmp_path / "x").write_bytes(b"no dispatch" * 100)
    push = f"courier push {tmp_path}/x --site {demonstration.courier} --socks none".split()
    done = CliRunner().invoke(main, push)
    assert done.exit_code == 1
    assert done.stderr.startswith("sotto: Refused. ")
    assert "Nothing was changed." in done.stderr


@pytest.mark.parametrize(
    ("reply", "words"),
    [(0xF4, "ClientOnionAuthDir"), (0xF5, "ask the operator"), (0xF0, "may be down"), (1, "again")],
    ids=["no key", "a wrong key", "no descriptor", "any failure"],
)
def test_what_tor_says_of_the_site_is_told_in_words(
    proxy: Noted, demonstration: Demonstration, tmp_path: Path, reply: int, words: str
) -> None:
    proxy.reply = reply
    done = fetch(demonstration, ONION, f"127.0.0.1:{proxy.port}", tmp_path)
    assert (done.exit_code, words in done.stderr) == (1, True)


@pytest.mark.parametrize(
    ("site", "socks"),
    [
        pytest.param("http://example.org/", "none", id="elsewhere without Tor"),
        pytest.param("https://127.0.0.1/", "none", id="another scheme"),
        pytest.param("http://example.org/", "127.0.0.1:9050", id="a site outside of Tor"),
        pytest.param(ONION.replace("a", "b", 1), "127.0.0.1:9050", id="a mistyped address"),
        pytest.param(ONION, "9050", id="half a proxy"),
        pytest.param("http://[::1", "none", id="half an address"),
    ],
)
def test_way_that_would_leave_tor_or_lead_nowhere_is_refused(site: str, socks: str) -> None:
    with pytest.raises(OnionError):
        read_way(site, socks)


def test_proxy_that_is_not_there_is_told(demonstration: Demonstration, tmp_path: Path) -> None:
    done = fetch(demonstration, ONION, "127.0.0.1:1", tmp_path)
    assert (done.exit_code, "start Tor" in done.stderr) == (1, True)


def test_command_without_its_options_is_a_mistake_of_usage() -> None:
    assert CliRunner().invoke(main, ["courier", "fetch"]).exit_code == 2
    assert CliRunner().invoke(main, ["courier", "push", "/nowhere"]).exit_code == 2


def test_site_that_is_no_relay_is_told(tmp_path: Path, demonstration: Demonstration) -> None:
    with pytest.raises(StorageError, match="check the address"):
        fetch_bundle(
            read_way(demonstration.desk, "none"),
            certificate=demonstration.certificate.read_bytes(),
            folder=tmp_path,
            now=datetime.now(UTC),
            progress=lambda have, total: None,
        )
