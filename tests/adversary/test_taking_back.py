"""A report is taken back: who was left out learns nothing of it, and no cut is broken by it."""

import threading
from collections.abc import Callable
from datetime import timedelta
from io import BytesIO

import pytest
from office import NAMES, Office, Visitor

from protocol.bundle import read_bundle_head
from protocol.report import Kind
from relay import cut as cutting
from relay.cut import cut_if_due
from relay.rows import Cut


def takes_back(office: Office, size_bytes: int) -> None:
    """Send a report to one person, with a file or without, and take it back."""
    visitor = Visitor(office.visitor())
    visitor.opens_the_form()
    files = [("attachments", (BytesIO(b"x" * size_bytes), "f"))] if size_bytes else []
    fields = [*visitor.form.items(), ("text", "words"), ("recipients", "counselor-1"), *files]
    data = dict(fields)
    kind = "multipart/form-data"
    assert visitor.client.post("/en/report", data=data, content_type=kind).status_code == 200
    assert visitor.acts("close", closing="withdraw").status_code == 200


@pytest.mark.claim("C2")
@pytest.mark.parametrize("size_bytes", [0, 0, 0, 0, 5_000, 60_000, 400_000])
def test_cover_in_place_of_a_report_opens_for_nobody_who_was_left_out(
    office: Office, size_bytes: int
) -> None:
    takes_back(office, size_bytes)
    (found,) = office.readable(office.people["counselor-1"]).values()
    assert found.report.kind is Kind.COVER
    assert bool(found.attachments) == (size_bytes > 200_000), "as far as it can, like any cover"
    for name in NAMES[1:]:
        assert office.readable(office.people[name]) == {}


@pytest.mark.claim("C5")
def test_a_report_is_taken_back_once_and_not_rewritten_as_often_as_somebody_asks(
    office: Office, visitor: Visitor
) -> None:
    visitor.opens_the_form()
    visitor.sends("words", to=["counselor-1"])
    assert visitor.acts("close", closing="withdraw").status_code == 200
    before = office.held()
    assert visitor.acts("close", closing="withdraw").status_code == 413
    assert office.held() == before


@pytest.mark.claim("C2")
def test_what_a_fuller_bundle_had_to_leave_out_is_not_taken_back_for_an_earlier_one_carried_it(
    office: Office, visitor: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    visitor.opens_the_form()
    visitor.sends("x" * 30_000, to=["counselor-1"])
    office.courier().get("/")  # a demonstration cuts when somebody looks
    smaller = Visitor(office.visitor())
    smaller.opens_the_form()
    smaller.sends("words", to=["counselor-1"])
    room = cutting.BUNDLE_HEAD_BYTES + cutting.CERTIFICATES_BYTES + 50_000
    monkeypatch.setattr(cutting, "ARCHIVE_BYTES", room)
    office.courier().get("/")
    (held,) = (office.parts.store.current_cut() or pytest.fail("no cut")).envelopes
    assert held.size_bytes == 16_384
    assert "Take back my report" not in visitor.opens_the_mailbox().text
    assert visitor.acts("close", closing="withdraw").status_code == 413


@pytest.mark.claim("C2")
def test_what_came_before_the_day_of_the_last_bundle_is_not_taken_back_whatever_that_one_carries(
    office: Office, visitor: Visitor
) -> None:
    visitor.opens_the_form()
    visitor.sends("words", to=["counselor-1"])
    office.courier().get("/")
    office.clock[0] += timedelta(days=1)
    office.parts.store.skip_cuts(1, day=office.parts.today())
    assert (office.parts.store.current_cut() or pytest.fail("no cut")).envelopes == ()
    assert "Take back my report" not in visitor.opens_the_mailbox().text
    assert visitor.acts("close", closing="withdraw").status_code == 413


@pytest.mark.claim("C3")
def test_a_cut_never_names_what_is_taken_back_while_it_is_made_up(
    office: Office, visitor: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    visitor.opens_the_form()
    visitor.sends("words", to=["counselor-1"])
    relay = office.parts.deployment
    answers: list[int] = []

    def withdraws() -> None:
        answers.append(visitor.acts("close", closing="withdraw").status_code)

    thread = threading.Thread(target=withdraws)
    save: Callable[[Cut], None] = relay.store.save_cut

    def save_late(cut: Cut) -> None:
        thread.start()
        thread.join(1)
        save(cut)

    monkeypatch.setattr(relay.store, "save_cut", save_late)
    clock = office.parts.clock()
    cut_if_due(relay.store, relay.settings, relay.relay_key, clock, folder=relay.data)
    thread.join(10)
    cut = relay.store.current_cut()
    assert cut is not None
    listed = {one.id: one.sha256 for one in read_bundle_head(cut.head).envelopes}
    assert listed == {held.id: held.sha256 for held in cut.envelopes}
    assert answers == [413]
