"""Colleague files: what one counselor wrote, for the others who share the case (P17, P25).

A copy carries replies, status, and the notes that its author chose to share, and never
opens a case. A hand-over carries the originals too, for a colleague whom the procedure
names and to whom the reporter did not write: that needs the consent to pass the case
on. Neither is ever made for somebody left out.
"""

from datetime import datetime
from pathlib import Path

from desk.casework.casefile import ColleagueCopy, ColleagueReply, HandOver, Note
from desk.casework.colleagues import Colleague, require_permitted
from desk.casework.errors import ProcedureError
from desk.casework.following import catch_up
from desk.casework.manual import entered_cases, read_entered, take_mailbox_away
from desk.casework.merging import merge_cases
from desk.casework.originals import adopt_original, originals_of, read_described
from desk.casework.record import Act, RecordHead
from desk.casework.rules import policy_of
from desk.casework.said import consents, joined_cases, left_out, own_reports
from desk.casework.signedfile import SignedFile, opened_signed, take_once, write_signed
from desk.casework.work import Work, actor, read_file, require_words, working
from desk.records import CaseRecord, ObjectRef
from desk.vault import Vault
from protocol import limits
from protocol.canonical import Fields
from protocol.envelope import Kind
from protocol.errors import AuthenticityError, StorageError

CONSENT_TO_HAND_ON = "pass-on"
COPY, HAND_OVER = "copy", "hand-over"
_NOTES_COUNT = 10_000
_TEXT_CHARS = 100_000


def export_copy(vault: Vault, case: CaseRecord, to: str, path: Path, *, now: datetime) -> None:
    """Write a copy of this counselor's replies and shared notes for a colleague.

    Raises:
        ProcedureError: the reporter left her out, or did not write to her: hand over instead.
        StorageError: the stick cannot be written.
    """
    with working(vault, case, now=now) as work:
        colleague = require_permitted(vault, work.case, to)
        handed = any(one.name == colleague.name for one in work.file.handed_to)
        if not handed and not _reads_everything(vault, work.case, colleague.name):
            raise ProcedureError(
                "The reporter did not send her everything; hand the case over instead."
            )
        body = {**_copy_of(work), "originals": [], "purpose": COPY, "reason": ""}
        write_signed(
            vault, path, to=colleague, kind="colleague", case=work.case.name, body=body, now=now
        )
        work.record(Act.SHARED, shared_with=colleague.name)


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
    with working(vault, case, now=now) as work:
        colleague = require_permitted(vault, work.case, to)
        if not _reads_everything(vault, work.case, colleague.name) and not may_pass_on(
            vault, work.case, to=colleague.name
        ):
            raise ProcedureError(
                "The reporter has not agreed that the case is passed on; ask in a reply first."
            )
        body = {**_copy_of(work), "purpose": HAND_OVER, "reason": reason}
        originals = originals_of(vault, work.case, unread_by=colleague.name)
        body["originals"] = [one.described() for one in originals]
        write_signed(
            vault,
            path,
            to=colleague,
            kind="colleague",
            case=work.case.name,
            body=body,
            parts=[one.part for one in originals],
            now=now,
        )
        handed = HandOver(name=colleague.name, day=work.today, reason=reason)
        work.change(handed_to=(*work.file.handed_to, handed))
        work.record(
            Act.HANDED_OVER,
            why=reason,
            to=colleague.name,
            originals=[one.part.name for one in originals],
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

    Raises:
        AuthenticityError: not signed by a confirmed colleague, taken before, older than
            what is here, or about a case that this counselor was left out of.
        StorageError: a copy of a case that this desk does not have.
        FormatError: not a colleague file.
    """
    with opened_signed(vault, path, kinds=["colleague"], now=now) as file:
        purpose = file.body.text("purpose")
        if purpose not in (COPY, HAND_OVER):
            raise AuthenticityError("This file is for something that this desk does not know.")
        reason = file.body.text("reason", limit=_TEXT_CHARS)
        described = [
            read_described(one) for one in file.body.each("originals", limit=limits.ARCHIVE_ENTRIES)
        ]
        joined = file.body.texts("joined", limit=limits.ARCHIVE_ENTRIES)
        entered = read_entered(file.body)
        copy, out = _read_copy(file)
        if actor(vault) in out:
            raise AuthenticityError("The reporter left you out of this case: nothing was taken.")
        adopted: list[ObjectRef] = []
        new = {one for one in entered if vault.get(CaseRecord, one) is None}
        try:
            with vault.changes():
                take_once(vault, file)
                for one in described:
                    adopted.append(
                        adopt_original(vault, file, one, cases=(file.case, *joined), now=now)
                    )
                for name in new:
                    take_mailbox_away(vault, name, entered[name])
        except BaseException:
            for ref in adopted:
                vault.objects.remove(ref)
            raise
        catch_up(vault, now=now)
        case = vault.get(CaseRecord, file.case)
        if case is None:
            raise StorageError("This desk has no case of that name.")
        _join_as_there(vault, case, joined, now=now)
        with working(vault, case, now=now) as work:
            _take(work, copy, file.sender, purpose, reason)
    return case


def _join_as_there(
    vault: Vault, case: CaseRecord, joined: tuple[str, ...], *, now: datetime
) -> None:
    for name in joined:
        other = vault.get(CaseRecord, name)
        if other is not None and not read_file(vault, other).merged_into:
            merge_cases(vault, case, other, "Joined at the colleague's desk.", now=now)


def _take(work: Work, copy: ColleagueCopy, sender: Colleague, purpose: str, reason: str) -> None:
    kept = [one for one in work.file.copies if one.by != sender.name]
    older = next((one for one in work.file.copies if one.by == sender.name), None)
    if older is None or older.made < copy.made:
        work.change(copies=(*kept, copy))
    answered = [one.day for one in copy.replies]
    if answered and work.case.acknowledged is None:
        work.change_case(acknowledged=min(answered))
    if purpose == HAND_OVER:
        handed = HandOver(name=sender.name, day=work.today, reason=reason)
        work.change(received_from=handed)
    work.record(
        Act.RECEIVED if purpose == HAND_OVER else Act.SHARED,
        why=reason,
        sender=sender.name,
        made=copy.made,
    )


def _copy_of(work: Work) -> dict[str, object]:
    head = work.vault.get(RecordHead, work.case.name)
    return {
        "entered": entered_cases(work.vault, work.case),
        "joined": [one.name for one in joined_cases(work.vault, work.case)],
        "left_out": list(left_out(work.vault, work.case)),
        "notes": [_encode_note(one) for one in work.file.notes if one.shared],
        "outcome": work.case.outcome,
        # The newest link of the sender's own record: she cannot shorten it afterwards.
        "record": head.link_sha256.hex() if head else None,
        "replies": [
            {"day": one.day.isoformat(), "number": one.number, "text": one.text}
            for one in work.case.replies
            if one.serial is not None  # what waits may still be taken back
        ],
        "status": work.case.status,
    }


def _read_copy(file: SignedFile) -> tuple[ColleagueCopy, tuple[str, ...]]:
    body = file.body
    out = body.texts("left_out", limit=limits.RECIPIENTS_COUNT)
    notes = tuple(_read_note(one) for one in body.each("notes", limit=_NOTES_COUNT))
    outcome = body.text("outcome", limit=_TEXT_CHARS)
    body.octets_or_none("record", limits.SHA256_BYTES)
    replies = tuple(_read_reply(one) for one in body.each("replies", limit=limits.REPLIES_COUNT))
    status = body.text("status")
    body.end()
    copy = ColleagueCopy(
        by=file.sender.name,
        made=file.made,
        status=status,
        outcome=outcome,
        replies=replies,
        notes=notes,
    )
    return copy, out


def _encode_note(note: Note) -> dict[str, object]:
    return {"by": note.by, "day": note.day.isoformat(), "text": note.text}


def _read_note(fields: Fields) -> Note:
    note = Note(
        by=fields.text("by"),
        day=fields.day("day"),
        text=fields.text("text", limit=_TEXT_CHARS),
    )
    fields.end()
    return note


def _read_reply(fields: Fields) -> ColleagueReply:
    reply = ColleagueReply(
        day=fields.day("day"),
        number=fields.integer("number"),
        text=fields.text("text", limit=limits.REPLY_CHARS),
    )
    fields.end()
    return reply


def _reads_everything(vault: Vault, case: CaseRecord, name: str) -> bool:
    return all(name in one.readers for one in own_reports(vault, case))
