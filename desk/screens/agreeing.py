"""Two desks agree: a proposal's page, the file that goes out, the answer that comes back."""

from flask import Blueprint, Response, abort, render_template, url_for

from desk.cases import find_case
from desk.casework import acting, answering, concurrence, deleting
from desk.casework.answering import Asked
from desk.casework.errors import ProcedureError
from desk.casework.proposals import Proposal, find_proposal
from desk.casework.rules import chosen_policy, policy_named, policy_of
from desk.records import CaseRecord
from desk.screens.delivery import FOLDER_FIELD, deliver
from desk.screens.forms import Answer, Field, Form, Kind, Option, Task, Typed, perform
from desk.screens.keeping import GROUNDS
from desk.screens.session import now, today, vault
from desk.screens.sharing import colleague_field

pages = Blueprint("agreeing", __name__)


@pages.get("/proposal/<id_>")
def proposal(id_: str) -> str:
    """Show a proposal: what shall be done, who agreed, what is missing."""
    found = find_proposal(vault(), id_)
    case = _case(found)
    return render_template(
        "desk/proposal.html",
        one=found,
        case=case,
        shown=[*_facts(found)[1:], ("Proposed by", found.by)],
        rule=policy_of(vault(), case).concurrence,
        missing=max(0, found.needed - len(found.agreed_by)),
        today=today(),
    )


@pages.route("/proposal/<id_>/<step>", methods=["GET", "POST"])
def step(id_: str, step: str) -> Answer:
    """Take the next step with a proposal."""
    build = _STEPS.get(step)
    if build is None:
        abort(404)
    found = find_proposal(vault(), id_)
    return perform(build(found, _case(found)))


@pages.get("/request/<id_>")
def request(id_: str) -> str:
    """Show what a colleague asks for."""
    one = answering.find_request(vault(), id_)
    return render_template("desk/request.html", one=one, shown=_request_facts(one))


@pages.route("/request/<id_>/answer", methods=["GET", "POST"])
def answer(id_: str) -> Answer:
    """Sign or refuse what a colleague asks for."""
    return perform(_answering(answering.find_request(vault(), id_)))


def _ask(found: Proposal, case: CaseRecord) -> Task:
    def do(typed: Typed) -> str | Response:
        return deliver(
            lambda path: concurrence.export_request(
                vault(), found, typed.one("to"), path, now=now()
            ),
            f"{case.name}.request",
            typed,
            done="The request is written, sealed to her.",
        )

    return Task(
        form=Form(
            title="Ask a colleague",
            lead=("She verifies it on her desk, signs or refuses, and sends an answer file back.",),
            facts=_facts(found),
            fields=(colleague_field(vault(), case), FOLDER_FIELD),
            button="Write the request",
            back=_page(found),
        ),
        do=do,
    )


def _word_of_mouth(found: Proposal, case: CaseRecord) -> Task:
    def do(typed: Typed) -> str:
        acting.agree_by_word_of_mouth(vault(), found, typed.one("to"), typed.one("how"), now=now())
        return "Her word is recorded. Ask her for the signature in time."

    return Task(
        form=Form(
            title="Agreed by word of mouth",
            lead=("Recorded at once, signed later; what is late is listed in the inbox.",),
            facts=_facts(found),
            fields=(
                colleague_field(vault(), case),
                Field(name="how", label="When and how she agreed", kind=Kind.LONG),
            ),
            button="Record it",
            back=_page(found),
        ),
        do=do,
    )


def _carry_out(found: Proposal, case: CaseRecord) -> Task:
    def do(typed: Typed) -> str:
        if found.kind == "deletion":
            raise ProcedureError("A deletion has its own page.")
        acting.carry_out(vault(), found, typed.one("done"), now=now())
        return "It is recorded as carried out."

    return Task(
        form=Form(
            title="Carried out",
            lead=("Do it first, then write here what was done.",),
            facts=_facts(found),
            fields=(Field(name="done", label="What was done", kind=Kind.LONG),),
            button="Record that it was done",
            back=_page(found),
            danger=True,
        ),
        do=do,
    )


def _repeat(found: Proposal, case: CaseRecord) -> Task:
    def do(typed: Typed) -> str:
        acting.repeat_action(
            vault(), found, target=typed.one("target"), reason=typed.one("reason"), now=now()
        )
        return "The repeated action is recorded; it rests on the earlier agreement."

    return Task(
        form=Form(
            title="The same person again",
            lead=("Under a new login, on the agreement that there is (no second signature).",),
            facts=_facts(found),
            fields=(
                Field(name="target", label="The new login"),
                Field(name="reason", label="How you know it is the same person", kind=Kind.LONG),
            ),
            button="Record the repeated action",
            back=_page(found),
        ),
        do=do,
        then=url_for("case.show", name=case.name),
    )


def _delete(found: Proposal, case: CaseRecord) -> Task:
    def do(typed: Typed) -> str:
        if typed.one("name").strip().upper() != case.name:
            raise ProcedureError("Type the name of the case, so that nothing is deleted by a slip.")
        deleting.delete_case(vault(), found, now=now())
        return f"Case {case.name} is deleted. The second copy loses it with the next backup."

    return Task(
        form=Form(
            title=f"Delete case {case.name}",
            lead=(
                "Everything of the case goes: letters, files, notes, replies. What stays is that "
                "there was a case, who deleted it, when, and on whose signatures.",
                "It cannot be undone.",
            ),
            facts=_facts(found),
            fields=(Field(name="name", label=f"Type {case.name} to confirm"),),
            button="Delete the case",
            back=_page(found),
            danger=True,
        ),
        do=do,
        then=url_for("inbox.inbox"),
    )


def _answering(asked: Asked) -> Task:
    def do(typed: Typed) -> str | Response:
        if typed.one("agrees") not in ("yes", "no"):
            raise ProcedureError("Choose whether you agree.")
        return deliver(
            lambda path: answering.answer_request(
                vault(),
                asked,
                path,
                agrees=typed.one("agrees") == "yes",
                reason=typed.one("reason"),
                now=now(),
            ),
            f"{asked.case}.answer",
            typed,
            done="Your answer is signed, and sealed to her.",
        )

    return Task(
        form=Form(
            title="Answer a colleague",
            lead=("You sign exactly what stands here, with your key.",),
            facts=_request_facts(asked),
            fields=(
                Field(
                    name="agrees",
                    label="Your answer",
                    kind=Kind.ONE,
                    options=(Option("yes", "I agree"), Option("no", "I do not agree")),
                ),
                Field(name="reason", label="Why", kind=Kind.LONG),
                FOLDER_FIELD,
            ),
            button="Sign the answer",
            back=url_for("agreeing.request", id_=asked.id),
        ),
        do=do,
    )


def _facts(one: Proposal) -> list[tuple[str, str]]:
    said = [
        ("What", one.title),
        ("Whom or what", one.target),
        ("Reason", one.reason),
        ("Ground", _ground(one.kind, one.ground, _case(one))),
        ("Harm considered", one.harm),
    ]
    return [(label, value) for label, value in said if value]


def _ground(kind: str, ground: str, case: CaseRecord | None) -> str:
    """Say a ground as the procedure does; of a case that is not here as the desk's own does."""
    if kind == "deletion":
        return GROUNDS.get(ground, ground)
    opened = vault()
    policy = policy_of(opened, case) if case else policy_named(opened, chosen_policy(opened))
    return policy.grounds[ground].title if ground in policy.grounds else ground


def _request_facts(one: Asked) -> list[tuple[str, str]]:
    """Return all that she would sign, with the ground in the procedure's words as well."""
    case = vault().get(CaseRecord, one.case)
    words = {"Ground": _ground(one.kind, one.ground, case)}
    said = [(label, value, words.get(label, value)) for label, value in one.facts()]
    return [
        (label, (f"{told} ({value})" if told != value else value) or "none")
        for label, value, told in said
    ]


def _case(found: Proposal) -> CaseRecord:
    return find_case(vault(), found.case)


def _page(found: Proposal) -> str:
    return url_for("agreeing.proposal", id_=found.id)


_STEPS = {
    "ask": _ask,
    "word": _word_of_mouth,
    "done": _carry_out,
    "repeat": _repeat,
    "delete": _delete,
}
