"""The figure that rehearsals rest on: ten times of ten, a service within half a minute."""

import time
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from onion.client import ClientTor
from onion.places import Places
from onion.process import RelayTor
from onion.testnet import RehearsalNetwork
from tests.tornet import Notices, Site, visit_soon

LIMIT_SECONDS = 30.0


@pytest.mark.tor
@pytest.mark.proof
@pytest.mark.parametrize("attempt", range(1, 11))
def test_service_on_a_fresh_network_is_reached_within_half_a_minute(attempt: int) -> None:
    started = time.monotonic()
    with TemporaryDirectory(prefix="sotto-") as folder, RehearsalNetwork() as network:
        places = Places(Path(folder))
        site = Site(places.reporter_socket, "here")
        with (
            RelayTor(data=places.data, tell=Notices(), extra=network.lines) as relay,
            ClientTor(lines=network.lines) as visitor,
        ):
            address = relay.addresses.reporter
            assert visit_soon(visitor, address) == b"here"
            took = time.monotonic() - started
        site.close()
    print(f"attempt {attempt}: reachable after {took:.1f} s")
    assert took < LIMIT_SECONDS
