"""Blot out names wherever they stand in a text, in the scripts that reporters write in.

A name is declined, gets a letter in front (Arabic, Hebrew) or stands between others without a
space (Chinese); it is typed with and without its accents, its vowel signs, its hidden joiners and
the dots of a Turkish i. So words are folded to what everybody types and compared as each script
makes them, and in doubt too much is blotted. The time it takes follows the length of the text
alone: names come from strangers.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from enum import Enum
from functools import lru_cache

BLOT = "████"
# Shorter words of a name of several words are words of the language too.
SHORTEST_WORD = 3
_SHORTEST_NAME = 2
_SHORTEST_STEM = 4  # «Anna» in «Annas»; a shorter stem begins too many words
_MOST_PREFIXED = 3  # letters that Arabic and Hebrew put before a name
_LONGEST_PHRASE = 8
_LONGEST_INSIDE = 40
_LONGEST_STEM = 40
_SHORTEST_JOINED = 6  # «in a» is not Ina, «عبد الله» is «عبدالله»
_SHORTEST_DECLINED = 3  # «Анн» in «Анне», which has no letter more than «Анна»
_LONGEST_ENDING = 3
_GIVEN_NAME = 2  # the last letters of a Chinese or Korean name of three

# Letters of one sound that Unicode keeps apart, as people type them for each other.
_ALIKE = str.maketrans("ıøłđیېکةٱ", "ioldييكها", "ـ")
_YEH_WITHOUT_DOTS = re.compile("(?<!عل)ى")  # «على» is a word of every sentence, and «علي» Ali
_LAST_VOWELS = re.compile("[аеиоуыэюяьіє]$|[αεηιουω]σ?$")
_LAST_PAIR = re.compile("(?<=.{5})[аеиоуыэюяьіє]{2}$")

Word = tuple[str, list[int]]
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
        self._stems: set[str] = set()
        self._phrases: set[tuple[str, ...]] = set()
        for name in dict.fromkeys(names):
            self._add(name, shortest=_SHORTEST_NAME)
            for word in re.split(r"[\s,;]+", name):
                self._add(word, shortest=SHORTEST_WORD)
        self._sizes = {len(one) for one in self._words if len(one) <= _LONGEST_INSIDE}

    def blot(self, text: str) -> str:
        """Return a text, in Unicode form NFC, without the names."""
        text = unicodedata.normalize("NFC", text)
        spans: list[Span] = []
        for words in _readings(text):
            spans += [*self._in_words(words), *self._in_phrases(words)]
        kept, out = 0, []
        for start, end in sorted(spans):
            if start >= kept:
                out += [text[kept:start], BLOT]
            kept = max(kept, end)
        return "".join([*out, text[kept:]])

    def _add(self, name: str, *, shortest: int) -> None:
        for words in _readings(unicodedata.normalize("NFC", name)):
            found = [word for word, _ in words]
            if 1 < len(found) <= _LONGEST_PHRASE:
                self._phrases.add(tuple(found))
                if _is_one_word("".join(found)):
                    self._words.add("".join(found))
            elif len(found) == 1:
                self._add_word(found[0], shortest=shortest)

    def _add_word(self, word: str, *, shortest: int) -> None:
        script = _Script.of(word)
        if len(word) < (_SHORTEST_NAME if script is _Script.UNSPACED else shortest):
            return
        self._words.add(word)
        if script is _Script.ENDINGS:
            stems = {_LAST_VOWELS.sub("", word), _LAST_PAIR.sub("", word)} - {word}
            self._stems |= {one for one in stems if len(one) >= _SHORTEST_DECLINED}
        elif len(word) == 1 + _GIVEN_NAME and all(map(_is_han_or_hangul, word)):
            self._words.add(word[-_GIVEN_NAME:])

    def _in_words(self, words: list[Word]) -> Iterator[Span]:
        for word, places in words:
            script = _Script.of(word)
            if script is _Script.UNSPACED:
                yield from self._inside(word, places)
            elif (
                word in self._words
                or (script is _Script.ENDINGS and self._is_declined(word))
                or (script is _Script.PREFIXES and self._is_prefixed(word))
            ):
                yield places[0], places[-1]

    def _is_declined(self, word: str) -> bool:
        shortest = max(_SHORTEST_DECLINED, len(word) - _LONGEST_ENDING)
        return self._begins(word) or any(
            word[:size] in self._stems for size in range(shortest, len(word) + 1)
        )

    def _is_prefixed(self, word: str) -> bool:
        beginnings = [word[letters:] for letters in range(_MOST_PREFIXED + 1)]
        return any(one in self._words or self._begins(one) for one in beginnings)

    def _begins(self, word: str) -> bool:
        sizes = range(_SHORTEST_STEM, min(len(word), _LONGEST_STEM))
        return any(word[:size] in self._words for size in sizes)

    def _inside(self, word: str, places: list[int]) -> Iterator[Span]:
        """Find names within a run of letters."""
        if word in self._words:
            yield places[0], places[-1]
        for size in self._sizes:
            for at in range(len(word) - size + 1):
                if word[at : at + size] in self._words:
                    yield places[at], max(places[at + size], places[at + size - 1] + 1)

    def _in_phrases(self, words: list[Word]) -> Iterator[Span]:
        for at in range(len(words)):
            for length in range(2, 1 + min(_LONGEST_PHRASE, len(words) - at)):
                phrase = tuple(word for word, _ in words[at : at + length])
                joined = "".join(phrase)
                if phrase in self._phrases or (joined in self._words and _is_one_word(joined)):
                    yield words[at][1][0], words[at + length - 1][1][-1]


def _is_one_word(joined: str) -> bool:
    """Tell whether words without the space between them are likely meant as one."""
    return len(joined) >= _SHORTEST_JOINED or _Script.of(joined) is _Script.UNSPACED


def _is_han_or_hangul(letter: str) -> bool:
    return "\u3400" <= letter <= "\u9fff" or "\uac00" <= letter <= "\ud7a3"


def _readings(text: str) -> Iterator[list[Word]]:
    """Yield the words of a text: parted where a hidden joiner stands, then joined there."""
    yield list(_words(text, parting=True))
    if any(unicodedata.category(one) == "Cf" for one in text):
        yield list(_words(text, parting=False))


def _words(text: str, *, parting: bool) -> Iterator[Word]:
    """Yield every run of letters, marks and digits, folded, with the place of each letter.

    The places are one more than the letters: the last is where the run ends.
    """
    letters: list[str] = []
    places: list[int] = []
    for at, one in enumerate(text):
        kind = unicodedata.category(one)
        if kind[0] in "LMN":
            folded = _folded(one)
            letters.append(folded)
            places += [at] * len(folded)
        elif parting or kind != "Cf":
            if places:
                yield _YEH_WITHOUT_DOTS.sub("ي", "".join(letters)), [*places, at]
            letters, places = [], []
    if places:
        yield _YEH_WITHOUT_DOTS.sub("ي", "".join(letters)), [*places, len(text)]


@lru_cache(maxsize=4096)
def _folded(letter: str) -> str:
    """Fold a letter to what everybody types for it, perhaps to nothing or to several."""
    if unicodedata.category(letter) == "Nd":
        return str(unicodedata.decimal(letter))
    parts = unicodedata.normalize("NFKD", letter).casefold().translate(_ALIKE)
    # Accents and vowel signs go; from Devanagari on, marks are what tells words apart.
    parts = "".join(one for one in parts if one >= "\u0900" or unicodedata.category(one) != "Mn")
    return unicodedata.normalize("NFC", parts)
