"""What a mailbox shows: replies, what was promised, and what the reporter may do now.

Drawn from what the receipt opened and from the policy alone; nothing here writes.
"""

from collections.abc import Mapping
from datetime import date, timedelta

from flask import Response

from policies.parts import Meaning, Rung, Track
from protocol.names import ReceiptRoot
from protocol.replypage import ReplyPage
from relay.forms import active_names, persons
from relay.headers import PageKind, present
from relay.languages import _
from relay.opening import Mailbox, token_for
from relay.parts import parts
from relay.progress import new_form_id
from relay.readers import Choice, choice_of_follow_up
from relay.rendering import page, policy, size_words, track_of
from relay.typed import Typed


def mailbox_page(
    root: ReceiptRoot,
    mailbox: Mailbox,
    typed: Typed,
    *,
    problems: Mapping[str, str] | None = None,
    done: str = "",
    status: int = 200,
) -> Response:
    """Draw the mailbox in a given state."""
    present(PageKind.REPLY, framed=True)
    track = mailbox_track(mailbox)
    return page(
        "mailbox",
        status,
        form_id=new_form_id(),
        token=token_for(parts(), root),
        pages=[_shown(reply_page) for reply_page in mailbox.pages.values()],
        offered=persons(choice_of(mailbox).offered),
        typed=typed,
        problems=problems or {},
        done=done,
        requests=request_labels(concluded=is_concluded(mailbox)).items(),
        rungs=rungs_of(mailbox),
        consents=policy().consents_of(track.id),
        standing=policy().question_meaning(track.id, Meaning.STANDING),
        expected_by=_expected_by(mailbox),
        may_withdraw=mailbox.may_withdraw,
        limit=size_words(parts().settings.attachments_bytes),
    )


def request_labels(*, concluded: bool) -> dict[str, str]:
    """Return what can be said beside a message, by its id in the envelope.

    Args:
        concluded: an outcome was told, so the page asks whether the reporter is satisfied.
    """
    verdict = {
        "satisfied": _("I am satisfied with how it ended"),
        "not-satisfied": _("I am not satisfied with how it ended"),
    }
    return (verdict if concluded else {}) | {
        "retaliation": _("Someone is punishing me because of my report, or because I helped"),
        "meeting": _("I would like to meet or talk to someone"),
        "stop": _("Please stop working on this"),
    }


def mailbox_track(mailbox: Mailbox) -> Track:
    """Return the track of the first letter; the first one of all where it is forgotten."""
    return track_of(mailbox.memo.track if mailbox.memo else "")


def choice_of(mailbox: Mailbox) -> Choice:
    """Return whom a message may be sent to, and who is ticked at first."""
    answered = [name for name in mailbox.pages if name not in mailbox.absent.left_out]
    return choice_of_follow_up(active_names(), mailbox.memo, answered)


def rungs_of(mailbox: Mailbox) -> list[Rung]:
    """Return the rungs of the track's ladder that lead to nobody who was left out."""
    out = mailbox.absent.left_out
    rungs = policy().ladder_of(mailbox_track(mailbox).id)
    return [rung for rung in rungs if rung.external or rung.people[0] not in out]


def is_concluded(mailbox: Mailbox) -> bool:
    """Say whether somebody told an outcome."""
    return any(reply_page.outcome for reply_page in mailbox.pages.values())


def _shown(reply_page: ReplyPage) -> dict[str, object]:
    """Return what the template says of one recipient's page."""
    return {
        "person": persons((reply_page.recipient,))[0].title,
        "status": policy().statuses.get(reply_page.status),
        "replies": reply_page.replies,
        "outcome": reply_page.outcome,
        "acknowledge_by": reply_page.acknowledge_by,
        "feedback_by": reply_page.feedback_by,
    }


def _expected_by(mailbox: Mailbox) -> date | None:
    """Return the day by which a first answer was promised, while there is none (P29)."""
    if mailbox.pages or mailbox.memo is None or mailbox.withdrawn:
        return None
    return mailbox.memo.day + timedelta(days=mailbox_track(mailbox).acknowledge_days)
