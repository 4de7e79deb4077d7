"""Share a case: copies for those who have it too, hand-over, agreements, joining cases."""

from collections.abc import Callable, Mapping, Sequence

from flask import Response

from desk.cases import find_case
from desk.casework import sharing as casework
from desk.casework.colleagues import permitted_colleagues
from desk.casework.conflicts import record_agreement
from desk.casework.leftout import left_out
from desk.casework.merging import merge_cases
from desk.casework.rules import policy_of
from desk.casework.said import consents, is_manual
from desk.casework.threads import threads_of
from desk.casework.work import read_file
from desk.records import CaseRecord
from desk.screens.delivery import FOLDER_FIELD, deliver
from desk.screens.forms import Field, Form, Kind, Option, Task, Typed
from desk.screens.handling import case_page
from desk.screens.session import now
from desk.screens.words import day_words
from desk.vault import Vault
from protocol.envelope import Kind as Letter
from protocol.names import EnvelopeId


def colleague_field(vault: Vault, case: CaseRecord) -> Field:
    """Return the choice of a colleague; those left out do not even stand there."""
    titles = {name: one.title for name, one in policy_of(vault, case).recipients.items()}
    options = [
        Option(
            one.name,
            f"{titles[one.name]} ({one.name})" if one.name in titles else one.name,
            "" if one.confirmed else "Her fingerprint is not confirmed: do that first.",
        )
        for one in permitted_colleagues(vault, case)
    ]
    return Field(name="to", label="For whom", kind=Kind.ONE, options=options)


def nobody_to_tell(vault: Vault, case: CaseRecord) -> str:
    """Return why a case can go to no colleague, "" if it can."""
    if permitted_colleagues(vault, case):
        return ""
    return "No bundle lists a colleague who may learn of this case."


def copy(vault: Vault, case: CaseRecord) -> Task:
    """Write a copy of replies and shared notes for a colleague."""

    def do(typed: Typed) -> str | Response:
        return deliver(
            lambda path: casework.export_copy(vault, case, typed.one("to"), path, now=now()),
            f"{case.name}.colleague",
            typed,
            done="The copy is written and sealed to her.",
        )

    return Task(
        form=Form(
            title="Copy for a colleague",
            lead=("Your replies and shared notes, sealed to her. She has the report already.",),
            stop=nobody_to_tell(vault, case),
            fields=(colleague_field(vault, case), FOLDER_FIELD),
            button="Write the copy",
            back=case_page(case),
        ),
        do=do,
    )


def hand_over(vault: Vault, case: CaseRecord) -> Task:
    """Hand the case to another counselor (P7, P17)."""

    def do(typed: Typed) -> str | Response:
        return deliver(
            lambda path: casework.hand_over(
                vault, case, typed.one("to"), typed.one("reason"), path, now=now()
            ),
            f"{case.name}.hand-over",
            typed,
            done="The case is handed over, sealed to her.",
        )

    known = policy_of(vault, case).consents
    agreed = [known[one].label for one in consents(vault, case) if known[one].covers == "pass-on"]
    return Task(
        form=Form(
            title="Hand the case over",
            stop=nobody_to_tell(vault, case),
            lead=(
                f"The reporter agreed: «{'; '.join(agreed)}»."
                if agreed
                else "The reporter has not agreed that the case is passed on: it goes only to "
                "those whom the reporter wrote to as well.",
            ),
            fields=(
                colleague_field(vault, case),
                Field(name="reason", label="Why", kind=Kind.LONG),
                FOLDER_FIELD,
            ),
            button="Write the hand-over",
            back=case_page(case),
        ),
        do=do,
    )


def agreement(vault: Vault, case: CaseRecord) -> Task:
    """Record that the reporter lets somebody in who was left out (P16)."""
    letters = _later_letters(vault, case)

    def do(typed: Typed) -> str:
        letter = typed.one("letter")
        known = letter in {one.value for one in letters}
        record_agreement(
            vault,
            case,
            typed.one("name"),
            typed.one("why"),
            envelope=EnvelopeId(bytes.fromhex(letter)) if known else None,
            now=now(),
        )
        return "The agreement is recorded."

    letter = Field(name="letter", label="The letter that says so", kind=Kind.ONE, options=letters)
    return Task(
        form=Form(
            title="The reporter lets somebody in",
            stop=_no_agreement(vault, case, letters),
            lead=("Only what the reporter wrote in the mailbox lets in somebody left out.",),
            fields=(
                Field(
                    name="name",
                    label="Who was left out",
                    kind=Kind.ONE,
                    options=[Option(one, one) for one in left_out(vault, case)],
                ),
                *((letter,) if letters else ()),
                Field(name="why", label="The words of the agreement", kind=Kind.LONG),
            ),
            button="Record the agreement",
            back=case_page(case),
        ),
        do=do,
    )


def _no_agreement(vault: Vault, case: CaseRecord, letters: Sequence[Option]) -> str:
    if not left_out(vault, case):
        return "The reporter left nobody out."
    if not letters and not is_manual(read_file(vault, case)):
        return "No later letter of the reporter is here that could say so; ask in a reply."
    return ""


def _later_letters(vault: Vault, case: CaseRecord) -> list[Option]:
    return [
        Option(item.item.envelope.hex(), f"{item.item.kind} of {day_words(item.item.day)}")
        for one, item in threads_of(vault, case)
        if one.is_same_reporter(item.item) and item.item.kind != Letter.REPORT
    ]


def merge(vault: Vault, case: CaseRecord) -> Task:
    """Join another case to this one (P18, P39)."""

    def do(typed: Typed) -> str:
        joined = find_case(vault, typed.one("other"))
        merge_cases(vault, case, joined, typed.one("why"), now=now())
        return f"Case {joined.name} is joined to this one."

    return Task(
        form=Form(
            title="Join another case to this one",
            lead=(
                f"Case {case.name} goes on: replies go to its mailbox. When a receipt was lost, "
                "that must be the newer case.",
                "Whoever was left out of one of them stays left out of both.",
            ),
            fields=(
                Field(name="other", label="Name of the other case", hint="As K7QF-2M9A."),
                Field(
                    name="why", label="How you checked that they belong together", kind=Kind.LONG
                ),
            ),
            button="Join the cases",
            back=case_page(case),
            danger=True,
        ),
        do=do,
    )


TASKS: Mapping[str, tuple[str, Callable[[Vault, CaseRecord], Task]]] = {
    "copy": ("Copy for a colleague", copy),
    "hand-over": ("Hand the case over", hand_over),
    "agreement": ("Let in somebody left out", agreement),
    "merge": ("Join another case", merge),
}
