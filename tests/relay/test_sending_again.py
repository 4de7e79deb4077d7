"""Sending twice, at once or one after the other, loses nothing and confirms only what is stored."""

import threading
from collections.abc import Iterator

import pytest
from office import Office, Visitor

from protocol.derivation import generate_throwaway_keys
from protocol.memo import Memo
from protocol.names import RecipientName
from protocol.report import Kind
from relay.intake import FilePart
from relay.readers import Absent
from relay.rows import EnvelopeRow
from relay.sending import Letter, send
from relay.submission import SupersededError

pytestmark = pytest.mark.claim("C3")


def letter(text: str, memo: Memo | None) -> Letter:
    return Letter(
        kind=Kind.REPORT if memo is None else Kind.FOLLOW_UP,
        track="concern",
        language="en",
        text=text,
        answers=(),
        readers=(RecipientName("counselor-1"),),
        absent=Absent(),
        policy=("generic", "1"),
    )


def test_a_newer_attempt_takes_over_from_one_that_stalls(office: Office) -> None:
    keys = generate_throwaway_keys()
    stalled, go_on = threading.Event(), threading.Event()
    outcome: list[BaseException | bool] = []

    def stalling() -> Iterator[bytes]:
        yield b"half of a file"
        stalled.set()
        go_on.wait(10)
        yield b"the other half"

    def first() -> None:
        try:
            files = iter([FilePart("file", stalling())])
            outcome.append(send(office.parts, keys, lambda memo: letter("first", memo), files))
        except SupersededError as error:
            outcome.append(error)

    thread = threading.Thread(target=first)
    thread.start()
    assert stalled.wait(10)
    assert send(office.parts, keys, lambda memo: letter("second", memo)) is True
    go_on.set()
    thread.join(10)
    assert [type(one) for one in outcome] == [SupersededError]
    assert office.texts("counselor-1") == ["second"]
    assert office.parts.store.sweep() == 0


def test_a_newer_attempt_that_begins_while_the_first_is_stored_waits_and_follows_it(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = generate_throwaway_keys()
    storing, ended = threading.Event(), threading.Event()
    outcome: list[bool] = []
    commit = office.parts.store.commit_envelope

    def commits_late(row: EnvelopeRow) -> None:
        if not storing.is_set():
            storing.set()
            ended.wait(1)  # the newer one, if it did not wait
        commit(row)

    monkeypatch.setattr(office.parts.store, "commit_envelope", commits_late)
    thread = threading.Thread(
        target=lambda: outcome.append(send(office.parts, keys, lambda memo: letter("first", memo)))
    )
    thread.start()
    assert storing.wait(10)
    assert send(office.parts, keys, lambda memo: letter("second", memo)) is False
    ended.set()
    thread.join(10)
    assert outcome == [True]
    assert office.texts("counselor-1") == ["first", "second"]


def test_the_same_form_sent_by_many_at_once_is_stored_once_as_a_report(office: Office) -> None:
    keys = generate_throwaway_keys()
    barrier = threading.Barrier(6)
    confirmed: list[bool] = []

    def sends(number: int) -> None:
        barrier.wait(10)
        try:
            text = f"attempt {number}"
            confirmed.append(send(office.parts, keys, lambda memo: letter(text, memo)))
        except SupersededError:
            return

    threads = [threading.Thread(target=sends, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    stored = office.readable(office.people["counselor-1"]).values()
    assert len(stored) == len(confirmed) >= 1
    assert sorted(confirmed)[-1] is True
    assert confirmed.count(True) == 1
    assert [one.report.kind for one in stored].count(Kind.REPORT) == 1


def test_going_back_editing_and_sending_keeps_both(office: Office, visitor: Visitor) -> None:
    visitor.opens_the_form()
    visitor.sends("one version", to=["counselor-1"])
    visitor.sends("another version", to=["counselor-1"])
    assert office.texts("counselor-1") == ["another version", "one version"]


def test_a_receipt_that_the_relay_did_not_issue_is_not_taken(
    office: Office, visitor: Visitor
) -> None:
    visitor.opens_the_form()
    words, _, mark = visitor.form["receipt"].rpartition(" ")
    forged = "0" if mark[0] != "0" else "1"
    page = visitor.sends("kept text", to=["counselor-1"], receipt=f"{words} {forged}{mark[1:]}")
    assert page.status_code == 400
    assert "kept text" in page.text
    assert office.held() == {}


def test_a_disk_that_fails_is_told_with_the_text_and_confirms_nothing(
    office: Office, visitor: Visitor
) -> None:
    visitor.opens_the_form()
    office.parts.store.close()
    (office.data / "relay.sqlite").write_bytes(b"not a database" * 1000)
    page = visitor.sends("kept text", to=["counselor-1"])
    assert page.status_code == 503
    assert "kept text" in page.text
    assert "Sent and locked" not in page.text


def test_a_disk_that_fails_is_told_to_the_courier_on_her_page(office: Office) -> None:
    courier = office.courier()
    office.parts.store.close()
    (office.data / "relay.sqlite").write_bytes(b"not a database" * 1000)
    for path in ("/", "/bundle", "/bundle/1"):
        page = courier.get(path)
        assert page.status_code == 503
        assert "Nothing was changed." in page.text
        assert "There is no bundle at the moment." in page.text
