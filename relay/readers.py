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

    def unread_by(self, readers: Collection[RecipientName]) -> tuple[RecipientName, ...]:
        """Return who was offered and cannot read: the memo keeps them away from follow-ups."""
        return tuple(name for name in self.offered if name not in readers)


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
    left = tuple(name for name in active if name not in memo.left_out)
    return Choice(offered=left, ticked=())


def left_out(
    unread_by: Iterable[RecipientName], routed: Collection[str]
) -> tuple[RecipientName, ...]:
    """Return from whom the tick was taken away, of those who cannot read.

    Not all of them: the head of a department, whom the procedure does not name at first,
    can be asked later, by the reporter or with the reporter's consent; somebody whose tick
    was taken away cannot (decision 0011).

    Args:
        unread_by: who was offered and cannot read.
        routed: whom the procedure names for the track, and whose tick was there at first.
    """
    return tuple(name for name in unread_by if name in routed)


def readers_of_escalation(
    active: Sequence[RecipientName],
    memo: Memo | None,
    rung: Collection[str],
    routed: Collection[str],
) -> tuple[RecipientName, ...]:
    """Add the people whom a rung names to those of the memo, never anyone left out.

    Returns:
        The readers in the roster's order; empty when the rung has nobody who may read.
    """
    added = set(rung) - set(left_out(memo.left_out, routed) if memo else ())
    if not added & set(active):
        return ()
    permitted = added | (set(memo.readers) if memo else set())
    return tuple(name for name in active if name in permitted)
