"""One counselor, one relay and one unlocked desk; keys are made once, because that is slow."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from relayside import NOW, PASSPHRASE, Counselor, FakeRelay

from desk.desk import create_desk
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


def make_desk(folder: Path, counselor: Counselor, relay: FakeRelay) -> Vault:
    """Make a desk from two files, as init does."""
    key, certificate = folder / "key.secret.asc", folder / "relay.asc"
    key.write_bytes(counselor.armored)
    certificate.write_bytes(relay.secret_key.certificate)
    return create_desk(
        folder / "desk", key_path=key, relay_path=certificate, passphrase=PASSPHRASE, now=NOW
    )


@pytest.fixture
def desk(tmp_path: Path, anna: Counselor, relay: FakeRelay) -> Iterator[Vault]:
    with make_desk(tmp_path, anna, relay) as vault:
        yield vault
