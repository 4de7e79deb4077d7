"""The mailbox: nine words in, replies out, and letters that follow.

Reading changes nothing on the disk; whatever the reporter does becomes an envelope for
the desk. Each form carries a token instead of the receipt; when it has expired, the words
are asked for once more and what was typed is kept.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from itertools import chain

from flask import Blueprint, Response, g, request

from policies.parts import Meaning
from protocol.envelope import Answer, Kind
from protocol.errors import AuthenticityError, UnknownReceiptError
from protocol.names import RecipientName
from protocol.receipt import doubtful_places, read_receipt
from relay.checks import require_own_consents, require_readers
from relay.forms import (
    active_names,
    count_attempt,
    read_posted,
    require_open,
    require_text,
    root_of,
)
from relay.gate import Purpose
from relay.headers import PageKind, present
from relay.intake import FilePart, Form, drain
from relay.languages import _
from relay.mailboxpage import (
    choice_of,
    is_concluded,
    mailbox_page,
    mailbox_track,
    request_labels,
    rungs_of,
)
from relay.opening import Mailbox, open_mailbox, open_with_token
from relay.parts import parts
from relay.readers import readers_of_escalation
from relay.refusals import BusyError, ProblemError
from relay.rendering import page, policy
from relay.sending import Letter, send
from relay.typed import Typed, read_typed
from relay.upload import OVERSHOOT_BYTES, watched
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
    if form.get("language"):
        return page("receipt", typed=typed, kept=kept)
    try:
        root = root_of(read_receipt(typed), Purpose.READING)
        mailbox = open_mailbox(parts(), root)
    except UnknownReceiptError as error:
        unread = error.positions or doubtful_places(typed)
        return page("receipt", 404, unknown=True, unread=unread, typed=typed, kept=kept)
    except BusyError:
        return page("receipt", 503, busy=True, typed=typed, kept=kept)
    return mailbox_page(root, mailbox, Typed(text=kept, recipients=choice_of(mailbox).ticked))


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
    typed = read_typed(form.fields, policy(), mailbox_track(mailbox))
    if action is not _message:  # the other forms leave the ticks of the message as they were
        typed = replace(typed, recipients=choice_of(mailbox).ticked)
    if form.get("language"):
        drain(request.stream, OVERSHOOT_BYTES)
        return mailbox_page(root, mailbox, typed)
    try:
        with watched(form) as files:
            count_attempt()
            done = action(mailbox, typed, form, files)
    except ProblemError as problem:
        problems = dict(problem.problems)
        if action is _escalation and "text" in problems:  # its words have a place of their own
            problems["statement"] = problems.pop("text")
        return mailbox_page(root, mailbox, typed, problems=problems, status=problem.status)
    mailbox = open_mailbox(parts(), root)
    return mailbox_page(root, mailbox, Typed(recipients=choice_of(mailbox).ticked), done=done)


def _message(mailbox: Mailbox, typed: Typed, form: Form, files: Iterator[FilePart]) -> str:
    require_open()
    require_text(typed.text)
    readers = require_readers(choice_of(mailbox), typed)
    labels = request_labels(concluded=is_concluded(mailbox))
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
    rung = next((r for r in rungs_of(mailbox) if r.id == typed.rung and not r.external), None)
    if rung is None:
        raise ProblemError(400, {"rung": _("Choose who should look at it now.")})
    if not typed.text:
        raise ProblemError(400, {"statement": _("Write why you are not satisfied.")})
    require_text(typed.text)
    readers = readers_of_escalation(active_names(), mailbox.memo, rung.people)
    if not readers:
        sentence = _("You left this person out, or nothing can be sent to them now.")
        raise ProblemError(400, {"rung": sentence})
    answers = [_answer("rung", _("Who should look at it now"), (rung.id,), {rung.id: rung.title})]
    if "hand-over" in typed.boxes:
        label = _("The counselor may give them my file")
        answers.append(_answer("hand-over", label, ("yes",), {"yes": label}))
    _send(mailbox, Kind.ESCALATION, text=typed.text, answers=tuple(answers), readers=readers)
    return _("Sent and locked. It goes to: %(name)s.", name=rung.title)


def _consent(mailbox: Mailbox, typed: Typed, form: Form, files: Iterator[FilePart]) -> str:
    track = mailbox_track(mailbox)
    require_own_consents(track, typed)
    texts = {c.id: c.label for c in policy().consents_of(track.id)}
    answers = [_answer("consents", _("What you agree to"), typed.consents, texts)]
    standing = policy().question_meaning(track.id, Meaning.STANDING)
    if standing and (said := typed.answers.get(standing.id)):
        answers.append(_answer(standing.id, standing.label, said, dict(standing.choices)))
    _send(mailbox, Kind.CONSENT, answers=tuple(answers), readers=permitted_readers(mailbox))
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
        track=mailbox_track(mailbox).id,
        language=g.lang,
        text=text,
        answers=answers,
        readers=readers,
        absent=mailbox.absent,
        policy=(policy().id, policy().version),
    )
    send(parts(), mailbox.keys, lambda memo: letter, files)


def permitted_readers(mailbox: Mailbox) -> tuple[RecipientName, ...]:
    """Return who reads an action that has no choice of its own: whom the memo permits."""
    require_open()
    readers = choice_of(mailbox).ticked
    if not readers:
        sentence = _("Write a message instead, and choose who may read it.")
        raise ProblemError(400, {"recipients": sentence})
    return readers


def _answer(question: str, label: str, values: tuple[str, ...], shown: Mapping[str, str]) -> Answer:
    return Answer(
        question=question, label=label, values=values, shown=tuple(shown[v] for v in values)
    )
