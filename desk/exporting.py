"""Export a dispatch: everything she has to say, complete every time, signed and sealed.

A dispatch carries her page for every mailbox that she knows, those of cover
included: to a courier and to the relay they look alike, and a lost stick loses
nothing. An acknowledgement lets the relay forget an envelope, so it is given only
for what lies on a second copy; all envelopes of a bundle are treated alike, for
who could read which must not show.
"""

import hashlib
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

from desk.cases import queued
from desk.desk import read_desk
from desk.files import staged_file
from desk.records import CaseRecord, DeskRecord, EnvelopeRecord, EnvelopeState, MailboxRecord
from desk.replies import (
    case_page,
    changed_words,
    cover_page,
    has_mailbox,
    mark_exported,
    says_something_new,
)
from desk.succession import note_carried, successor_certificate
from desk.vault import Vault
from keys.certificate import verify_certificate
from keys.lock import generate_session_key, make_lock
from protocol import limits
from protocol.dispatch import Acknowledgement, DispatchHead, SlotDigest, encode_dispatch
from protocol.errors import AuthenticityError, StorageError
from protocol.names import Fingerprint, MailboxId, RecipientName
from protocol.replypage import seal_reply_page
from protocol.sealing import Sealer

FILE_NAME = "dispatch.zip"


@dataclass(frozen=True, kw_only=True)
class Crossing:
    """What a dispatch brings across the gap, for the counselor to see before it does.

    Attributes:
        serial: its number.
        replies: for each case with something new, its name and the new replies' numbers.
        words: for each case whose page says another status or outcome, its name and both,
            "" for what stays.
        pages: how many mailboxes get a page, with and without anything on it.
        acknowledged: envelopes that the relay may forget.
        held_back: envelopes that are not acknowledged because no second copy holds them.
        successor: the fingerprint of her new certificate, when the dispatch brings one.
    """

    serial: int
    replies: tuple[tuple[str, tuple[int, ...]], ...]
    words: tuple[tuple[str, str, str], ...]
    pages: int
    acknowledged: int
    held_back: int
    successor: Fingerprint | None = None


def plan_dispatch(vault: Vault, *, now: datetime, without_backup: bool) -> Crossing:
    """Say what an export would bring across now, and change nothing.

    Raises:
        StorageError: nothing may be exported yet.
    """
    desk = _ready(vault)
    acknowledged, held_back = _acknowledgements(vault, desk, without_backup=without_backup)
    cases = [
        one
        for one in sorted(vault.all(CaseRecord), key=lambda one: one.name)
        if says_something_new(one) and has_mailbox(vault, one)
    ]
    return Crossing(
        serial=desk.serial + 1,
        replies=tuple(
            (case.name, tuple(one.number for one in queued(case))) for case in cases if queued(case)
        ),
        words=tuple(
            (case.name, *changed_words(case)) for case in cases if changed_words(case) != ("", "")
        ),
        pages=len(_listed(vault, _month(desk, now.date()))),
        acknowledged=len(acknowledged),
        held_back=held_back,
        successor=desk.successor,
    )


def export_dispatch(
    vault: Vault, path: Path, *, now: datetime, without_backup: bool = False
) -> Crossing:
    """Write the next dispatch.

    The number counts up in the vault before the file gets its name: a power cut leaves a
    number unused, never one used twice.

    Args:
        vault: unlocked.
        path: the file to write, on the courier's stick; replaced if it is there.
        now: by this machine's clock, UTC.
        without_backup: acknowledge also what lies on no second copy.

    Returns:
        What crosses.

    Raises:
        StorageError: nothing may be exported yet, or the stick cannot be written.
        KeyMaterialError: her key or the relay's has expired.
    """
    with staged_file(path) as staged:
        with vault.changes():
            crossing = plan_dispatch(vault, now=now, without_backup=without_backup)
            staged.write(_seal(vault, _dispatch(vault, now, without_backup), now))
            _forget_old_cover(vault, _month(read_desk(vault), now.date()))
            mark_exported(vault, read_desk(vault), crossing.serial, today=now.date())
            note_carried(vault, crossing.serial)
        staged.publish()
    return crossing


def _ready(vault: Vault) -> DeskRecord:
    desk = read_desk(vault)
    if desk.counselor is None:
        raise StorageError(
            "This desk does not know yet what the relay calls you; import a bundle that lists "
            "your certificate among its recipients, then export."
        )
    if desk.restored:
        raise StorageError(
            "This desk was restored from a backup; import the newest bundle first, so that your "
            "dispatches go on counting where the relay has them."
        )
    return desk


def _dispatch(vault: Vault, now: datetime, without_backup: bool) -> Iterator[bytes]:
    desk = _ready(vault)
    slots = _slots(vault, _name(desk), now.date())
    acknowledged, _ = _acknowledgements(vault, desk, without_backup=without_backup)
    head = DispatchHead(
        relay=desk.relay,
        counselor=_name(desk),
        serial=desk.serial + 1,
        day=now.date(),
        acknowledgements=acknowledged,
        slots=tuple(SlotDigest(box, hashlib.sha256(slot).digest()) for box, slot in slots),
        notices=(),
        successor=successor_certificate(vault),
    ).encode()
    return encode_dispatch(head, vault.secret_key.sign_detached(head, created=now), slots)


def _name(desk: DeskRecord) -> RecipientName:
    if desk.counselor is None:
        raise StorageError("This desk does not know yet what the relay calls you.")
    return desk.counselor


def _slots(vault: Vault, counselor: RecipientName, today: date) -> list[tuple[MailboxId, bytes]]:
    """Seal every page; in ascending order of mailbox ids, which follows no time."""
    slots = []
    for mailbox in _listed(vault, _month(read_desk(vault), today)):
        case = vault.get(CaseRecord, mailbox.case) if mailbox.case else None
        page = (
            cover_page(mailbox.id, counselor=counselor, today=today)
            if case is None
            else case_page(case, counselor=counselor, today=today)
        )
        slots.append((mailbox.id, seal_reply_page(page, mailbox.reply_public)))
    return slots


def _listed(vault: Vault, month: int) -> list[MailboxRecord]:
    every = vault.all(MailboxRecord)
    living = [one for one in every if one.until_month is None or one.until_month >= month]
    return sorted(living, key=lambda one: one.id)


def _forget_old_cover(vault: Vault, month: int) -> None:
    for one in list(vault.all(MailboxRecord)):
        if one.until_month is not None and one.until_month < month:
            vault.remove(MailboxRecord, one.name_on_shelf())


def _acknowledgements(
    vault: Vault, desk: DeskRecord, *, without_backup: bool
) -> tuple[tuple[Acknowledgement, ...], int]:
    """Return one for each envelope of the last bundle that may go, and how many may not yet.

    What could not be read for a fault is neither: the relay keeps it.
    """
    given = []
    held_back = 0
    for envelope in desk.bundle:
        record = vault.get(EnvelopeRecord, envelope.hex())
        if record is None or record.state is EnvelopeState.REFUSED:
            continue
        if record.copied or without_backup:
            token = record.read_token or secrets.token_bytes(limits.TOKEN_BYTES)
            given.append(Acknowledgement(envelope=envelope, token=token))
        else:
            held_back += 1
    return tuple(given), held_back


def _seal(vault: Vault, archive: Iterator[bytes], now: datetime) -> Iterator[bytes]:
    desk = read_desk(vault)
    if vault.secret_key.fingerprint != desk.fingerprint:
        raise AuthenticityError("The secret key in this folder is not the one this desk is for.")
    relay = verify_certificate(desk.relay_certificate, pinned=Fingerprint(desk.relay), now=now)
    session_key = generate_session_key()
    sealer = Sealer(
        session_key=session_key, locks=make_lock(relay, session_key), file_name=FILE_NAME
    )
    for part in archive:
        yield sealer.update(part)
    yield from sealer.finish_in_pieces()


def _month(desk: DeskRecord, today: date) -> int:
    """Return the month by which cover lives: never a later one than that of the last bundle.

    A clock that was set ahead for an hour would end all cover at once and for good, and what
    is left in every dispatch would be the mailboxes of people.
    """
    day = min(today, desk.cut_day or today)
    return day.year * 12 + day.month - 1
