"""The main job in a real Firefox, JavaScript off, as in Tor Browser at Safest.

Every page that comes by is photographed into build/screenshots/firefox, to be looked at.
"""

import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.browser.firefox import ENTER, SPACE, TAB, Firefox
from tests.browser.marionette import BrowserError, NoSuchElementError
from tests.journeys.demonstration import Demonstration
from tests.journeys.people import Counselor

pytestmark = [pytest.mark.slow, pytest.mark.browser]

SHOTS = Path(__file__).resolve().parents[2] / "build" / "screenshots" / "firefox"
PROGRESS, ANSWER = "iframe.progress", "iframe[name=sink]"
STORY = "The stores were empty before the audit.\nI saw it twice.\nمن كان عنده المفتاح؟"


@pytest.fixture(scope="module")
def firefox() -> Iterator[Firefox]:
    with Firefox() as browser:
        browser.resize(1280, 1000)
        yield browser


def photograph(firefox: Firefox, name: str) -> None:
    firefox.screenshot(SHOTS / f"{name}.png")


def open_form(firefox: Firefox, site: str) -> list[str]:
    """Go from the landing page to the form; return the nine words that it shows."""
    firefox.goto(site + "/")
    photograph(firefox, "1-landing")
    firefox.click("Write a report")
    words = firefox.texts_of("#receipt b")
    assert len(words) == 9
    return words


def send(firefox: Firefox) -> None:
    """Press Send and look, by the link for the impatient, until the frame says that it is sent."""
    firefox.click("Send")
    deadline = time.monotonic() + 60
    while not told_as_sent(firefox):
        assert time.monotonic() < deadline, "the frame never said that it was sent"


def told_as_sent(firefox: Firefox) -> bool:
    with suppress(BrowserError, NoSuchElementError), firefox.inside(PROGRESS):
        if "Sent and locked" in firefox.text:
            return True
    firefox.click("Look again")
    time.sleep(0.2)
    return False


def send_again(firefox: Firefox) -> None:
    """Send once more from a page whose frame still tells of the first time."""
    firefox.click("Send")
    deadline = time.monotonic() + 60
    answer = ""
    while "was added to it" not in answer:
        assert time.monotonic() < deadline, "the second sending was never answered"
        with suppress(BrowserError, NoSuchElementError), firefox.inside(ANSWER):
            answer = firefox.source
        time.sleep(0.2)


def enter_words(firefox: Firefox, site: str, typed: str) -> None:
    firefox.goto(f"{site}/en/")
    firefox.click("Read replies")
    firefox.type("#words", typed)
    firefox.click("Open my mailbox")


def carry_and_reply(
    firefox: Firefox, demonstration: Demonstration, counselor: Counselor, text: str
) -> dict[str, object]:
    """Take the bundle, read the newest case that is not read yet, reply, bring the dispatch."""
    firefox.goto(demonstration.courier)
    photograph(firefox, "5-courier")
    counselor.imports(firefox.download("Take the bundle"))
    case = next(one["case"] for one in counselor.lists() if text_of(counselor, one["case"]))
    shown = counselor.shows(case)
    counselor.replies(case, text)
    dispatch = counselor.exports(counselor.desk.parent / "dispatch.sotto")
    firefox.choose_files("#dispatch", [dispatch])
    firefox.click("Bring the dispatch")
    assert "Accepted" in firefox.text
    photograph(firefox, "6-courier-accepted")
    return shown


def text_of(counselor: Counselor, case: str) -> str:
    return str(counselor.shows(case)["messages"])


@pytest.mark.claim("C6")
def test_report_with_files_sent_without_javascript_is_answered_through_the_nine_words(
    firefox: Firefox, demonstration: Demonstration, counselor: Counselor, tmp_path: Path
) -> None:
    names = ["Ärger & Söhne.txt", "صورة ١.jpg", "leave 'me' alone; rm.pdf"]
    files = [tmp_path / name for name in names]
    for number, file in enumerate(files):
        file.write_bytes(bytes([number]) * 100_000)

    words = open_form(firefox, demonstration.reporter)
    photograph(firefox, "2-form")
    firefox.type("#text", STORY)
    firefox.choose_files("#attachments", files)
    send(firefox)
    photograph(firefox, "3-sent")
    assert firefox.texts_of("#receipt b") == words

    shown = carry_and_reply(firefox, demonstration, counselor, "Thank you. Who had the key?")
    assert all(name in str(shown) for name in names)
    assert "I saw it twice." in str(shown)

    enter_words(firefox, demonstration.reporter, "-".join(words).upper())
    photograph(firefox, "7-mailbox")
    assert "Who had the key?" in firefox.text


def test_wrong_words_typed_into_the_page_open_nothing_and_stay_there(
    firefox: Firefox, demonstration: Demonstration
) -> None:
    typed = " ".join(["yo-yo"] * 9)
    enter_words(firefox, demonstration.reporter, typed)
    photograph(firefox, "4-wrong-words")
    assert "No mailbox opens with these words." in firefox.text
    assert firefox.value_of("#words") == typed


def test_follow_up_written_in_the_mailbox_reaches_the_same_case(
    firefox: Firefox, demonstration: Demonstration, counselor: Counselor
) -> None:
    words = open_form(firefox, demonstration.reporter)
    firefox.type("#text", "First letter.")
    send(firefox)
    enter_words(firefox, demonstration.reporter, " ".join(words))
    firefox.type("#text", "Second letter.")
    send(firefox)
    photograph(firefox, "8-follow-up-sent")

    firefox.goto(demonstration.courier)
    counselor.imports(firefox.download("Take the bundle"))
    cases = [text_of(counselor, one["case"]) for one in counselor.lists()]
    assert any("First letter." in case and "Second letter." in case for case in cases)


@pytest.mark.claim("C3")
def test_form_reached_by_back_after_sending_keeps_the_text_and_adds_to_the_report(
    firefox: Firefox, demonstration: Demonstration, counselor: Counselor
) -> None:
    words = open_form(firefox, demonstration.reporter)
    firefox.type("#text", "Before.")
    send(firefox)
    with firefox.inside(PROGRESS):
        firefox.enter("What happens now")
    firefox.wait_for("You can expect a first answer within 14 days.")
    assert "In danger now?" in firefox.text
    photograph(firefox, "3-what-happens-now")
    firefox.back()
    assert firefox.value_of("#text") == "Before."
    assert firefox.texts_of("#receipt b") == words
    firefox.type("#text", " And after.")
    send_again(firefox)

    firefox.goto(demonstration.courier)
    counselor.imports(firefox.download("Take the bundle"))
    cases = [text_of(counselor, one["case"]) for one in counselor.lists()]
    assert any(case.count("Before.") == 2 and "And after." in case for case in cases)


def test_way_back_to_the_nine_words_after_sending_shows_the_same_nine_words(
    firefox: Firefox, demonstration: Demonstration
) -> None:
    words = open_form(firefox, demonstration.reporter)
    firefox.type("#text", "To compare.")
    send(firefox)
    with firefox.inside(PROGRESS):
        firefox.enter("Compare the nine words with your paper")
    firefox.wait_for_address("#receipt")
    assert firefox.texts_of("#receipt b") == words

    firefox.goto(f"{demonstration.reporter}/en/report")
    firefox.type("#text", "To compare.")
    send(firefox)
    with firefox.inside(PROGRESS):
        assert not firefox.has("a[href*=receipt]")


@pytest.mark.claim("C6")
def test_enter_in_a_line_of_the_form_neither_sends_it_nor_leaves_the_page(
    firefox: Firefox, demonstration: Demonstration
) -> None:
    words = open_form(firefox, demonstration.reporter)
    address = firefox.url
    firefox.click("What happened")
    firefox.type("#place", f"In the stores.{ENTER}")
    firefox.click("Look again")
    firefox.wait_for("When you press Send", frame=PROGRESS)
    assert firefox.url == address
    assert firefox.texts_of("#receipt b") == words
    firefox.type("#place", " Twice.")
    assert firefox.value_of("#place") == "In the stores. Twice."


@pytest.mark.claim("C6")
def test_language_switched_in_form_and_mailbox_keeps_words_text_and_receipt(
    firefox: Firefox, demonstration: Demonstration
) -> None:
    words = open_form(firefox, demonstration.reporter)
    firefox.type("#text", STORY)
    firefox.click(".languages summary")
    firefox.click("Español")
    assert firefox.url.endswith("/es/report")
    assert firefox.value_of("#text") == STORY
    assert firefox.texts_of("#receipt b") == words
    firefox.click("button[formtarget=sink]")
    firefox.wait_for("Enviado y bajo llave", frame=PROGRESS)

    enter_words(firefox, demonstration.reporter, " ".join(words))
    firefox.type("#text", "More.")
    firefox.click(".languages summary")
    firefox.click("العربية")
    assert firefox.url.endswith("/ar/mailbox/message")
    assert firefox.value_of("#text") == "More."


@pytest.mark.claim("C6")
def test_link_in_the_refusal_leads_to_the_field_even_where_it_is_folded(
    firefox: Firefox, demonstration: Demonstration
) -> None:
    open_form(firefox, demonstration.reporter)
    firefox.type("#text", "My name may be said.")
    firefox.click("What you agree to")
    firefox.click("input[name=consents][value=name]")
    firefox.click("What you agree to")
    assert "My files may be shown" not in firefox.text
    firefox.click("Send")
    firefox.wait_for("Only the person whom it happened to", frame=PROGRESS)
    with firefox.inside(PROGRESS):
        firefox.enter("li a")
    firefox.wait_for_address("#consents")
    assert "My files may be shown" in firefox.text
    assert firefox.value_of("#text") == "My name may be said."


@pytest.mark.claim("C6")
def test_report_written_with_the_keyboard_alone_is_sent(
    firefox: Firefox, demonstration: Demonstration, counselor: Counselor
) -> None:
    firefox.goto(demonstration.reporter + "/")
    tab_to(firefox, "Write a report")
    firefox.press(ENTER)
    tab_to(firefox, "text")
    firefox.press("By keyboard.")
    tab_to(firefox, "What kind of thing it was")
    firefox.press(SPACE)
    tab_to(firefox, "categories")
    firefox.press(SPACE)
    assert firefox.focused().ticked
    photograph(firefox, "9-keyboard")
    tab_to(firefox, "Send")
    firefox.press(SPACE)
    firefox.wait_for("Sent and locked", frame=PROGRESS)

    firefox.goto(demonstration.courier)
    counselor.imports(firefox.download("Take the bundle"))
    assert any("By keyboard." in text_of(counselor, one["case"]) for one in counselor.lists())


def tab_to(firefox: Firefox, wanted: str) -> None:
    """Press Tab until the focus is on what has this text, id or name."""
    for _ in range(80):
        firefox.press(TAB)
        focused = firefox.focused()
        if wanted in (focused.text, focused.id, focused.name):
            return
    raise AssertionError(f"Tab never reaches {wanted}")
