"""What the supervisor tells the operator, and the sentences for what goes wrong.

Sentences are made here, apart from tor, so that each can be tested without one.
"""

from dataclasses import dataclass
from enum import StrEnum

from onion.address import OnionAddress


class News(StrEnum):
    """What the supervisor tells."""

    BOOTSTRAP = "bootstrap"
    PUBLISHED = "published"
    COURIER_CLOSED = "courier closed"
    RESTARTING = "restarting"
    TROUBLE = "trouble"


@dataclass(frozen=True)
class Notice:
    """One piece of news, with a sentence for the operator and how far tor has come."""

    news: News
    sentence: str
    percent: int = 0
    address: OnionAddress | None = None


def skew_sentence(seconds: int) -> str:
    """Say how wrong this machine's clock is and how to set it.

    Args:
        seconds: positive where the clock is ahead.
    """
    amount = abs(seconds)
    size = f"{round(amount / 60)} minutes" if amount >= 120 else f"{amount} seconds"
    side = "fast" if seconds > 0 else "slow"
    return f"This machine's clock is {size} {side}: set it with `timedatectl set-ntp true`."


def stall_sentence(percent: int, hindrance: str) -> str:
    """Say that tor does not reach its network and what to look at.

    Args:
        percent: how far it came.
        hindrance: the last thing that tor complained of, or a sentence about the clock.
    """
    sentence = f"Tor does not reach its network and stopped at {percent} %: "
    if "clock" in hindrance:
        return sentence + hindrance[0].lower() + hindrance[1:]
    sentence += "check the cable, the firewall and the clock"
    return f"{sentence} (tor says: {hindrance})." if hindrance else f"{sentence}."
