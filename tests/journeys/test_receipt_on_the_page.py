"""The receipt opens the mailbox however a person writes it, and nothing else opens it."""

from collections.abc import Callable
from pathlib import Path

import pytest

from protocol.receipt import dice_number, generate_receipt
from protocol.words import may_be_typo
from tests.journeys.people import Counselor, Courier, Reporter

pytestmark = pytest.mark.slow

EVERYBODY = ("counselor-1", "counselor-2", "head")
Words = tuple[str, ...]


def with_a_slip_in_every_word(words: Words) -> str:
    """Double the last letter of each word: one insertion, which no other word explains."""
    return " ".join(word + word[-1] for word in words)


def begun(word: str) -> str:
    """Leave three letters, where they are no slip of another word."""
    return word if may_be_typo(word[:3]) else word[:3]


WRITINGS: dict[str, Callable[[Words], str]] = {
    "as shown": " ".join,
    "capitals": lambda words: " ".join(words).upper(),
    "hyphens": "-".join,
    "one slip in every word": with_a_slip_in_every_word,
    "first three letters": lambda words: " ".join(word[:3] for word in words),
    "dice numbers": lambda words: " ".join(map(dice_number, words)),
    "a line for each": "\r\n".join,
    "first four letters": lambda words: " ".join(word[:4] for word in words),
    "mixed": lambda words: f"{dice_number(words[0])} {begun(words[1])} " + "-".join(words[2:]),
}


@pytest.fixture(scope="module")
def answered(demonstration, tmp_path_factory: pytest.TempPathFactory) -> Reporter:  # type: ignore[no-untyped-def]
    """A reporter whose reply lies in the mailbox."""
    folder: Path = tmp_path_factory.mktemp("answered")
    reporter, courier = Reporter(demonstration.reporter), Courier(demonstration.courier)
    counselor = Counselor(folder / "desk", key=demonstration.key, relay=demonstration.certificate)
    reporter.opens_the_form()
    reporter.sends("Someone has to look at the invoices.", to=EVERYBODY)
    counselor.imports(courier.takes_a_bundle(folder / "bundle.zip"))
    counselor.replies(counselor.lists()[0]["case"], "We looked. Thank you.")
    assert courier.brings(counselor.exports(folder / "dispatch")).status == 200
    return reporter


@pytest.mark.parametrize("writing", WRITINGS.values(), ids=WRITINGS.keys())
def test_the_words_written_in_any_way_open_the_mailbox(
    answered: Reporter, writing: Callable[[Words], str]
) -> None:
    mailbox = answered.opens_the_mailbox(writing(answered.paper))
    assert mailbox.status == 200
    assert "We looked. Thank you." in mailbox.text


WRONG = {
    "never issued": lambda words: " ".join(generate_receipt()),
    "in another order": lambda words: " ".join(reversed(words)),
    "one word exchanged": lambda words: " ".join((*words[:8], _other_than(words[8]))),
}


def _other_than(word: str) -> str:
    return next(other for other in generate_receipt() if other != word)


@pytest.mark.parametrize("writing", WRONG.values(), ids=WRONG.keys())
def test_wrong_words_give_one_page_with_what_was_typed(
    answered: Reporter, writing: Callable[[Words], str]
) -> None:
    typed = writing(answered.paper)
    page = answered.opens_the_mailbox(typed)
    assert page.status == 404
    assert "No mailbox opens with these words" in page.text
    assert typed in page.text
    without = page.text.replace(typed, "").rstrip("-<!> ")
    other = answered.opens_the_mailbox(" ".join(generate_receipt()))
    assert without.partition("<textarea")[0] == other.text.partition("<textarea")[0]


def test_word_that_could_be_another_is_named_where_no_mailbox_opens(answered: Reporter) -> None:
    page = answered.opens_the_mailbox(" ".join(("gey", *generate_receipt()[1:])))  # geyser, or grey
    assert page.status == 404
    assert "We could not read these words: number 1." in page.text
