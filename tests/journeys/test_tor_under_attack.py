"""The running relay on a real Tor network: its tor killed, flooded, called without a key."""

import http.client
import secrets
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from onion.client import ClientTor
from onion.courier_keys import add_courier, revoke_courier
from onion.places import Places
from onion.testnet import RehearsalNetwork
from tests.journeys.overtor import (
    EVERYBODY,
    Flood,
    OnionRelay,
    OnionWeb,
    median_visit,
    onion_relay,
    onion_reporter,
)
from tests.tornet import KEY_MISSING, KEY_WRONG, VisitError, dial, rehearsal_network

pytestmark = [pytest.mark.slow, pytest.mark.tor]

FILE_BYTES = 12_000_000


@pytest.fixture(scope="module")
def network() -> Iterator[RehearsalNetwork]:
    with rehearsal_network() as network:
        yield network


@pytest.fixture(scope="module")
def relay(network: RehearsalNetwork) -> Iterator[OnionRelay]:
    with onion_relay(network.lines) as relay:
        yield relay


@pytest.fixture(scope="module")
def visitor(network: RehearsalNetwork, relay: OnionRelay) -> Iterator[ClientTor]:
    with ClientTor(lines=network.lines) as visitor:
        yield visitor


def until_none(count: Callable[[], int], within: float = 30.0) -> None:
    deadline = time.monotonic() + within
    while left := count():
        assert time.monotonic() < deadline, left
        time.sleep(0.05)


@pytest.mark.claim("C5")
def test_flood_through_one_circuit_is_cut_while_three_others_send_and_read(
    network: RehearsalNetwork, relay: OnionRelay, visitor: ClientTor
) -> None:
    def report_and_read(word: str) -> tuple[int, int]:
        reporter = onion_reporter(visitor, relay, word)
        reporter.opens_the_form()
        sent = reporter.sends("The till was short.", to=EVERYBODY)
        return sent.status, reporter.opens_the_mailbox().status

    with ClientTor(lines=network.lines) as flooder:
        flood = Flood(flooder, relay.addresses.reporter)
        before = relay.visits()
        flood.arrive()
        flooding = relay.visits() - before
        assert flooding
        with flood:
            flood.wait_for("waited in vain", 1)  # slowed
            with ThreadPoolExecutor(3) as three:
                worked = list(three.map(report_and_read, ("one", "two", "three")))
            flood.wait_for("cut", 1)
            until_none(lambda: len(flooding & relay.visits()))
    assert worked == [(200, 200)] * 3


@pytest.mark.proof
@pytest.mark.claim("C5")
def test_three_reporters_wait_at_most_twice_as_long_during_a_flood_from_one_circuit(
    network: RehearsalNetwork, relay: OnionRelay, visitor: ClientTor
) -> None:
    quiet = median_visit(relay, visitor, "quiet")
    with ClientTor(lines=network.lines) as flooder:
        flood = Flood(flooder, relay.addresses.reporter)
        flood.arrive()
        with flood:
            flood.wait_for("waited in vain", 1)
            flooded = median_visit(relay, visitor, "flooded")
    print(f"{quiet=} {flooded=} {flood.met=}")
    assert flooded.whole <= 2 * quiet.whole


@pytest.mark.claim("C3")
def test_upload_during_which_tor_is_killed_leaves_nothing_and_succeeds_when_repeated(
    relay: OnionRelay, visitor: ClientTor, tmp_path: Path
) -> None:
    file = tmp_path / "recording.bin"
    file.write_bytes(secrets.token_bytes(FILE_BYTES))
    address = relay.addresses.reporter
    reporter = onion_reporter(visitor, relay)
    reporter.opens_the_form()
    before, published = relay.envelopes(), relay.published(address)
    with ThreadPoolExecutor(1) as browser:
        upload = browser.submit(
            reporter.sends, "Broken off.", to=EVERYBODY, files=[("recording.bin", file)]
        )
        deadline = time.monotonic() + 30
        while not relay.unfinished_chunks():
            assert time.monotonic() < deadline
            time.sleep(0.02)
        relay.kill_tor()
        with pytest.raises((OSError, http.client.HTTPException)):  # no page says «sent»
            upload.result(60)
    until_none(relay.unfinished_chunks)
    assert relay.envelopes() == before

    relay.wait_published_again(address, published)
    again = onion_reporter(visitor, relay)
    assert again.opens_the_mailbox(" ".join(reporter.paper)).status == 404
    sent = reporter.sends("Whole.", to=EVERYBODY, files=[("recording.bin", file)])
    assert sent.status == 200
    assert relay.envelopes() == before + 1
    assert relay.unfinished_chunks() == 0
    assert reporter.opens_the_mailbox().status == 200


def refusal(client: ClientTor, relay: OnionRelay) -> int:
    with pytest.raises(VisitError) as refused:
        dial(client.socks_port, relay.addresses.courier)
    return refused.value.code


@pytest.mark.claim("C4")
def test_courier_site_of_the_running_relay_opens_only_with_a_key_of_its_own(
    network: RehearsalNetwork, relay: OnionRelay, visitor: ClientTor
) -> None:
    assert refusal(visitor, relay) == KEY_MISSING
    with TemporaryDirectory(prefix="sotto-") as folder:
        elsewhere = Places(Path(folder))
        elsewhere.prepare()
        wrong = add_courier(elsewhere.courier, "demo", relay.addresses.courier)
    with ClientTor(lines=network.lines, courier_line=wrong.line) as stranger:
        assert refusal(stranger, relay) == KEY_WRONG


@pytest.mark.claim("C4")
def test_courier_whose_key_is_revoked_is_shut_out_and_the_other_still_takes_bundles(
    network: RehearsalNetwork, relay: OnionRelay
) -> None:
    address = relay.addresses.courier
    with (
        ClientTor(lines=network.lines, courier_line=relay.first_courier) as first,
        ClientTor(lines=network.lines, courier_line=relay.second_courier) as second,
    ):
        for courier in (first, second):
            site = OnionWeb(courier, address)
            site.arrive()
            assert site.get("/").status == 200
        published = relay.published(address)
        revoke_courier(relay.places.courier, "second")
        relay.wait_published_again(address, published)
        second.new_identity()
        assert refusal(second, relay) == KEY_WRONG
        site = OnionWeb(first, address)
        site.arrive()
        assert site.get("/bundle").status == 200
