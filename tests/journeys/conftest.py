"""One demonstration for all journeys of a module: each uses receipts of its own."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.journeys.demonstration import Demonstration, run_demonstration
from tests.journeys.people import Counselor, Courier, Reporter


@pytest.fixture(scope="module")
def demonstration(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demonstration]:
    folder = tmp_path_factory.mktemp("demo")
    with run_demonstration(folder / "data") as running:
        yield running


@pytest.fixture
def reporter(demonstration: Demonstration) -> Reporter:
    return Reporter(demonstration.reporter)


@pytest.fixture
def courier(demonstration: Demonstration) -> Courier:
    return Courier(demonstration.courier)


@pytest.fixture
def counselor(demonstration: Demonstration, tmp_path: Path) -> Counselor:
    return Counselor(tmp_path / "desk", key=demonstration.key, relay=demonstration.certificate)
