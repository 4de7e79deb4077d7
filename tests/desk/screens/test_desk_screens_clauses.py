"""Clauses of the desk, each as a person carries it out on the pages from end to end."""

import re
from dataclasses import replace
from datetime import timedelta
from io import BytesIO
from pathlib import Path

import pytest
from deskbrowser import DeskBrowser
from livedin import queue
from relayside import DAY, MADE, Counselor, FakeRelay, answer
from twobrowsers import IFES, Counter, case_of, do

from keys.secretkey import generate_secret_key, read_secret_key
from protocol.derivation import ReporterKeys, generate_throwaway_keys
from protocol.envelope import Answer, Kind
from protocol.names import RecipientName
from protocol.sealing import read_sealed

DDP = {"policy": "ddp", "policy_version": "1.0", "track": "complaint"}
ALL = ("pass-on", "name", "account", "documents")


@pytest.fixture
def arrived(browser: DeskBrowser, relay: FakeRelay, reporter: ReporterKeys, bundle: Path) -> str:
    """Import a report of the IFES procedure from the person affected; return its case."""
    answers = (answer("standing", "affected"), answer("person", "Mr Accused"))
    report = relay.report(reporter, **IFES, answers=answers, text="Mr Accused did it.")
    relay.cut(bundle, [relay.send(reporter, report)])
    browser.send("/import", {"path": str(bundle)})
    return case_of(browser)


def both_know(counter: Counter, anna: Counselor, berta: Counselor, *answers: Answer) -> str:
    """Let a report of the IFES procedure reach two desks that know each other by voice."""
    reporter = generate_throwaway_keys()
    report = counter.relay.report(reporter, **IFES, answers=answers)
    counter.sent.append(counter.relay.send(reporter, report))
    counter.both_import()
    counter.both_confirm(anna, berta)
    return case_of(counter.anna)


@pytest.mark.clause("P19")
@pytest.mark.parametrize(
    ("purpose", "sentence"),
    [
        ("inform-only", "Contact only to say what was done; ask nothing."),
        ("follow-up", "May be contacted about the case."),
    ],
)
def test_what_contact_details_may_be_used_for_stands_before_them(
    *,
    browser: DeskBrowser,
    relay: FakeRelay,
    reporter: ReporterKeys,
    bundle: Path,
    purpose: str,
    sentence: str,
) -> None:
    answers = (answer("contact-purpose", purpose), answer("telephone", "+31 6 1234"))
    relay.cut(bundle, [relay.send(reporter, relay.report(reporter, **IFES, answers=answers))])
    browser.send("/import", {"path": str(bundle)})
    page = browser.goto(f"/case/{case_of(browser)}")
    assert f"Contact {sentence} Telephone +31 6 1234" in page[: page.index("What was said")]


@pytest.mark.clause("P5")
def test_case_that_is_taken_further_says_to_whom_and_whether_the_file_may_go_along(
    browser: DeskBrowser, relay: FakeRelay, reporter: ReporterKeys, bundle: Path
) -> None:
    further = relay.follow_up(
        reporter,
        **DDP,
        kind=Kind.ESCALATION,
        text="Training changes nothing.",
        answers=(answer("rung", "head"), answer("hand-over", "yes")),
    )
    relay.cut(bundle, [relay.send(reporter, relay.report(reporter, **DDP))])
    browser.send("/import", {"path": str(bundle)})
    relay.cut(bundle, [relay.send(reporter, further)], number=2)
    browser.send("/import", {"path": str(bundle)})
    assert "takes it further" in browser.goto("/")
    page = browser.goto(f"/case/{case_of(browser)}")
    assert "Takes it to Head of the department May the file be handed over yes" in page


@pytest.mark.clause("P4")
@pytest.mark.clause("P29")
def test_promised_days_stand_in_the_case_and_on_what_the_reporter_will_see(
    browser: DeskBrowser, arrived: str, tmp_path: Path
) -> None:
    page = browser.goto(f"/case/{arrived}")
    assert "Acknowledge by 27 November 2026; feedback by 18 February 2027" in page
    shown = browser.send(f"/case/{arrived}/reply/", {"text": "", "template": "acknowledgement"})
    assert "You will hear from me again by 18 February 2027" in shown
    queue(browser, arrived, "It reached me. Next I call the venue.")
    assert "7 days left to acknowledge" in browser.goto("/")
    assert "1 reply waits for the next dispatch: nobody has read it yet." in browser.text
    browser.send("/dispatch", {"serial": "1", "folder": str(tmp_path)})
    assert "90 days left to give feedback" in browser.goto("/")
    assert "(done on 20 November 2026)" in browser.goto(f"/case/{arrived}")


@pytest.mark.clause("P4")
@pytest.mark.clause("P9")
def test_whoever_rang_is_noted_as_answered_and_is_not_overdue_for_ever(
    browser: DeskBrowser,
) -> None:
    browser.send("/settings/policy", {"policy": "ifes"})
    call = {
        "way": "telephone",
        "received": "2026-11-01",
        "text": "A caller.",
        "answer-support": ["talk", "legal"],
    }
    browser.send("/new/incident", call)
    case = case_of(browser)
    page = browser.goto(f"/case/{case}")
    assert "Do you need support? Someone to talk to; Legal advice" in page
    assert "12 days overdue to acknowledge" in page
    assert "Write a reply" not in page
    assert "note what you told them" in browser.goto(f"/case/{case}/reply/")
    page = do(browser, case, "told", text="Rang back at noon: what happens next.")
    assert "overdue" not in page
    assert "Told otherwise 20 November 2026" in page


@pytest.mark.clause("P34")
def test_person_reported_is_presumed_innocent_heard_and_not_named_without_need(
    browser: DeskBrowser, arrived: str, tmp_path: Path
) -> None:
    assert "presumed innocent" in browser.goto(f"/case/{arrived}/do/answer")
    assert "Write the answer first" in do(browser, arrived, "answer", text=" ")
    page = do(browser, arrived, "answer", text="He says that he was abroad.")
    assert "Answer of the person reported 20 November 2026 He says that he was abroad." in page
    out = tmp_path / "export"
    do(browser, arrived, "export", why="The board.", out=str(out))
    exported = (out / "case.html").read_text()
    assert "presumed innocent" in exported
    assert "He says that he was abroad." in exported
    assert "Accused" not in exported


@pytest.mark.clause("P24")
def test_wider_consent_on_the_day_of_a_narrower_one_is_said_not_to_hold_yet(
    browser: DeskBrowser, arrived: str
) -> None:
    agreed = {"in_person": "yes", "how": "At the door."}
    do(browser, arrived, "consent", consents=["pass-on"], **agreed)
    told = do(browser, arrived, "consent", consents=["pass-on", "account"], **agreed)
    assert "the narrower holds: whoever wants more says it again tomorrow" in told
    browser.clock.now += timedelta(days=1)
    told = do(browser, arrived, "consent", consents=["pass-on", "account"], **agreed)
    assert "what is not ticked is not consented to any more" in told
    assert "My account of what happened may be shown Not consented to My name" in told


@pytest.mark.clause("P16")
def test_nobody_is_let_in_without_a_letter_that_says_so(
    browser: DeskBrowser, relay: FakeRelay, reporter: ReporterKeys, bundle: Path
) -> None:
    out = {"readers": ("anna",), "left_out": ("berta",)}
    relay.cut(bundle, [relay.send(reporter, relay.report(reporter, **IFES, **out))])
    browser.send("/import", {"path": str(bundle)})
    page = browser.goto(f"/case/{case_of(browser)}/do/agreement")
    assert "Not now. No later letter of the reporter is here that could say so" in page


@pytest.mark.clause("P7")
def test_case_handed_on_is_assessed_by_the_team_that_the_procedure_names(
    counter: Counter, anna: Counselor, berta: Counselor
) -> None:
    one, two = (
        replace(each, name=RecipientName(f"counselor-{number}"))
        for number, each in enumerate((anna, berta), start=1)
    )
    counter.relay.counselors = [one, two]
    reporter = generate_throwaway_keys()
    report = counter.relay.report(reporter, **DDP, answers=(answer("consents", "pass-on"),))
    counter.sent.append(counter.relay.send(reporter, report))
    counter.both_import()
    counter.both_confirm(one, two)
    case = case_of(counter.anna)
    assert "reviewing team's work" in counter.anna.goto(f"/case/{case}/do/assess")
    assert "has not handed this case over yet" in counter.berta.goto(f"/case/{case}/do/assess")
    told = do(
        counter.anna,
        case,
        "hand-over",
        to=two.name,
        reason="To be assessed.",
        folder=str(counter.stick),
    )
    assert "is handed over" in told
    counter.berta.send("/colleagues/take", {"path": str(counter.stick / f"{case}.hand-over")})
    asked = counter.berta.goto(f"/case/{case}/do/assess")
    assert "Power of the person reported over the reporter" in asked
    factors = {
        "factor_frequency": "repeated",
        "factor_severity": "grave",
        "factor_threatening": "yes",
        "factor_well-being": "strong",
    }
    answers = {"conclusion": "yes", "reasons": "Daily, by her boss."}
    assert "to each factor" in do(counter.berta, case, "assess", **factors, **answers)
    page = do(counter.berta, case, "assess", **factors, factor_power="more", **answers)
    assert "Power of the person reported over the reporter More power" in page
    assert "hostile or abusive? Yes Daily, by her boss." in page


@pytest.mark.clause("P17")
def test_conflict_of_interest_is_declared_and_the_case_goes_to_a_colleague_who_sees_why(
    counter: Counter, anna: Counselor, berta: Counselor
) -> None:
    case = both_know(counter, anna, berta)
    assert "Hand the case over" in do(counter.anna, case, "conflict", reason="My brother is named.")
    reason = {"reason": "My brother is named.", "folder": str(counter.stick)}
    page = do(counter.anna, case, "hand-over", to="berta", **reason)
    assert "Handed over to berta on 20 November 2026: My brother is named." in page
    assert "your conflict of interest: handed to berta" in counter.anna.goto("/")
    counter.berta.send("/colleagues/take", {"path": str(counter.stick / f"{case}.hand-over")})
    page = counter.berta.goto(f"/case/{case}")
    assert "Received from anna on 20 November 2026: My brother is named." in page
    assert "Conflict anna" in counter.anna.goto(f"/case/{case}/record/")


@pytest.mark.clause("P10")
@pytest.mark.clause("P35")
def test_case_that_the_reporter_wants_erased_goes_only_after_two_signed(
    counter: Counter, anna: Counselor, berta: Counselor
) -> None:
    case = both_know(counter, anna, berta)
    do(counter.anna, case, "delete", ground="request", reason="She asks for it.")
    proposal = re.findall(r"/proposal/([0-9a-f]+)", counter.anna.source)[0]
    address = f"/proposal/{proposal}"
    assert "1 more must agree" in counter.anna.send(f"{address}/delete", {"name": case})
    counter.anna.send(f"{address}/ask", {"to": "berta", "folder": str(counter.stick)})
    counter.berta.send("/colleagues/take", {"path": str(counter.stick / f"{case}.request")})
    assert "Ground The reporter asks for it" in counter.berta.goto(f"/request/{proposal}")
    signed = {"agrees": "yes", "reason": "Agreed.", "folder": str(counter.stick)}
    counter.berta.send(f"/request/{proposal}/answer", signed)
    counter.anna.send("/colleagues/take", {"path": str(counter.stick / f"{case}.answer")})
    assert "Enough have agreed. It is not done yet." in counter.anna.goto(address)
    assert "is deleted" in counter.anna.send(f"{address}/delete", {"name": case})
    assert f"{case} , deleted on 20 November 2026" in counter.anna.goto("/?closed=1")
    record = counter.anna.goto(f"/case/{case}/record/")
    assert "This case is deleted." in record
    assert "signed by: anna, berta" in record
    assert "She asks for it." in record
    assert "Export the record" not in record
    assert counter.berta.goto(f"/case/{case}")  # deleting is each desk's own


@pytest.mark.clause("P10")
@pytest.mark.clause("P28")
def test_case_whose_retention_ended_is_listed_and_counts_in_its_year_when_it_is_gone(
    browser: DeskBrowser, arrived: str
) -> None:
    do(browser, arrived, "outcome", outcomes=["warning"], reasons="Seen by three.")
    assert "Duties that nobody noted yet" in browser.goto(f"/case/{arrived}/do/close")
    do(browser, arrived, "close", status="closed", question="Are you content?", reason="Done.")
    refused = do(browser, arrived, "delete", ground="expiry", reason="Time.")
    assert "has not ended" in refused
    browser.clock.now += timedelta(days=365)
    assert f"The retention of case {arrived} has ended" in browser.goto("/")
    do(browser, arrived, "delete", ground="expiry", reason="Time.")
    proposal = re.findall(r"/proposal/([0-9a-f]+)", browser.source)[0]
    browser.send(f"/proposal/{proposal}/delete", {"name": arrived})
    assert "No open case" in browser.goto("/")
    browser.goto(f"/figures/{DAY.year}.csv")
    assert b"Outcome,every row,suppressed" in browser.answer.data


@pytest.mark.clause("P31")
def test_status_and_outcome_are_shown_before_they_cross_and_reach_the_reporter_once(
    browser: DeskBrowser, arrived: str, tmp_path: Path
) -> None:
    do(browser, arrived, "status", status="looking", reason="")
    do(browser, arrived, "outcome", outcomes=["warning"], reasons="x", tell="He was warned.")
    page = browser.goto("/dispatch")
    assert f"Case {arrived} Status from now on: Being looked into Outcome He was warned." in page
    browser.send("/dispatch", {"serial": "1", "folder": str(tmp_path)})
    assert "Nothing new for any reporter." in browser.goto("/dispatch")


@pytest.mark.clause("P38")
def test_case_with_every_consent_is_sealed_to_the_body_that_takes_it(
    browser: DeskBrowser, relay: FakeRelay, reporter: ReporterKeys, bundle: Path, tmp_path: Path
) -> None:
    consents = (answer("standing", "affected"), answer("consents", *ALL))
    report = relay.report(reporter, **IFES, answers=consents)
    relay.cut(bundle, [relay.send(reporter, report, files={"a.txt": b"noon"})])
    browser.send("/import", {"path": str(bundle)})
    case = case_of(browser)
    assert "Every consent that it needs is there." in browser.goto(f"/case/{case}/do/outside")
    armored = generate_secret_key(user_id="Court", passphrase=None, created=MADE, expires=None)
    court = read_secret_key(armored, None)
    form = {"to": "The court", "reason": "Summons.", "folder": str(tmp_path)}
    wrong = {
        "certificate": (BytesIO(court.certificate), "court.asc"),
        "fingerprint": "A" * 40,
    }
    browser.send(f"/case/{case}/do/outside", {**form, **wrong})
    assert browser.status == 400
    right = {
        "certificate": (BytesIO(court.certificate), "court.asc"),
        "fingerprint": court.fingerprint,
    }
    told = browser.send(f"/case/{case}/do/outside", {**form, **right})
    assert "The hand-over is written." in told
    sealed = (tmp_path / f"{case}-hand-over.pgp").read_bytes()
    message = read_sealed(lambda: [sealed])
    session_key = court.open_lock(message.locks)
    assert session_key is not None
    assert b"SHA256SUMS" in b"".join(message.unseal(session_key))
    assert "Handed over to The court on 20 November 2026" in browser.goto(f"/case/{case}")
