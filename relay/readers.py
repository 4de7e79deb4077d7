"""Who may read: the reporter's choice, which later letters can narrow but never widen.

A follow-up must not reach the one it is about. So its readers are those that the
memo of the first envelope names *and* that the form ticks; where the memo is gone, or
none of its people is left, the page asks without a default. PROCEDURES P16.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from protocol.memo import Memo
from protocol.names import RecipientName


@dataclass(frozen=True, kw_only=True)
class Choice:
    """Whom a form offers.

    Args:
        offered: the people who may be ticked, in the roster's order.
        ticked: who is ticked before the reporter touched anything.
    """

    offered: tuple[RecipientName, ...]
    ticked: tuple[RecipientName, ...]

    def read(self, names: Collection[str]) -> tuple[RecipientName, ...]:
        """Return who of the offered people was ticked; anyone else is never added."""
        return tuple(name for name in self.offered if name in names)


@dataclass(frozen=True, kw_only=True)
class Absent:
    """Who was offered in the first letter and cannot read it (decision 0011).

    Args:
        left_out: nothing of the case ever reaches them.
        not_asked: no follow-up reaches them, but the reporter can turn to them later.
    """

    left_out: tuple[RecipientName, ...] = ()
    not_asked: tuple[RecipientName, ...] = ()


def choice_of_report(active: Sequence[RecipientName], routed: Collection[str]) -> Choice:
    """Offer everybody for a first report, with those ticked whom the procedure names."""
    return Choice(
        offered=tuple(active), ticked=tuple(name for name in active if name in routed) or ()
    )


def choice_of_follow_up(
    active: Sequence[RecipientName], memo: Memo | None, answered: Iterable[RecipientName]
) -> Choice:
    """Offer whom the memo permits; without a memo, everybody and nobody ticked.

    Args:
        active: people with a valid key today.
        memo: of the first envelope, or None once it expired.
        answered: people who were not left out and whose reply page opened with this
            receipt: an escalation brought them in, so they are offered, but not ticked.
    """
    if memo is None:
        return Choice(offered=tuple(active), ticked=())
    allowed = {*memo.readers, *answered}
    offered = tuple(name for name in active if name in allowed)
    ticked = tuple(name for name in offered if name in memo.readers)
    if ticked:
        return Choice(offered=offered, ticked=ticked)
    away = {*memo.left_out, *memo.not_asked}
    return Choice(offered=tuple(name for name in active if name not in away), ticked=())


def absent_from(
    choice: Choice, readers: Collection[RecipientName], shut_out: Collection[str]
) -> Absent:
    """Tell those whom the reporter left out from those who were only not asked.

    Left out is from whom the tick was taken away, and whoever belongs to an organisation
    that must not learn of the report. The head of a department, whom the procedure does
    not name at first, was not asked.

    Args:
        choice: of the form that was sent.
        readers: who can read what was sent.
        shut_out: the organisation's people, where it must not learn of the report.
    """
    out = {*choice.ticked, *shut_out}
    absent = [name for name in choice.offered if name not in readers]
    return Absent(
        left_out=tuple(name for name in absent if name in out),
        not_asked=tuple(name for name in absent if name not in out),
    )


def absent_of(memo: Memo | None) -> Absent:
    """Return who was absent from the first letter, as far as it is remembered."""
    return Absent(left_out=memo.left_out, not_asked=memo.not_asked) if memo else Absent()


def readers_of_escalation(
    active: Sequence[RecipientName], memo: Memo | None, rung: Collection[str]
) -> tuple[RecipientName, ...]:
    """Add the people whom a rung names to those of the memo, never anyone left out.

    Returns:
        The readers in the roster's order; empty when the rung has nobody who may read.
    """
    added = set(rung) - set(absent_of(memo).left_out)
    if not added & set(active):
        return ()
    permitted = added | (set(memo.readers) if memo else set())
    return tuple(name for name in active if name in permitted)
