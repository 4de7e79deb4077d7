"""Reads the files of a policy as people save them, or says what is wrong with one.

Word processors change quotation marks, editors put a mark before the first letter, people
write a day as they speak it: each of these has its own sentence.
"""

import re
import tomllib
import zipfile
from pathlib import Path
from typing import Any

from policies.mistakes import Mistake

# A file or folder of a policy: on a disk, or in an archive in memory.
Place = Path | zipfile.Path

ENCODING = "utf-8-sig"  # with or without the mark that some editors put first
_DAY = re.compile(r"=\s*\d{1,4}[./-]\d{1,2}[./-]\d{1,4}")
_HEADING = re.compile(r"^\s*\[(?!\[?[\w-]+(\.[\w-]+)*\]?\]\s*(#|$))")
_BARE_WORD = re.compile(r"^\s*[\w-]+\s*=\s*[^\W\d]")
_SPELLINGS = (
    (
        re.compile("[“”„]"),
        "This line has the curly quotation marks of a word processor.",
        'Write straight ones: name = "text".',
    ),
    (
        _DAY,
        "This day does not exist, or is not written right.",
        "Write year-month-day without quotes, such as 2026-11-22.",
    ),
    (
        _HEADING,
        "This line should begin a part, and its name is not written right.",
        "Write it as [recipient.head]: letters, digits and hyphens, without blanks.",
    ),
    (
        re.compile(r'^\s*[\w-]+\s+["\'\d\[]'),
        "The equals sign is missing in this line.",
        'Write name = "text".',
    ),
    (
        re.compile(r'^[^"#]*"[^"]*$'),
        "A quotation mark is missing in this line.",
        'Write name = "text" in one line; put """ before and after a longer text.',
    ),
    (
        _BARE_WORD,
        "The value in this line has no quotation marks.",
        'Write a text as name = "text", a number in digits, yes and no as true and false.',
    ),
    (
        re.compile(r"=\s*'"),
        "The quotation marks in this line do not fit together.",
        'Write double ones around the text: name = "text".',
    ),
)


def read_source(path: Place) -> str | Mistake:
    """Read a text file.

    Returns:
        Its text, or what is wrong with the file.

    Raises:
        FileNotFoundError: there is none; only the caller knows what it would be.
    """
    try:
        return path.read_text(encoding=ENCODING)
    except UnicodeDecodeError:
        hint = "Save it again as UTF-8."
        return Mistake(_named(path), 1, "This file is not saved as UTF-8.", hint)
    except FileNotFoundError:
        raise
    except OSError:
        hint = "Put a text file here that you may open."
        return Mistake(_named(path), 1, "This file cannot be read.", hint)


def read_tables(path: Place) -> tuple[str, dict[str, Any]] | Mistake:
    """Read a TOML file.

    Returns:
        Its text and its tables, or what is wrong with the file.

    Raises:
        FileNotFoundError: there is none.
    """
    source = read_source(path)
    if isinstance(source, Mistake):
        return source
    try:
        return source, tomllib.loads(source)
    except tomllib.TOMLDecodeError as error:
        return _misspelt(_named(path), source, str(error))
    except RecursionError:
        hint = "Take some out."
        return Mistake(_named(path), 1, "The brackets lie too deep in each other.", hint)


def _named(path: Place) -> Path:
    return Path(str(path))


def _misspelt(path: Path, source: str, error: str) -> Mistake:
    """Put a mistake in the spelling of TOML into plain words."""
    lines = source.splitlines() or [""]
    found = re.search(r"at line (\d+)", error)
    number = int(found[1]) if found else len(lines)
    if "twice" in error or "overwrite" in error:
        name = "This name stands in the file twice."
        return Mistake(path, number, name, "Give one of the two another name.")
    text = lines[min(number, len(lines)) - 1]
    for pattern, message, instead in _SPELLINGS:
        if pattern.search(text):
            return Mistake(path, number, message, instead)
    return Mistake(
        path,
        number,
        "This line is not written as TOML wants it.",
        "Look for a missing quotation mark, bracket or equals sign, here or just above: "
        'a text is written as name = "text".',
    )
