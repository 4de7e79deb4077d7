"""Write a reply: ready texts, a preview as the reporter sees it, queue, undo until export."""

import hashlib

from flask import Blueprint, redirect, render_template, request, url_for

from desk.cases import find_case, queued
from desk.casework.replytexts import ready_replies, require_filled
from desk.casework.said import is_manual
from desk.casework.work import read_file
from desk.records import CaseRecord
from desk.replies import PAGE_HOLDS, queue_reply, take_back, take_off_page
from desk.screens.forms import Answer, Field, Form, Kind, Option, Task, Typed, perform
from desk.screens.headers import stay
from desk.screens.preview import language_of, preview
from desk.screens.session import tell, today, vault
from protocol.errors import SottoError

pages = Blueprint("replies", __name__, url_prefix="/case/<name>/reply")

_FIRST_WORDS = 60  # characters by which a reply is told from another


@pages.get("/")
def write(name: str) -> Answer:
    """Show the page for writing."""
    return _page(find_case(vault(), name), text="")


@pages.post("/")
def send(name: str) -> Answer:
    """Add a ready text, show the preview, or queue the reply only as it was previewed."""
    case = find_case(vault(), name)
    text = request.form.get("text", "")
    if chosen := request.form.get("template"):
        ready = [one.text for one in ready_replies(vault(), case) if one.id == chosen]
        return _page(case, text="\n\n".join([text.strip(), *ready]).strip())
    if "queue" not in request.form or request.form.get("previewed") != _digest(text):
        return _page(case, text=text, previewed=bool(text.strip()))
    try:
        reply = queue_reply(vault(), case, require_filled(text), today=today())
    except SottoError as refusal:
        return _page(case, text=text, problem=str(refusal)), 400
    tell(f"Reply {reply.number} waits for the next dispatch. Until then it can be taken back.")
    return redirect(url_for("case.show", name=case.name), code=303)


@pages.post("/undo")
def undo(name: str) -> Answer:
    """Take back the newest reply that no dispatch carried; its text is there to go on with."""
    case = find_case(vault(), name)
    text = take_back(vault(), case).text
    return _page(find_case(vault(), name), text=text, undone=True)


@pages.route("/take-off", methods=["GET", "POST"])
def take_off(name: str) -> Answer:
    """Leave an older reply off the reporter's page, to make room."""
    case = find_case(vault(), name)
    options = [
        Option(str(one.number), f"Reply {one.number} of {one.day}", one.text[:_FIRST_WORDS])
        for one in case.replies
        if one.on_page and one.serial is not None
    ]

    def do(typed: Typed) -> str:
        number = typed.one("number")
        take_off_page(vault(), case, int(number) if number.isdecimal() else 0)
        return f"Reply {number} is off the page with the next dispatch; the case keeps it."

    form = Form(
        title="Leave an older reply off the page",
        lead=(f"A page holds {PAGE_HOLDS}, all its replies together.",),
        stop="" if options else "No reply that crossed is on the page.",
        fields=(Field(name="number", label="Which one", kind=Kind.ONE, options=options),),
        button="Leave it off",
        back=url_for("replies.write", name=case.name),
    )
    return perform(Task(form=form, do=do))


def _page(
    case: CaseRecord,
    *,
    text: str,
    previewed: bool = False,
    undone: bool = False,
    problem: str = "",
) -> str:
    stay()
    return render_template(
        "desk/reply.html",
        case=case,
        text=text,
        manual=is_manual(read_file(vault(), case)),
        language=language_of(case),
        ready=ready_replies(vault(), case),
        preview=preview(vault(), case, text if previewed else "", today=today()),
        previewed=_digest(text) if previewed else "",
        queued=queued(case),
        undone=undone,
        problem=problem,
    )


def _digest(text: str) -> str:
    return hashlib.sha256("\n".join(text.splitlines()).encode()).hexdigest()
