"""Nothing that a reporter writes moves a cursor or turns a line round."""

import pytest

from desk.legible import make_visible


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        pytest.param("\x1b[2Jgone", "‹U+001B›[2Jgone", id="escape sequence"),
        pytest.param("\x9b31m", "‹U+009B›31m", id="eight-bit escape"),
        pytest.param("\u202efdp.exe", "‹U+202E›fdp.exe", id="right-to-left override"),
        pytest.param("a\u2066b", "a‹U+2066›b", id="isolate"),
        pytest.param("a\u2028b", "a‹U+2028›b", id="line separator"),
        pytest.param("one\ntwo", "one‹U+000A›two", id="line end in a name"),
        pytest.param("a\u200bb", "a‹U+200B›b", id="zero-width space"),
        pytest.param("می\u200cخواهم", "می\u200cخواهم", id="joiner that Persian needs"),
        pytest.param("تقرير", "تقرير", id="arabic stays"),
    ],
)
def test_text_from_a_stranger_is_shown_and_not_obeyed(text: str, shown: str) -> None:
    assert make_visible(text) == shown


def test_lines_of_a_text_stay_lines_but_a_bare_carriage_return_is_seen() -> None:
    assert make_visible("a\r\nb\tc\rd", lines=True) == "a\nb\tc‹U+000D›d"
