"""Names every mistake of a policy's folder, for people who are no programmers.

Each mistake says the file, the line, what is wrong and what to write instead.
The loader refuses the same policies but stops at the first; a policy without
mistakes here loads in each of its languages.
"""

from collections.abc import Iterator, MutableMapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from policies.languages import is_known_language, language_hint
from policies.lines import find_line
from policies.loader import POLICY_FILE, TEXTS_FOLDER
from policies.mistakes import Mistake
from policies.references import broken_references
from policies.schema import Policy
from policies.sources import read_tables
from policies.text_checks import LanguageTexts, check_texts, read_language, unused_texts
from policies.texts import Labels, Lines, MarkdownFile, Page, TextSlot, text_slots
from policies.wording import plain_error


@dataclass(frozen=True)
class _PolicyFile:
    """The policy file under check: its text, what it parsed to, the texts it asks for."""

    path: Path
    source: str
    raw: dict[str, Any]
    slots: tuple[TextSlot, ...]

    def mistake(
        self, steps: tuple[str, ...], message: str, instead: str, value: str = ""
    ) -> Mistake:
        """Name a mistake at the line where these steps lead."""
        return Mistake(self.path, find_line(self.source, steps, value), message, instead)

    def owner(self, slot: TextSlot) -> MutableMapping[str, Any]:
        """The entry that a text belongs to."""
        owner: MutableMapping[str, Any] = self.raw
        for step in slot.owner:
            owner = owner[step]
        return owner


def check_policy(directory: Path, *, today: date | None = None) -> list[Mistake]:
    """Check a policy's folder: structure, references and the texts of each language.

    Args:
        directory: the folder with policy.toml and texts/.
        today: when given, dates of effect that lie ahead are mistakes too.

    Returns:
        Every mistake, by file and line; empty when the policy can be used.
    """
    file = _read_policy_file(directory / POLICY_FILE)
    if isinstance(file, Mistake):
        return [file]
    languages, mistakes = _read_languages(directory, file)
    mistakes += _misplaced_texts(file)
    base = languages.get(str(file.raw.get("language")))
    broken = list(_check_structure(file, base, today))
    mistakes += broken
    for texts in languages.values():
        mistakes += check_texts(texts, file.slots, None if texts is base else base)
        if not broken:  # else a part that is only misspelt would have its texts taken out
            mistakes += unused_texts(texts, file.slots)
    return sorted(set(mistakes))


def _read_policy_file(path: Path) -> _PolicyFile | Mistake:
    try:
        found = read_tables(path)
    except FileNotFoundError:
        hint = "Copy the folder policies/generic and change it."
        return Mistake(path, 1, f"This folder has no file {POLICY_FILE}.", hint)
    if isinstance(found, Mistake):
        return found
    source, raw = found
    return _PolicyFile(path, source, raw, tuple(text_slots(Policy, raw)))


def _read_languages(
    directory: Path, file: _PolicyFile
) -> tuple[dict[str, LanguageTexts], list[Mistake]]:
    found: dict[str, LanguageTexts] = {}
    mistakes: list[Mistake] = []
    listed = file.raw.get("languages")
    codes = [c for c in listed if isinstance(c, str)] if isinstance(listed, list) else []
    for code in dict.fromkeys(codes):
        if not is_known_language(code):
            message = f"«{code}» is not a language code."
            mistakes.append(file.mistake(("languages",), message, language_hint(code), code))
            continue
        texts = read_language(directory / TEXTS_FOLDER / code)
        if isinstance(texts, Mistake):
            mistakes.append(texts)
        else:
            found[code] = texts
    return found, mistakes


def _misplaced_texts(file: _PolicyFile) -> Iterator[Mistake]:
    for slot in file.slots:
        if slot.field in file.owner(slot):
            place = slot.key if isinstance(slot.kind, MarkdownFile) else "strings.toml"
            yield file.mistake(
                (*slot.owner, slot.field),
                f"«{slot.field}» is a text, and texts do not stand in {POLICY_FILE}.",
                f"Move it to {place} in each folder of texts/, where it can be translated.",
            )


def _check_structure(
    file: _PolicyFile, base: LanguageTexts | None, today: date | None
) -> Iterator[Mistake]:
    for slot in file.slots:
        file.owner(slot)[slot.field] = _stand_in(slot, base)
    try:
        policy = Policy.model_validate({**file.raw, "shown-in": "en"})
    except ValidationError as error:
        for details in error.errors():
            steps = tuple(step for step in details["loc"] if isinstance(step, str))
            value = details["input"] if isinstance(details["input"], str) else ""
            message, instead = plain_error(details, Policy)
            if "language code" not in message or steps != ("languages",):  # named above
                yield file.mistake(steps, message, instead, value)
        return
    for broken in broken_references(policy):
        yield file.mistake(broken.path, broken.message, broken.instead, broken.value)
    if today is not None:
        yield from _dates_ahead(file, policy, today)


def _stand_in(slot: TextSlot, base: LanguageTexts | None) -> object:
    """Fill a text's place while the structure is checked; the texts have checks of their own."""
    if isinstance(slot.kind, MarkdownFile):
        return Page("")
    if isinstance(slot.kind, Labels):
        return dict.fromkeys(slot.labels, "")
    if isinstance(slot.kind, Lines):
        return ()
    value = base.strings.get(slot.key, "") if base else "?"  # unreadable is named elsewhere
    return value if isinstance(value, str) else ""


def _dates_ahead(file: _PolicyFile, policy: Policy, today: date) -> Iterator[Mistake]:
    dated: list[tuple[tuple[str, ...], date]] = [(("effective",), policy.effective)]
    dated += [(("document", d.id, "effective"), d.effective) for d in policy.documents.values()]
    for steps, effective in dated:
        if effective > today:
            yield file.mistake(
                steps,
                f"This day of effect, {effective}, has not come yet.",
                f"Write {today} or an earlier day, or wait with publishing.",
            )
