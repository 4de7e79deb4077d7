"""Each mistake that an organisation can make is named so that it can be mended."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pytest
from policy_folder import POLICY, STRINGS, PolicyFolder, copy_generic

from policies.checker import check_policy
from policies.loader import load_policy
from protocol.errors import FormatError

Break = Callable[[PolicyFolder], None]


def change(old: str, new: str, file: str = POLICY) -> Break:
    return lambda folder: folder.change(file, old, new)


def write(file: str, text: str) -> Break:
    return lambda folder: folder.write(file, text)


def append(file: str, text: str) -> Break:
    return lambda folder: folder.append(file, text)


def delete(file: str) -> Break:
    return lambda folder: (folder.path / file).unlink()


def in_french(old: str, new: str) -> Break:
    def break_it(folder: PolicyFolder) -> None:
        folder.add_language("fr")
        folder.change("texts/fr/strings.toml", old, new)

    return break_it


@dataclass(frozen=True)
class Case:
    name: str
    break_it: Break
    file: str
    line: str  # stands in the line that the mistake points to
    says: str
    instead: str


DAYS = "acknowledge-days = 14"
CASES = [
    Case(
        "a key with a typing mistake",
        change(DAYS, "acknowlege-days = 14"),
        POLICY,
        "acknowlege-days",
        "nothing that a policy knows",
        "«acknowledge-days»",
    ),
    Case(
        "a part with a typing mistake",
        change("[question.support]", "[qestion.support]"),
        POLICY,
        "[qestion.support]",
        "nothing that a policy knows",
        "«question»",
    ),
    Case(
        "a compulsory question",
        change('meaning = "wishes"', 'meaning = "wishes"\nrequired = true'),
        POLICY,
        "required = true",
        "nothing that a policy knows",
        "No question may be required",
    ),
    Case(
        "a clock that is no number",
        change(DAYS, 'acknowledge-days = "two weeks"'),
        POLICY,
        "acknowledge-days",
        "not a whole number",
        "acknowledge-days = 14",
    ),
    Case(
        "a clock in quotes",
        change(DAYS, 'acknowledge-days = "14"'),
        POLICY,
        "acknowledge-days",
        "not a whole number",
        "without quotes",
    ),
    Case(
        "a clock that is missing",
        change(DAYS, ""),
        POLICY,
        "[track.concern]",
        "«track.concern.acknowledge-days» is missing",
        "acknowledge-days = 14",
    ),
    Case(
        "a window below zero",
        change(DAYS, DAYS + "\nwindow-days = -183"),
        POLICY,
        "window-days = -183",
        "at least 1",
        "window-days = 183",
    ),
    Case(
        "an answer promised before the confirmation",
        change("feedback-days = 90", "feedback-days = 3"),
        POLICY,
        "feedback-days = 3",
        "promised before",
        "at least 14",
    ),
    Case(
        "a track that nobody reads",
        change('recipients = ["counselor-1", "counselor-2"]', "recipients = []"),
        POLICY,
        "recipients = []",
        "is empty",
        '"counselor-1"',
    ),
    Case(
        "an unknown recipient in a route",
        change('recipients = ["counselor-1"]', 'recipients = ["counsellor-1"]'),
        POLICY,
        "counsellor-1",
        "no recipient of this policy",
        "«counselor-1»",
    ),
    Case(
        "a route for a category that the track does not offer",
        change('categories = ["sexual-harassment",', 'categories = ["fraud",'),
        POLICY,
        "fraud",
        "no category of this track",
        "Write one of",
    ),
    Case(
        "an unknown question on a track, some lines below its key",
        change('"danger", "support",', '"dangr", "support",'),
        POLICY,
        '"dangr"',
        "no question of this policy",
        "«danger»",
    ),
    Case(
        "a ladder that goes in a circle",
        change('["head", "board", "authority"]', '["head", "board", "head"]'),
        POLICY,
        "rungs =",
        "goes in a circle",
        "not decided before",
    ),
    Case(
        "two rungs that lead to the same person",
        change("[rung.board]", '[rung.board]\nrecipient = "head"'),
        POLICY,
        "rungs =",
        "«head» comes twice",
        "not decided before",
    ),
    Case(
        "a rung that nobody can reach",
        change('recipient = "head"\n', ""),
        POLICY,
        "[rung.head]",
        "no text says how to reach it",
        "«rung.head.reach»",
    ),
    Case(
        "a language by its name",
        change('languages = ["en"]', 'languages = ["en", "french"]'),
        POLICY,
        "french",
        "not a language code",
        "«fr»",
    ),
    Case(
        "a language shown twice",
        change('languages = ["en"]', 'languages = ["en", "en"]'),
        POLICY,
        "languages",
        "«en» stands here twice",
        "Take one of the two out",
    ),
    Case(
        "a language code that does not exist",
        change('languages = ["en"]', 'languages = ["en", "xx"]'),
        POLICY,
        "xx",
        "not a language code",
        "such as en, fr",
    ),
    Case(
        "a language without texts",
        change('languages = ["en"]', 'languages = ["en", "sw"]'),
        "texts/sw/strings.toml",
        "",
        "texts in «sw» are missing",
        "Copy the folder texts/en",
    ),
    Case(
        "its own language is not shown",
        change('language = "en"', 'language = "fr"'),
        POLICY,
        "languages",
        "not among the languages shown",
        "Add «fr»",
    ),
    Case(
        "the same name twice",
        append(POLICY, "\n[duty.support]\n"),
        POLICY,
        "[duty.support]",
        "twice",
        "another name",
    ),
    Case(
        "a day that does not exist",
        change("effective = 2026-11-22", 'effective = "22 November"'),
        POLICY,
        "effective",
        "not a date",
        "effective = 2026-11-22",
    ),
    Case(
        "a document that takes effect after the policy",
        change(
            '[document.privacy]\nversion = "1.0"\neffective = 2026',
            '[document.privacy]\nversion = "1.0"\neffective = 2027',
        ),
        POLICY,
        "effective = 2027",
        "after the policy",
        "2026-11-22",
    ),
    Case(
        "a holiday that ends before it begins",
        lambda folder: (
            folder.append(POLICY, "\n[holiday.winter]\nfirst = 2027-01-02\nlast = 2026-12-24\n"),
            folder.append(STRINGS, '\n[holiday.winter]\nnotice = "We are away."\n'),
        )[0],
        POLICY,
        "last = 2026-12-24",
        "ends before it begins",
        "2027-01-02 or a later day",
    ),
    Case(
        "HTML in a page",
        append("texts/en/safety.md", "\n<script>alert(1)</script>\n"),
        "texts/en/safety.md",
        "<script>",
        "contains HTML",
        "Use Markdown",
    ),
    Case(
        "HTML within a sentence of a page",
        append("texts/en/safety.md", "\nCall <b>now</b>.\n"),
        "texts/en/safety.md",
        "<b>",
        "contains HTML",
        "Use Markdown",
    ),
    Case(
        "HTML in a short text",
        change('title = "Harassment"', 'title = "<b>Harassment</b>"', STRINGS),
        STRINGS,
        "<b>Harassment",
        "contains HTML",
        "plain words",
    ),
    Case(
        "a picture in a page",
        append("texts/en/safety.md", "\n![map](map.png)\n"),
        "texts/en/safety.md",
        "![map]",
        "no pictures",
        "in words",
    ),
    Case(
        "a link that runs code",
        append("texts/en/safety.md", "\n[here](javascript:alert(1))\n"),
        "texts/en/safety.md",
        "javascript",
        "leads nowhere",
        "https://",
    ),
    Case(
        "a page that is missing",
        delete("texts/en/safety.md"),
        "texts/en/safety.md",
        "",
        "page «safety.md» is missing",
        "Copy it",
    ),
    Case(
        "a page that is empty",
        write("texts/en/rights.md", "\n"),
        "texts/en/rights.md",
        "",
        "empty",
        "at least one sentence",
    ),
    Case(
        "a page that nothing uses",
        write("texts/en/safty.md", "Text.\n"),
        "texts/en/safty.md",
        "Text.",
        "Nothing in the policy uses",
        "«safety.md»",
    ),
    Case(
        "an event without guidelines",
        lambda folder: (
            folder.append(POLICY, "\n[event.meeting]\n"),
            folder.append(STRINGS, '\n[event.meeting]\ntitle = "Meeting"\n'),
        )[0],
        "texts/en/event-meeting.md",
        "",
        "page «event-meeting.md» is missing",
        "Copy it",
    ),
    Case(
        "nobody to call in an emergency",
        change('[emergency.local]\naddress = "112"\n[emergency.counselling]', "[emergency]"),
        POLICY,
        "[emergency]",
        "nobody to call",
        "[emergency.local]",
    ),
    Case(
        "a question with a name of the form's own",
        change("[question.place]", "[question.language]"),
        POLICY,
        "[question.language]",
        "The form itself uses the name «language»",
        "[question.about-language]",
    ),
    Case(
        "an unknown kind of question",
        change('kind = "tick"', 'kind = "checkbox"'),
        POLICY,
        'kind = "checkbox"',
        "does not know",
        "long-text",
    ),
    Case(
        "a choice without options",
        change('options = ["affected", "witness", "on-behalf"]\n', ""),
        POLICY,
        "[question.standing]",
        "nothing to choose from",
        "options =",
    ),
    Case(
        "options for a question that is not a choice",
        change(
            'kind = "person"\ngroup = "what"',
            'kind = "person"\noptions = ["a", "b"]\ngroup = "what"',
        ),
        POLICY,
        'options = ["a", "b"]',
        "has no options",
        'kind = "choice"',
    ),
    Case(
        "an option that a rule needs",
        change(
            'options = ["affected", "witness", "on-behalf"]', 'options = ["affected", "on-behalf"]'
        ),
        POLICY,
        'options = ["affected", "on-behalf"]',
        "needs the option «witness»",
        "Add «witness»",
    ),
    Case(
        "a consent of the person affected where nobody asks who that is",
        change('    "standing", "relationship", "formality",\n', ""),
        POLICY,
        "consents =",
        "may only be given by the person affected",
        "standing",
    ),
    Case(
        "no signature to delete a case",
        change("signatures = 2", "signatures = 0"),
        POLICY,
        "signatures = 0",
        "at least 1",
        "signatures = 2",
    ),
    Case(
        "more signatures than people",
        change("signatures = 2", "signatures = 4"),
        POLICY,
        "signatures = 4",
        "only 3 recipients",
        "3 or less",
    ),
    Case(
        "more people to agree than there are",
        change("others = 1", "others = 3"),
        POLICY,
        "others = 3",
        "more people than",
        "Write 2",
    ),
    Case(
        "neither true nor false",
        change("word-of-mouth = true", 'word-of-mouth = "yes"'),
        POLICY,
        "word-of-mouth",
        "neither true nor false",
        "word-of-mouth = true",
    ),
    Case(
        "no status ends a case",
        change("final = true\n", ""),
        POLICY,
        "[status.received]",
        "No status ends",
        "final = true",
    ),
    Case(
        "no ready acknowledgement",
        change('moment = "acknowledgement"', 'moment = "question"'),
        POLICY,
        "[template.acknowledgement]",
        "moment «acknowledgement»",
        "[template.acknowledgement]",
    ),
    Case(
        "a text that is missing",
        change('title = "Harassment"\n', "", STRINGS),
        STRINGS,
        "[category.harassment]",
        "«category.harassment.title» is missing",
        "under [category.harassment] write title",
    ),
    Case(
        "a text that nothing uses",
        change('title = "Harassment"', 'title = "Harassment"\ntittle = "x"', STRINGS),
        STRINGS,
        "tittle",
        "Nothing in the policy uses",
        "«category.harassment.title»",
    ),
    Case(
        "a label that is too long",
        change('label = "When was it?"', f'label = "{"When " * 60}"', STRINGS),
        STRINGS,
        "label = ",
        "too long",
        "200 characters",
    ),
    Case(
        "a text that is a number",
        change('label = "When was it?"', "label = 7", STRINGS),
        STRINGS,
        "label = 7",
        "not a text",
        "quotation marks",
    ),
    Case(
        "examples that are no list",
        change('examples = ["Invented', 'examples = "x" # ["Invented', STRINGS),
        STRINGS,
        "examples",
        "not a list",
        "examples = [",
    ),
    Case(
        "a placeholder that is never filled in",
        change("on {received},", "on {recieved},", STRINGS),
        STRINGS,
        "text = ",
        "«{recieved}»",
        "«received»",
    ),
    Case(
        "a text in the policy file",
        change("[track.concern]\nkind", '[track.concern]\ntitle = "Concern"\nkind'),
        POLICY,
        'title = "Concern"',
        "texts do not stand in policy.toml",
        "strings.toml",
    ),
    Case(
        "a placeholder lost in translation",
        in_french("by {feedback_by} at the latest", "soon"),
        "texts/fr/strings.toml",
        "text = ",
        "lost the placeholder «{feedback_by}»",
        "«{feedback_by}»",
    ),
    Case(
        "a text lost in translation",
        in_french('title = "Fraud"\n', ""),
        "texts/fr/strings.toml",
        "[category.fraud]",
        "«category.fraud.title» is missing",
        "Add it",
    ),
    Case(
        "an optional text lost in translation",
        in_french('hint = "A place, a meeting, a chat, a call."', ""),
        "texts/fr/strings.toml",
        "[question.place]",
        "«question.place.hint» is missing",
        "Add it",
    ),
    Case(
        "an example lost in translation",
        in_french('["Hitting or pushing", ', "["),
        "texts/fr/strings.toml",
        "examples = ",
        "has 2 texts, the original has 3",
        "Translate each",
    ),
]


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_checker_mistake_in_policy_is_named_with_file_line_and_remedy(
    case: Case, tmp_path: Path
) -> None:
    folder = copy_generic(tmp_path)
    case.break_it(folder)
    found = [
        mistake
        for mistake in folder.mistakes()
        if mistake.file == folder.path / case.file
        and case.line in folder.line_text(mistake)
        and case.says in mistake.message
        and case.instead in mistake.instead
    ]
    assert found, "\n".join(map(str, folder.mistakes()))


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_checker_mistake_speaks_no_programmers_language(case: Case, tmp_path: Path) -> None:
    folder = copy_generic(tmp_path)
    case.break_it(folder)
    for mistake in folder.mistakes():
        spoken = f"{mistake.message} {mistake.instead}".lower()
        for word in ("pydantic", "traceback", "nonetype", "validation", "regex", "dict", "tuple"):
            assert word not in spoken
        assert mistake.message.endswith(".")
        assert mistake.instead.endswith((".", "…"))


def test_checker_untouched_copy_has_no_mistake(tmp_path: Path) -> None:
    assert copy_generic(tmp_path).mistakes() == []


def test_checker_empty_folder_asks_for_a_copy(tmp_path: Path) -> None:
    (mistake,) = check_policy(tmp_path)
    assert "no file policy.toml" in mistake.message
    assert "policies/generic" in mistake.instead


def test_checker_several_mistakes_at_once_are_all_named(tmp_path: Path) -> None:
    folder = copy_generic(tmp_path)
    folder.change(POLICY, DAYS, "acknowledge-days = 0")
    folder.change(POLICY, 'kind = "tick"', 'kind = "box"')
    folder.change(STRINGS, 'title = "Harassment"\n', "")
    messages = [mistake.message for mistake in folder.mistakes()]
    assert len(messages) == 3


def test_checker_policy_of_tomorrow_is_named_when_today_is_told(tmp_path: Path) -> None:
    folder = copy_generic(tmp_path)
    mistakes = check_policy(folder.path, today=date(2026, 11, 21))
    assert {"has not come yet" in mistake.message for mistake in mistakes} == {True}
    assert check_policy(folder.path, today=date(2026, 11, 22)) == []


def test_checker_second_language_with_every_text_is_no_mistake(tmp_path: Path) -> None:
    folder = copy_generic(tmp_path)
    folder.add_language("fr")
    assert folder.mistakes() == []


def test_mistake_printed_begins_with_file_and_line(tmp_path: Path) -> None:
    folder = copy_generic(tmp_path)
    folder.change(POLICY, DAYS, "acknowledge-days = 0")
    (mistake,) = folder.mistakes()
    assert str(mistake).startswith(f"{folder.path / POLICY}, line {mistake.line}: ")


def test_loader_policy_with_a_mistake_is_refused_with_its_first_sentence(tmp_path: Path) -> None:
    folder = copy_generic(tmp_path)
    folder.change(POLICY, 'recipients = ["counselor-1"]', 'recipients = ["nobody"]')
    with pytest.raises(FormatError, match="«nobody» is no recipient"):
        load_policy(folder.path, "en")
