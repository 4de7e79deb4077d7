"""Whole procedures in a real Firefox without JavaScript: reporter, counselors, real files.

The reporter and the first counselor use the browser; the second counselor and the head of
the department have machines of their own and use the commands.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.browser.firefox import Firefox
from tests.journeys.demonstration import Demonstration, run_demonstration
from tests.journeys.people import Counselor, Courier
from tests.journeys.persons_in_firefox import SHOTS, DeskInFirefox, ReporterInFirefox

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


@pytest.mark.clause("P6")
@pytest.mark.clause("P8")
def test_whistleblower_without_a_name_answers_a_question_with_a_file_in_the_same_case(
    firefox: Firefox, ddp: Demonstration, tmp_path: Path
) -> None:
    reporter = ReporterInFirefox(firefox, ddp, "whistleblowing")
    courier = Courier(ddp.courier)
    counselor = DeskInFirefox(firefox, ddp, courier)

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
