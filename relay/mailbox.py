"""The mailbox: nine words in, replies out, and letters that follow.

Reading changes nothing on the disk; whatever the reporter does becomes an envelope for
the desk. Each form carries a token instead of the receipt; when it has expired, the words
are asked for once more and what was typed is kept.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import chain

from flask import Blueprint, Response, g

from policies.parts import Rung, Track
from protocol.envelope import Answer, Kind
from protocol.errors import AuthenticityError, UnknownReceiptError
from protocol.names import ReceiptRoot, RecipientName
from protocol.receipt import read_receipt
from protocol.replypage import ReplyPage
from relay.forms import (
    active_names,
    count_attempt,
    persons,
    read_posted,
    require_open,
    require_text,
    root_of,
)
from relay.gate import Purpose
from relay.headers import PageKind, present
from relay.intake import FilePart, Form
from relay.languages import _
from relay.opening import Mailbox, open_mailbox, open_with_token, token_for
from relay.parts import parts
from relay.progress import new_form_id
from relay.readers import Choice, choice_of_follow_up, left_out, readers_of_escalation
from relay.refusals import BusyError, ProblemError
from relay.rendering import page, policy, size_words, track_of
from relay.sending import Letter, send
from relay.typed import Typed, read_typed
from relay.upload import watched
from relay.withdrawal import withdraw

blueprint = Blueprint("mailbox", __name__, url_prefix="/<lang>")

Action = Callable[[Mailbox, Typed, Form, Iterator[FilePart]], str]


@blueprint.get("/receipt")
def ask_receipt() -> Response:
    """Ask for the nine words."""
    return page("receipt")


@blueprint.post("/receipt")
def enter_receipt() -> Response:
    """Open the mailbox of these words, or say that none opens."""
    present(PageKind.REPLY)
    form = read_posted()
    typed, kept = form.get("receipt"), form.get("text")
    try:
        root = root_of(read_receipt(typed), Purpose.READING)
        mailbox = open_mailbox(parts(), root)
    except UnknownReceiptError as error:
        return page("receipt", 404, unknown=True, unread=error.positions, typed=typed, kept=kept)
    except BusyError:
        return page("receipt", 503, busy=True, typed=typed, kept=kept)
    return mailbox_page(root, mailbox, Typed(text=kept, recipients=_choice(mailbox).ticked))


@blueprint.post("/mailbox/message")
def send_message() -> Response:
    """Send a follow-up, with files, to people who may read this mailbox's letters."""
    return _act(_message)


@blueprint.post("/mailbox/escalate")
def escalate() -> Response:
    """Take the matter to the next rung, with a new statement."""
    return _act(_escalation)


@blueprint.post("/mailbox/consent")
def change_consent() -> Response:
    """Say anew what the reporter agrees to; what is not ticked is withdrawn."""
    return _act(_consent)


@blueprint.post("/mailbox/close")
def close() -> Response:
    """Take the report back, have replies removed, or close the mailbox."""
    return _act(_closing)


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
    return page(
        "mailbox",
        status,
        form_id=new_form_id(),
        token=token_for(parts(), root),
        pages=[_shown(reply_page) for reply_page in mailbox.pages.values()],
        offered=persons(_choice(mailbox).offered),
        typed=typed,
        problems=problems or {},
        done=done,
        requests=request_labels(concluded=_is_concluded(mailbox)).items(),
        rungs=_rungs(mailbox),
        consents=policy().consents_of(_track(mailbox).id),
        concluded=_is_concluded(mailbox),
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


def _act(action: Action) -> Response:
    """Open the mailbox behind the form's token, act, and show it again."""
    form = read_posted()
    try:
        root = open_with_token(parts(), form.get("token"))
    except AuthenticityError:
        sentence = _("Too much time passed. Copy your text, then enter your nine words once more.")
        parts().progress.refuse(form.get("form"), {"token": sentence})
        return page("receipt", 403, expired=True, kept=form.get("text"))
    mailbox = open_mailbox(parts(), root)
    typed = read_typed(form.fields, policy(), _track(mailbox))
    try:
        with watched(form) as files:
            count_attempt()
            done = action(mailbox, typed, form, files)
    except ProblemError as problem:
        return mailbox_page(root, mailbox, typed, problems=problem.problems, status=problem.status)
    mailbox = open_mailbox(parts(), root)
    return mailbox_page(root, mailbox, Typed(recipients=_choice(mailbox).ticked), done=done)


def _message(mailbox: Mailbox, typed: Typed, form: Form, files: Iterator[FilePart]) -> str:
    require_open()
    require_text(typed.text)
    choice = _choice(mailbox)
    readers = choice.read(typed.recipients)
    if not readers:
        raise ProblemError(400, {"recipients": _("Choose at least one person who may read this.")})
    labels = request_labels(concluded=_is_concluded(mailbox))
    requests = tuple(request for request in typed.requests if request in labels)
    answers = (_answer("requests", _("What you would like"), requests, labels),) if requests else ()
    head = next(files, None)
    if head is None and not (typed.text or requests):
        raise ProblemError(400, {"text": _("Write a few words, or choose a file.")})
    _send(
        mailbox,
        Kind.FOLLOW_UP,
        text=typed.text,
        answers=answers,
        readers=readers,
        files=chain([head], files) if head else files,
    )
    return _("Sent and locked. It was added to your report.")


def _escalation(mailbox: Mailbox, typed: Typed, form: Form, files: Iterator[FilePart]) -> str:
    rung = next((r for r in _rungs(mailbox) if r.id == form.get("rung") and not r.external), None)
    if rung is None:
        raise ProblemError(400, {"rung": _("Choose who should look at it now.")})
    if not typed.text:
        raise ProblemError(400, {"statement": _("Write why you are not satisfied.")})
    require_text(typed.text)
    readers = readers_of_escalation(
        active_names(), mailbox.memo, _people_of(rung), _track(mailbox).recipients
    )
    if not readers:
        raise ProblemError(400, {"rung": _("You left this person out, or they have no valid key.")})
    answers = [_answer("rung", _("Who should look at it now"), (rung.id,), {rung.id: rung.title})]
    if form.get("hand-over"):
        label = _("The counselor may give them my file")
        answers.append(_answer("hand-over", label, ("yes",), {"yes": label}))
    _send(mailbox, Kind.ESCALATION, text=typed.text, answers=tuple(answers), readers=readers)
    return _("Sent and locked. It goes to: %(name)s.", name=rung.title)


def _consent(mailbox: Mailbox, typed: Typed, form: Form, files: Iterator[FilePart]) -> str:
    texts = {c.id: c.label for c in policy().consents_of(_track(mailbox).id)}
    answer = _answer("consents", _("What you agree to"), typed.consents, texts)
    _send(mailbox, Kind.CONSENT, answers=(answer,), readers=permitted_readers(mailbox))
    return _("Your change was sent. It counts from the moment the counselors read it.")


def _closing(mailbox: Mailbox, typed: Typed, form: Form, files: Iterator[FilePart]) -> str:
    wish = form.get("closing")
    if wish == "withdraw":
        withdraw(parts(), mailbox.keys, mailbox.memo)
        return _(
            "Your report was taken back: nobody has read it, and nobody will. "
            "What you sent after it is not taken back."
        )
    wishes = {
        "delete-replies": _("Remove the replies I have read"),
        "close": _("Close this mailbox: I will not come back"),
    }
    if wish not in wishes:
        raise ProblemError(400, {"closing-close": _("Choose what should happen.")})
    answer = _answer("closing", _("What should happen"), (wish,), wishes)
    _send(mailbox, Kind.CLOSING, answers=(answer,), readers=permitted_readers(mailbox))
    return _("The counselors will be told, and it is done the next time they send something.")


def _send(
    mailbox: Mailbox,
    kind: Kind,
    *,
    text: str = "",
    answers: tuple[Answer, ...],
    readers: tuple[RecipientName, ...],
    files: Iterable[FilePart] = (),
) -> None:
    letter = Letter(
        kind=kind,
        track=_track(mailbox).id,
        language=g.lang,
        text=text,
        answers=answers,
        readers=readers,
        unread_by=mailbox.unread_by,
        left_out=left_out_of(mailbox),
        policy=(policy().id, policy().version),
    )
    send(parts(), mailbox.keys, lambda memo: letter, files)


def _choice(mailbox: Mailbox) -> Choice:
    answered = [name for name in mailbox.pages if name not in left_out_of(mailbox)]
    return choice_of_follow_up(active_names(), mailbox.memo, answered)


def permitted_readers(mailbox: Mailbox) -> tuple[RecipientName, ...]:
    """Return who reads an action that has no choice of its own: whom the memo permits."""
    require_open()
    readers = _choice(mailbox).ticked
    if not readers:
        sentence = _("Write a message instead, and choose who may read it.")
        raise ProblemError(400, {"recipients": sentence})
    return readers


def _rungs(mailbox: Mailbox) -> list[Rung]:
    """Return the rungs of the track's ladder that do not lead to somebody left out."""
    ladder = policy().ladders.get(_track(mailbox).ladder or "")
    rungs = [policy().rungs[rung] for rung in ladder.rungs] if ladder else []
    return [rung for rung in rungs if rung.recipient not in left_out_of(mailbox)]


def left_out_of(mailbox: Mailbox) -> tuple[RecipientName, ...]:
    """Return from whom the reporter took the tick away in the first letter."""
    return left_out(mailbox.unread_by, _track(mailbox).recipients)


def _people_of(rung: Rung) -> tuple[str, ...]:
    return tuple(name for name in (rung.recipient, *rung.copy_to) if name)


def _track(mailbox: Mailbox) -> Track:
    return track_of(mailbox.memo.track if mailbox.memo else "")


def _answer(question: str, label: str, values: tuple[str, ...], shown: Mapping[str, str]) -> Answer:
    return Answer(
        question=question, label=label, values=values, shown=tuple(shown[v] for v in values)
    )


def _shown(reply_page: ReplyPage) -> dict[str, object]:
    """Return what the template says of one recipient's page; days as plain ISO dates."""
    status = policy().statuses.get(reply_page.status)
    return {
        "person": persons((reply_page.recipient,))[0].title,
        "status": status.title if status else reply_page.status,
        "replies": reply_page.replies,
        "outcome": reply_page.outcome,
        "acknowledge_by": reply_page.acknowledge_by,
        "feedback_by": reply_page.feedback_by,
    }


def _is_concluded(mailbox: Mailbox) -> bool:
    return any(reply_page.outcome for reply_page in mailbox.pages.values())
