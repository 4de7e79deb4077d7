"""Counselors of the shipped policies, each with a desk; keys are made once."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from relayside import Counselor, FakeRelay, make_desk
from twodesks import Desk, Office, open_desk

from protocol.derivation import ReporterKeys, generate_throwaway_keys


@pytest.fixture(scope="session")
def people() -> dict[str, Counselor]:
    return {name: Counselor.make(name) for name in ("counselor-1", "counselor-2", "head")}


@pytest.fixture(scope="session")
def empty_desks(
    tmp_path_factory: pytest.TempPathFactory,
    people: dict[str, Counselor],
    relay_key: FakeRelay,
) -> dict[str, Path]:
    """Make one desk for each to copy: deriving a key from a passphrase takes its time."""
    folders = {}
    for name, counselor in people.items():
        folder = tmp_path_factory.mktemp(name)
        make_desk(folder, counselor, relay_key).close()
        folders[name] = folder / "desk"
    return folders


@pytest.fixture
def office(people: dict[str, Counselor], relay_key: FakeRelay, tmp_path: Path) -> Office:
    relay = FakeRelay.__new__(FakeRelay)
    relay.counselors = list(people.values())
    relay.secret_key = relay_key.secret_key
    relay.serials = {}
    (tmp_path / "stick").mkdir()
    return Office(relay, tmp_path / "stick")


@pytest.fixture
def first(
    office: Office, people: dict[str, Counselor], empty_desks: dict[str, Path], tmp_path: Path
) -> Iterator[Desk]:
    """Give the desk of counselor-1."""
    desk = open_desk(empty_desks["counselor-1"], tmp_path / "first", people["counselor-1"], office)
    with desk.vault:
        yield desk


@pytest.fixture
def second(
    office: Office, people: dict[str, Counselor], empty_desks: dict[str, Path], tmp_path: Path
) -> Iterator[Desk]:
    """Give the desk of counselor-2."""
    desk = open_desk(empty_desks["counselor-2"], tmp_path / "second", people["counselor-2"], office)
    with desk.vault:
        yield desk


@pytest.fixture
def reporter() -> ReporterKeys:
    return generate_throwaway_keys()


@pytest.fixture
def both(first: Desk, second: Desk) -> tuple[Desk, Desk]:
    """Give both desks once each knows the other by voice; call `imports` first for cases."""
    for desk in (first, second):
        desk.imports()
        desk.confirms_everybody()
    return first, second
