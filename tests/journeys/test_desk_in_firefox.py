"""The counselor's day in a real Firefox without JavaScript, from the bundle to the reporter's page.

Every page that comes by is photographed into build/screenshots/firefox, to be looked at.
"""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from protocol.words import words as word_list
from tests.browser.firefox import ENTER, Firefox
from tests.journeys.demonstration import Demonstration
from tests.journeys.people import Courier, Reporter
from tests.journeys.persons_in_firefox import opened_desk

pytestmark = [pytest.mark.slow, pytest.mark.browser]

SHOTS = Path(__file__).resolve().parents[2] / "build" / "screenshots" / "firefox"
EVERYBODY = ("counselor-1", "counselor-2", "head")
STORY = "The stores were empty.\n<b>I saw it.</b> من كان عنده المفتاح؟"
REPLY = "I read it today.\n\nWho had the key?"
PASSPHRASE = " ".join(word_list()[100:700:100])


@pytest.fixture(scope="module")
def firefox() -> Iterator[Firefox]:
    with Firefox() as browser:
        browser.resize(1280, 1000)
        yield browser


def photograph(firefox: Firefox, name: str) -> None:
    firefox.screenshot(SHOTS / f"desk-{name}.png")


def unlock(firefox: Firefox, passphrase: str) -> None:
    firefox.type("#passphrase", passphrase)
    firefox.click("Unlock")


@pytest.mark.clause("P4")
@pytest.mark.clause("P6")
def test_report_read_and_answered_at_the_desk_stands_on_the_reporters_page_as_previewed(
    firefox: Firefox,
    demonstration: Demonstration,
    reporter: Reporter,
    courier: Courier,
    tmp_path: Path,
) -> None:
    reporter.opens_the_form()
    files = [("notes.txt", b"It was noon.\n"), ("صورة.jpg", b"\xff\xd8")]
    sent = reporter.sends(STORY, to=EVERYBODY, files=files)
    assert sent.status == 200
    bundle = courier.takes_a_bundle(tmp_path / "bundle.zip")

    firefox.goto(demonstration.desk)
    photograph(firefox, "1-locked")
    unlock(firefox, "demo")
    photograph(firefox, "2-inbox-empty")
    firefox.click("Import")
    firefox.choose_files("#file", [bundle])
    firefox.click("form[enctype] button")
    firefox.wait_for("What the bundle brought")
    photograph(firefox, "3-imported")
    found = re.search(r"opens case ([0-9A-Z-]+)", firefox.text)
    assert found is not None
    case = found[1]
    firefox.click(case)
    photograph(firefox, "4-case")
    assert "<b>I saw it.</b> من كان عنده المفتاح؟" in firefox.text
    assert firefox.download("Save as it came").read_bytes() == b"It was noon.\n"

    firefox.click("Note a duty")
    firefox.click("Support")
    firefox.type("#note", "Asked in the reply.")
    firefox.click("Note it")
    assert "Asked in the reply." in firefox.text

    firefox.click("Write a reply")
    firefox.type("#text", REPLY)
    firefox.click("Show it as the reporter will see it")
    photograph(firefox, "5-previewed")
    promised = firefox.text_of(".preview .reply")
    assert "Who had the key?" in promised
    firefox.click("Queue it as shown")
    assert "waits for the next dispatch" in firefox.text

    firefox.click("Dispatch")
    photograph(firefox, "6-dispatch")
    assert "Who had the key?" in firefox.text
    dispatch = firefox.download("Write dispatch 1")
    assert courier.brings(dispatch).status == 200
    firefox.click("Lock")
    assert "The desk is locked" in firefox.text

    firefox.goto(f"{demonstration.reporter}/en/receipt")
    firefox.type("#words", " ".join(reporter.paper))
    firefox.click("Open my mailbox")
    photograph(firefox, "7-as-the-reporter-sees-it")
    assert firefox.text_of("article.reply") == promised


def test_desk_begun_in_the_browser_by_keyboard_alone_is_locked_and_unlocked(
    firefox: Firefox, demonstration: Demonstration, tmp_path: Path
) -> None:
    with opened_desk(tmp_path / "desk") as address:
        firefox.goto(address)
        assert address not in firefox.url
        firefox.click("Make a key")
        firefox.type("#name", "Counselor")
        firefox.type("#passphrase", PASSPHRASE)
        firefox.click("How strong is it?")
        assert "About 62 bits." in firefox.text
        firefox.type("#again", PASSPHRASE)
        firefox.choose_files("#relay", [demonstration.certificate])
        firefox.click("Make key and desk")
        photograph(firefox, "8-settings")
        assert "Key and desk are made." in firefox.text
        firefox.click("Your secret key on paper")
        photograph(firefox, "9-paper")
        assert "BEGIN PGP PRIVATE KEY BLOCK" in firefox.text
        firefox.click("Lock")
        firefox.press(PASSPHRASE + ENTER)  # the field has the focus by itself
        assert "No open case." in firefox.text
