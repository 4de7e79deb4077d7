"""Decide: assessment, status, outcome, closing, conflict of interest."""

from collections.abc import Callable, Mapping

from flask import url_for

from desk.casework import conflicts
from desk.casework import handling as casework
from desk.casework.errors import ProcedureError
from desk.casework.replytexts import closing_text, require_filled
from desk.casework.rules import final_statuses, policy_of
from desk.casework.said import is_manual
from desk.casework.work import Work, read_file
from desk.records import CaseRecord
from desk.screens.forms import Field, Form, Kind, Option, Task, Typed
from desk.screens.handling import case_page
from desk.screens.session import now
from desk.vault import Vault
from policies.schema import Policy


def assess(vault: Vault, case: CaseRecord) -> Task:
    """Weigh the factors and draw the conclusion (P7)."""
    policy = policy_of(vault, case)

    def do(typed: Typed) -> str:
        if typed.one("conclusion") not in ("yes", "no"):
            raise ProcedureError("Answer the question of the conclusion.")
        chosen = {one: typed.one(f"factor-{one}") for one in policy.factors}
        casework.assess(
            vault,
            case,
            factors=chosen,
            conclusion=typed.one("conclusion") == "yes",
            reasons=typed.one("reasons"),
            now=now(),
        )
        return "The assessment is recorded."

    return Task(
        form=Form(
            title="Assess",
            lead=("The work of the team that the procedure names, after the case was handed on.",),
            stop=_refusal(vault, case),
            fields=(
                *_factors(policy),
                Field(
                    name="conclusion",
                    label=policy.assessment.conclusion if policy.assessment else "Conclusion",
                    kind=Kind.ONE,
                    options=(Option("yes", "Yes"), Option("no", "No")),
                ),
                Field(name="reasons", label="The reasons", kind=Kind.LONG),
            ),
            button="Record the assessment",
            back=case_page(case),
        ),
        do=do,
    )


def _refusal(vault: Vault, case: CaseRecord) -> str:
    """Return why this counselor may not assess the case, "" if she may."""
    work = Work(vault=vault, case=case, now=now())
    try:
        work.require_no_conflict()
        casework.require_assessor(work)
    except ProcedureError as refusal:
        return str(refusal)
    return ""


def _factors(policy: Policy) -> list[Field]:
    return [
        Field(
            name=f"factor-{one.id}",
            label=one.title,
            hint=one.explanation,
            kind=Kind.ONE,
            options=[Option(value, label) for value, label in one.choices],
        )
        for one in policy.factors.values()
    ]


def status(vault: Vault, case: CaseRecord) -> Task:
    """Say where the case stands (P31)."""
    options = [
        Option(one.id, one.title, one.explanation)
        for one in policy_of(vault, case).statuses.values()
        if not one.final
    ]

    def do(typed: Typed) -> str:
        chosen, reason = typed.one("status"), typed.one("reason")
        casework.set_case_status(vault, case, chosen, reason=reason, now=now())
        return "The reporter's page says so with the next dispatch."

    return Task(
        form=Form(
            title="Status",
            lead=("The reporter reads it on their page, with the next dispatch.",),
            fields=(
                Field(
                    name="status",
                    label="Where the case stands",
                    kind=Kind.ONE,
                    options=options,
                    value=(case.status,),
                ),
                Field(name="reason", label="Why, for the record (may stay empty)", kind=Kind.LONG),
            ),
            button="Set the status",
            back=case_page(case),
        ),
        do=do,
    )


def outcome(vault: Vault, case: CaseRecord) -> Task:
    """Decide how the case ends and why (P13, P31)."""

    def do(typed: Typed) -> str:
        casework.decide_outcome(
            vault,
            case,
            typed.several("outcomes"),
            reasons=typed.one("reasons"),
            tell_reporter=typed.one("tell"),
            now=now(),
        )
        return "The outcome is recorded."

    return Task(
        form=Form(
            title="Outcome",
            fields=_outcome_fields(vault, case),
            button="Record the outcome",
            back=case_page(case),
        ),
        do=do,
    )


def _outcome_fields(vault: Vault, case: CaseRecord) -> list[Field]:
    decision = read_file(vault, case).decision
    known = policy_of(vault, case).outcomes.values()
    return [
        Field(
            name="outcomes",
            label="What was decided",
            kind=Kind.SEVERAL,
            options=[Option(one.id, one.title, one.explanation) for one in known],
            value=decision.outcomes if decision else (),
        ),
        Field(
            name="reasons",
            label="The reasons, for the record",
            kind=Kind.LONG,
            value=(decision.reasons if decision else "",),
        ),
        Field(
            name="tell",
            label="Outcome and reasons for the reporter",
            kind=Kind.LONG,
            hint="What you told them, in words or in a letter: they have no mailbox."
            if is_manual(read_file(vault, case))
            else "In their language. Empty tells them nothing yet. Name nobody.",
            value=(case.outcome,),
        ),
    ]


def close(vault: Vault, case: CaseRecord) -> Task:
    """Close the case, after asking the reporter whether they are satisfied (P31)."""
    file = read_file(vault, case)
    unreachable = is_manual(file) or file.closed_by_reporter is not None
    policy = policy_of(vault, case)
    duties = [policy.duties[one].title for one in casework.open_duties(vault, case)]

    def do(typed: Typed) -> str:
        casework.close_case(
            vault,
            case,
            typed.one("status"),
            question="" if unreachable else require_filled(typed.one("question")),
            reason=typed.one("reason"),
            now=now(),
        )
        return "The case is closed; its retention runs from today."

    return Task(
        form=Form(
            title="Close the case",
            lead=(
                *(("Nobody can read a closing reply here.",) if unreachable else ()),
                *((f"Duties that nobody noted yet: {', '.join(duties)}.",) if duties else ()),
            ),
            stop="" if file.decision else "Decide the outcome and write its reasons first.",
            fields=_closing_fields(vault, case, unreachable=unreachable),
            button="Close the case",
            back=case_page(case),
        ),
        do=do,
    )


def _closing_fields(vault: Vault, case: CaseRecord, *, unreachable: bool) -> list[Field]:
    finals = [
        Option(one.id, one.title, one.explanation) for one in final_statuses(policy_of(vault, case))
    ]
    question = Field(
        name="question",
        label="The closing reply: are they satisfied, and what do they wish?",
        kind=Kind.LONG,
        hint="It is queued as a reply, in the reporter's language.",
        value=(closing_text(vault, case),),
    )
    return [
        Field(
            name="status",
            label="Final status",
            kind=Kind.ONE,
            options=finals,
            value=tuple(one.value for one in finals[:1]),
        ),
        *(() if unreachable else (question,)),
        Field(name="reason", label="Why it is closed, for the record", kind=Kind.LONG),
    ]


def conflict(vault: Vault, case: CaseRecord) -> Task:
    """Declare a conflict of interest (P17)."""

    def do(typed: Typed) -> str:
        conflicts.declare_conflict(vault, case, typed.one("reason"), now=now())
        return "The conflict is declared. Hand the case to a colleague now."

    return Task(
        form=Form(
            title="Declare a conflict of interest",
            lead=(
                "From then on you decide nothing in this case and only hand it on.",
                "It cannot be taken back.",
            ),
            fields=(Field(name="reason", label="What the conflict is", kind=Kind.LONG),),
            button="Declare it",
            back=case_page(case),
            danger=True,
        ),
        do=do,
        then=url_for("tasks.do", name=case.name, task="hand-over"),
    )


TASKS: Mapping[str, tuple[str, Callable[[Vault, CaseRecord], Task]]] = {
    "assess": ("Assess", assess),
    "status": ("Status", status),
    "outcome": ("Outcome", outcome),
    "close": ("Close the case", close),
    "conflict": ("Declare a conflict of interest", conflict),
}
