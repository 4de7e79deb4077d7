"""Protections that nothing else would miss if somebody took them away."""

import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pytest
from office import Office, Visitor

from relay.gate import Gate, Purpose
from relay.store import Store


@pytest.mark.parametrize(
    ("name", "value"),
    [
        pytest.param("synchronous", 2, marks=pytest.mark.claim("C3")),  # FULL: a flush per commit
        pytest.param("journal_mode", "wal", marks=pytest.mark.claim("C3")),
        pytest.param("secure_delete", 1, marks=pytest.mark.claim("C2")),
    ],
)
def test_every_connection_flushes_what_is_confirmed_and_overwrites_what_goes(
    sqlite_store: Store, name: str, value: object
) -> None:
    held = threading.Barrier(4)
    found: list[object] = []

    def asks() -> None:
        with sqlite_store._reading() as connection:
            held.wait(10)  # each has a connection of its own
            found.append(connection.exec_driver_sql(f"PRAGMA {name}").scalar_one())

    threads = [threading.Thread(target=asks) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert found == [value] * 4


@contextmanager
def taken(gate: Gate) -> Iterator[None]:
    """Hold every slot of the gate, as derivations that run do."""
    with ExitStack() as held:
        for number in range(gate._slots):
            held.enter_context(gate.admit(Purpose.SENDING, circuit=str(number)))
        yield


@pytest.mark.claim("C5")
def test_no_derivation_runs_beside_the_gate(
    office: Office, visitor: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    visitor.opens_the_form()
    monkeypatch.setattr(office.parts.gate, "_patience_seconds", 0.05)
    with taken(office.parts.gate):
        assert visitor.sends("kept", to=["counselor-1"]).status_code == 413
        assert visitor.opens_the_mailbox().status_code == 503
    assert office.held() == {}
    assert visitor.sends("kept", to=["counselor-1"]).status_code == 200
