"""What a counselor does in a case, on the pages: each clause as a person carries it out."""

import re
from pathlib import Path

import pytest
from deskbrowser import DeskBrowser
from livedin import queue
from relayside import Counselor, FakeRelay, answer
from twobrowsers import IFES, Counter, case_of, do

from protocol.derivation import ReporterKeys, generate_throwaway_keys
from protocol.envelope import Kind


@pytest.mark.clause("P6")
def test_duty_noted_on_its_page_stands_as_done_in_the_case(browser: DeskBrowser, case: str) -> None:
    assert "Open: Support." in browser.goto(f"/case/{case}")
    text = do(browser, case, "duty", duty="support", note="A doctor is arranged.")
    assert "Done on 20 November 2026: Support. A doctor is arranged." in text


def test_task_without_its_words_is_shown_again_with_the_sentence_and_what_was_typed(
    browser: DeskBrowser, case: str
) -> None:
    text = do(browser, case, "risk", risk="some", reason="")
    assert browser.status == 400
    assert "Write the reason first" in text
    assert re.search(r'value="some" checked', browser.source)


@pytest.mark.clause("P7")
def test_assessment_by_the_one_it_is_not_given_to_is_refused_on_the_page(
    browser: DeskBrowser, relay: FakeRelay, reporter: ReporterKeys, bundle: Path
) -> None:
    complaint = relay.report(reporter, policy="ddp", policy_version="1.0", track="complaint")
    relay.cut(bundle, [relay.send(reporter, complaint)])
    browser.send("/import", {"path": str(bundle)})
    case = case_of(browser)
    page = browser.goto(f"/case/{case}/do/assess")
    assert "Not now. The assessment is the reviewing team's work" in page
    assert "<textarea" not in browser.source
    text = do(browser, case, "assess", conclusion="yes", reasons="It is.")
    assert "reviewing team's work" in text


@pytest.mark.clause("P13")
@pytest.mark.clause("P31")
def test_case_decided_and_closed_asks_the_reporter_and_starts_retention(
    browser: DeskBrowser, relay: FakeRelay, reporter: ReporterKeys, bundle: Path
) -> None:
    relay.cut(bundle, [relay.send(reporter, relay.report(reporter, track="concern"))])
    browser.send("/import", {"path": str(bundle)})
    case = case_of(browser)
    page = browser.goto(f"/case/{case}/do/outcome")
    first = re.findall(r'name="outcomes" value="([^"]+)"', browser.source)[0]
    assert "What was decided" in page
    text = do(browser, case, "outcome", outcomes=[first], reasons="Heard both.", tell="It ended.")
    assert "The reporter is told It ended." in text
    browser.goto(f"/case/{case}/do/close")
    status = re.findall(r'name="status" value="([^"]+)"', browser.source)[0]
    text = do(browser, case, "close", status=status, question="Are you content?", reason="Done.")
    assert "Are you content?" in text
    assert "To be deleted on" in text
    assert case in browser.goto("/?closed=1")


@pytest.mark.clause("P17")
def test_conflict_declared_leaves_nothing_to_do_but_to_hand_on(
    browser: DeskBrowser, case: str
) -> None:
    text = do(browser, case, "conflict", reason="He is my brother.")
    assert "Hand the case over" in text
    page = browser.goto(f"/case/{case}")
    assert "You declared a conflict of interest" in page
    assert "Assess" not in page
    assert "declared a conflict" in do(browser, case, "outcome", outcomes=["x"], reasons="r")


@pytest.mark.clause("P9")
def test_report_by_telephone_becomes_a_case_without_a_mailbox(browser: DeskBrowser) -> None:
    browser.send("/settings/policy", {"policy": "ifes"})
    browser.send("/new", {"track": "incident"})
    assert "How it came" in browser.text
    text = browser.send(
        "/new/incident",
        {"way": "telephone", "received": "2026-11-19", "text": "A caller saw it."},
    )
    assert "is opened" in text
    case = case_of(browser)
    page = browser.goto(f"/case/{case}")
    assert "A caller saw it." in page
    assert "nobody reads replies to it" in page
    assert "Write a reply" not in page


def test_report_entered_with_a_day_to_come_is_refused_with_the_words_kept(
    browser: DeskBrowser,
) -> None:
    browser.send("/settings/policy", {"policy": "ifes"})
    text = browser.send(
        "/new/incident", {"way": "paper", "received": "2027-01-01", "text": "A letter."}
    )
    assert "still to come" in text
    assert "A letter." in browser.source


@pytest.mark.clause("P39")
def test_cases_of_one_reporter_are_joined_after_checking(
    browser: DeskBrowser, relay: FakeRelay, bundle: Path
) -> None:
    one, two = generate_throwaway_keys(), generate_throwaway_keys()
    relay.cut(bundle, [relay.send(one), relay.send(two, relay.report(two, text="Again."))])
    browser.send("/import", {"path": str(bundle)})
    browser.goto("/")
    kept, joined = dict.fromkeys(re.findall(r"/case/([0-9A-Z-]+)", browser.source))
    text = do(browser, kept, "merge", other=joined, why="Both know the number on the door.")
    assert f"Joined case {joined}" in text
    page = browser.goto(f"/case/{joined}")
    assert f"This case was joined to {kept}" in page
    assert f"Joined to {kept} ·" in page


@pytest.mark.clause("P35")
def test_case_held_is_not_deleted_and_released_is_deleted_only_by_its_name(
    counter: Counter, anna: Counselor, berta: Counselor
) -> None:
    reporter = generate_throwaway_keys()
    counter.sent.append(counter.relay.send(reporter))
    counter.both_import()
    browser, case = counter.anna, case_of(counter.anna)
    do(browser, case, "hold", reason="A court asked.")
    assert "legal hold" in do(browser, case, "delete", ground="spam", reason="Spam.")
    do(browser, case, "hold", reason="The court is done.")
    do(browser, case, "delete", ground="spam", reason="Spam.")
    proposal = re.findall(r"/proposal/([0-9a-f]+)", browser.source)[0]
    assert "Type the name of the case" in browser.send(
        f"/proposal/{proposal}/delete", {"name": "no"}
    )
    assert "is deleted" in browser.send(f"/proposal/{proposal}/delete", {"name": case.lower()})
    assert "No open case" in browser.goto("/")


@pytest.mark.clause("P22")
@pytest.mark.clause("P26")
def test_action_agreed_between_two_desks_is_carried_out_only_then(
    counter: Counter, anna: Counselor, berta: Counselor
) -> None:
    reporter = generate_throwaway_keys()
    counter.sent.append(counter.relay.send(reporter, counter.relay.report(reporter, **IFES)))
    counter.both_import()
    counter.both_confirm(anna, berta)
    case = case_of(counter.anna)
    told = do(counter.anna, case, "propose", action="revoke-access", target="login x", reason="r")
    assert "harm" in told  # the ground and the harm considered are asked for
    do(
        counter.anna,
        case,
        "propose",
        action="revoke-access",
        target="login x",
        reason="He waits.",
        ground="threat",
        harm="He may lose his work.",
    )
    proposal = re.findall(r"/proposal/([0-9a-f]+)", counter.anna.source)[0]
    page = counter.anna.goto(f"/proposal/{proposal}")
    assert "1 more must agree." in page
    assert "It was carried out" not in page
    refused = counter.anna.send(f"/proposal/{proposal}/done", {"done": "Done anyway."})
    assert "1 more must agree first" in refused

    counter.anna.send(f"/proposal/{proposal}/ask", {"to": "berta", "folder": str(counter.stick)})
    counter.berta.send("/colleagues/take", {"path": str(counter.stick / f"{case}.request")})
    assert "anna asks for your agreement" in counter.berta.goto("/")
    page = counter.berta.goto(f"/request/{proposal}")
    assert "He may lose his work." in page
    counter.berta.send(
        f"/request/{proposal}/answer",
        {"agrees": "yes", "reason": "I saw it too.", "folder": str(counter.stick)},
    )
    counter.anna.send("/colleagues/take", {"path": str(counter.stick / f"{case}.answer")})
    assert "berta agreed and signed" in counter.anna.goto(f"/proposal/{proposal}")
    counter.anna.send(f"/proposal/{proposal}/done", {"done": "The login is shut."})
    assert "Done on 20 November 2026." in counter.anna.goto(f"/proposal/{proposal}")


@pytest.mark.clause("P23")
def test_same_person_under_a_new_login_rests_on_the_earlier_agreement(
    counter: Counter, anna: Counselor, berta: Counselor
) -> None:
    test_action_agreed_between_two_desks_is_carried_out_only_then(counter, anna, berta)
    case = case_of(counter.anna)
    counter.anna.goto(f"/case/{case}")
    proposal = re.findall(r"/proposal/([0-9a-f]+)", counter.anna.source)[0]
    text = counter.anna.send(
        f"/proposal/{proposal}/repeat", {"target": "login y", "reason": "The same photograph."}
    )
    assert "Revoke access: login y , done on 20 November 2026" in text


@pytest.mark.clause("P16")
def test_colleague_left_out_does_not_even_stand_among_those_to_hand_to(
    counter: Counter, anna: Counselor, berta: Counselor
) -> None:
    reporter = generate_throwaway_keys()
    report = counter.relay.report(reporter, readers=("anna",), left_out=("berta",))
    counter.sent.append(counter.relay.send(reporter, report))
    counter.both_import()
    counter.both_confirm(anna, berta)
    case = case_of(counter.anna)
    counter.anna.goto(f"/case/{case}/do/hand-over")
    assert 'value="berta"' not in counter.anna.source
    told = do(counter.anna, case, "hand-over", to="berta", reason="r", folder=str(counter.stick))
    assert "The reporter left this person out" in told
    assert list(counter.stick.glob("*.hand-over")) == []


def test_copy_for_a_colleague_shows_her_what_was_answered(
    counter: Counter, anna: Counselor, berta: Counselor
) -> None:
    reporter = generate_throwaway_keys()
    counter.sent.append(counter.relay.send(reporter))
    counter.both_import()
    counter.both_confirm(anna, berta)
    case = case_of(counter.anna)
    queue(counter.anna, case, "I wrote on Monday.")
    counter.anna.send("/dispatch", {"serial": "1", "folder": str(counter.stick)})
    do(counter.anna, case, "copy", to="berta", folder=str(counter.stick))
    told = counter.berta.send(
        "/colleagues/take", {"path": str(counter.stick / f"{case}.colleague")}
    )
    assert "is filed with case" in told
    page = counter.berta.goto(f"/case/{case}")
    said = page[page.index("What was said") :]
    assert said.index("Something happened.") < said.index("Reply 1 of anna 20 November 2026")
    assert "I wrote on Monday." in said
    assert "feedback" in counter.berta.goto("/")  # the reporter was acknowledged by anna


def test_fingerprint_read_out_wrongly_confirms_nobody(counter: Counter) -> None:
    reporter = generate_throwaway_keys()
    counter.sent.append(counter.relay.send(reporter))
    counter.both_import()
    text = counter.anna.send("/colleagues/confirm/berta", {"spoken": "AAAA " * 10})
    assert "share nothing with this key" in text
    assert "not confirmed" in counter.anna.goto("/colleagues/")


@pytest.mark.clause("P24")
@pytest.mark.clause("P38")
def test_case_exported_is_redacted_and_not_handed_out_without_the_consents(
    browser: DeskBrowser, relay: FakeRelay, reporter: ReporterKeys, bundle: Path, tmp_path: Path
) -> None:
    named = relay.report(
        reporter, **IFES, text="I am Testname.", answers=(answer("name", "Testname"),)
    )
    relay.cut(bundle, [relay.send(reporter, named)])
    browser.send("/import", {"path": str(bundle)})
    case = case_of(browser)
    out = tmp_path / "export"
    assert "Read case.html before" in do(browser, case, "export", why="The board.", out=str(out))
    assert "Testname" not in (out / "case.html").read_text()
    assert "Not consented to yet" in browser.goto(f"/case/{case}/do/outside")
    told = do(browser, case, "outside", to="Police", reason="They ask.", folder=str(tmp_path))
    assert "has not consented" in told
    assert list(tmp_path.glob("*to-print*")) == []


@pytest.mark.clause("P35")
def test_record_of_a_case_is_shown_verified_and_a_changed_one_is_not_shown(
    browser: DeskBrowser, case: str, tmp_path: Path
) -> None:
    do(browser, case, "note", text="For the record.")
    page = browser.goto(f"/case/{case}/record/")
    assert "Every one verifies" in page
    assert "For the record." in page
    with browser.app.extensions["sotto-desk"].open_vault() as vault:
        from desk.casework.record import RecordLink

        link = vault.get(RecordLink, f"{case}/1")
        assert link is not None
        with vault.changes():
            vault.put(link.model_copy(update={"entry": b"0" * 64 + b"\n{}"}))
    browser.goto(f"/case/{case}/record/")
    assert browser.status == 400
    assert "For the record." not in browser.source


@pytest.mark.clause("P33")
def test_reporter_who_closed_the_mailbox_is_not_written_to_in_vain(
    browser: DeskBrowser, relay: FakeRelay, reporter: ReporterKeys, bundle: Path
) -> None:
    gone = relay.follow_up(
        reporter, kind=Kind.CLOSING, text="", answers=(answer("closing", "close"),)
    )
    relay.cut(bundle, [relay.send(reporter), relay.send(reporter, gone)])
    text = browser.send("/import", {"path": str(bundle)})
    assert "will not come back" in text
    assert "The reporter closed the mailbox on" in browser.goto(f"/case/{case_of(browser)}")


@pytest.mark.clause("P28")
def test_figures_of_a_year_hide_small_counts_on_page_and_in_csv(
    browser: DeskBrowser, case: str
) -> None:
    assert "All cases suppressed" in browser.goto("/figures/?year=2026")
    browser.goto("/figures/2026.csv")
    assert b"2026,Track,all cases,suppressed" in browser.answer.data
    browser.goto("/figures/2026.svg")
    assert browser.answer.mimetype == "image/svg+xml"


def test_case_that_is_not_there_is_said_in_a_sentence(browser: DeskBrowser) -> None:
    text = browser.goto("/case/AAAA-AAAA")
    assert "no case of that name" in text
    assert browser.goto("/case/AAAA-AAAA/do/nothing").startswith("Not done")
