"""The inbox: what is most urgent first."""

from collections.abc import Iterator, Sequence

from flask import Blueprint, render_template, request

from desk.cases import queued
from desk.casework.answering import requests_asked
from desk.casework.deleting import Tombstone, expired_cases
from desk.casework.expiry import expiry_warnings
from desk.casework.proposals import awaited_signatures
from desk.casework.triage import TriageLine, triage
from desk.desk import read_desk
from desk.records import CaseRecord, EnvelopeRecord, EnvelopeState
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
        counted=_counted(lines, closed=closed),
        deleted=sorted(opened.all(Tombstone), key=lambda one: (one.day, one.case))
        if closed
        else (),
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


def _warnings(opened: Vault) -> Iterator[str]:
    """Yield what should not wait: the key's end, the copy, what was refused, what expired."""
    yield from expiry_warnings(opened, now=now())
    desk = read_desk(opened)
    if desk.cut and desk.backup_day is None:
        yield (
            "There is no second copy of this desk yet. Until there is one, the relay keeps every "
            "envelope."
        )
    waiting = sum(len(queued(one)) for one in opened.all(CaseRecord))
    if waiting:
        replies = "1 reply waits" if waiting == 1 else f"{waiting} replies wait"
        yield f"{replies} for the next dispatch: nobody has read it yet."
    refused = sum(one.state is EnvelopeState.REFUSED for one in opened.all(EnvelopeRecord))
    if refused:
        yield f"{refused} envelopes could not be read; they are tried again with every bundle."
    for case in expired_cases(opened, today=today()):
        yield f"The retention of case {case.name} has ended: look at it, then delete it."


def _counted(lines: Sequence[TriageLine], *, closed: bool) -> list[str]:
    """Say how much there is to do before anybody counts rows."""
    if closed:
        return [f"{len(lines)} closed"]
    kinds = (
        ("with danger", [one for one in lines if one.file.danger]),
        ("overdue", [one for one in lines if one.clocks.overdue]),
        ("new", [one for one in lines if one.waiting]),
    )
    return [f"{len(lines)} open", *(f"{len(found)} {what}" for what, found in kinds if found)]
