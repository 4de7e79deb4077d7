"""Names of files from strangers: what an archive may hold, and how any name is made to fit.

A file name is text that a person chose and another will see on a screen, and a path that a
program will create. Both readings are kept harmless; the script it is written in stays.
PROTOCOL.md, «Archive» and «Envelope».
"""

import unicodedata

from protocol import limits
from protocol.errors import FormatError

# Invisible characters that reorder what is read (UAX #9), and the byte order mark.
_REORDERING = frozenset(
    "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufeff"
)
_OUTSIDE_WINDOWS = frozenset('<>:"|?*')
_RESERVED_BY_WINDOWS = frozenset(
    {"CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$"}
    | {f"{port}{digit}" for port in ("COM", "LPT") for digit in "0123456789¹²³"}
)
_UNPRINTABLE = frozenset({"Cc", "Cs", "Zl", "Zp"})


def is_forbidden_character(character: str) -> bool:
    """Tell whether a character has no place in a name: controls, line ends, reordering."""
    return character in _REORDERING or unicodedata.category(character) in _UNPRINTABLE


def check_entry_name(name: str) -> bytes:
    """Refuse a name that could leave its folder or show as something else.

    Args:
        name: as it stands in the archive, parts joined by "/".

    Returns:
        The name in UTF-8.

    Raises:
        FormatError: absolute, empty part, "." or "..", backslash, colon, control or reordering
            character, not in Unicode form NFC, or longer than 255 octets.
    """
    if any(part in ("", ".", "..") for part in name.split("/")):
        raise FormatError("a name in an archive leaves its folder")
    if "\\" in name or ":" in name or any(map(is_forbidden_character, name)):
        raise FormatError("a name in an archive holds a character that is not allowed there")
    if not unicodedata.is_normalized("NFC", name):
        raise FormatError("a name in an archive is not in Unicode form NFC")
    encoded = name.encode("utf-8")
    if len(encoded) > limits.ENTRY_NAME_BYTES:
        raise FormatError("a name in an archive is too long")
    return encoded


def safe_name(original: str) -> str:
    """Make a file name from a stranger harmless, and keep its script.

    Reports come in every script, and a name often says what a file is; so nothing is cut down
    to ASCII. What goes is what makes paths, drives terminals, hides endings or is refused by
    a counselor's system.

    Args:
        original: as the browser sent it; may hold anything.

    Returns:
        One part of a path, 1 to 120 octets of UTF-8, that `check_entry_name` takes.
    """
    name = original.replace("\\", "/").rpartition("/")[2]
    name = "".join(
        "_" if is_forbidden_character(c) or c in _OUTSIDE_WINDOWS else c
        for c in unicodedata.normalize("NFC", name)
    )
    name = name.lstrip(". ").rstrip(". ")
    if name.partition(".")[0].rstrip().upper() in _RESERVED_BY_WINDOWS:
        name = "_" + name
    return _shorten(unicodedata.normalize("NFC", name)) or "file"


def _shorten(name: str) -> str:
    """Cut between characters; the ending tells programs what a file is, so it stays."""
    if len(name.encode("utf-8")) <= limits.ATTACHMENT_NAME_BYTES:
        return name
    stem, dot, ending = name.rpartition(".")
    if not stem or len((dot + ending).encode("utf-8")) > limits.ENDING_BYTES:
        stem, dot, ending = name, "", ""
    room = limits.ATTACHMENT_NAME_BYTES - len((dot + ending).encode("utf-8"))
    kept = stem.encode("utf-8")[:room].decode("utf-8", errors="ignore")
    return kept.rstrip(". ") + dot + ending
