"""Whole procedures in a real Firefox without JavaScript: reporter, counselors, real files.

The reporter and both counselors use the browser, each desk under an address of its own; the
head of the department, and the complaints office, use the commands.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from desk.screens.words import day_words
from tests.browser.firefox import Firefox
from tests.journeys.demonstration import Demonstration, run_demonstration
from tests.journeys.people import Counselor, Courier, run_command
from tests.journeys.persons_in_firefox import (
    SHOTS,
    DeskInFirefox,
    ReporterInFirefox,
    opened_desk,
)

pytestmark = [pytest.mark.slow, pytest.mark.browser]


@pytest.fixture(scope="module")
def firefox() -> Iterator[Firefox]:
    with Firefox() as browser:
        browser.resize(1280, 1000)
        yield browser


@pytest.fixture(scope="module")
def ddp(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demonstration]:
    with run_demonstration(tmp_path_factory.mktemp("ddp") / "data", "--policy", "ddp") as running:
        yield running


@pytest.fixture(scope="module")
def ifes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demonstration]:
    with run_demonstration(tmp_path_factory.mktemp("ifes") / "data", "--policy", "ifes") as running:
        yield running


def photograph(firefox: Firefox, name: str) -> None:
    firefox.screenshot(SHOTS / f"procedure-{name}.png")


def other_desk(demonstration: Demonstration, name: str, folder: Path) -> Counselor:
    """Make the desk of somebody who has a key of the demonstration."""
    key = demonstration.data / "demo" / f"{name}.secret.asc"
    return Counselor(folder / name, key=key, relay=demonstration.certificate)


@pytest.mark.clause("P4")
@pytest.mark.clause("P5")
@pytest.mark.clause("P13")
def test_complaint_that_was_decided_is_escalated_and_answered_by_the_head_as_well(
    firefox: Firefox, ddp: Demonstration, tmp_path: Path
) -> None:
    reporter = ReporterInFirefox(firefox, ddp, "complaint")
    courier = Courier(ddp.courier)
    counselor = DeskInFirefox(firefox, ddp.desk, courier)
    office = other_desk(ddp, "counselor-2", tmp_path)
    head = other_desk(ddp, "head", tmp_path)

    reporter.opens_the_form()
    reporter.writes("He mocks me before the whole team, every week.")
    reporter.opens("What kind of thing it was")
    reporter.ticks("categories", "harassment")
    reporter.sends()
    bundle = courier.takes_a_bundle(tmp_path / "complaint.zip")

    counselor.unlocks()
    assert "opens case" in counselor.imports(bundle)
    assert "Complaint: Harassment" in counselor.looks_at_the_case()
    confirmed = counselor.answers_from("Your report arrived", next_steps="I ask the team.")
    today = datetime.now(UTC).date()
    assert f"reached me on {day_words(today)}" in confirmed
    assert f"from me again by {day_words(today + timedelta(days=90))}" in confirmed
    counselor.sends_the_dispatch()
    mailbox = reporter.opens_the_mailbox()
    assert confirmed in mailbox
    photograph(firefox, "complaint-confirmed")

    firefox.goto(ddp.desk)
    counselor.starts("Outcome")
    counselor.chooses("outcomes", "training")
    firefox.type("#reasons", "Two colleagues heard the same.")
    firefox.type("#tell", "Training for the team lead: two people heard the same.")
    firefox.click("Record the outcome")
    assert "The outcome is recorded." in firefox.text
    decided = counselor.answers_from("What was decided", reasons="Two people heard the same.")
    assert "Training" in decided
    assert "Head of the department" in decided
    counselor.sends_the_dispatch()

    mailbox = reporter.opens_the_mailbox()
    assert decided in mailbox
    assert "Training for the team lead: two people heard the same." in mailbox
    reporter.opens("Take it further")
    reporter.ticks("rung", "head")
    firefox.type("#statement", "Training changes nothing: he leads my team.")
    photograph(firefox, "complaint-escalating")
    firefox.click("Send to them")
    assert "It goes to: Head of the department." in firefox.text

    bundle = courier.takes_a_bundle(tmp_path / "escalation.zip")
    for desk in (head, office):  # the complaints office gets a copy
        desk.imports(bundle)
        (line,) = (one for one in desk.lists() if one["case"] == counselor.case)
        (message,) = desk.shows(line["case"])["messages"]
        assert message["kind"] == "escalation"
        assert message["text"] == "Training changes nothing: he leads my team."
    assert "every week" not in str(head.shows(counselor.case))
    head.replies(counselor.case, "I move you to another team, if you wish.")
    answer = courier.brings(head.exports(tmp_path / "dispatch-of-the-head"))
    assert "Accepted" in answer.text

    mailbox = reporter.opens_the_mailbox()
    assert "From Confidential counselor" in mailbox
    assert decided in mailbox
    assert "From Head of the department" in mailbox
    assert "I move you to another team, if you wish." in mailbox
    photograph(firefox, "complaint-both-answers")

    firefox.goto(ddp.desk)
    assert f"joins case {counselor.case}" in counselor.imports(bundle)
    assert "Training changes nothing" in counselor.looks_at_the_case()
    counselor.locks()


@pytest.mark.clause("P6")
@pytest.mark.clause("P8")
def test_whistleblower_without_a_name_answers_a_question_with_a_file_in_the_same_case(
    firefox: Firefox, ddp: Demonstration, tmp_path: Path
) -> None:
    reporter = ReporterInFirefox(firefox, ddp, "whistleblowing")
    courier = Courier(ddp.courier)
    counselor = DeskInFirefox(firefox, ddp.desk, courier)

    reporter.opens_the_form()
    reporter.writes("The invoices of the spring training name people who do not exist.")
    reporter.opens("What kind of thing it was")
    reporter.ticks("categories", "fraud")
    reporter.sends()

    counselor.unlocks()
    assert "opens case" in counselor.imports(courier.takes_a_bundle(tmp_path / "first.zip"))
    case = counselor.looks_at_the_case()
    assert "Whistleblowing: Fraud" in case
    assert "The invoices of the spring training" in case
    asked = counselor.answers_from("A question", question="How many invoices did you see?")
    counselor.sends_the_dispatch()

    assert asked in reporter.opens_the_mailbox()
    photograph(firefox, "whistleblower-asked")
    reporter.writes("Three. Here is one of them.")
    invoice = tmp_path / "invoice.txt"
    invoice.write_bytes(b"Training of 40 people: 9,000\n")
    reporter.adds([invoice])
    reporter.sends()

    firefox.goto(ddp.desk)
    told = counselor.imports(courier.takes_a_bundle(tmp_path / "second.zip"))
    assert f"joins case {counselor.case}" in told
    case = counselor.looks_at_the_case()
    assert "Three. Here is one of them." in case
    assert "Not from the same reporter" not in case
    assert firefox.download("Save as it came").read_bytes() == invoice.read_bytes()

    for duty in ("support", "advice", "guidance"):
        assert "Open:" in firefox.text_of(".duties")
        counselor.starts("Note a duty")
        counselor.chooses("duty", duty)
        firefox.type("#note", f"Seen to {duty} in the mailbox.")
        firefox.click("Note it")
    duties = firefox.text_of(".duties")
    assert "Open:" not in duties
    assert "Seen to guidance in the mailbox." in duties
    photograph(firefox, "whistleblower-case")
    counselor.locks()


@pytest.mark.clause("P21")
@pytest.mark.clause("P22")
@pytest.mark.clause("P26")
@pytest.mark.clause("P35")
def test_access_is_revoked_only_after_a_second_counselor_signed_what_was_proposed(
    firefox: Firefox, ifes: Demonstration, tmp_path: Path
) -> None:
    reporter = ReporterInFirefox(firefox, ifes, "incident")
    courier = Courier(ifes.courier)
    coordinator = DeskInFirefox(firefox, ifes.desk, courier)
    key = other_desk(ifes, "counselor-2", tmp_path)

    reporter.opens_the_form()
    reporter.writes("The login «rude» threatens the speaker in every session.")
    reporter.opens("What happened")
    reporter.ticks("event", "virtual-event")
    photograph(firefox, "incident-event")
    reporter.sends()
    bundle = courier.takes_a_bundle(tmp_path / "bundle.zip")

    coordinator.unlocks()
    assert "opens case" in coordinator.imports(bundle)
    assert "A virtual event of IFES" in coordinator.looks_at_the_case()
    coordinator.confirms("counselor-2", key.fingerprint)
    spoken = coordinator.reads_out_her_fingerprint()

    coordinator.starts("Propose an action")
    coordinator.chooses("action", "revoke-access")
    firefox.type("#target", "login «rude»")
    firefox.type("#reason", "Threatens a speaker.")
    firefox.click("Propose it")
    assert "The action is proposed" not in firefox.text
    photograph(firefox, "incident-without-ground")
    coordinator.chooses("ground", "threat")
    firefox.type("#harm", "May lose contact with the team.")
    firefox.click("Propose it")
    assert "The action is proposed. Nothing is done yet." in firefox.text

    firefox.click("Revoke access: login «rude»")
    proposal = firefox.url
    assert "1 more must agree." in firefox.text
    assert "It was carried out" not in firefox.text
    tries_to_record_it_as_done(firefox, proposal)
    assert "1 more must agree" in firefox.text_of("[role=alert]")

    firefox.goto(proposal)
    firefox.click("Ask a colleague")
    coordinator.chooses("to", "counselor-2")
    request = firefox.download("Write the request")
    firefox.goto(proposal)
    assert "counselor-2 was asked" in firefox.text
    assert "1 more must agree." in firefox.text

    with opened_desk(key.desk) as address:
        second = DeskInFirefox(firefox, address, courier)
        second.unlocks()
        assert f"opens case {coordinator.case}" in second.imports(bundle)
        second.confirms("counselor-1", spoken)
        assert "counselor-1 asks for your agreement" in second.takes(request)
        firefox.click("Inbox")
        firefox.click("Look at it")
        asked = firefox.text
        assert "Threatens a speaker." in asked
        assert "A danger to someone of the community" in asked
        assert "May lose contact with the team." in asked
        photograph(firefox, "incident-asked")
        firefox.click("Answer")
        second.chooses("agrees", "yes")
        firefox.type("#reason", "I saw the chat.")
        answer = firefox.download("Sign the answer")
        second.looks_at_the_case_of(coordinator)
        firefox.click("The record of this case")
        assert "I saw the chat." in firefox.text
        second.locks()

    coordinator.goes_there()
    told = coordinator.takes(answer)
    assert f"The answer is filed with the proposal in case {coordinator.case}." in told
    firefox.goto(proposal)
    assert "counselor-2 agreed and signed" in firefox.text
    assert "counselor-2 was asked" not in firefox.text
    photograph(firefox, "incident-agreed")
    firefox.click("It was carried out")
    firefox.type("#done", "Access revoked at noon.")
    firefox.click("Record that it was done")
    assert "Done on" in firefox.text

    coordinator.looks_at_the_case()
    firefox.click("The record of this case")
    assert "Every one verifies" in firefox.text
    assert "unsigned:" not in firefox.text
    photograph(firefox, "incident-record")
    coordinator.locks()
    record = verified_record(ifes, coordinator.case, tmp_path)
    acts = [record.index(f"{act} by counselor-1") for act in ("proposed", "asked", "carried out")]
    assert acts == sorted(acts)
    assert "every link and signature is whole" in record


def tries_to_record_it_as_done(firefox: Firefox, proposal: str) -> None:
    """Open by its address the page that nobody is led to yet."""
    firefox.goto(f"{proposal}/done")
    firefox.type("#done", "Revoked without asking.")
    firefox.click("Record that it was done")


def verified_record(demonstration: Demonstration, case: str, folder: Path) -> str:
    """Verify the record at the demonstration's desk by the command."""
    desk = demonstration.data / "demo" / "desk"
    passphrase = folder / "passphrase"
    passphrase.write_text("demo")
    options = ("--data", str(desk), "--passphrase-file", str(passphrase))
    return run_command("desk", "verify", *options, case).stdout
