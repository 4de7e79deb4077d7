"""A relay in this process, for those who attack it; the helpers live with the relay's tests."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from protocol import derivation
from protocol.derivation import Argon2Cost

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "relay"))
from office import Office, Visitor, make_office


@pytest.fixture
def cheap_argon2_never_in_production(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the derivation of receipts cheap, so that a test can do it often."""
    monkeypatch.setattr(derivation, "ARGON2", Argon2Cost(time=1, memory_kib=8, lanes=1))


@pytest.fixture
def office(tmp_path: Path, cheap_argon2_never_in_production: None) -> Iterator[Office]:
    opened = make_office(tmp_path / "data")
    yield opened
    opened.parts.deployment.close()


@pytest.fixture
def visitor(office: Office) -> Visitor:
    return Visitor(office.visitor())
