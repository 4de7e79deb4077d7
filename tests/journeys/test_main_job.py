"""The main job, in the words of the people: report, carry, read, reply, read the reply."""

from pathlib import Path

import pytest

from tests.journeys.people import Counselor, Courier, Reporter

pytestmark = pytest.mark.slow

EVERYBODY = ("counselor-1", "counselor-2", "head")


def test_a_reply_comes_back_through_the_nine_words(
    reporter: Reporter, courier: Courier, counselor: Counselor, tmp_path: Path
) -> None:
    reporter.opens_the_form()
    sent = reporter.sends("The stores were empty before the audit.", to=EVERYBODY)
    assert sent.status == 200
    assert "Sent and locked" in sent.text
    assert all(word in sent.text for word in reporter.paper)

    counselor.imports(courier.takes_a_bundle(tmp_path / "bundle.zip"))
    case = counselor.lists()[0]["case"]
    assert "The stores were empty" in str(counselor.shows(case))
    counselor.replies(case, "Thank you. Who had the key?")
    answer = courier.brings(counselor.exports(tmp_path / "dispatch"))
    assert "Accepted" in answer.text

    mailbox = reporter.opens_the_mailbox()
    assert "Who had the key?" in mailbox.text


def test_a_long_line_of_a_report_is_printed_whole_into_a_pipe(
    reporter: Reporter, courier: Courier, counselor: Counselor, tmp_path: Path
) -> None:
    reporter.opens_the_form()
    line = "word " * 400 + "and the last word"
    reporter.sends(line, to=EVERYBODY)
    counselor.imports(courier.takes_a_bundle(tmp_path / "bundle.zip"))
    shown = [counselor.prints(case["case"]) for case in counselor.lists()]
    assert any("and the last word" in text for text in shown)
