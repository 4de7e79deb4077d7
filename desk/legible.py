"""Text from strangers, made safe for a terminal without losing a character of it.

A terminal obeys escape sequences, and invisible characters reorder what is read:
`\\u202efdp.exe` shows as `exe.pdf`. Such characters are shown by their number
instead of being obeyed, so that the counselor sees that they are there.
"""

import unicodedata

# Invisible characters that letters need: joiners of Persian and Indic scripts, and of emoji.
_NEEDED = frozenset("\u200c\u200d")
_LINE = frozenset("\n\t")


def make_visible(text: str, *, lines: bool = False) -> str:
    """Replace every control, reordering and unassigned character by its number.

    Args:
        text: from a reporter, a file name, a certificate: anything not written by us.
        lines: whether line ends and tabs may stay; not in names and labels, where a
            line end could forge a line of ours.

    Returns:
        The text, with ‹U+202E› where such a character stood.
    """
    text = text.replace("\r\n", "\n") if lines else text
    return "".join(
        character if _is_plain(character, lines=lines) else f"‹U+{ord(character):04X}›"
        for character in text
    )


def _is_plain(character: str, *, lines: bool) -> bool:
    if character in _LINE:
        return lines
    if character in _NEEDED:
        return True
    # C: control, format (the reordering ones), surrogate, private, unassigned; Zl, Zp: line ends.
    category = unicodedata.category(character)
    return not category.startswith("C") and category not in ("Zl", "Zp")
