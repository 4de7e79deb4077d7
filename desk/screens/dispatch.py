"""What will cross the gap, seen before it does; then the dispatch, and the second copy."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from flask import Blueprint, render_template, request, url_for

from desk.backup import back_up
from desk.cases import find_case, queued
from desk.casework.errors import ProcedureError
from desk.casework.following import catch_up
from desk.casework.rules import policy_of
from desk.desk import read_desk
from desk.exporting import Crossing, export_dispatch, plan_dispatch
from desk.records import CaseRecord, QueuedReply
from desk.screens.delivery import FOLDER_FIELD, deliver, place_of
from desk.screens.forms import Answer, Field, Form, Task, Typed, perform
from desk.screens.session import now, vault
from desk.vault import Vault
from protocol.errors import SottoError

FILE_NAME = "dispatch.sotto"

pages = Blueprint("dispatch", __name__)


@pages.route("/dispatch", methods=["GET", "POST"])
def dispatch() -> Answer:
    """Show what crosses; write it."""
    if request.method == "GET":
        return _page()
    typed = Typed()
    try:
        if typed.one("serial") != str(read_desk(vault()).serial + 1):
            raise ProcedureError(
                "Something changed since this page was shown; look at what crosses once more."
            )
        done = deliver(
            lambda path: _export(path, waive=typed.tick("waive")),
            FILE_NAME,
            typed,
            done=f"Dispatch {typed.one('serial')} is written. Give it to the courier.",
        )
    except SottoError as refusal:
        return _page(problem=str(refusal)), 400
    return _page(done=done) if isinstance(done, str) else done


@pages.route("/backup", methods=["GET", "POST"])
def backup() -> Answer:
    """Bring a second copy up to date."""

    def do(typed: Typed) -> str:
        report = back_up(vault(), place_of(typed, "folder"), now=now())
        told = f"Copied and read back: {report.copied} new files; {report.kept} lay there already."
        if report.same_disk:
            told += " The copy lies on the same disk as the desk and dies with it: use a stick."
        return told

    form = Form(
        title="Second copy",
        lead=(
            "Sealed as the desk is, with your protected key in it. Only what is new is copied, "
            "and everything new is read back from the stick before it counts.",
            "What lies on no second copy is not acknowledged, so that the relay keeps it.",
        ),
        fields=(Field(name="folder", label="Folder", hint="As /media/second/desk."),),
        button="Bring the copy up to date",
        back=url_for("dispatch.dispatch"),
    )
    return perform(Task(form=form, do=do))


def _export(path: Path, *, waive: bool) -> None:
    export_dispatch(vault(), path, now=now(), without_backup=waive)
    catch_up(vault(), now=now())


def _page(*, problem: str = "", done: str = "") -> str:
    opened = vault()
    crossing: Crossing | None = None
    try:
        crossing = plan_dispatch(opened, now=now(), without_backup=False)
    except SottoError as refusal:
        problem = problem or str(refusal)
    return render_template(
        "desk/dispatch.html",
        crossing=crossing,
        news=_news(opened, crossing) if crossing else [],
        desk=read_desk(opened),
        problem=problem,
        done=done,
        folder=FOLDER_FIELD,
    )


@dataclass(frozen=True, kw_only=True)
class News:
    """What a dispatch brings one reporter; "" for what stays as it was."""

    case: CaseRecord
    replies: Sequence[QueuedReply]
    status: str
    outcome: str


def _news(opened: Vault, crossing: Crossing) -> list[News]:
    words = {name: (status, outcome) for name, status, outcome in crossing.words}
    names = sorted({*words, *(name for name, _ in crossing.replies)})
    return [_news_of(opened, find_case(opened, name), *words.get(name, ("", ""))) for name in names]


def _news_of(opened: Vault, case: CaseRecord, status: str, outcome: str) -> News:
    known = policy_of(opened, case).statuses
    title = known[status].title if status in known else status
    return News(case=case, replies=queued(case), status=title, outcome=outcome)
