"""Replace a receipt that somebody else has seen, from its own mailbox.

The new receipt's first envelope goes to the same readers and names the old mailbox; the old
one names the new mailbox and is signed with the old voice, so that only who holds the old
words can move a case. The desk joins the two when both agree. PROCEDURES P39.
"""

from flask import Blueprint, Response, g

from policies.parts import Track
from protocol.derivation import ReporterKeys, derive_reporter_keys
from protocol.envelope import Answer, Kind
from protocol.errors import AuthenticityError
from protocol.names import MailboxId
from protocol.receipt import encode_issued, generate_receipt, verify_issued
from relay.forms import read_posted, root_of
from relay.gate import Purpose
from relay.headers import PageKind, present
from relay.languages import _
from relay.mailbox import permitted_readers
from relay.mailboxpage import choice_of, mailbox_page
from relay.opening import Mailbox, open_mailbox, open_with_token, token_for
from relay.parts import parts
from relay.refusals import ProblemError
from relay.rendering import page, policy, track_of
from relay.sending import Letter, send
from relay.typed import Typed

blueprint = Blueprint("replacement", __name__, url_prefix="/<lang>")

REPLACES = "replaces"
REPLACED_BY = "replaced-by"


@blueprint.post("/mailbox/replace")
def replace_receipt() -> Response:
    """Offer new words; once they are confirmed, move the mailbox to them."""
    present(PageKind.REPLY)
    form = read_posted()
    try:
        root = open_with_token(parts(), form.get("token"))
    except AuthenticityError:
        return page("receipt", 403, expired=True)
    mailbox = open_mailbox(parts(), root)
    try:
        words = verify_issued(parts().salt, form.get("receipt"))
    except AuthenticityError:
        words = generate_receipt()
        issued = encode_issued(parts().salt, words)
        return page(
            "replace",
            words=words,
            issued=issued,
            token=token_for(parts(), root),
            may_withdraw=mailbox.may_withdraw,
        )
    renewed = root_of(words, Purpose.SENDING)
    try:
        _move(mailbox, derive_reporter_keys(renewed))
    except ProblemError as problem:
        return mailbox_page(
            root, mailbox, Typed(), problems=problem.problems, status=problem.status
        )
    done = _("From now on your new words open your mailbox. Destroy the old ones.")
    # Not the old one: who asked for new words once more there would never be answered under them.
    moved = open_mailbox(parts(), renewed)
    return mailbox_page(renewed, moved, Typed(recipients=choice_of(moved).ticked), done=done)


def _move(mailbox: Mailbox, new: ReporterKeys) -> None:
    """Send both halves of the agreement, the new one first: the case is never without words."""
    old = mailbox.keys
    announced = _letter(mailbox, Kind.FOLLOW_UP, REPLACES, old.mailbox_id)
    send(parts(), new, lambda memo: announced)
    agreed = _letter(mailbox, Kind.CLOSING, REPLACED_BY, new.mailbox_id)
    send(parts(), old, lambda memo: agreed)


def _letter(mailbox: Mailbox, kind: Kind, question: str, other: MailboxId) -> Letter:
    track: Track = track_of(mailbox.memo.track if mailbox.memo else "")
    label = _("This receipt replaces another one")
    readers = permitted_readers(mailbox)
    return Letter(
        kind=kind,
        track=track.id,
        language=g.lang,
        text="",
        answers=(
            Answer(question=question, label=label, values=(other.hex(),), shown=(other.hex(),)),
        ),
        readers=readers,
        absent=mailbox.absent,
        policy=(policy().id, policy().version),
    )
