"""Care for a case: duties, risk, notes, the answer of the person reported, consents, the window."""

from collections.abc import Callable, Mapping
from typing import cast

from flask import request, url_for

from desk.casework import clocks as casework_clocks
from desk.casework import handling as casework
from desk.casework import noting
from desk.casework.casefile import Risk
from desk.casework.errors import ProcedureError
from desk.casework.rules import policy_of
from desk.casework.said import consents
from desk.casework.work import read_file
from desk.records import CaseRecord
from desk.screens.forms import Field, Form, Kind, Option, Task, Typed
from desk.screens.session import now
from desk.vault import Vault

_RISKS = (
    Option("none", "No risk that I see"),
    Option("some", "Some risk"),
    Option("high", "High risk: it goes to the top of the inbox"),
)


def case_page(case: CaseRecord) -> str:
    """Return the address of the page of a case."""
    return url_for("case.show", name=case.name)


def duty(vault: Vault, case: CaseRecord) -> Task:
    """Note that a duty was seen to (P6)."""
    file, policy = read_file(vault, case), policy_of(vault, case)
    options = [
        Option(one.id, one.title + (" (done)" if one.id in file.duties else ""), one.explanation)
        for one in policy.duties.values()
    ]

    def do(typed: Typed) -> str:
        casework.tick_duty(vault, case, typed.one("duty"), typed.one("note"), now=now())
        return "The duty is noted."

    return Task(
        form=Form(
            title="Note a duty",
            fields=(
                Field(
                    name="duty",
                    label="Which one",
                    kind=Kind.ONE,
                    options=options,
                    value=(request.args.get("duty", ""),),
                ),
                Field(name="note", label="What was done", kind=Kind.LONG),
            ),
            button="Note it",
            back=case_page(case),
        ),
        do=do,
    )


def risk(vault: Vault, case: CaseRecord) -> Task:
    """Say how great the risk of harm is (P32)."""
    file = read_file(vault, case)

    def do(typed: Typed) -> str:
        chosen = typed.one("risk")
        if chosen not in {one.value for one in _RISKS}:
            raise ProcedureError("Choose how great the risk is.")
        casework.set_risk(vault, case, cast(Risk, chosen), typed.one("reason"), now=now())
        return "The risk is noted; the inbox follows it."

    return Task(
        form=Form(
            title="Risk of harm",
            lead=("To the reporter above all, also by what you do about the report.",),
            fields=(
                Field(
                    name="risk",
                    label="How great is it",
                    kind=Kind.ONE,
                    options=_RISKS,
                    value=(file.risk,),
                ),
                Field(name="reason", label="Why", kind=Kind.LONG, value=(file.risk_reason,)),
            ),
            button="Note it",
            back=case_page(case),
        ),
        do=do,
    )


def note(vault: Vault, case: CaseRecord) -> Task:
    """Add a note (P25)."""

    def do(typed: Typed) -> str:
        noting.add_note(vault, case, typed.one("text"), shared=typed.tick("shared"), now=now())
        return "The note is filed, sealed on this desk."

    return Task(
        form=Form(
            title="Add a note",
            lead=("Notes stay sealed on this desk. They are part of the record.",),
            fields=(
                Field(name="text", label="Note", kind=Kind.LONG),
                Field(
                    name="shared",
                    label="May go to colleagues who share this case",
                    kind=Kind.TICK,
                ),
            ),
            button="File the note",
            back=case_page(case),
        ),
        do=do,
    )


def told(vault: Vault, case: CaseRecord) -> Task:
    """Note what the reporter was told otherwise than in the mailbox (P4, P9)."""

    def do(typed: Typed) -> str:
        noting.tell_otherwise(vault, case, typed.one("text"), now=now())
        return "It is noted; the report counts as acknowledged."

    return Task(
        form=Form(
            title="Answered otherwise",
            lead=(
                "By telephone, in person or by letter: for somebody without a mailbox, or who "
                "asked for it. It acknowledges the report.",
            ),
            fields=(Field(name="text", label="What they were told, when and how", kind=Kind.LONG),),
            button="Note it",
            back=case_page(case),
        ),
        do=do,
    )


def answer(vault: Vault, case: CaseRecord) -> Task:
    """Write down what the person reported answers (P34)."""

    def do(typed: Typed) -> str:
        noting.add_answer_of_reported(vault, case, typed.one("text"), now=now())
        return "The answer is filed."

    return Task(
        form=Form(
            title="Answer of the person reported",
            lead=("Until something is decided, they are presumed innocent.",),
            fields=(Field(name="text", label="What they answer", kind=Kind.LONG),),
            button="File the answer",
            back=case_page(case),
        ),
        do=do,
    )


def consent(vault: Vault, case: CaseRecord) -> Task:
    """Record consents that were given otherwise than in the mailbox (P24)."""
    known = policy_of(vault, case).consents.values()

    def do(typed: Typed) -> str:
        casework.record_consent(
            vault,
            case,
            typed.several("consents"),
            by_survivor=typed.tick("in-person"),
            how=typed.one("how"),
            now=now(),
        )
        if set(typed.several("consents")) - set(consents(vault, case)):
            return (
                "The consents are recorded. Two words of one day are on file, and of them the "
                "narrower holds: whoever wants more says it again tomorrow."
            )
        return "The consents are recorded; what is not ticked is not consented to any more."

    only = "Only the person affected can give this."
    return Task(
        form=Form(
            title="Consents given otherwise",
            lead=("Said to you, or signed on paper. What you leave unticked is withdrawn.",),
            fields=(
                Field(
                    name="consents",
                    label="Consented to",
                    kind=Kind.SEVERAL,
                    options=[Option(c.id, c.label, only if c.survivor_only else "") for c in known],
                    value=consents(vault, case),
                ),
                Field(
                    name="in-person",
                    label="The person affected said so themselves",
                    kind=Kind.TICK,
                ),
                Field(name="how", label="When, where and in which words", kind=Kind.LONG),
            ),
            button="Record",
            back=case_page(case),
        ),
        do=do,
    )


def window(vault: Vault, case: CaseRecord) -> Task:
    """Decide about an event outside the window, or without a date (P3)."""

    def do(typed: Typed) -> str:
        casework_clocks.decide_window(vault, case, typed.one("decision"), now=now())
        return "The decision is recorded."

    return Task(
        form=Form(
            title="Late or undated event",
            lead=("The machine refuses nothing. Whether the case is taken on is your decision.",),
            fields=(Field(name="decision", label="What you decided, and why", kind=Kind.LONG),),
            button="Record the decision",
            back=case_page(case),
        ),
        do=do,
    )


TASKS: Mapping[str, tuple[str, Callable[[Vault, CaseRecord], Task]]] = {
    "duty": ("Note a duty", duty),
    "risk": ("Risk of harm", risk),
    "note": ("Add a note", note),
    "told": ("Answered otherwise", told),
    "answer": ("Answer of the person reported", answer),
    "consent": ("Consents given otherwise", consent),
    "window": ("Late or undated event", window),
}
