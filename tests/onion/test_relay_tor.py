"""The relay's tor on the rehearsal network: reached, guarded, cut, killed, brought back."""

import os
import signal
import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from onion import process
from onion.address import Addresses, create_addresses
from onion.client import ClientTor
from onion.control import CircuitCloser, Control
from onion.courier_keys import CourierKey, add_courier, revoke_courier, verify_courier_keys
from onion.notices import News, Notice
from onion.places import Places
from onion.process import RelayTor
from onion.status import read_health
from onion.testnet import RehearsalNetwork
from tests.tornet import (
    KEY_MISSING,
    KEY_WRONG,
    ODD_FOLDER,
    Notices,
    Site,
    VisitError,
    dial_soon,
    visit,
    visit_anew,
    visit_soon,
)

pytestmark = pytest.mark.tor


@dataclass
class Stage:
    """A relay on the network with one courier, anna, and a visitor who has no key."""

    places: Places
    addresses: Addresses
    relay: RelayTor
    notices: Notices
    reporter_site: Site
    courier_site: Site
    visitor: ClientTor
    anna: ClientTor
    lines: tuple[str, ...]


@pytest.fixture(scope="module")
def stage(network: RehearsalNetwork) -> Iterator[Stage]:
    with TemporaryDirectory(prefix=ODD_FOLDER) as folder:
        places = Places(Path(folder))
        addresses = create_addresses(places)
        secret = add_courier(places.courier, "anna", addresses.courier)
        reporter_site = Site(places.reporter_socket, "the reporters' site")
        courier_site = Site(places.courier_socket, "the couriers' site")
        notices = Notices()
        relay = RelayTor(data=places.data, tell=notices, extra=network.lines)
        visitor = ClientTor(lines=network.lines)
        anna = ClientTor(lines=network.lines, courier_line=secret.line)
        with relay, visitor, anna:
            relay.wait_published(30)
            relay.wait_published(30, courier=True)
            yield Stage(
                places=places,
                addresses=addresses,
                relay=relay,
                notices=notices,
                reporter_site=reporter_site,
                courier_site=courier_site,
                visitor=visitor,
                anna=anna,
                lines=network.lines,
            )
        reporter_site.close()
        courier_site.close()


def circuit_of(proxy_line: str) -> int:
    """Read the circuit from `PROXY TCP6 fc00:dead:beef:4dad::<high>:<low> ::1 …`."""
    packed = socket.inet_pton(socket.AF_INET6, proxy_line.split()[2])
    return int.from_bytes(packed[12:])


def refusal(client: ClientTor, address: str) -> int:
    with pytest.raises(VisitError) as refused:
        visit(client.socks_port, address)
    return refused.value.code


def stays_outside(stage: Stage, client: ClientTor) -> None:
    """Nothing of this visit reaches the couriers' site.

    A tor that knows an outdated descriptor may try for minutes: silence is a refusal too.
    """
    stage.courier_site.proxy_lines.clear()
    with pytest.raises((VisitError, TimeoutError)):
        visit(client.socks_port, stage.addresses.courier, timeout=5)
    assert stage.courier_site.proxy_lines == []


def test_reporter_site_is_reached_by_anybody_with_a_tor(stage: Stage) -> None:
    assert visit_soon(stage.visitor, stage.addresses.reporter) == b"the reporters' site"


@pytest.mark.claim("C4")
def test_courier_site_opens_for_a_courier_with_a_key(stage: Stage) -> None:
    assert visit_soon(stage.anna, stage.addresses.courier) == b"the couriers' site"


@pytest.mark.claim("C4")
def test_courier_site_stays_shut_without_a_key(stage: Stage) -> None:
    stage.visitor.new_identity()
    assert refusal(stage.visitor, stage.addresses.courier) == KEY_MISSING


@pytest.mark.claim("C4")
def test_courier_site_stays_shut_with_a_wrong_key(stage: Stage, places: Places) -> None:
    places.prepare()
    wrong = add_courier(places.courier, "anna", stage.addresses.courier)
    with ClientTor(lines=stage.lines, courier_line=wrong.line) as client:
        assert refusal(client, stage.addresses.courier) == KEY_WRONG


def test_each_visit_brings_the_number_of_its_circuit_and_no_address(stage: Stage) -> None:
    address = stage.addresses.reporter
    stage.reporter_site.proxy_lines.clear()
    for word in ("one", "one", "two"):
        visit_soon(stage.visitor, address, isolate=word)
    first, again, other = map(circuit_of, stage.reporter_site.proxy_lines)
    assert first == again != other
    for line in stage.reporter_site.proxy_lines:
        assert line.startswith("PROXY TCP6 fc00:dead:beef:4dad::")
        assert line.split()[3] == "::1"


@pytest.mark.parametrize("closer", ["supervisor", "web side"])
def test_circuit_closed_by_its_number_ends_its_visit_at_once(stage: Stage, closer: str) -> None:
    stage.reporter_site.proxy_lines.clear()
    address = stage.addresses.reporter
    with dial_soon(stage.visitor, address, isolate=closer) as held:
        held.sendall(b"GET /hang HTTP/1.1\r\n\r\n")
        while not stage.reporter_site.proxy_lines:
            time.sleep(0.05)
        circuit = circuit_of(stage.reporter_site.proxy_lines[0])
        web_side = CircuitCloser(stage.places.control)
        close = stage.relay.close_circuit if closer == "supervisor" else web_side.close_circuit
        close(circuit)
        held.settimeout(5)
        assert held.recv(1) == b""
        close(circuit)  # gone already: no error
        web_side.close()
    assert visit_soon(stage.visitor, address) == b"the reporters' site"


def test_proof_of_work_is_on_and_announced(stage: Stage) -> None:
    with Control(stage.places.control) as control:
        assert control.service_defended()
        layer = control.service_layer(stage.addresses.reporter)
    assert layer is not None
    assert "pow-params v1" in layer


@pytest.mark.claim("C4")
def test_descriptor_of_the_courier_site_opens_to_nobody_without_a_key(stage: Stage) -> None:
    with Control(stage.places.control) as control:
        assert control.service_layer(stage.addresses.reporter) is not None
        assert control.service_layer(stage.addresses.courier) is None


def test_tor_of_the_relay_listens_on_no_tcp_port(stage: Stage) -> None:
    held = {
        path.readlink().name.removeprefix("socket:[").rstrip("]")
        for path in Path(f"/proc/{stage.relay.pid}/fd").iterdir()
        if "socket:" in str(path.readlink())
    }
    rows = [
        row.split()
        for table in ("tcp", "tcp6")
        for row in Path(f"/proc/net/{table}").read_text().splitlines()[1:]
    ]
    listening = {row[9] for row in rows if row[3] == "0A"}
    assert listening, "the network's own nodes listen: the table is read rightly"
    assert held
    assert not held & listening


def test_tor_of_the_relay_writes_no_log_to_the_disk(stage: Stage) -> None:
    files = [path for path in stage.places.data.rglob("*") if path.is_file()]
    assert files
    assert not any(b"[notice]" in path.read_bytes() for path in files)


def test_status_of_a_relay_that_serves_is_well_in_every_line(stage: Stage) -> None:
    health = read_health(stage.places)
    assert [check.sentence for check in health if not check.is_well] == []
    assert {"tor running", "bootstrap", "site for reporters", "site for couriers"} <= {
        check.subject for check in health
    }


@pytest.mark.claim("C4")
def test_courier_revoked_stays_outside_while_others_get_in(stage: Stage) -> None:
    address = stage.addresses.courier
    published = stage.notices.published(address)
    secret = add_courier(stage.places.courier, "berta", address)
    stage.notices.wait(lambda all_: stage.notices.published(address) > published)
    with ClientTor(lines=stage.lines, courier_line=secret.line) as berta:
        assert visit_soon(berta, address) == b"the couriers' site"
        published = stage.notices.published(address)
        revoke_courier(stage.places.courier, "berta")
        stage.notices.wait(lambda all_: stage.notices.published(address) > published)
        stays_outside(stage, berta)  # with the descriptor that she still knows
        berta.new_identity()
        assert refusal(berta, address) == KEY_WRONG
        assert visit_soon(stage.anna, address) == b"the couriers' site"


def serves_reporters_only(places: Places) -> bool:
    with Control(places.control) as control:
        return control.option("HiddenServiceDir") == (str(places.reporter),)


@pytest.mark.claim("C4")
def test_courier_site_closes_while_a_key_file_is_damaged_and_opens_when_it_is_gone(
    stage: Stage,
) -> None:
    damaged = stage.places.courier / "authorized_clients" / "berta.auth"
    reporter, courier = stage.addresses.reporter, stage.addresses.courier
    before = stage.notices.published(reporter)
    damaged.touch(mode=0o600)
    damaged.write_text("descriptor:x25519:tampered")
    stage.notices.wait(lambda all_: stage.notices.published(reporter) > before)
    assert "berta is damaged" in stage.notices.sentences()
    assert serves_reporters_only(stage.places)
    stays_outside(stage, stage.visitor)
    stays_outside(stage, stage.anna)
    before = stage.notices.published(courier)
    damaged.unlink()
    stage.notices.wait(lambda all_: stage.notices.published(courier) > before)
    stage.visitor.new_identity()
    assert refusal(stage.visitor, courier) == KEY_MISSING


def test_tor_that_somebody_reloads_is_started_anew_and_reached(stage: Stage) -> None:
    """Reloaded with proof of work on, tor 0.4.9.11 answers nobody any more, or crashes."""
    reporter = stage.addresses.reporter
    published, reloaded = stage.notices.published(reporter), stage.relay.pid
    assert reloaded is not None
    os.kill(reloaded, signal.SIGHUP)
    stage.notices.wait(lambda all_: stage.notices.published(reporter) > published)
    assert stage.relay.pid != reloaded
    assert visit_anew(stage.lines, reporter) == b"the reporters' site"


@pytest.mark.claim("C4")
def test_courier_site_that_tor_opens_to_everybody_is_found_and_closed(
    network: RehearsalNetwork,
    places: Places,
    addresses: Addresses,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Tor's own failing open, with our judgement of the files switched off."""
    folder = places.courier / "authorized_clients"
    folder.mkdir(mode=0o700)
    (folder / "berta.auth").write_text("descriptor:x25519:tampered")

    def blind(service: Path) -> tuple[CourierKey, ...]:
        if service == places.courier:
            return (CourierKey(name="berta", public_key=b""),)
        return verify_courier_keys(service)

    monkeypatch.setattr(process, "verify_courier_keys", blind)
    notices = Notices()

    def closed(all_: list[Notice]) -> bool:
        return any("opened it to everybody" in notice.sentence for notice in all_)

    with RelayTor(data=places.data, tell=notices, extra=network.lines) as relay:
        notices.wait(closed)
        relay.wait_published(30)
        assert serves_reporters_only(places)
    told = [notice.address for notice in notices.all if notice.news == News.PUBLISHED]
    assert addresses.courier not in told


@pytest.mark.claim("C3")
def test_tor_killed_during_an_upload_comes_back_under_the_same_address(stage: Stage) -> None:
    address = stage.addresses.reporter
    visit_soon(stage.visitor, address)
    restarted = stage.notices.count(News.RESTARTING)
    reporter, courier = address, stage.addresses.courier
    before = stage.notices.published(reporter), stage.notices.published(courier)
    stage.reporter_site.holding.clear()
    stage.reporter_site.dropped.clear()
    killed = stage.relay.pid
    assert killed is not None
    with dial_soon(stage.visitor, address, isolate="broken upload") as upload:
        upload.sendall(b"POST /hang HTTP/1.1\r\n\r\n")
        assert stage.reporter_site.holding.wait(10)
        os.kill(killed, signal.SIGKILL)
        stage.notices.wait(lambda all_: stage.notices.count(News.RESTARTING) > restarted)
        assert stage.reporter_site.dropped.wait(30)
    stage.notices.wait(lambda all_: stage.notices.published(reporter) > before[0])
    stage.notices.wait(lambda all_: stage.notices.published(courier) > before[1])
    assert stage.relay.pid != killed
    assert visit_anew(stage.lines, address) == b"the reporters' site"
    stage.visitor.new_identity()
    assert refusal(stage.visitor, stage.addresses.courier) == KEY_MISSING
