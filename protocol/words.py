"""The 1,296 words of receipts, and what a person may have meant by a word.

The list is EFF short list 2: no two words begin with the same three letters, and no two
are nearer than three edits, so a prefix or a single slip still names one word. Nothing here
derives a key: a correction is looked up on the list alone, because trying candidates would
cost 64 MiB and a tenth of a second each and would tell an attacker what nearly fits.
PROTOCOL.md, «Receipt».
"""

from collections.abc import Iterator
from functools import cache
from importlib import resources

PREFIX_LETTERS = 3
DICE_DIGITS = 4
_DICE = "123456"


@cache
def words() -> tuple[str, ...]:
    """Return the list in its order, which is also that of the dice numbers."""
    text = resources.files("protocol").joinpath("wordlist.txt").read_text("ascii")
    return tuple(text.split())


@cache
def _positions() -> dict[str, int]:
    return {word: position for position, word in enumerate(words())}


def is_word(text: str) -> bool:
    """Say whether this is a word of the list, spelled as on the list."""
    return text in _positions()


def dice_number(word: str) -> str:
    """Return the number of a word, which any keyboard can type.

    Args:
        word: a word of the list.

    Returns:
        Its position in base 6, four digits from 1 to 6: "1111" to "6666".

    Raises:
        KeyError: not a word of the list.
    """
    left, digits = _positions()[word], ""
    for _ in range(DICE_DIGITS):
        left, digit = divmod(left, len(_DICE))
        digits = _DICE[digit] + digits
    return digits


def word_of_dice(digits: str) -> str | None:
    """Return the word that four digits from 1 to 6 number, or None for other text."""
    if len(digits) != DICE_DIGITS or not all(digit in _DICE for digit in digits):
        return None
    position = 0
    for digit in digits:
        position = position * len(_DICE) + _DICE.index(digit)
    return words()[position]


@cache
def _spelled() -> dict[str, str]:
    # Hyphens do not matter, so the one word that has one is looked up without it.
    return {word.replace("-", ""): word for word in words()}


@cache
def _prefixes() -> dict[str, str]:
    letters = {spelling[:PREFIX_LETTERS]: word for spelling, word in _spelled().items()}
    # Somebody who counts the hyphen among the first three writes two letters of `yo-yo`.
    signs = {word[:PREFIX_LETTERS].replace("-", ""): word for word in words()}
    return signs | letters


@cache
def _neighbours() -> dict[str, tuple[str, ...]]:
    # Two words one edit apart share a word when at most one letter is dropped from each.
    # Indexing those (9,000 keys) costs a millisecond; indexing every typo would cost 60 MB.
    found: dict[str, tuple[str, ...]] = {}
    for spelling in _spelled():
        for key in {spelling, *_shortened(spelling)}:
            found[key] = (*found.get(key, ()), spelling)
    return found


def exact_word(token: str) -> str | None:
    """Return the word spelled exactly so, hyphens apart."""
    return _spelled().get(token)


def word_of_prefix(token: str) -> str | None:
    """Return the word that begins so, if `token` has at least its first three letters."""
    word = _prefixes().get(token[:PREFIX_LETTERS])
    if word is None or not word.replace("-", "").startswith(token):
        return None
    return word


@cache
def _longest() -> int:
    return max(map(len, _spelled()))


def word_of_typo(token: str) -> str | None:
    """Return the only word one slip away: a letter lost, added, changed, or two swapped."""
    meant = _one_slip_away(token)
    return _spelled()[meant.pop()] if len(meant) == 1 else None


def may_be_typo(token: str) -> bool:
    """Say whether a word is one slip away, even where several are."""
    return bool(_one_slip_away(token))


def _one_slip_away(token: str) -> set[str]:
    if len(token) > _longest() + 1:
        return set()  # no slip adds two letters; all ways to shorten a token cost its square
    return {
        spelling
        for key in {token, *_shortened(token)}
        for spelling in _neighbours().get(key, ())
        if _is_one_slip(token, spelling)
    }


def words_run_together(token: str) -> tuple[str, ...]:
    """Return the words of a token that lost its spaces, or () if it is not made of words.

    No word begins another (three letters already tell them apart), so there is one reading.
    """
    found: list[str] = []
    while token:
        word = _prefixes().get(token[:PREFIX_LETTERS])
        spelling = word.replace("-", "") if word else ""
        if not word or not token.startswith(spelling):
            return ()
        found.append(word)
        token = token[len(spelling) :]
    return tuple(found)


def _shortened(text: str) -> Iterator[str]:
    return (text[:at] + text[at + 1 :] for at in range(len(text)))


def _is_one_slip(typed: str, meant: str) -> bool:
    if abs(len(typed) - len(meant)) > 1 or typed == meant:
        return False
    if len(typed) > len(meant):
        return meant in _shortened(typed)
    if len(typed) < len(meant):
        return typed in _shortened(meant)
    wrong = [at for at in range(len(typed)) if typed[at] != meant[at]]
    if len(wrong) == 1:
        return True
    first, last = wrong[0], wrong[-1]
    swapped = typed[first] == meant[last] and typed[last] == meant[first]
    return len(wrong) == 2 and last == first + 1 and swapped
