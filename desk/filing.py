"""Put what was read in an envelope where it belongs: a case, or the cover mailboxes.

Called inside `Vault.changes`, so that an envelope is filed whole or not at all.
"""

import hashlib
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from desk.cases import LONGER_NAME_CHARS, acknowledge_by, case_name, feedback_by
from desk.records import (
    AttachmentRecord,
    CaseRecord,
    EnvelopeRecord,
    EnvelopeState,
    Item,
    MailboxRecord,
    ReadingRecord,
)
from desk.vault import Vault
from protocol.canonical import encode_json
from protocol.encrypted import encryption_in
from protocol.envelope import Kind, Report

FIRST_STATUS = "received"
# The mean life of a cover mailbox is that of a real one's first round: three months to the
# feedback that was promised. At four cover envelopes a cut this makes some 1,500 mailboxes.
COVER_MEAN_MONTHS = 3
# Questions whose answer puts a case on top, whatever the policy (P6, P37), and what means no.
_URGENT_QUESTIONS = frozenset({"danger", "support"})
_NO = frozenset({"", "no", "none", "unsure"})
_WRITTEN = frozenset({Kind.REPORT, Kind.FOLLOW_UP})


@dataclass(frozen=True, kw_only=True)
class Reading:
    """What the desk made of one envelope before it is filed."""

    envelope: EnvelopeRecord  # as far as it is known: READ, with its content
    report: Report
    report_bytes: bytes
    attachments: tuple[AttachmentRecord, ...]


@dataclass(frozen=True)
class Arrival:
    """What the counselor is told about an envelope that she can read."""

    case: str
    kind: str
    day: date
    opened_case: bool
    voice_public: bytes
    same_reporter: bool
    folded: bool
    encrypted: tuple[str, ...] = ()  # sentences about what is encrypted already in it


def file_reading(vault: Vault, reading: Reading, *, month: int) -> Arrival | None:
    """File an envelope that was read.

    Args:
        vault: inside `changes`.
        reading: of an envelope that no record calls read yet.
        month: the present one (year * 12 + month - 1), from which a cover mailbox lives.

    Returns:
        What to tell; None for cover, of which nobody is told.
    """
    report = reading.report
    if report.kind is Kind.COVER:
        _file_cover(vault, reading, month)
        return None
    mailbox = vault.get(MailboxRecord, report.mailbox.hex())
    case = vault.get(CaseRecord, mailbox.case) if mailbox and mailbox.case else None
    opened = case is None
    case = case or _open_case(vault, report)
    item = Item(
        envelope=reading.envelope.id,
        kind=report.kind,
        day=report.day,
        voice_public=report.voice_public,
        urgent=is_urgent(report),
        content_sha256=content_digest(report, reading.attachments),
    )
    case, folded = _file_item(vault, case, item, reading)
    return Arrival(
        case=case.name,
        kind=item.kind,
        day=item.day,
        opened_case=opened,
        voice_public=item.voice_public,
        same_reporter=case.is_same_reporter(item),
        folded=folded,
        encrypted=_encrypted(reading),
    )


def content_digest(report: Report, attachments: tuple[AttachmentRecord, ...]) -> bytes:
    """Digest what a person said, leaving out what changes when it is sent again.

    The kind is left out too: the relay stores the second sending of a form as a follow-up.
    Who may read is part of it: a changed choice is something new.
    """
    said = {
        "answers": [[one.question, list(one.values)] for one in report.answers],
        "attachments": [[one.name, one.sha256.hex()] for one in attachments],
        "left_out": sorted(report.left_out),
        "readers": sorted(report.readers),
        "text": report.text,
        "track": report.track,
    }
    return hashlib.sha256(encode_json(said)).digest()


def is_urgent(report: Report) -> bool:
    """Tell whether an answer speaks of danger or asks for support."""
    return any(
        value.strip().casefold() not in _NO
        for answer in report.answers
        if answer.question in _URGENT_QUESTIONS
        for value in answer.values
    )


def draw_cover_months() -> int:
    """Draw how long a cover mailbox is listed: at least one month, COVER_MEAN_MONTHS on average.

    Geometric, hence without memory: how long a mailbox has been listed says nothing about
    how long it will be.
    """
    months = 1
    while secrets.randbelow(COVER_MEAN_MONTHS):
        months += 1
    return months


def _file_cover(vault: Vault, reading: Reading, month: int) -> None:
    report = reading.report
    if vault.get(MailboxRecord, report.mailbox.hex()) is None:
        vault.put(
            MailboxRecord(
                id=report.mailbox,
                reply_public=report.reply_public,
                case=None,
                until_month=month + draw_cover_months(),
            )
        )
    cover = {"state": EnvelopeState.COVER, "content": None}
    vault.put(reading.envelope.model_copy(update=cover))


def _open_case(vault: Vault, report: Report) -> CaseRecord:
    name = case_name(report.reply_public)
    if vault.get(CaseRecord, name) is not None:
        name = case_name(report.reply_public, chars=LONGER_NAME_CHARS)
    vault.put(
        MailboxRecord(
            id=report.mailbox, reply_public=report.reply_public, case=name, until_month=None
        )
    )
    return CaseRecord(
        name=name,
        mailbox=report.mailbox,
        voice_public=report.voice_public,
        kind=report.kind,
        received=report.day,
        track=report.track,
        language=report.language,
        policy=f"{report.policy} {report.policy_version}",
        status=FIRST_STATUS,
        acknowledge_by=acknowledge_by(report.day),
        feedback_by=feedback_by(report.day),
        items=(),
    )


def _file_item(
    vault: Vault, case: CaseRecord, item: Item, reading: Reading
) -> tuple[CaseRecord, bool]:
    """Put an item into its case, or fold it into the one that says the same."""
    twin = _twin(case, item)
    if twin is None:
        case = _with_item(case, item, reading.report)
        vault.put(
            ReadingRecord(
                id=item.envelope, report=reading.report_bytes, attachments=reading.attachments
            )
        )
        vault.put(reading.envelope)
    else:
        case = _with_twin(case, twin, item, reading.report)
        folded = {"state": EnvelopeState.FOLDED, "content": None}
        vault.put(reading.envelope.model_copy(update=folded))
    vault.put(case)
    return case, twin is not None


def _with_item(case: CaseRecord, item: Item, report: Report) -> CaseRecord:
    """Add an item; the first report, wherever it comes in a bundle, says what the case is."""
    return _in_order(_led_by(case, item, report), (*case.items, item))


def _led_by(case: CaseRecord, item: Item, report: Report) -> CaseRecord:
    """Let an item say what the case is if it is the first report in it."""
    if item.kind != Kind.REPORT or any(one.kind == Kind.REPORT for one in case.items):
        return case
    changes: dict[str, object] = {
        "voice_public": report.voice_public,
        "kind": report.kind,
        "received": report.day,
        "track": report.track,
        "language": report.language,
        "acknowledge_by": acknowledge_by(report.day),
        "feedback_by": feedback_by(report.day),
    }
    return case.model_copy(update=changes)


def _in_order(case: CaseRecord, items: Iterable[Item]) -> CaseRecord:
    ordered = sorted(items, key=lambda one: (one.day, one.kind != Kind.REPORT))
    return case.model_copy(update={"items": tuple(ordered)})


def _encrypted(reading: Reading) -> tuple[str, ...]:
    """Say what the desk did not open, and what nobody should."""
    told = [
        f"The file «{one.name}» is encrypted already; the desk does not open it. {one.warning}"
        for one in reading.attachments
        if one.nested
    ]
    if encryption_in(reading.report.text):
        told.append("The text holds an encrypted message; the desk does not open it.")
    return tuple(sentence.strip() for sentence in told)


def _twin(case: CaseRecord, item: Item) -> Item | None:
    """Find the letter of which this one is a second sending.

    Only of the same day, and only of what is written: who takes a consent back a second time,
    or asks once more after a month, says something new in the same words.
    """
    for one in case.items:
        same = (one.content_sha256, one.voice_public) == (item.content_sha256, item.voice_public)
        written = {one.kind, item.kind} <= _WRITTEN
        if same and written and one.day == item.day and one.envelope != item.envelope:
            return one
    return None


def _with_twin(case: CaseRecord, twin: Item, item: Item, report: Report) -> CaseRecord:
    """Fold an item into the one that says the same; if either is the report, the two are it."""
    changes: dict[str, object] = {"also": (*twin.also, item.envelope)}
    if item.kind == Kind.REPORT:
        changes |= {"kind": item.kind, "day": item.day}
    folded = twin.model_copy(update=changes)
    items = [folded if one is twin else one for one in case.items]
    return _in_order(_led_by(case, item, report), items)
