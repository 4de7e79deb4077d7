"""Conflicts of interest, and what the reporter agreed to about readers (P16, P17)."""

from datetime import datetime

from desk.casework.casefile import Agreement
from desk.casework.errors import ProcedureError
from desk.casework.leftout import left_out_by
from desk.casework.record import Act
from desk.casework.said import is_manual
from desk.casework.threads import threads_of
from desk.casework.work import read_file, require_words, working
from desk.records import CaseRecord
from desk.vault import Vault
from protocol.envelope import Kind
from protocol.names import EnvelopeId, RecipientName


def declare_conflict(vault: Vault, case: CaseRecord, reason: str, *, now: datetime) -> None:
    """Declare a conflict of interest: from now on this counselor only hands the case on (P17).

    It cannot be taken back: whoever was partial once does not become the judge of it.

    Raises:
        ProcedureError: nothing was written.
    """
    reason = require_words(reason, "what the conflict is")
    with working(vault, case, now=now, despite_conflict=True) as work:
        work.change(conflict=reason)
        work.record(Act.CONFLICT, why=reason)


def record_agreement(
    vault: Vault,
    case: CaseRecord,
    name: str,
    why: str,
    *,
    envelope: EnvelopeId | None = None,
    now: datetime,
) -> None:
    """Record that the reporter lets somebody in who was left out (P16).

    Args:
        name: of the person left out.
        why: the words of the agreement.
        envelope: the later letter from the mailbox that says so; None only where she was left
            out of nothing that has a mailbox.

    Raises:
        ProcedureError: not left out, or not a letter of this reporter that came afterwards.
    """
    why = require_words(why, "the words of the agreement")
    with working(vault, case, now=now) as work:
        recipient = RecipientName(name)
        shut = [
            one
            for cases, names in left_out_by(vault, work.case)
            for one in cases
            if recipient in names
        ]
        if not shut:
            raise ProcedureError("The reporter did not leave this person out.")
        manual = all(is_manual(read_file(vault, one)) for one in shut)
        if not manual and envelope not in later_letters(vault, work.case):
            raise ProcedureError(
                "Name the letter in which the reporter agrees; ask in a reply if there is none."
            )
        agreement = Agreement(
            name=recipient,
            envelope=envelope,
            day=work.today,
            cases=tuple(one.name for one in shut),
            why=why,
        )
        work.change(agreements=(*work.file.agreements, agreement))
        work.record(
            Act.AGREEMENT,
            why=why,
            let_in=recipient,
            envelope=envelope.hex() if envelope else None,
        )


def later_letters(vault: Vault, case: CaseRecord) -> set[EnvelopeId]:
    """Return the letters in which reporters may have let somebody in: all but the first ones."""
    return {
        item.item.envelope
        for one, item in threads_of(vault, case)
        if one.is_same_reporter(item.item) and item.item.kind != Kind.REPORT
    }
