"""Passphrases: drawn from the list of receipts, or her own with a cautious estimate.

Whoever finds the stick guesses as fast as OpenPGP's salted and iterated hash lets him:
some 10^5 guesses a second on one graphics card (65,011,712 octets hashed for each). At
that speed 62 bits, six words, take a million cards a month and more.
"""

import math
import re
import secrets
from dataclasses import dataclass

from protocol.words import is_word, words

PROPOSED_WORDS = 6
LEAST_BITS = 50.0
GOOD_BITS = 60.0
_LETTER_BITS = 1.5  # of English text (Shannon 1951 gives 0.6 to 1.3 for long runs)
_WORD_BITS = 10.0  # a word that a person thinks of
_SHORTEST_WORD = 3  # shorter runs of letters are taken for random ones
_STRANGE_BITS = 4.0  # a digit, a sign or a single letter, which people choose badly
_FEWEST_CHARACTERS = 3  # different ones; with fewer it is one key held down


@dataclass(frozen=True)
class Strength:
    """How many bits a guesser has to try, cautiously counted, and what that means."""

    bits: float
    sentence: str

    @property
    def is_enough(self) -> bool:
        """Whether a desk may be protected by it."""
        return self.bits >= LEAST_BITS


def propose_passphrase() -> str:
    """Draw six different words from the operating system's randomness: 62 bits.

    Different, because a word said twice is counted once when she types them back in.
    """
    return " ".join(secrets.SystemRandom().sample(words(), PROPOSED_WORDS))


def judge(passphrase: str) -> Strength:
    """Estimate a passphrase that a person typed, rather too low than too high."""
    parts = dict.fromkeys(
        part
        for run in passphrase.casefold().split()
        for part in ([run] if is_word(run) else run.replace("-", " ").split())
    )
    bits = sum(_bits(part) for part in parts)
    if bits < LEAST_BITS:
        told = "Weak: whoever finds this stick could guess it. Take more words."
    elif bits < GOOD_BITS:
        told = "Fair: enough against a thief, not against an authority with time."
    else:
        told = "Strong, if nobody else has used it and you did not find it in a text."
    return Strength(bits, f"About {bits:.0f} bits. {told}")


def _bits(part: str) -> float:
    if is_word(part):
        return math.log2(len(words()))
    if len(set(part)) < _FEWEST_CHARACTERS:
        return 0.0
    return sum(_run_bits(run) for run in re.findall(r"[^\W\d_]+|[\W\d_]", part))


def _run_bits(run: str) -> float:
    """Count a run of letters, or one digit or sign."""
    if not run.isalpha() or len(run) < _SHORTEST_WORD:
        return len(run) * _STRANGE_BITS
    # A word of a language is worth some 10 bits however long it is.
    return min(len(run) * _LETTER_BITS, _WORD_BITS + max(0, len(run) - 12) * _LETTER_BITS)
