"""One counselor, one relay and one unlocked desk; keys are made once, because that is slow."""

import functools
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from relayside import Counselor, FakeRelay, make_desk

from desk.unlocking import open_with
from desk.vault import Vault
from keys.secretkey import read_secret_key
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


@pytest.fixture(scope="session")
def empty_desk(
    tmp_path_factory: pytest.TempPathFactory, anna: Counselor, relay_key: FakeRelay
) -> Path:
    """Make one desk to copy: deriving a key from a passphrase takes a third of a second."""
    folder = tmp_path_factory.mktemp("empty")
    make_desk(folder, anna, relay_key).close()
    return folder / "desk"


@pytest.fixture
def desk(tmp_path: Path, empty_desk: Path, anna: Counselor) -> Iterator[Vault]:
    shutil.copytree(empty_desk, tmp_path / "desk")
    with open_with(tmp_path / "desk", anna.secret_key) as vault:
        yield vault


@pytest.fixture
def passphrases_derived_once_to_save_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Remember what the real function returned for the same key and passphrase."""
    monkeypatch.setattr("desk.unlocking.read_secret_key", functools.cache(read_secret_key))


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    return tmp_path / "bundle.zip"


@pytest.fixture
def dispatch(tmp_path: Path) -> Path:
    return tmp_path / "dispatch"
