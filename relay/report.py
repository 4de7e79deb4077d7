"""The report form: receipt first, then words, readers and files, sealed as they arrive.

Whatever goes wrong, the page comes back with what was typed and with the same receipt;
only after the envelope lies in the store does a page say that it was sent.
"""

from collections.abc import Iterator, Mapping
from itertools import chain

from flask import Blueprint, Response, g, request

from policies.parts import Track
from protocol.envelope import Kind
from protocol.errors import AuthenticityError
from protocol.memo import Memo
from protocol.names import Receipt
from protocol.receipt import encode_issued, generate_receipt, verify_issued
from relay.checks import (
    organisation_people,
    require_outside,
    require_own_consents,
    require_readers,
    require_route,
)
from relay.forms import (
    active_names,
    keys_of,
    persons,
    read_posted,
    require_open,
    require_text,
)
from relay.gate import Purpose
from relay.headers import PageKind, present
from relay.intake import FilePart, drain
from relay.languages import _, language_name
from relay.parts import parts
from relay.progress import new_form_id
from relay.readers import (
    Choice,
    absent_from,
    absent_of,
    choice_of_follow_up,
    choice_of_report,
)
from relay.refusals import ProblemError
from relay.rendering import page, policy, size_words, track_of
from relay.sending import Letter, send
from relay.typed import (
    Typed,
    choices_of,
    make_answers,
    read_typed,
)
from relay.upload import OVERSHOOT_BYTES, watched

blueprint = Blueprint("report", __name__, url_prefix="/<lang>")


@blueprint.get("/report")
def show_form() -> Response:
    """Show the form with a new receipt, for the track that was chosen."""
    require_open()
    track = track_of(request.args.get("track", ""))
    return form_page(generate_receipt(), track, Typed(recipients=_choice(track).ticked))


@blueprint.post("/report")
def send_report() -> Response:
    """Take a report: text first, then files, each sealed while it arrives."""
    present(PageKind.FORM, framed=True)
    form = read_posted()
    require_open()
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
    if form.get("language"):
        drain(request.stream, OVERSHOOT_BYTES)
        return form_page(receipt, track, typed)
    try:
        with watched(form) as files:
            first = _send(receipt, track, typed, files)
    except ProblemError as problem:
        return form_page(receipt, track, typed, problem.problems, problem.status)
    present(PageKind.REPLY, framed=True)
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
        form_id=new_form_id(),
        words=receipt,
        issued=encode_issued(parts().salt, receipt),
        offered=persons(_choice(track).offered),
        groups=policy().groups_of(track.id),
        categories=policy().categories_of(track.id),
        routed=any(route.track == track.id for route in policy().routes.values()),
        outsiders=_outsiders(track),
        catalogue=policy().catalogues.get(track.catalogue or ""),
        consents=policy().consents_of(track.id),
        choices_of=lambda question: choices_of(question, policy()),
        understood=", ".join(map(language_name, policy().languages_read)),
        limit=size_words(parts().settings.attachments_bytes),
    )


def _send(receipt: Receipt, track: Track, typed: Typed, files: Iterator[FilePart]) -> bool:
    """Check what was typed, then seal and store it.

    Returns:
        Whether it was the first under this receipt.

    Raises:
        ProblemError: something has to be mended; nothing was stored.
    """
    choice = _choice(track)
    require_readers(choice, typed)
    require_outside(typed, choice)
    require_route(track, typed, choice)
    require_own_consents(track, typed)
    require_text(typed.text)
    for question, given in typed.answers.items():
        for one in given:
            require_text(one, question)
    head = next(files, None)
    if head is None and not (typed.text or typed.answers):
        raise ProblemError(400, {"text": _("Write a few words, or choose a file.")})
    return send(
        parts(),
        keys_of(receipt, Purpose.SENDING),
        lambda memo: _letter(track, typed, choice, memo),
        chain([head], files) if head else files,
    )


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
    shut_out = organisation_people(choice.offered) if "outside-only" in typed.boxes else ()
    return Letter(
        kind=Kind.REPORT if memo is None else Kind.FOLLOW_UP,
        track=track.id,
        language=g.lang,
        text=typed.text,
        answers=make_answers(typed, policy(), track, field_labels()),
        readers=readers,
        absent=absent_of(memo) if memo else absent_from(choice, readers, shut_out),
        policy=(policy().id, policy().version),
    )


def field_labels() -> dict[str, str]:
    """Return the headings, in the page's language, of fields that every form has."""
    return {
        "categories": _("What kind of thing it was"),
        "consents": _("What you agree to"),
        "outside-only": _("The organisation must not learn of this"),
    }


def _outsiders(track: Track) -> str:
    """Name those who read where the organisation must not learn of it; empty if it is not asked."""
    offered = _choice(track).offered
    inside = organisation_people(offered)
    outside = tuple(name for name in offered if name not in inside)
    return ", ".join(person.title for person in persons(outside)) if inside else ""


def _choice(track: Track) -> Choice:
    return choice_of_report(active_names(), track.recipients)
