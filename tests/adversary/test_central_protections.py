"""Protections that nothing else would miss if somebody took them away."""

import logging
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import timedelta
from io import BytesIO, StringIO
from types import SimpleNamespace

import pytest
from office import Office, Visitor

from relay.budget import HOUSEKEEPING_BYTES, NoRoomError
from relay.cover import make_cover
from relay.gate import Gate, Purpose
from relay.rows import month_of
from relay.scrub import ScrubbingFormatter
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


@pytest.mark.claim("C1")
def test_a_page_that_breaks_leaves_no_word_of_its_address_in_the_log(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    def breaks(form_id: str) -> None:
        raise RuntimeError(form_id)

    monkeypatch.setattr(office.parts.progress, "look", breaks)
    log = StringIO()
    handler = logging.StreamHandler(log)
    handler.setFormatter(ScrubbingFormatter())
    monkeypatch.setattr(logging.root, "handlers", [handler])
    assert office.visitor().get("/en/progress/nachtigall-4711").status_code == 500
    assert "RuntimeError" in log.getvalue()
    assert "nachtigall" not in log.getvalue()


@pytest.mark.claim("C5")
@pytest.mark.parametrize("limit", ["_daily_bytes", "_text_reserve_bytes"])
def test_files_beyond_their_budget_are_refused_and_words_are_not(
    office: Office, visitor: Visitor, monkeypatch: pytest.MonkeyPatch, limit: str
) -> None:
    value = 10_000 if limit == "_daily_bytes" else 2**62  # more than any disk has free
    monkeypatch.setattr(office.parts.budget, limit, value)
    visitor.opens_the_form()
    fields = visitor.form | {"text": "kept", "recipients": "counselor-1"}
    files = {"attachments": (BytesIO(b"x" * 20_000), "f")}
    refused = visitor.client.post(
        "/en/report", data=fields | files, content_type="multipart/form-data"
    )
    assert (refused.status_code, "kept" in refused.text) == (413, True)
    assert office.held() == {}
    assert visitor.sends("words alone", to=["counselor-1"]).status_code == 200


@pytest.mark.claim("C3")
@pytest.mark.parametrize(("free_mib", "status"), [(255, 503), (257, 200)])
def test_words_are_refused_before_nothing_could_be_deleted_any_more(
    office: Office, visitor: Visitor, monkeypatch: pytest.MonkeyPatch, free_mib: int, status: int
) -> None:
    visitor.opens_the_form()
    left = SimpleNamespace(total=2**40, used=0, free=free_mib * 1024**2)
    monkeypatch.setattr("relay.budget.shutil.disk_usage", lambda folder: left)
    sent = visitor.sends("kept", to=["counselor-1"])
    assert (sent.status_code, len(office.held())) == (status, status == 200)
    assert status == 200 or "kept" in sent.text


@pytest.mark.claim("C5")
def test_a_report_is_not_taken_back_where_its_cover_would_fill_the_disk(
    office: Office, visitor: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    visitor.opens_the_form()
    visitor.sends("words", to=["counselor-1"])
    before = office.held()
    (sealed,) = before.values()
    left = SimpleNamespace(total=2**40, used=0, free=HOUSEKEEPING_BYTES + len(sealed) - 1)
    monkeypatch.setattr("relay.budget.shutil.disk_usage", lambda folder: left)
    assert visitor.acts("close", closing="withdraw").status_code == 503
    assert office.held() == before


@pytest.mark.claim("C5")
def test_the_budget_of_files_begins_anew_with_the_day(office: Office) -> None:
    budget = office.parts.budget
    budget._daily_bytes = 100
    assert b"".join(budget.spend(iter([b"x" * 100]))) == b"x" * 100
    with pytest.raises(NoRoomError):
        list(budget.spend(iter([b"x"])))
    office.clock[0] += timedelta(days=1)
    assert list(budget.spend(iter([b"x"]))) == [b"x"]


@pytest.mark.claim("C2")
def test_rows_of_one_month_have_one_expiry_whatever_they_are_and_on_whichever_day_they_came(
    office: Office, visitor: Visitor
) -> None:
    visitor.opens_the_form()
    visitor.sends("first", to=["counselor-1"])
    office.clock[0] = office.clock[0].replace(day=29)
    visitor.acts("message", text="second", recipients="counselor-1")
    parts = office.parts
    make_cover(
        parts.store,
        replace(parts.settings, cover_mean=40.0),
        relay=parts.deployment.relay_id,
        recipients=parts.roster.valid(parts.clock()),
        policy=("generic", "1"),
        today=parts.today(),
    )
    expiries = [held.expiry for held in parts.store.envelopes_to_carry(leaving=0)]
    assert len(expiries) > 10
    assert set(expiries) == {month_of(parts.today()) + parts.settings.expiry_months}


@pytest.mark.claim("C2")
def test_memos_of_a_report_and_of_what_follows_it_look_alike(
    office: Office, visitor: Visitor
) -> None:
    visitor.opens_the_form()
    visitor.sends("first", to=["counselor-1"])
    for text in ("second", "third"):
        assert visitor.acts("message", text=text, recipients="counselor-1").status_code == 200
    memos = {office.parts.store.read_memo(one) or b"" for one in office.held()}
    assert [len(memo) for memo in memos] == [1024] * 3
    # Of 1,024 random octets 251 values occur, with a standard deviation of 2.
    assert all(len(set(memo)) > 230 for memo in memos)
