"""A report that did not come through the relay: by telephone, on paper, seen by staff (P9)."""

from typing import cast, get_args

from flask import Blueprint, redirect, url_for
from werkzeug.wrappers import Response as AnyResponse

from desk.casework.casefile import Way
from desk.casework.colleagues import colleagues
from desk.casework.errors import ProcedureError
from desk.casework.manual import FILES_BYTES, enter_report
from desk.casework.rules import chosen_policy, policy_named
from desk.screens.forms import Answer, Field, Form, Kind, Option, Task, Typed, perform
from desk.screens.session import now, today, vault
from desk.screens.words import size_words
from policies.parts import Question, QuestionKind
from policies.schema import Policy

pages = Blueprint("manual", __name__)

_WAYS = (
    Option("telephone", "By telephone"),
    Option("paper", "On paper"),
    Option("in-person", "In person"),
    Option("staff", "Staff saw it themselves"),
)
_ANSWER = "answer-"


@pages.route("/new", methods=["GET", "POST"])
def choose() -> Answer:
    """Ask for the track, which decides what is asked."""
    policy = policy_named(vault(), chosen_policy(vault()))
    form = Form(
        title="Enter a report",
        lead=(f"It follows the procedure «{policy.id}», chosen in the settings.",),
        fields=(
            Field(
                name="track",
                label="What is it",
                kind=Kind.ONE,
                options=[Option(t.id, t.title, t.for_whom) for t in policy.tracks.values()],
            ),
        ),
        button="Go on",
        back=url_for("inbox.inbox"),
    )

    def do(typed: Typed) -> AnyResponse:
        if typed.one("track") not in policy.tracks:
            raise ProcedureError("Choose what it is.")
        return redirect(url_for("manual.enter", track=typed.one("track")), code=303)

    return perform(Task(form=form, do=do))


@pages.route("/new/<track>", methods=["GET", "POST"])
def enter(track: str) -> Answer:
    """Enter the report."""
    policy = policy_named(vault(), chosen_policy(vault()))
    form = Form(
        title="Enter a report",
        lead=("It becomes a case like any other, without a mailbox: nobody reads replies to it.",),
        fields=_fields(policy, track),
        button="Enter the report",
        back=url_for("inbox.inbox"),
    )

    def do(typed: Typed) -> str:
        way = typed.one("way")
        if way not in get_args(Way):
            raise ProcedureError("Choose how the report came.")
        case = enter_report(
            vault(),
            way=cast(Way, way),
            track=track,
            text=typed.one("text"),
            received=typed.day("received"),
            answers={
                q.id: typed.several(_ANSWER + q.id)
                for q in policy.questions_of(track)
                if any(typed.several(_ANSWER + q.id))
            },
            categories=typed.several("categories"),
            consents=typed.several("consents"),
            left_out=typed.several("left-out"),
            files={one.filename or "file": one.stream.read() for one in typed.files("files")},
            now=now(),
        )
        return f"Case {case.name} is opened."

    return perform(Task(form=form, do=do))


def _fields(policy: Policy, track: str) -> list[Field]:
    if track not in policy.tracks:
        raise ProcedureError("The policy of this desk has no such track.")
    categories = [Option(c.id, c.title) for c in policy.categories_of(track)]
    consents = [Option(c.id, c.label, c.hint) for c in policy.consents_of(track)]
    others = [Option(one.name, one.name) for one in colleagues(vault())]
    fields = [
        Field(name="way", label="How it came", kind=Kind.ONE, options=_WAYS),
        Field(name="received", label="When it came", kind=Kind.DATE, value=(today().isoformat(),)),
        Field(name="text", label="What was said, written or seen", kind=Kind.LONG),
        *(_asked(policy, one) for one in policy.questions_of(track)),
        Field(name="categories", label="Categories", kind=Kind.SEVERAL, options=categories),
        Field(
            name="consents",
            label="Consents that the person affected gave with it",
            kind=Kind.SEVERAL,
            options=consents,
        ),
        Field(
            name="left-out",
            label="Colleagues who must not learn of it",
            kind=Kind.SEVERAL,
            options=others,
        ),
        Field(
            name="files",
            label="Scans or files",
            kind=Kind.FILES,
            hint=f"Up to {size_words(FILES_BYTES)} in all.",
        ),
    ]
    choices = (Kind.ONE, Kind.SEVERAL)
    return [one for one in fields if one.kind not in choices or one.options]


def _asked(policy: Policy, question: Question) -> Field:
    kind = {QuestionKind.LONG_TEXT: Kind.LONG, QuestionKind.DATE: Kind.DATE}.get(question.kind)
    options = [Option(value, label) for value, label in question.choices]
    if question.kind is QuestionKind.EVENT:
        options = [Option(one.id, one.title) for one in policy.events.values()]
    if question.kind is QuestionKind.TICK:
        options = [Option("yes", "Yes")]
    if options:
        # What may stay unticked is a box: a choice of one cannot be taken back without a script.
        boxes = (QuestionKind.SEVERAL, QuestionKind.TICK)
        kind = Kind.SEVERAL if question.kind in boxes else Kind.ONE
    return Field(
        name=_ANSWER + question.id,
        label=question.label,
        kind=kind or Kind.TEXT,
        options=options,
    )
