"""Colleague files: what one counselor wrote, for the others who share the case (P17, P25).

A copy carries replies, status, and the notes that its author chose to share, and never
opens a case. A hand-over carries the originals too, for a colleague whom the procedure
names and to whom the reporter did not write: that needs the consent to pass the case
on. Neither is ever made for somebody left out.
"""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from desk.casework.casefile import Agreement, HandOver
from desk.casework.colleaguefile import (
    COPY,
    HAND_OVER,
    ColleagueFile,
    encode_colleague,
    read_colleague,
)
from desk.casework.colleagues import Colleague, require_permitted
from desk.casework.conflicts import later_letters
from desk.casework.errors import ProcedureError
from desk.casework.following import catch_up
from desk.casework.leftout import left_out
from desk.casework.merging import merge_cases
from desk.casework.originals import adopt_original, originals_of
from desk.casework.packing import Part
from desk.casework.record import Act
from desk.casework.rules import policy_of
from desk.casework.said import consents, is_manual
from desk.casework.signedfile import (
    SignedFile,
    opened_signed,
    require_new,
    take_once,
    write_signed,
)
from desk.casework.threads import own_reports
from desk.casework.work import Work, actor, read_file, require_words, working
from desk.files import StagedFile, staged_file
from desk.records import CaseRecord, ObjectRef
from desk.vault import Vault
from protocol.envelope import Kind
from protocol.errors import AuthenticityError, StorageError

CONSENT_TO_HAND_ON = "pass-on"


def export_copy(vault: Vault, case: CaseRecord, to: str, path: Path, *, now: datetime) -> None:
    """Write a copy of this counselor's replies and shared notes for a colleague.

    Raises:
        ProcedureError: the reporter left her out, or did not write to her: hand over instead.
        StorageError: the stick cannot be written.
    """
    with staged_file(path) as staged:
        with working(vault, case, now=now, despite_conflict=True) as work:
            colleague = require_permitted(vault, work.case, to)
            handed = any(one.name == colleague.name for one in work.file.handed_to)
            if not handed and not _reads_everything(vault, work.case, colleague.name):
                raise ProcedureError(
                    "The reporter did not send her everything; hand the case over instead."
                )
            body = encode_colleague(work, COPY, left_out=left_out(vault, work.case))
            _write(staged, work, colleague, body)
            work.record(Act.SHARED, shared_with=colleague.name)
        staged.publish()


def hand_over(
    vault: Vault, case: CaseRecord, to: str, reason: str, path: Path, *, now: datetime
) -> None:
    """Hand a case to another counselor, with the originals if she does not have them (P7, P17).

    Allowed after a conflict of interest was declared: it is what is left to do then.

    Raises:
        ProcedureError: the reporter left her out, or did not consent to passing the case on.
        StorageError: the stick cannot be written, or a part of the case is gone.
    """
    reason = require_words(reason, "the reason of the hand-over")
    with staged_file(path) as staged:
        with working(vault, case, now=now, despite_conflict=True) as work:
            colleague = require_permitted(vault, work.case, to)
            if not _reads_everything(vault, work.case, colleague.name) and not may_pass_on(
                vault, work.case, to=colleague.name
            ):
                raise ProcedureError(
                    "The reporter has not agreed that the case is passed on; ask in a reply first."
                )
            originals = originals_of(vault, work.case, unread_by=colleague.name)
            body = encode_colleague(
                work,
                HAND_OVER,
                left_out=left_out(vault, work.case),
                reason=reason,
                originals=originals,
            )
            parts = [one.part for one in originals]
            _write(staged, work, colleague, body, parts)
            handed = HandOver(name=colleague.name, day=work.today, reason=reason)
            work.change(handed_to=(*work.file.handed_to, handed))
            names = [one.name for one in parts]
            work.record(Act.HANDED_OVER, why=reason, to=colleague.name, originals=names)
        staged.publish()


def _write(
    staged: StagedFile,
    work: Work,
    to: Colleague,
    body: dict[str, object],
    parts: Sequence[Part] = (),
) -> None:
    write_signed(
        work.vault,
        staged,
        to=to,
        kind="colleague",
        case=work.case.name,
        body=body,
        parts=parts,
        now=work.now,
    )


def may_pass_on(vault: Vault, case: CaseRecord, *, to: str = "") -> bool:
    """Tell whether the reporter consents that the case is passed on (P2, P5).

    Args:
        to: an escalation that went to her and lets the counselor hand over the file is such
            a consent too, to her and nobody else.
    """
    known = policy_of(vault, case).consents
    if any(known[one].covers == CONSENT_TO_HAND_ON for one in consents(vault, case)):
        return True
    return any(
        letter.kind is Kind.ESCALATION
        and to in letter.readers
        and any(one.question == HAND_OVER and "yes" in one.values for one in letter.answers)
        for letter in own_reports(vault, case)
    )


def import_colleague_file(vault: Vault, path: Path, *, now: datetime) -> CaseRecord:
    """Take a colleague's copy or hand-over into the case of the same short name.

    It counts as taken with the last thing that is done: after a power cut it is taken again.

    Raises:
        AuthenticityError: not signed by a confirmed colleague, taken before, or about a case
            that this counselor, or the colleague, was left out of.
        StorageError: a copy of a case that this desk does not have.
        FormatError: not a colleague file.
    """
    with opened_signed(vault, path, kinds=["colleague"], now=now) as file:
        require_new(vault, file)
        brought = read_colleague(file)
        if actor(vault) in brought.left_out:
            raise AuthenticityError("The reporter left you out of this case: nothing was taken.")
        agreements = _adopt(vault, file, brought, now=now)
        catch_up(vault, now=now)
        case = _case(vault, file)
        _join_as_there(vault, case, brought.joined, now=now)
        with working(vault, case, now=now, despite_conflict=True) as work:
            take_once(vault, file)
            _take(work, brought, agreements)
    return case


def _adopt(
    vault: Vault, file: SignedFile, brought: ColleagueFile, *, now: datetime
) -> list[Agreement]:
    """File the originals, all or none; return the agreements of which the letters are here."""
    names = (file.case, *brought.joined)
    adopted: list[ObjectRef] = []
    try:
        with vault.changes():
            for one in brought.originals:
                adopted.append(adopt_original(vault, file, one, cases=names, now=now))
            _case(vault, file)
            found = [vault.get(CaseRecord, name) for name in names]
            cases = [case for case in found if case is not None]
            agreements = [one for one in brought.agreements if _is_here(vault, cases, one)]
            for case in cases:
                _refuse_left_out(vault, case, file.sender.name, agreements)
    except BaseException:
        for ref in adopted:
            vault.objects.remove(ref)
        raise
    return agreements


def _case(vault: Vault, file: SignedFile) -> CaseRecord:
    case = vault.get(CaseRecord, file.case)
    if case is None:
        raise StorageError("This desk has no case of that name; import the newest bundle first.")
    return case


def _is_here(vault: Vault, cases: Sequence[CaseRecord], agreement: Agreement) -> bool:
    """Tell whether this desk can see for itself what an agreement rests on."""
    about = [one for one in cases if one.name in agreement.cases]
    if agreement.envelope is None:
        return all(is_manual(read_file(vault, one)) for one in about)
    return any(agreement.envelope in later_letters(vault, one) for one in cases)


def _refuse_left_out(
    vault: Vault, case: CaseRecord, sender: str, agreements: Sequence[Agreement]
) -> None:
    """Look into the letters themselves: what a colleague's file says of them is her word."""
    out = left_out(vault, case, also=agreements)
    if actor(vault) in out:
        raise AuthenticityError(
            "The reporter left you out of this case, and no letter here lets you in: nothing was "
            "taken."
        )
    if sender in out:
        raise AuthenticityError(
            "The reporter left the colleague out who made this file: nothing was taken. Tell "
            "her nothing about the case."
        )


def _join_as_there(
    vault: Vault, case: CaseRecord, joined: tuple[str, ...], *, now: datetime
) -> None:
    """Join what is joined at the colleague's desk, unless nothing may be decided here."""
    if read_file(vault, case).conflict:
        return
    for name in joined:
        other = vault.get(CaseRecord, name)
        if other is not None and not read_file(vault, other).merged_into:
            merge_cases(vault, case, other, "Joined at the colleague's desk.", now=now)


def _take(work: Work, brought: ColleagueFile, agreements: Sequence[Agreement]) -> None:
    copy, handed_over = brought.copy, brought.purpose == HAND_OVER
    kept = [one for one in work.file.copies if one.by != copy.by]
    older = next((one for one in work.file.copies if one.by == copy.by), None)
    if older is None or older.made < copy.made:
        work.change(copies=(*kept, copy))
    answered = [one.day for one in copy.replies]
    if answered and work.case.acknowledged is None:
        work.change_case(acknowledged=min(answered))
    if handed_over:
        handed = HandOver(name=copy.by, day=work.today, reason=brought.reason)
        work.change(received_from=handed)
    new = [one for one in agreements if one not in work.file.agreements]
    work.change(agreements=(*work.file.agreements, *new))
    work.record(
        Act.RECEIVED if handed_over else Act.SHARED,
        why=brought.reason,
        let_in=[one.name for one in new],
        made=copy.made,
        sender=copy.by,
        their_record=brought.record,
    )


def _reads_everything(vault: Vault, case: CaseRecord, name: str) -> bool:
    return all(name in one.readers for one in own_reports(vault, case))
