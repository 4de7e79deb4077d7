"""Checks the texts of one language of a policy: complete, plain, short enough.

A missing sentence, a stray piece of HTML or a lost placeholder shows up here and
not on the screen of somebody who is afraid.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from markdown_it import MarkdownIt

from policies.lines import find_line
from policies.loader import STRINGS_FILE, flatten
from policies.markdown import is_safe_link
from policies.mistakes import Mistake
from policies.sources import read_source, read_tables
from policies.texts import Labels, Lines, MarkdownFile, TextSlot, Words
from policies.wording import nearest

_TAG = re.compile(r"</?[A-Za-z!][^>]*>?")
_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")
_LINK = re.compile(r"(?<!!)\]\(\s*<?([^)>\s]*)")
_WITH_HTML = MarkdownIt("commonmark", {"html": True})

Mistakes = Iterator[Mistake]


@dataclass(frozen=True)
class LanguageTexts:
    """The texts of one language, as they lie in its folder."""

    folder: Path
    source: str
    strings: Mapping[str, Any]

    @property
    def strings_file(self) -> Path:
        """Where the short texts are."""
        return self.folder / STRINGS_FILE

    def line(self, key: str) -> int:
        """Find the line of a key in strings.toml."""
        return find_line(self.source, tuple(key.split(".")))


def read_language(folder: Path) -> LanguageTexts | Mistake:
    """Read a language's folder, or say why it cannot be read."""
    path = folder / STRINGS_FILE
    try:
        found = read_tables(path)
    except FileNotFoundError:
        origin = "policies/generic/texts/en" if folder.name == "en" else "texts/en"
        return Mistake(
            path,
            1,
            f"The texts in «{folder.name}» are missing.",
            f"Copy the folder {origin} to texts/{folder.name} and write your own texts there.",
        )
    if isinstance(found, Mistake):
        return found
    source, tables = found
    return LanguageTexts(folder, source, flatten(tables))


def check_texts(
    texts: LanguageTexts, slots: Sequence[TextSlot], base: LanguageTexts | None
) -> Mistakes:
    """Check all texts of one language.

    Args:
        texts: the language to check.
        slots: every place of the policy that wants a text.
        base: the language the policy was written in, to compare placeholders and
            the number of examples with; None for that language itself.

    Yields:
        Every mistake.
    """
    for slot in slots:
        if isinstance(slot.kind, MarkdownFile):
            yield from _check_page(texts.folder / slot.key, optional=slot.kind.optional)
        elif isinstance(slot.kind, Lines):
            yield from _check_list(texts, slot.key, slot.kind, base)
        else:
            for key in slot.keys:
                yield from _check_string(texts, key, slot.kind, base)


def _check_string(
    texts: LanguageTexts, key: str, kind: Words | Labels, base: LanguageTexts | None
) -> Mistakes:
    optional = isinstance(kind, Words) and kind.optional
    value = texts.strings.get(key)
    file, line = texts.strings_file, texts.line(key)
    if value is None or (isinstance(value, str) and not value.strip()):
        expected = base is not None and str(base.strings.get(key, "")).strip()
        if not optional or expected:
            yield Mistake(
                file, line, f"The text «{key}» is missing.", f'Add it: {_as_toml(key)} = "…".'
            )
    elif not isinstance(value, str):
        yield Mistake(file, line, f"«{key}» is not a text.", "Put it between quotation marks.")
    else:
        yield from _check_wording(file, line, key, value, kind.most)
        allowed = kind.placeholders if isinstance(kind, Words) else ()
        yield from _check_placeholders(texts, key, value, allowed, base)


def _as_toml(key: str) -> str:
    table, _, name = key.rpartition(".")
    return f"under [{table}] write {name}" if table else name


def _check_wording(file: Path, line: int, key: str, value: str, most: int) -> Mistakes:
    if len(value) > most:
        yield Mistake(
            file,
            line,
            f"«{key}» is too long: {len(value)} characters.",
            f"Shorten it to {most} characters.",
        )
    if tag := _TAG.search(value):
        yield Mistake(
            file,
            line,
            f"«{key}» contains HTML, which is never shown as such.",
            f"Take out «{tag[0][:40]}» and write plain words.",
        )


def _check_placeholders(
    texts: LanguageTexts,
    key: str,
    value: str,
    allowed: Sequence[str],
    base: LanguageTexts | None,
) -> Mistakes:
    used = set(_PLACEHOLDER.findall(value))
    file, line = texts.strings_file, texts.line(key)
    for name in sorted(used - set(allowed)):
        instead = (
            nearest(name, sorted(allowed)) if allowed else "Write the words out, without braces."
        )
        yield Mistake(file, line, f"«{{{name}}}» in «{key}» is never filled in.", instead)
    if base is None or not isinstance(base.strings.get(key), str):
        return
    expected = set(_PLACEHOLDER.findall(base.strings[key]))
    for name in sorted(expected - used):
        yield Mistake(
            file,
            line,
            f"«{key}» lost the placeholder «{{{name}}}» that the original has.",
            f"Put «{{{name}}}» where the value belongs in your sentence.",
        )
    for name in sorted((used & set(allowed)) - expected):
        yield Mistake(
            file,
            line,
            f"«{key}» has the placeholder «{{{name}}}», which the original has not.",
            "Take it out, or put it into the original too.",
        )


def _check_list(
    texts: LanguageTexts, key: str, kind: Lines, base: LanguageTexts | None
) -> Mistakes:
    value = texts.strings.get(key, [] if kind.optional else None)
    file, line = texts.strings_file, texts.line(key)
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        yield Mistake(
            file,
            line,
            f"«{key}» is not a list of texts.",
            f'Write it as {key.rpartition(".")[2]} = ["first", "second"].',
        )
        return
    for item in value:
        yield from _check_wording(file, line, key, item, kind.most)
    original = base.strings.get(key, []) if base else value
    if isinstance(original, list) and len(original) != len(value):
        yield Mistake(
            file,
            line,
            f"«{key}» has {len(value)} texts, the original has {len(original)}.",
            "Translate each of them, in the same order.",
        )


def _check_page(path: Path, *, optional: bool) -> Mistakes:
    try:
        source = read_source(path)
    except FileNotFoundError:
        if not optional:
            yield Mistake(
                path,
                1,
                f"The page «{path.name}» is missing.",
                "Copy it from another language and translate it.",
            )
        return
    if isinstance(source, Mistake):
        yield source
        return
    if not source.strip():
        yield Mistake(path, 1, "This page is empty.", "Write at least one sentence.")
    yield from _check_markdown(path, source)


def _check_markdown(path: Path, source: str) -> Mistakes:
    lines = source.splitlines()
    for block in _WITH_HTML.parse(source):
        first, last = block.map or (0, 1)
        inline = {child.type for child in block.children or ()}
        if block.type == "html_block" or "html_inline" in inline:
            line = next((n for n in range(first, last) if _TAG.search(lines[n])), first)
            yield Mistake(
                path,
                line + 1,
                "This page contains HTML, which is never shown as such.",
                "Use Markdown: **bold**, - a list, ## a heading.",
            )
        if "image" in inline:
            line = next((n for n in range(first, last) if "![" in lines[n]), first)
            yield Mistake(
                path, line + 1, "Pages show no pictures.", "Say in words what the picture shows."
            )
    for number, text in enumerate(lines, start=1):
        for target in _LINK.findall(text):
            if not is_safe_link(target):
                yield Mistake(
                    path,
                    number,
                    f"The link «{target[:60]}» leads nowhere that this site links to.",
                    "Write a full address that begins with https://, http:// or mailto:.",
                )


def unused_texts(texts: LanguageTexts, slots: Sequence[TextSlot]) -> Mistakes:
    """Name the texts and pages that no part of the policy asks for."""
    keys = {key for slot in slots for key in slot.keys}
    for key in texts.strings:
        if key not in keys:
            yield Mistake(
                texts.strings_file,
                texts.line(key),
                f"Nothing in the policy uses the text «{key}».",
                _close_or_remove(key, sorted(keys)),
            )
    pages = {slot.key for slot in slots if isinstance(slot.kind, MarkdownFile)}
    for path in sorted(texts.folder.glob("*.md")):
        if path.name not in pages:
            yield Mistake(
                path,
                1,
                f"Nothing in the policy uses the page «{path.name}».",
                _close_or_remove(path.name, sorted(pages)),
            )


def _close_or_remove(name: str, known: list[str]) -> str:
    hint = nearest(name, known, likeness=0.8)
    if hint.endswith("instead."):
        return hint
    return "Take it out, or give it the name that policy.toml has."
