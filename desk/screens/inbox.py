"""The inbox: what is most urgent first, and importing what the courier brought."""

from collections.abc import Iterator
from pathlib import Path

from flask import Blueprint, Response, make_response, render_template, request, url_for

from desk.casework.answering import requests_asked
from desk.casework.deleting import expired_cases
from desk.casework.expiry import expiry_warnings
from desk.casework.following import after_import
from desk.casework.proposals import awaited_signatures
from desk.casework.triage import triage
from desk.desk import read_desk
from desk.importing import import_bundle
from desk.records import EnvelopeRecord, EnvelopeState
from desk.screens.delivery import FILE_FIELDS, file_of
from desk.screens.forms import Answer, Form, Task, perform
from desk.screens.session import now, session, today, vault
from desk.vault import Vault

PAGE_CASES = 100

pages = Blueprint("inbox", __name__)


@pages.get("/")
def inbox() -> str:
    """List the cases, danger, overdue and due first."""
    opened, closed, day = vault(), "closed" in request.args, today()
    once = session().once
    lines = once(("lines", day, closed), lambda: triage(opened, today=day, closed=closed))
    first = max(0, request.args.get("from", 0, type=int))
    return render_template(
        "desk/inbox.html",
        lines=lines[first : first + PAGE_CASES],
        total=len(lines),
        first=first,
        page_cases=PAGE_CASES,
        closed=closed,
        desk=read_desk(opened),
        asked=once("asked", lambda: [r for r in requests_asked(opened) if r.answered is None]),
        unsigned=once("unsigned", lambda: awaited_signatures(opened)),
        today=day,
        warnings=once(("warnings", day), lambda: list(_warnings(opened))),
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
    return perform(Task(form=form, do=lambda typed: _import(file_of(typed))))


def _import(path: Path) -> Response:
    report = import_bundle(vault(), path, now=now())
    followed = after_import(vault(), path, now=now())
    return make_response(render_template("desk/imported.html", report=report, followed=followed))


def _warnings(opened: Vault) -> Iterator[str]:
    """Yield what should not wait: the key's end, the copy, what was refused, what expired."""
    yield from expiry_warnings(opened, now=now())
    desk = read_desk(opened)
    if desk.cut and desk.backup_day is None:
        yield (
            "There is no second copy of this desk yet. Until there is one, the relay keeps every "
            "envelope."
        )
    refused = sum(one.state is EnvelopeState.REFUSED for one in opened.all(EnvelopeRecord))
    if refused:
        yield f"{refused} envelopes could not be read; they are tried again with every bundle."
    for case in expired_cases(opened, today=today()):
        yield f"The retention of case {case.name} has ended: look at it, then delete it."
