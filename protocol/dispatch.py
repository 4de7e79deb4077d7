"""Dispatches: what a counselor sends back, signed by her, complete every time.

It carries her current page for every mailbox that she knows, so a lost stick loses nothing and
the newest serial says all. The relay reads it whole, checks every part against the signed
head, and only then changes anything. PROTOCOL.md, «Dispatch».
"""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from typing import NamedTuple

from protocol import limits
from protocol.archive import ArchiveReader, ArchiveWriter
from protocol.canonical import Fields, encode_json, read_json
from protocol.errors import AuthenticityError, FormatError
from protocol.names import EnvelopeId, MailboxId, RecipientName, RelayId
from protocol.naming import read_recipient_name, read_relay_id

HEAD_NAME = "dispatch.json"
SIGNATURE_NAME = "dispatch.json.asc"
_TYPE = "sotto dispatch"
_FORMAT = 1


@dataclass(frozen=True, kw_only=True)
class Acknowledgement:
    """One envelope of a bundle, and its read-token or as many random octets.

    Every envelope gets one, opened or not: who could read what stays untold.
    """

    envelope: EnvelopeId
    token: bytes


@dataclass(frozen=True, kw_only=True)
class Notice:
    """A public text of the counselor for the pages of the relay, as a holiday."""

    language: str
    text: str
    kind: str = "holiday"


class SlotDigest(NamedTuple):
    """A mailbox, and the SHA-256 of the slot that this dispatch brings for it."""

    mailbox: MailboxId
    sha256: bytes


@dataclass(frozen=True, kw_only=True)
class DispatchHead:
    """What a dispatch says of itself; the counselor signs its encoding.

    Attributes:
        relay: the only relay that may apply it.
        counselor: whose slots it fills; the signature must be hers.
        serial: above every earlier one of hers.
        day: when it was made, by the desk's clock.
        acknowledgements: one for every envelope of the bundles she has.
        slots: one for every mailbox that she knows.
        notices: public texts; they replace her earlier ones.
        successor: the certificate that will follow hers, or None.
    """

    relay: RelayId
    counselor: RecipientName
    serial: int
    day: date
    acknowledgements: tuple[Acknowledgement, ...]
    slots: tuple[SlotDigest, ...]
    notices: tuple[Notice, ...]
    successor: bytes | None

    def encode(self) -> bytes:
        """Encode the head: exactly the bytes that are signed.

        Slots and acknowledgements are put in the order of their random ids, so that the desk's
        own order, which follows time, does not travel.

        Raises:
            FormatError: a value that no reader would take.
        """
        document = encode_json(
            {
                "acknowledgements": [
                    {"envelope": one.envelope.hex(), "token": one.token.hex()}
                    for one in sorted(self.acknowledgements, key=lambda one: one.envelope)
                ],
                "counselor": self.counselor,
                "day": self.day.isoformat(),
                "format": _FORMAT,
                "notices": [
                    {"kind": one.kind, "language": one.language, "text": one.text}
                    for one in self.notices
                ],
                "relay": self.relay,
                "serial": self.serial,
                "slots": [
                    {"mailbox": mailbox.hex(), "sha256": digest.hex()}
                    for mailbox, digest in sorted(self.slots)
                ],
                "successor": None if self.successor is None else self.successor.hex(),
                "type": _TYPE,
            }
        )
        read_dispatch_head(document)  # nothing is signed that no reader would take
        return document


def read_dispatch_head(document: bytes) -> DispatchHead:
    """Read a head; verify its signature over these same bytes before believing it.

    Raises:
        FormatError: anything but what `DispatchHead.encode` writes.
    """
    fields = Fields(read_json(document, limits.DISPATCH_HEAD_BYTES), where=HEAD_NAME)
    if fields.text("type") != _TYPE:
        raise FormatError("this is not the head of a dispatch")
    fields.version(newest=_FORMAT)
    head = DispatchHead(
        relay=read_relay_id(fields.text("relay")),
        counselor=read_recipient_name(fields.text("counselor")),
        serial=fields.integer("serial", low=1),
        day=fields.day("day"),
        acknowledgements=tuple(
            _read_acknowledgement(item)
            for item in fields.each("acknowledgements", limit=limits.ACKNOWLEDGEMENTS_COUNT)
        ),
        slots=tuple(
            _read_slot(item) for item in fields.each("slots", limit=limits.DISPATCH_SLOTS_COUNT)
        ),
        notices=tuple(
            _read_notice(item) for item in fields.each("notices", limit=limits.NOTICES_COUNT)
        ),
        successor=fields.octets_or_none("successor", limits.CERTIFICATE_BYTES),
    )
    fields.end()
    _check_ascending([one.envelope for one in head.acknowledgements], "acknowledgements")
    _check_ascending([one.mailbox for one in head.slots], "slots")
    return head


def encode_dispatch(
    head: bytes, signature: bytes, slots: Iterable[tuple[MailboxId, bytes]]
) -> Iterator[bytes]:
    """Yield the archive of a dispatch, to be sealed to the relay's certificate.

    Args:
        head: what `DispatchHead.encode` gave.
        signature: armoured, over `head`.
        slots: all that the head lists, in ascending order of mailbox ids.

    Raises:
        FormatError: these are not the slots of the head; nothing of the output is usable.
    """
    writer = ArchiveWriter()
    yield _entry(writer, HEAD_NAME, head)
    yield _entry(writer, SIGNATURE_NAME, signature)
    listed = iter(read_dispatch_head(head).slots)
    for mailbox, slot in slots:
        if next(listed, None) != _digest_of(mailbox, slot):
            raise FormatError("a dispatch holds exactly the slots that its head lists")
        yield _entry(writer, _slot_name(mailbox), slot)
    if next(listed, None) is not None:
        raise FormatError("a slot that the head of the dispatch lists is missing")
    yield writer.finish()


class DispatchReader:
    """A dispatch at the relay, unsealed: the head first, slots against its digests.

    Attributes:
        head_bytes: what the signature is over.
        signature: armoured, for the caller to verify.
        head: what the head says.
    """

    def __init__(self, archive: ArchiveReader) -> None:
        """Read head and signature, and compare the list of slots with what is there.

        Raises:
            FormatError: not a dispatch, or one with more or less in it than its head says.
        """
        self._archive = archive
        self.head_bytes = archive.read_small(HEAD_NAME, limits.DISPATCH_HEAD_BYTES)
        self.signature = archive.read_small(SIGNATURE_NAME, limits.SIGNATURE_BYTES)
        self.head = read_dispatch_head(self.head_bytes)
        expected = [HEAD_NAME, SIGNATURE_NAME]
        expected += [_slot_name(one.mailbox) for one in self.head.slots]
        if [entry.name for entry in archive.entries] != expected:
            raise FormatError("a dispatch holds exactly the slots that its head lists")

    def slots(self) -> Iterator[tuple[MailboxId, bytes]]:
        """Yield each mailbox with its slot, checked, in ascending order of ids.

        Raises:
            AuthenticityError: a slot is not the one that the counselor signed for.
            FormatError: a slot is damaged or not of 17,520 octets.
        """
        for listed in self.head.slots:
            slot = self._archive.read_small(_slot_name(listed.mailbox), limits.SLOT_BYTES)
            if _digest_of(listed.mailbox, slot) != listed:
                raise AuthenticityError("A slot was changed after the counselor signed for it.")
            yield listed.mailbox, slot


def _entry(writer: ArchiveWriter, name: str, data: bytes) -> bytes:
    return writer.begin(name) + writer.update(data) + writer.end()


def _slot_name(mailbox: MailboxId) -> str:
    return f"slots/{mailbox.hex()}.slot"


def _digest_of(mailbox: MailboxId, slot: bytes) -> SlotDigest:
    if len(slot) != limits.SLOT_BYTES:
        raise FormatError("a slot has 17,520 octets")
    return SlotDigest(mailbox, hashlib.sha256(slot).digest())


def _check_ascending(ids: Sequence[bytes], what: str) -> None:
    if any(first >= second for first, second in pairwise(ids)):
        raise FormatError(f"the {what} of a dispatch are in ascending order, none twice")


def _read_acknowledgement(fields: Fields) -> Acknowledgement:
    acknowledgement = Acknowledgement(
        envelope=EnvelopeId(fields.octets("envelope", limits.ID_BYTES)),
        token=fields.octets("token", limits.TOKEN_BYTES),
    )
    fields.end()
    return acknowledgement


def _read_slot(fields: Fields) -> SlotDigest:
    slot = SlotDigest(
        mailbox=MailboxId(fields.octets("mailbox", limits.ID_BYTES)),
        sha256=fields.octets("sha256", limits.SHA256_BYTES),
    )
    fields.end()
    return slot


def _read_notice(fields: Fields) -> Notice:
    notice = Notice(
        language=fields.text("language"),
        text=fields.text("text", limit=limits.NOTICE_CHARS),
        kind=fields.text("kind"),
    )
    fields.end()
    return notice
