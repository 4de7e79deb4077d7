"""Shared by all tests: real stores, no skipping in CI, no deadline for a property."""

import os
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import psycopg
import pytest
import werkzeug.test
from hypothesis import settings
from postgres import find_programs, running_postgres

from relay.store import Store, open_store

IN_CI = os.environ.get("CI") == "true"

# A property holds or does not; how long an example takes depends on what else the machine does.
# CI tries the same examples each time and judges the change alone; everywhere else new ones.
settings.register_profile("sotto", deadline=None, derandomize=IN_CI)
settings.load_profile("sotto")

# Whole desks, relays and broken disks: real, and so too long for the inner loop.
SLOW = (
    *("adversary", "desk/casework", "desk/screens", "faults", "journeys", "sotto"),
    *("desk/test_desk_succession.py", "desk/test_desk_key_commands.py"),
    *("desk/test_desk_commands.py", "desk/test_desk_backup.py", "keys/test_certificate_policy.py"),
    *("relay/test_worker.py", "relay/test_server.py", "relay/test_maintenance.py"),
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave some folders and modules to `make test`."""
    here = Path(__file__).parent
    for item in items:
        if any(item.path.is_relative_to(here / place) for place in SLOW):
            item.add_marker(pytest.mark.slow)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport() -> Iterator[None]:
    """Let a test fail that is skipped where CI=true: a missing tool is no success there."""
    outcome = yield
    report = outcome.get_result()  # type: ignore[attr-defined]
    if report.skipped and IN_CI:
        report.outcome = "failed"
        report.longrepr = f"skipped, which CI does not allow: {report.longrepr}"


@pytest.fixture(autouse=True)
def boundary_that_a_browser_would_send(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep werkzeug's client to RFC 2046: one in a hundred boundaries it draws has 71 octets."""
    encode = partial(werkzeug.test.stream_encode_multipart, boundary="----SottoTestBoundary4711")
    monkeypatch.setattr(werkzeug.test, "stream_encode_multipart", encode)


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """The address of a cluster; `{name}` stands for the database."""
    if find_programs() is None:
        pytest.skip("PostgreSQL is not installed")
    with running_postgres() as address:
        yield address


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'relay.sqlite'}"


@pytest.fixture
def sqlite_store(sqlite_url: str) -> Iterator[Store]:
    store = open_store(sqlite_url)
    yield store
    store.close()


@pytest.fixture
def postgres_url(postgres: str, request: pytest.FixtureRequest) -> str:
    name = f"t{abs(hash(request.node.nodeid)):x}"
    address = postgres.format(name="postgres").replace("+psycopg", "")
    with psycopg.connect(address, autocommit=True) as server:
        server.execute(f"DROP DATABASE IF EXISTS {name}".encode())
        server.execute(f"CREATE DATABASE {name}".encode())
    return postgres.format(name=name)


@pytest.fixture
def postgres_store(postgres_url: str) -> Iterator[Store]:
    store = open_store(postgres_url)
    yield store
    store.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def store(request: pytest.FixtureRequest) -> Store:
    """The same questions to both databases."""
    fixture = "sqlite_store" if request.param == "sqlite" else "postgres_store"
    found: Store = request.getfixturevalue(fixture)
    return found
