"""What a colleague file says, apart from the originals beside it. docs/RECORD.md, «Colleague»."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Literal

from desk.casework.casefile import Agreement, ColleagueCopy, ColleagueReply, Note
from desk.casework.originals import Described, Original, read_described
from desk.casework.record import RecordHead
from desk.casework.signedfile import CASE_NAME, SignedFile
from desk.casework.threads import joined_cases
from desk.casework.work import Work, read_file
from protocol import limits
from protocol.canonical import Fields
from protocol.errors import FormatError
from protocol.names import EnvelopeId, RecipientName
from protocol.naming import read_recipient_name

Purpose = Literal["copy", "hand-over"]
COPY: Purpose = "copy"
HAND_OVER: Purpose = "hand-over"
_NOTES_COUNT = 10_000
_TEXT_CHARS = 100_000


@dataclass(frozen=True, kw_only=True)
class ColleagueFile:
    """What was read.

    Attributes:
        joined: names of the cases that were joined to it at the sender's desk.
        left_out: whom the reporters leave out, as the sender's desk sees it.
        agreements: by which somebody left out was let in.
        record: digest of the newest link of the sender's record; she cannot shorten it now.
    """

    purpose: Purpose
    reason: str
    joined: tuple[str, ...]
    left_out: tuple[RecipientName, ...]
    agreements: tuple[Agreement, ...]
    originals: tuple[Described, ...]
    record: str
    copy: ColleagueCopy


def encode_colleague(
    work: Work,
    purpose: Purpose,
    *,
    left_out: Sequence[RecipientName],
    reason: str = "",
    originals: Sequence[Original] = (),
) -> dict[str, object]:
    """Return the body of a colleague file about a case."""
    head = work.vault.get(RecordHead, work.case.name)
    joined = joined_cases(work.vault, work.case)
    files = [work.file, *(read_file(work.vault, one) for one in joined)]
    return {
        "agreements": [
            _encode_agreement(one, {file.case, *one.cases})
            for file in files
            for one in file.agreements
        ],
        "joined": [one.name for one in joined],
        "left_out": list(left_out),
        "notes": [_encode_note(one) for one in work.file.notes if one.shared],
        "originals": [one.described() for one in originals],
        "outcome": work.case.outcome,
        "purpose": purpose,
        "reason": reason,
        "record": head.link_sha256.hex() if head else None,
        "replies": [
            {"day": one.day.isoformat(), "number": one.number, "text": one.text}
            for one in work.case.replies
            if one.serial is not None  # what waits may still be taken back
        ],
        "status": work.case.status,
    }


def read_colleague(file: SignedFile) -> ColleagueFile:
    """Read the body of a colleague file.

    Raises:
        FormatError: not what the format asks for.
    """
    body = file.body
    purpose = body.text("purpose")
    if purpose not in (COPY, HAND_OVER):
        raise FormatError("This file is for something that this desk does not know.")
    many = limits.ARCHIVE_ENTRIES
    joined = body.texts("joined", limit=many)
    if not all(map(CASE_NAME.fullmatch, joined)):
        raise FormatError("This file names a joined case as no case is named.")
    named = (file.case, *joined)
    read = ColleagueFile(
        purpose=HAND_OVER if purpose == HAND_OVER else COPY,
        reason=body.text("reason", limit=_TEXT_CHARS),
        joined=joined,
        left_out=tuple(
            map(read_recipient_name, body.texts("left_out", limit=limits.RECIPIENTS_COUNT))
        ),
        agreements=tuple(
            _read_agreement(one, named) for one in body.each("agreements", limit=many)
        ),
        originals=tuple(read_described(one) for one in body.each("originals", limit=many)),
        record=(body.octets_or_none("record", limits.SHA256_BYTES) or b"").hex(),
        copy=_read_copy(file),
    )
    body.end()
    if read.purpose == COPY and read.originals:
        raise FormatError("A copy brings no originals; let her hand the case over.")
    return read


def _read_copy(file: SignedFile) -> ColleagueCopy:
    body = file.body
    return ColleagueCopy(
        by=file.sender.name,
        made=file.made,
        status=body.text("status"),
        outcome=body.text("outcome", limit=_TEXT_CHARS),
        replies=tuple(_read_reply(one) for one in body.each("replies", limit=limits.REPLIES_COUNT)),
        notes=tuple(_read_note(one) for one in body.each("notes", limit=_NOTES_COUNT)),
    )


def _encode_agreement(agreement: Agreement, cases: Collection[str]) -> dict[str, object]:
    return {
        "cases": sorted(cases),
        "day": agreement.day.isoformat(),
        "envelope": agreement.envelope.hex() if agreement.envelope else None,
        "name": agreement.name,
        "why": agreement.why,
    }


def _read_agreement(fields: Fields, named: Collection[str]) -> Agreement:
    cases = fields.texts("cases", limit=limits.ARCHIVE_ENTRIES)
    if not set(cases) <= set(named):
        raise FormatError("This file tells of an agreement in a case that it does not name.")
    envelope = fields.octets_or_none("envelope", limits.ID_BYTES)
    agreement = Agreement(
        day=fields.day("day"),
        cases=cases,
        envelope=EnvelopeId(envelope) if envelope else None,
        name=read_recipient_name(fields.text("name")),
        why=fields.text("why", limit=_TEXT_CHARS),
    )
    fields.end()
    return agreement


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
