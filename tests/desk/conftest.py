"""One counselor, one relay and one unlocked desk; keys are made once, because that is slow."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from relayside import Counselor, FakeRelay, make_desk

from desk.vault import Vault
from protocol.derivation import ReporterKeys, generate_throwaway_keys


@pytest.fixture(scope="session")
def anna() -> Counselor:
    return Counselor.make("anna")


@pytest.fixture(scope="session")
def berta() -> Counselor:
    return Counselor.make("berta")


@pytest.fixture(scope="session")
def relay_key() -> FakeRelay:
    return FakeRelay([])


@pytest.fixture
def relay(anna: Counselor, berta: Counselor, relay_key: FakeRelay) -> FakeRelay:
    """Give a relay with two recipients and no memory of other tests."""
    fresh = FakeRelay.__new__(FakeRelay)
    fresh.counselors = [anna, berta]
    fresh.secret_key = relay_key.secret_key
    fresh.serials = {}
    return fresh


@pytest.fixture
def reporter() -> ReporterKeys:
    return generate_throwaway_keys()


@pytest.fixture
def desk(tmp_path: Path, anna: Counselor, relay: FakeRelay) -> Iterator[Vault]:
    with make_desk(tmp_path, anna, relay) as vault:
        yield vault
