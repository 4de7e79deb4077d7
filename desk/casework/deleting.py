"""Delete a case: with the signatures of the policy, never under a legal hold (P10, P35).

What stays is the chain of the record without what it said, the last entry, which says
who deleted the case, when and on whose signatures, and one anonymous tally for the
yearly figures. The mailbox lives on as one of cover, so that nobody at the relay sees
that a case ended.
"""

import secrets
from datetime import date, datetime
from typing import Literal

from desk.casework.answering import Asked
from desk.casework.casefile import CaseFile, Hold
from desk.casework.clocks import case_clocks
from desk.casework.colleagues import colleagues, permitted_colleagues
from desk.casework.errors import ProcedureError
from desk.casework.figures import tally_of
from desk.casework.proposals import (
    Proposal,
    file_proposal,
    proposals_of,
    require_agreement,
)
from desk.casework.record import Act, append, erase_entries
from desk.casework.rules import policy_of
from desk.casework.threads import joined_cases
from desk.casework.work import Work, require_words, working
from desk.desk import read_desk
from desk.filing import draw_cover_months
from desk.records import (
    CaseRecord,
    EnvelopeRecord,
    MailboxRecord,
    ObjectRef,
    ReadingRecord,
    Record,
)
from desk.vault import Vault

Ground = Literal["expiry", "spam", "request", "other"]
ID_BYTES = 16
TITLE = "Delete the case"


class Tombstone(Record):
    """That a case was here and is deleted; its record tells the rest."""

    shelf = "tombstone"
    case: str
    day: date
    ground: str

    def name_on_shelf(self) -> str:
        return self.case


def hold_case(vault: Vault, case: CaseRecord, reason: str, *, now: datetime) -> None:
    """Put a case under legal hold: nothing of it is deleted until it is released (P35).

    Raises:
        ProcedureError: no reason was given.
    """
    reason = require_words(reason, "the reason of the hold")
    with working(vault, case, now=now) as work:
        work.change(hold=Hold(day=work.today, by=work.by, reason=reason))
        work.record(Act.HOLD, why=reason, held=True)


def release_hold(vault: Vault, case: CaseRecord, reason: str, *, now: datetime) -> None:
    """Release a case from legal hold.

    Raises:
        ProcedureError: it is not held, or no reason was given.
    """
    reason = require_words(reason, "the reason of the release")
    with working(vault, case, now=now) as work:
        if work.file.hold is None:
            raise ProcedureError("This case is not under legal hold.")
        work.change(hold=None)
        work.record(Act.HOLD, why=reason, held=False)


def expired_cases(vault: Vault, *, today: date) -> list[CaseRecord]:
    """Return the cases whose retention has ended and that nobody holds (P10)."""
    found = []
    for case in vault.all(CaseRecord):
        clocks = case_clocks(vault, case, today=today)
        if clocks.expires and clocks.expires <= today and not clocks.held:
            found.append(case)
    return sorted(found, key=lambda one: one.name)


def propose_deletion(
    vault: Vault, case: CaseRecord, ground: Ground, reason: str, *, now: datetime
) -> Proposal:
    """Propose to delete a case; the policy says how many must sign.

    Args:
        ground: «expiry» of its retention, «spam», «request» of the reporter, or another.

    Raises:
        ProcedureError: under legal hold, not expired yet, or no reason was given.
    """
    reason = require_words(reason, "the reason")
    with working(vault, case, now=now) as work:
        _refuse_held(work)
        rule = policy_of(vault, case).deletion
        _refuse_unexpired(work, ground)
        needed = 0 if ground in rule.exempt else signatures_needed(vault, case) - 1
        return file_proposal(
            work,
            Proposal(
                id=secrets.token_hex(ID_BYTES),
                case=work.case.name,
                kind="deletion",
                action="delete",
                title=TITLE,
                target=f"case {work.case.name}",
                reason=reason,
                ground=ground,
                by=work.by,
                day=work.today,
                needed=needed,
            ),
        )


def signatures_needed(vault: Vault, case: CaseRecord) -> int:
    """Return how many must sign a deletion, the proposer included (P35).

    Raises:
        ProcedureError: this desk has not seen yet who the other counselors are.
    """
    rule = policy_of(vault, case).deletion
    if permitted_colleagues(vault, case):
        return rule.signatures
    if not colleagues(vault) and not _has_seen_a_bundle(vault):
        raise ProcedureError("Import a bundle first: it tells whether there are others to ask.")
    return rule.signatures_when_alone


def delete_case(vault: Vault, proposal: Proposal, *, now: datetime) -> None:
    """Delete a case with everything in it, once enough have signed.

    The second copy loses its files with the next backup.

    Raises:
        ProcedureError: signatures are missing, the case is under legal hold, or was to go because
            it had expired and was taken up again.
    """
    with vault.changes():
        removed = _delete(vault, proposal, now)
    for ref in removed:
        vault.objects.remove(ref)


def _delete(vault: Vault, proposal: Proposal, now: datetime) -> list[ObjectRef]:
    current = vault.get(Proposal, proposal.id)
    case = vault.get(CaseRecord, proposal.case)
    if current is None or case is None or current.kind != "deletion":
        raise ProcedureError("This is no proposal to delete a case of this desk.")
    work = Work(vault=vault, case=case, now=now)
    work.require_not_joined()
    work.require_no_conflict()
    _refuse_held(work)
    _refuse_unexpired(work, current.ground)  # it may have been taken up again since
    require_agreement(current)
    vault.put(tally_of(vault, work.case))
    signatures = [
        text for one in current.signed for text in (one.document.decode(), one.signature.decode())
    ]
    removed = []
    for one in (*joined_cases(vault, work.case), work.case):
        erase_entries(vault, one.name)
        append(
            vault,
            one.name,
            Act.DELETED,
            by=work.by,
            why=current.reason,
            what={
                "ground": current.ground,
                "signed_by": [work.by, *current.agreed_by],
                "signatures": signatures,
            },
            now=now,
        )
        removed += _remove(vault, one, work.today)
        vault.put(Tombstone(case=one.name, day=work.today, ground=current.ground))
    return removed


def _remove(vault: Vault, case: CaseRecord, today: date) -> list[ObjectRef]:
    """Remove every document of a case; return the objects to remove when this is filed.

    The record of an envelope stays without its content: the relay still lists it, and it
    must neither come back as new nor go unacknowledged.
    """
    removed = []
    for item in case.items:
        vault.remove(ReadingRecord, item.envelope.hex())
        for name in (item.envelope, *item.also):
            envelope = vault.get(EnvelopeRecord, name.hex())
            if envelope is not None:
                removed += [envelope.content] if envelope.content else []
                vault.put(envelope.model_copy(update={"content": None, "copied": True}))
    for proposal in proposals_of(vault, case):
        vault.remove(Proposal, proposal.name_on_shelf())
    for asked in [one for one in vault.all(Asked) if one.case == case.name]:
        vault.remove(Asked, asked.name_on_shelf())
    mailbox = vault.get(MailboxRecord, case.mailbox.hex())
    if mailbox is not None:
        month = today.year * 12 + today.month - 1 + draw_cover_months()
        vault.put(mailbox.model_copy(update={"case": None, "until_month": month}))
    vault.remove(CaseFile, case.name)
    vault.remove(CaseRecord, case.name)
    return removed


def _refuse_held(work: Work) -> None:
    files = [work.file] + [
        vault_file
        for one in joined_cases(work.vault, work.case)
        if (vault_file := work.vault.get(CaseFile, one.name)) is not None
    ]
    if any(file.hold is not None for file in files):
        raise ProcedureError("This case is under legal hold: nothing of it is deleted.")


def _refuse_unexpired(work: Work, ground: str) -> None:
    expires = case_clocks(work.vault, work.case, today=work.today).expires
    if ground == "expiry" and (expires is None or expires > work.today):
        raise ProcedureError("The retention of this case has not ended.")


def _has_seen_a_bundle(vault: Vault) -> bool:
    return read_desk(vault).cut_day is not None
