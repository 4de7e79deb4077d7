"""Blot out names wherever they stand in a text, in the scripts that reporters write in.

A name is declined, gets a letter in front (Arabic, Hebrew) or stands between others without a
space (Chinese); so words are compared as each script makes them, and in doubt too much is
blotted. The time it takes follows the length of the text alone: names come from strangers.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from enum import Enum
from itertools import groupby

BLOT = "████"
# Shorter words of a name of several words are words of the language too.
SHORTEST_WORD = 3
_SHORTEST_NAME = 2
_SHORTEST_STEM = 4  # «Anna» in «Annas»; a shorter stem begins too many words
_MOST_PREFIXED = 3  # letters that Arabic and Hebrew put before a name
_LONGEST_PHRASE = 8
_LONGEST_INSIDE = 40
_LONGEST_STEM = 40

Span = tuple[int, int]


class _Script(Enum):
    """How words of a script stand in a sentence."""

    ENDINGS = "alone, with endings: Latin, Greek, Cyrillic, Armenian"
    PREFIXES = "with letters in front: Hebrew, Arabic and their neighbours"
    UNSPACED = "perhaps without spaces: all others"

    @staticmethod
    def of(word: str) -> "_Script":
        highest = ord(max(word))
        if highest < 0x0590 or 0x1E00 <= highest < 0x2000:
            return _Script.ENDINGS
        return _Script.PREFIXES if highest < 0x0900 else _Script.UNSPACED


class Blotter:
    """Knows some names, and blots them out of texts."""

    def __init__(self, names: Iterable[str]) -> None:
        """Take names as they were typed: one word, several, an address, a number."""
        self._words: set[str] = set()
        self._phrases: set[tuple[str, ...]] = set()
        for name in dict.fromkeys(names):
            self._add(name, shortest=_SHORTEST_NAME)
            for word in re.split(r"[\s,;]+", name):
                self._add(word, shortest=SHORTEST_WORD)
        self._sizes = {len(one) for one in self._words if len(one) <= _LONGEST_INSIDE}
        self._lengths = sorted({len(one) for one in self._phrases}, reverse=True)

    def blot(self, text: str) -> str:
        """Return a text, in Unicode form NFC, without the names."""
        text = unicodedata.normalize("NFC", text)
        words = list(_words(text))
        spans = [*self._in_words(words), *self._in_phrases(words)]
        kept, out = 0, []
        for start, end in sorted(spans):
            if start >= kept:
                out += [text[kept:start], BLOT]
            kept = max(kept, end)
        return "".join([*out, text[kept:]])

    def _add(self, name: str, *, shortest: int) -> None:
        found = [word for word, _ in _words(unicodedata.normalize("NFC", name))]
        if len(found) == 1:
            is_long = _Script.of(found[0]) is _Script.UNSPACED or len(found[0]) >= shortest
            if is_long and len(found[0]) >= _SHORTEST_NAME:
                self._words.add(found[0])
        elif 1 < len(found) <= _LONGEST_PHRASE:
            self._phrases.add(tuple(found))

    def _in_words(self, words: list[tuple[str, Span]]) -> Iterator[Span]:
        for word, (start, end) in words:
            script = _Script.of(word)
            if word in self._words:
                yield start, end
            elif script is _Script.ENDINGS:
                sizes = range(_SHORTEST_STEM, min(len(word), _LONGEST_STEM))
                if any(word[:size] in self._words for size in sizes):
                    yield start, end
            elif script is _Script.PREFIXES:
                if any(word[letters:] in self._words for letters in range(1, _MOST_PREFIXED + 1)):
                    yield start, end
            else:
                yield from self._inside(word, start)

    def _inside(self, word: str, start: int) -> Iterator[Span]:
        """Find names within a run of letters; folding changes no length in these scripts."""
        for size in self._sizes:
            for at in range(len(word) - size + 1):
                if word[at : at + size] in self._words:
                    yield start + at, start + at + size

    def _in_phrases(self, words: list[tuple[str, Span]]) -> Iterator[Span]:
        folded = [word for word, _ in words]
        for at in range(len(words)):
            for length in self._lengths:
                phrase = tuple(folded[at : at + length])
                if phrase in self._phrases:
                    yield words[at][1][0], words[at + len(phrase) - 1][1][1]
                    break


def _words(text: str) -> Iterator[tuple[str, Span]]:
    """Yield every run of letters, marks and digits, folded, with its place."""
    at = 0
    for is_word, run in groupby(text, key=lambda c: unicodedata.category(c)[0] in "LMN"):
        length = sum(1 for _ in run)
        if is_word:
            yield text[at : at + length].casefold(), (at, at + length)
        at += length
