"""Propose an action, hold a case, delete it: what others must agree to, or what stops it."""

from collections.abc import Callable, Mapping
from typing import cast, get_args

from desk.casework import acting, deleting
from desk.casework.errors import ProcedureError
from desk.casework.rules import policy_of
from desk.casework.work import read_file
from desk.records import CaseRecord
from desk.screens.forms import Field, Form, Kind, Option, Task, Typed
from desk.screens.handling import case_page
from desk.screens.session import now
from desk.screens.words import day_words
from desk.vault import Vault
from policies.schema import Policy

GROUNDS = {
    "expiry": "Its retention has ended",
    "spam": "It is spam",
    "request": "The reporter asks for it",
    "other": "Something else",
}


def propose(vault: Vault, case: CaseRecord) -> Task:
    """Propose an action of the procedure (P22, P26)."""
    policy = policy_of(vault, case)

    def do(typed: Typed) -> str:
        acting.propose_action(
            vault,
            case,
            typed.one("action"),
            target=typed.one("target"),
            reason=typed.one("reason"),
            ground=typed.one("ground"),
            harm=typed.one("harm"),
            now=now(),
        )
        return "The action is proposed. Nothing is done yet."

    return Task(
        form=Form(
            title="Propose an action",
            stop="" if policy.actions else "The procedure of this case knows no actions.",
            fields=_proposal_fields(policy),
            button="Propose it",
            back=case_page(case),
        ),
        do=do,
    )


def _proposal_fields(policy: Policy) -> list[Field]:
    actions = [
        Option(
            one.id,
            one.title,
            " ".join(
                (
                    one.explanation,
                    f"{policy.concurrence.others} more must agree." if one.concurrence else "",
                    "Needs a ground and the harm considered." if one.grounds else "",
                )
            ).strip(),
        )
        for one in policy.actions.values()
    ]
    grounds = Field(
        name="ground",
        label="On which ground",
        kind=Kind.ONE,
        hint="Where the action asks for one.",
        options=[Option(one.id, one.title, one.explanation) for one in policy.grounds.values()],
    )
    return [
        Field(name="action", label="What shall be done", kind=Kind.ONE, options=actions),
        Field(name="target", label="Whom or what it is about", hint="A login, a post."),
        Field(name="reason", label="The reason", kind=Kind.LONG),
        *((grounds,) if grounds.options else ()),
        Field(
            name="harm",
            label="The harm that was considered",
            hint="Where the action revokes access.",
            kind=Kind.LONG,
        ),
    ]


def hold(vault: Vault, case: CaseRecord) -> Task:
    """Put the case under legal hold, or release it (P35)."""
    held = read_file(vault, case).hold

    def do(typed: Typed) -> str:
        if held is None:
            deleting.hold_case(vault, case, typed.one("reason"), now=now())
            return "Nothing of this case is deleted until it is released."
        deleting.release_hold(vault, case, typed.one("reason"), now=now())
        return "The hold is released."

    return Task(
        form=Form(
            title="Legal hold" if held is None else "Release from legal hold",
            lead=("While it lasts, nothing of the case is deleted.",)
            if held is None
            else (f"Held since {day_words(held.day)} by {held.by}.",),
            facts=() if held is None else (("The reason of the hold", held.reason),),
            fields=(Field(name="reason", label="The reason", kind=Kind.LONG),),
            button="Hold" if held is None else "Release",
            back=case_page(case),
            danger=held is not None,
        ),
        do=do,
    )


def delete(vault: Vault, case: CaseRecord) -> Task:
    """Propose to delete the case (P10, P35)."""

    def do(typed: Typed) -> str:
        ground = typed.one("ground")
        if ground not in get_args(deleting.Ground):
            raise ProcedureError("Choose why the case shall be deleted.")
        proposal = deleting.propose_deletion(
            vault, case, cast(deleting.Ground, ground), typed.one("reason"), now=now()
        )
        more = f" {proposal.needed} more must sign." if proposal.needed else ""
        return f"The deletion is proposed; nothing is deleted yet.{more}"

    return Task(
        form=Form(
            title="Propose to delete the case",
            lead=(
                "This only proposes it. It happens on the proposal's own page, once enough "
                "have signed.",
            ),
            fields=(
                Field(
                    name="ground",
                    label="Why",
                    kind=Kind.ONE,
                    options=[Option(value, label) for value, label in GROUNDS.items()],
                ),
                Field(name="reason", label="The reason in words", kind=Kind.LONG),
            ),
            button="Propose it",
            back=case_page(case),
            danger=True,
        ),
        do=do,
    )


TASKS: Mapping[str, tuple[str, Callable[[Vault, CaseRecord], Task]]] = {
    "propose": ("Propose an action", propose),
    "hold": ("Legal hold", hold),
    "delete": ("Propose to delete the case", delete),
}
