"""Acceptance of a dispatch: checked whole, by the relay's own clock and roster, then applied.

Refuses whatever is not from an active counselor, signed with the certificate
that the relay has of her, made for this relay, and newer than her last one. A
refusal changes nothing and says in one sentence why. docs/PROTOCOL.md, Dispatch.
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from keys.certificate import read_certificate, verify_certificate
from keys.secretkey import SecretKey
from keys.signature import verify_detached
from protocol.archive import ArchiveReader
from protocol.dispatch import DispatchHead, DispatchReader
from protocol.errors import AuthenticityError, KeyMaterialError
from protocol.names import Fingerprint, RecipientName, RelayId
from protocol.replypage import seal_empty_slots
from protocol.unsealing import read_sealed
from relay.rows import Recipient, month_of
from relay.scratch import Scratch
from relay.store import DispatchRows, Store

DISPATCH_BYTES = 1024 * 1024 * 1024  # 50,000 slots of 17.5 KiB with their head
EMPTY_AT_ONCE = 64
DAYS_AHEAD = timedelta(days=1)  # a desk's clock in another time zone, no more


@dataclass(frozen=True, kw_only=True)
class Accepted:
    """What was applied, for the courier's page: nothing of what it says."""

    recipient: RecipientName
    serial: int
    day: date


def accept_dispatch(
    store: Store,
    relay_key: SecretKey,
    source: Iterable[bytes],
    now: datetime,
    *,
    folder: Path,
) -> Accepted:
    """Check a sealed dispatch and apply it, all of it or nothing.

    Args:
        store: of the relay.
        relay_key: what dispatches are sealed to.
        source: the upload, read once.
        now: the relay's own clock, with a time zone.
        folder: the data folder; nothing stays in it.

    Raises:
        FormatError: not a sealed dispatch, or cut short.
        AuthenticityError: another relay's, another signer's, older, changed, or
            a certificate that does not hold; the sentence says which.
        CapacityError: larger than any dispatch.
        StorageError: the disk fails.
    """
    now = now.astimezone(UTC)
    with (
        Scratch(folder=folder, limit_bytes=DISPATCH_BYTES) as sealed,
        Scratch(folder=folder, limit_bytes=DISPATCH_BYTES) as opened,
    ):
        _fill(sealed, source)
        _fill(opened, _unseal(sealed, relay_key))
        dispatch = DispatchReader(ArchiveReader(opened.read_at, opened.size_bytes))
        signer = _verify_signer(store, dispatch, RelayId(relay_key.fingerprint), now)
        _verify_day(dispatch.head.day, now)
        _apply(
            store,
            DispatchRows(
                recipient=signer.name,
                serial=dispatch.head.serial,
                slots=dispatch.slots(),
                acknowledgements=[
                    (one.envelope, hashlib.sha256(one.token).digest())
                    for one in dispatch.head.acknowledgements
                ],
                month=month_of(now.date()),
                empty=_empty_slots(),
                notices=dispatch.head.notices,
                successor=_verify_successor(dispatch.head, now),
            ),
        )
    return Accepted(recipient=signer.name, serial=dispatch.head.serial, day=dispatch.head.day)


def _fill(scratch: Scratch, pieces: Iterable[bytes]) -> None:
    for piece in pieces:
        scratch.write(piece)
    scratch.seal()


def _unseal(sealed: Scratch, relay_key: SecretKey) -> Iterator[bytes]:
    message = read_sealed(sealed.pieces)
    session_key = relay_key.open_lock(message.locks)
    if session_key is None:
        raise AuthenticityError(
            "This is not sealed to this relay; export it again with this relay's certificate."
        )
    return message.unseal(session_key)


def _verify_signer(
    store: Store, dispatch: DispatchReader, relay: RelayId, now: datetime
) -> Recipient:
    """Return who signed; the head is believed only after this."""
    head = dispatch.head
    if head.relay != relay:
        raise AuthenticityError("This dispatch is for another relay; bring it to that one.")
    signer = next((one for one in store.recipients() if one.name == head.counselor), None)
    if signer is None:
        raise AuthenticityError("This dispatch is from nobody who is a recipient of this relay.")
    try:
        verify_certificate(signer.certificate, pinned=signer.fingerprint, now=now)
        verify_detached(
            dispatch.head_bytes,
            dispatch.signature,
            certificate=signer.certificate,
            pinned=signer.fingerprint,
            now=now,
        )
    except KeyMaterialError as error:
        raise AuthenticityError(f"The certificate of the signer does not hold: {error}") from error
    if head.serial <= signer.last_serial:
        raise AuthenticityError(
            "This dispatch is not newer than the last one that was accepted from this "
            "counselor; export a new one at the desk."
        )
    return signer


def _apply(store: Store, rows: DispatchRows) -> None:
    try:
        store.apply_dispatch(rows)
    except KeyMaterialError as error:
        # Retired while this was being checked, or a successor that is somebody else's key.
        raise AuthenticityError(f"This dispatch is refused: {error}") from error


def _verify_day(day: date, now: datetime) -> None:
    if day > (now + DAYS_AHEAD).date():
        raise AuthenticityError(
            "This dispatch is dated in the future; set the clock of the desk and export it again."
        )


def _verify_successor(head: DispatchHead, now: datetime) -> tuple[Fingerprint, bytes] | None:
    """Return the certificate that follows the signer's; the signature over the head vouches.

    Her name stays, and with it her number, serial and slots: a key is not a person.
    """
    if head.successor is None:
        return None
    try:
        fingerprint = read_certificate(head.successor).fingerprint
        verify_certificate(head.successor, pinned=fingerprint, now=now)
    except KeyMaterialError as error:
        raise AuthenticityError(f"The successor certificate does not hold: {error}") from error
    return fingerprint, head.successor


def _empty_slots() -> Callable[[], bytes]:
    """Return what makes one empty slot after the other; a batch at a time is faster."""

    def endless() -> Iterator[bytes]:
        while True:
            yield from seal_empty_slots(EMPTY_AT_ONCE)

    return endless().__next__
