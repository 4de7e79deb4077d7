"""Every text of the interface is there in every language that a policy shows."""

import re
from pathlib import Path

import pytest
from babel.core import Locale
from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

from policies.checker import check_policy
from policies.loader import load_policy, shipped

ROOT = Path(__file__).parent.parent
POLICIES = ("generic", "ddp", "ifes")
LANGUAGES = load_policy(shipped("generic"), "en").languages
PLACEHOLDER = re.compile(r"%\(\w+\)s|%%")


def catalogue(code: str) -> Catalog:
    folder = str(Locale.parse(code, sep="-"))
    with (ROOT / "locale" / folder / "LC_MESSAGES" / "messages.po").open("rb") as file:
        return read_po(file)


def extracted() -> set[str]:
    """Return every text that code and templates ask for."""
    found = set()
    for folder, method in (("relay", "python"), ("templates/reporter", "jinja2")):
        pattern = "**.py" if method == "python" else "**.html"
        for _, _, text, _, _ in extract_from_dir(
            ROOT / folder, method_map=[(pattern, method)], keywords={"_": None}
        ):
            found.add(text)
    return found


TEXTS = extracted()


def test_thirteen_languages_are_shown_by_all_three_policies() -> None:
    assert len(LANGUAGES) == 13
    assert {load_policy(shipped(name), "en").languages for name in POLICIES} == {LANGUAGES}


@pytest.mark.parametrize("code", [code for code in LANGUAGES if code != "en"])
def test_every_text_is_translated_with_the_same_placeholders(code: str) -> None:
    found = {message.id: message.string for message in catalogue(code) if message.id}
    assert [text for text in TEXTS if not found.get(text)] == []
    assert [m.id for m in catalogue(code) if m.id and m.fuzzy] == []
    wrong = [
        text
        for text in TEXTS
        if sorted(PLACEHOLDER.findall(text)) != sorted(PLACEHOLDER.findall(str(found[text])))
    ]
    assert wrong == []


@pytest.mark.parametrize("name", POLICIES)
def test_every_text_of_a_policy_is_there_in_every_language(name: str) -> None:
    assert check_policy(shipped(name)) == []


@pytest.mark.parametrize("code", LANGUAGES)
def test_a_language_that_nobody_reviewed_carries_a_mark(code: str) -> None:
    assert (code in load_policy(shipped("generic"), code).reviewed) == (code == "en")
