"""Colleagues: their fingerprints, compared by voice, and the files that they send."""

from pathlib import Path

from flask import Blueprint, render_template, url_for

from desk.casework import colleagues as casework
from desk.casework.answering import import_request, requests_asked
from desk.casework.concurrence import import_answer
from desk.casework.sharing import import_colleague_file
from desk.casework.signedfile import opened_signed
from desk.desk import spoken_fingerprint
from desk.screens.delivery import FILE_FIELDS, file_of
from desk.screens.forms import Answer, Field, Form, Task, Typed, perform
from desk.screens.session import now, vault

pages = Blueprint("colleagues", __name__, url_prefix="/colleagues")


@pages.get("/")
def colleagues() -> str:
    """List the colleagues and what they ask for."""
    return render_template(
        "desk/colleagues.html",
        colleagues=casework.colleagues(vault()),
        requests=requests_asked(vault()),
        spoken=spoken_fingerprint,
    )


@pages.route("/confirm/<name>", methods=["GET", "POST"])
def confirm(name: str) -> Answer:
    """Confirm a colleague's fingerprint, as she reads it out."""

    def do(typed: Typed) -> str:
        one = casework.confirm_colleague(vault(), name, typed.one("spoken"), now=now())
        return f"The fingerprint of {one.name} is confirmed."

    form = Form(
        title=f"Confirm {name}",
        lead=(
            "Call her, or meet her. Let her read the fingerprint from her own desk, and type what "
            "you hear. It is not shown here, so that nobody confirms it by looking.",
        ),
        fields=(Field(name="spoken", label="The fingerprint as she reads it"),),
        button="Confirm",
        back=url_for("colleagues.colleagues"),
    )
    return perform(Task(form=form, do=do))


@pages.route("/take", methods=["GET", "POST"])
def take() -> Answer:
    """Take a file of a colleague: a request, an answer, a copy or a hand-over."""
    form = Form(
        title="Take a colleague's file",
        lead=("Her signature is verified before anything in it counts.",),
        fields=FILE_FIELDS,
        button="Take it",
        back=url_for("colleagues.colleagues"),
    )
    return perform(Task(form=form, do=lambda typed: _take(file_of(typed))))


def _take(path: Path) -> str:
    opened = vault()
    with opened_signed(opened, path, kinds=["request", "answer", "colleague"], now=now()) as file:
        kind = file.kind
    if kind == "request":
        asked = import_request(opened, path, now=now())
        return f"{asked.by} asks for your agreement in case {asked.case}. Look at it below."
    if kind == "answer":
        proposal = import_answer(opened, path, now=now())
        return f"The answer is filed with the proposal in case {proposal.case}."
    case = import_colleague_file(opened, path, now=now())
    return f"What your colleague wrote is filed with case {case.name}."
