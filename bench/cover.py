"""How much a left-out counselor learns from the number of envelopes that she cannot open."""

import math
from collections.abc import Iterator

from bench.figures import Figure

LETTERS = 6  # a report with five follow-ups
RECIPIENTS = 3


def advantage(mean: float, letters: int) -> float:
    """Return the total variation distance between cover alone and cover with some letters.

    Each cover is blind for her with a fixed chance, so what she counts is again Poisson,
    with a smaller mean, or that plus the letters. The distance is the best advantage of any
    guess: 0 is a coin toss, 1 certainty.

    Args:
        mean: covers per cut that she cannot open.
        letters: real envelopes in this cut that she was left out of.
    """
    most = letters + math.ceil(mean + 12 * math.sqrt(mean + 1))

    def probability(count: int) -> float:
        return math.exp(-mean) * mean**count / math.factorial(count) if count >= 0 else 0.0

    return sum(abs(probability(n) - probability(n - letters)) for n in range(most)) / 2


def blind_share(recipients: int) -> float:
    """Return how many covers are blind for one of them: a coin each, never all blind."""
    all_blind = 0.5**recipients
    return (0.5 - all_blind) / (1 - all_blind)


def measure() -> Iterator[Figure]:
    """Compute the table of docs/THREAT_MODEL.md."""
    for mean in (4.0, 20.0):
        unread = mean * blind_share(RECIPIENTS)
        one, six = advantage(unread, 1), advantage(unread, LETTERS)
        yield Figure(
            name=f"cover, mean {mean:.0f} per cut, {RECIPIENTS} recipients",
            ours=f"{one:.2f} for one report, {six:.2f} with five follow-ups",
            beside="a fixed number: 1.00 and 1.00",
            ratio="",
            aim="0 would be perfect",
        )
