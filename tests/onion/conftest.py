"""One rehearsal network for the session; everything else on it is each test's own."""

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from onion.address import Addresses, create_addresses
from onion.places import Places
from onion.testnet import RehearsalNetwork
from tests.tornet import ODD_FOLDER, rehearsal_network


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """stem 1.8.2 names its threads in the old way; one network serves one worker."""
    for item in items:
        if item.get_closest_marker("tor"):
            item.add_marker(pytest.mark.filterwarnings("ignore:setDaemon:DeprecationWarning"))
            item.add_marker(pytest.mark.xdist_group("tor"))


@pytest.fixture(scope="session")
def network() -> Iterator[RehearsalNetwork]:
    with rehearsal_network() as network:
        yield network


@pytest.fixture
def places() -> Iterator[Places]:
    """A relay's folder: short enough for sockets, with signs that torrc wants quoted."""
    with TemporaryDirectory(prefix=ODD_FOLDER) as folder:
        yield Places(Path(folder))


@pytest.fixture
def addresses(places: Places) -> Addresses:
    return create_addresses(places)
