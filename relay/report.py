"""The report form: receipt first, then words, readers and files, sealed as they arrive.

Whatever goes wrong, the page comes back with what was typed and with the same receipt;
only after the envelope lies in the store does a page say that it was sent.
"""

from collections.abc import Mapping
from itertools import chain

from flask import Blueprint, Response, g, request

from policies.parts import Group, Question, Track
from policies.schema import Policy
from protocol.envelope import Kind
from protocol.errors import AuthenticityError, CapacityError
from protocol.memo import Memo
from protocol.names import Receipt
from protocol.receipt import encode_issued, generate_receipt, verify_issued
from relay.forms import (
    ProblemError,
    active_names,
    keys_of,
    persons,
    read_posted,
    refusal,
    require_text,
)
from relay.gate import Purpose
from relay.intake import Form
from relay.languages import _, language_name
from relay.parts import parts
from relay.readers import Choice, choice_of_follow_up, choice_of_report
from relay.rendering import page, policy, size_words, track_of
from relay.sending import Letter, send
from relay.typed import (
    Typed,
    categories_of,
    choices_of,
    consents_of,
    make_answers,
    questions_of,
    read_typed,
)

blueprint = Blueprint("report", __name__, url_prefix="/<lang>")


@blueprint.get("/report")
def show_form() -> Response:
    """Show the form with a new receipt, for the track that was chosen."""
    track = track_of(request.args.get("track", ""))
    return form_page(generate_receipt(), track, Typed(recipients=_choice(track).ticked))


@blueprint.post("/report")
def send_report() -> Response:
    """Take a report: text first, then files, each sealed while it arrives."""
    form = read_posted()
    track = track_of(form.get("track"))
    typed = read_typed(form.fields, policy(), track)
    try:
        receipt = verify_issued(parts().salt, form.get("receipt"))
    except AuthenticityError:
        sentence = _(
            "The nine words on the page before did not come from here. "
            "These are new: write them down."
        )
        return form_page(generate_receipt(), track, typed, {"receipt": sentence}, 400)
    try:
        first = _send(receipt, track, typed, form)
    except ProblemError as problem:
        return form_page(receipt, track, typed, problem.problems, problem.status)
    return page("sent", words=receipt, repeated=not first, days=track.acknowledge_days)


def form_page(
    receipt: Receipt,
    track: Track,
    typed: Typed,
    problems: Mapping[str, str] | None = None,
    status: int = 200,
) -> Response:
    """Draw the form in a given state."""
    return page(
        "report",
        status,
        track=track,
        typed=typed,
        problems=problems or {},
        words=receipt,
        issued=encode_issued(parts().salt, receipt),
        offered=persons(_choice(track).offered),
        groups=_grouped(policy(), track),
        categories=categories_of(policy(), track),
        catalogue=policy().catalogues.get(track.catalogue or ""),
        consents=consents_of(policy(), track),
        choices_of=lambda question: choices_of(question, policy()),
        understood=", ".join(map(language_name, _languages_read())),
        limit=size_words(parts().settings.attachments_bytes),
    )


def _send(receipt: Receipt, track: Track, typed: Typed, form: Form) -> bool:
    """Check what was typed, then seal and store it.

    Returns:
        Whether it was the first under this receipt.

    Raises:
        ProblemError: something has to be mended; nothing was stored.
    """
    choice = _choice(track)
    if not choice.read(typed.recipients):
        raise ProblemError(400, {"recipients": _("Choose at least one person who may read this.")})
    require_text(typed.text)
    files = form.files()
    try:
        head = next(files, None)
        if head is None and not (typed.text or typed.answers):
            raise ProblemError(400, {"text": _("Write a few words, or choose a file.")})
        return send(
            parts(),
            keys_of(receipt, Purpose.SENDING),
            lambda memo: _letter(track, typed, choice, memo),
            chain([head], files) if head else files,
        )
    except CapacityError as error:
        raise ProblemError(413, refusal(error)) from None


def _letter(track: Track, typed: Typed, choice: Choice, memo: Memo | None) -> Letter:
    """Compose the letter; under a receipt that was used before it is a follow-up."""
    if memo is not None:
        choice = choice_of_follow_up(active_names(), memo, ())
    readers = choice.read(typed.recipients)
    if not readers:
        sentence = _(
            "You wrote before with these words, to other people. Choose at least one of them."
        )
        raise ProblemError(400, {"recipients": sentence})
    return Letter(
        kind=Kind.REPORT if memo is None else Kind.FOLLOW_UP,
        track=track.id,
        language=g.lang,
        text=typed.text,
        answers=make_answers(typed, policy(), track, field_labels()),
        readers=readers,
        left_out=tuple(name for name in choice.offered if name not in readers),
        policy=(policy().id, policy().version),
    )


def field_labels() -> dict[str, str]:
    """Return the headings, in the page's language, of fields that every form has."""
    return {"categories": _("What kind of thing it was"), "consents": _("What you agree to")}


def _choice(track: Track) -> Choice:
    return choice_of_report(active_names(), track.recipients)


def _grouped(policy: Policy, track: Track) -> list[tuple[Group, list[Question]]]:
    questions = questions_of(policy, track)
    return [
        (group, members)
        for group in policy.groups.values()
        if (members := [question for question in questions if question.group == group.id])
    ]


def _languages_read() -> tuple[str, ...]:
    """Return the languages that counselors read, each once, in the policy's order."""
    codes = (code for person in policy().recipients.values() for code in person.languages)
    return tuple(dict.fromkeys(codes))
