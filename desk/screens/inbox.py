"""The inbox: what is most urgent first, and importing what the courier brought."""

from collections.abc import Iterator

from flask import Blueprint, render_template, request, url_for

from desk.casework.concurrence import requests_asked
from desk.casework.following import after_import
from desk.casework.proposals import awaited_signatures
from desk.desk import read_desk
from desk.importing import import_bundle
from desk.records import EnvelopeRecord, EnvelopeState
from desk.screens.delivery import FILE_FIELDS, file_of
from desk.screens.forms import Answer, Form, Typed, show
from desk.screens.session import now, session, today, vault
from desk.vault import Vault
from keys.certificate import read_certificate
from protocol.errors import SottoError

PAGE_CASES = 100
WARN_DAYS = (7, 30, 60)  # before her key expires: the last one that holds is said

pages = Blueprint("inbox", __name__)


@pages.get("/")
def inbox() -> str:
    """List the cases, danger, overdue and due first."""
    opened, closed = vault(), "closed" in request.args
    lines = session().lines(opened, today=today(), closed=closed)
    first = max(0, request.args.get("from", 0, type=int))
    return render_template(
        "desk/inbox.html",
        lines=lines[first : first + PAGE_CASES],
        total=len(lines),
        first=first,
        page_cases=PAGE_CASES,
        closed=closed,
        desk=read_desk(opened),
        asked=[one for one in requests_asked(opened) if one.answered is None],
        unsigned=awaited_signatures(opened),
        today=today(),
        warnings=list(_warnings(opened)),
    )


@pages.route("/import", methods=["GET", "POST"], endpoint="import_")
def import_() -> Answer:
    """Import a bundle that lies on the stick, or that the browser hands over."""
    form = Form(
        title="Import a bundle",
        lead=("The relay's signature is verified before anything is opened.",),
        fields=FILE_FIELDS,
        button="Import",
        back=url_for("inbox.inbox"),
    )
    if request.method == "GET":
        return show(form)
    opened = vault()
    try:
        path = file_of(Typed())
        report = import_bundle(opened, path, now=now())
        followed = after_import(opened, path, now=now())
    except SottoError as refusal:
        return show(form, problem=str(refusal)), 400
    return render_template("desk/imported.html", report=report, followed=followed)


def _warnings(opened: Vault) -> Iterator[str]:
    """Yield what should not wait: the key's end, the copy, what was refused, what expired."""
    expires = read_certificate(opened.secret_key.certificate).expires
    if expires is not None:
        left = (expires - today()).days
        if left < 0:
            yield "Your key has expired: nothing new is sealed to you, and nothing can be exported."
        elif left <= max(WARN_DAYS):
            yield f"Your key expires in {left} days. Ask the operator how to succeed it in time."
    desk = read_desk(opened)
    if desk.cut and desk.backup_day is None:
        yield (
            "There is no second copy of this desk yet. Until there is one, the relay keeps every "
            "envelope."
        )
    refused = sum(one.state is EnvelopeState.REFUSED for one in opened.all(EnvelopeRecord))
    if refused:
        yield f"{refused} envelopes could not be read; they are tried again with every bundle."
    for case in session().expired(opened, today=today()):
        yield f"The retention of case {case.name} has ended: look at it, then delete it."
