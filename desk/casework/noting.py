"""Write down what was said about a case beside its mailbox: notes, answers, what was told."""

from datetime import datetime

from desk.casework.casefile import Note
from desk.casework.record import Act
from desk.casework.work import require_words, working
from desk.records import CaseRecord
from desk.vault import Vault


def add_note(
    vault: Vault, case: CaseRecord, text: str, *, shared: bool = False, now: datetime
) -> None:
    """Add a note; it stays sealed on this desk unless it is meant to be shared (P25).

    Raises:
        ProcedureError: nothing was written.
    """
    text = require_words(text, "the note")
    with working(vault, case, now=now, despite_conflict=True) as work:
        note = Note(day=work.today, by=work.by, text=text, shared=shared)
        work.change(notes=(*work.file.notes, note))
        work.record(Act.NOTE, why=text, shared=shared)


def add_answer_of_reported(vault: Vault, case: CaseRecord, text: str, *, now: datetime) -> None:
    """Write down what the person reported answers; until a decision, innocence is presumed (P34).

    Raises:
        ProcedureError: nothing was written.
    """
    text = require_words(text, "the answer")
    with working(vault, case, now=now) as work:
        note = Note(day=work.today, by=work.by, text=text)
        work.change(answers_of_reported=(*work.file.answers_of_reported, note))
        work.record(Act.ANSWER, why=text)


def tell_otherwise(vault: Vault, case: CaseRecord, text: str, *, now: datetime) -> None:
    """Note what the reporter was told by telephone, in person or by letter (P4, P9).

    It acknowledges the report as a reply does: whoever rang has no mailbox to read one in.

    Raises:
        ProcedureError: nothing was written.
    """
    text = require_words(text, "what they were told, and how")
    with working(vault, case, now=now) as work:
        note = Note(day=work.today, by=work.by, text=text)
        work.change(told_otherwise=(*work.file.told_otherwise, note))
        work.change_case(acknowledged=work.case.acknowledged or work.today)
        work.record(Act.TOLD, why=text)
