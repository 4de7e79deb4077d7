"""Reply pages: what one recipient has to say in one mailbox, sealed to the reporter's key.

One page, one size, replaced as a whole: a disk shows neither how much was answered nor whether
anything was. The seal is hybrid (ML-KEM-768 and X25519), because a page copied today may be
opened by a machine of tomorrow. PROTOCOL.md, «Reply page».
"""

import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PublicKey
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, MLKEM768X25519PublicKey, Suite

from protocol import limits
from protocol.canonical import Fields, encode_json, read_json
from protocol.derivation import ReporterKeys, generate_throwaway_keys, mailbox_id
from protocol.errors import AuthenticityError, CapacityError, FormatError
from protocol.names import MailboxId, RecipientName
from protocol.naming import read_recipient_name

PAGE_BYTES = limits.REPLY_PAGE_BYTES
SLOT_BYTES = limits.SLOT_BYTES
_FORMAT = 1
_LENGTH_BYTES = 4
_MLKEM_PUBLIC_BYTES = 1_184
_SUITE = Suite(KEM.MLKEM768_X25519, KDF.HKDF_SHA256, AEAD.CHACHA20_POLY1305)


@dataclass(frozen=True, kw_only=True)
class Reply:
    """One reply: its number in this mailbox from this recipient, its day (UTC), its text."""

    number: int
    day: date
    text: str


@dataclass(frozen=True, kw_only=True)
class ReplyPage:
    """What one recipient shows one reporter.

    Attributes:
        mailbox: the mailbox it is for; a page of another is refused.
        recipient: whose page it is.
        day: when it was written.
        status: of the case, a word of the policy or "".
        acknowledge_by, feedback_by: the days promised, None where there is no clock.
        replies: those still to be read, oldest first.
        outcome: of a closed case with its reasons, or "".
    """

    mailbox: MailboxId
    recipient: RecipientName
    day: date
    status: str
    acknowledge_by: date | None
    feedback_by: date | None
    replies: tuple[Reply, ...]
    outcome: str = ""

    def encode(self) -> bytes:
        """Encode to exactly 16,384 octets: length (4), JSON, zeros.

        Raises:
            CapacityError: the replies do not fit; leave out those that were read.
            FormatError: a value that no reader would take.
        """
        document = encode_json(
            {
                "acknowledge_by": _text_of(self.acknowledge_by),
                "day": self.day.isoformat(),
                "feedback_by": _text_of(self.feedback_by),
                "format": _FORMAT,
                "mailbox": self.mailbox.hex(),
                "outcome": self.outcome,
                "recipient": self.recipient,
                "replies": [
                    {"day": one.day.isoformat(), "number": one.number, "text": one.text}
                    for one in self.replies
                ],
                "status": self.status,
            }
        )
        plain = len(document).to_bytes(_LENGTH_BYTES, "big") + document
        if len(plain) > PAGE_BYTES:
            raise CapacityError("The replies do not fit on one page: take back an older one.")
        padded = plain.ljust(PAGE_BYTES, b"\0")
        read_reply_page(padded)  # nothing is written that no reader would take
        return padded


def read_reply_page(plaintext: bytes) -> ReplyPage:
    """Read what `ReplyPage.encode` wrote.

    Raises:
        FormatError: anything else.
    """
    end = _LENGTH_BYTES + int.from_bytes(plaintext[:_LENGTH_BYTES], "big")
    if len(plaintext) != PAGE_BYTES or end > PAGE_BYTES or plaintext[end:].strip(b"\0"):
        raise FormatError("a reply page is not padded as its length says")
    fields = Fields(read_json(plaintext[_LENGTH_BYTES:end], PAGE_BYTES), where="a reply page")
    fields.version(newest=_FORMAT)
    page = ReplyPage(
        mailbox=MailboxId(fields.octets("mailbox", limits.ID_BYTES)),
        recipient=read_recipient_name(fields.text("recipient")),
        day=fields.day("day"),
        status=fields.text("status"),
        acknowledge_by=fields.day_or_none("acknowledge_by"),
        feedback_by=fields.day_or_none("feedback_by"),
        replies=tuple(
            _read_reply(item) for item in fields.each("replies", limit=limits.REPLIES_COUNT)
        ),
        outcome=fields.text("outcome", limit=limits.REPLY_CHARS),
    )
    fields.end()
    return page


def seal_reply_page(page: ReplyPage, reply_public: bytes) -> bytes:
    """Seal a page to a reporter's reply key.

    Args:
        page: what the reporter will read.
        reply_public: 1,216 octets from the reporter's first envelope.

    Returns:
        A slot of 17,520 octets: encapsulation (1,120), sealed page (16,384), tag (16).

    Raises:
        AuthenticityError: the page names another mailbox than this key's.
        CapacityError: the page is too long.
        FormatError: the key is not an X-Wing public key.
    """
    if mailbox_id(reply_public) != page.mailbox:
        raise AuthenticityError("This reply page is for another mailbox than this key's.")
    return _seal(page.encode(), _read_public(reply_public), page.mailbox)


def seal_empty_slot() -> bytes:
    """Seal an empty page to a key that nobody has.

    A real sealing, not random octets: compressed ML-KEM coefficients and points of
    Curve25519 are not evenly spread, so random octets could be told from a reply.
    """
    return next(seal_empty_slots(1))


def seal_empty_slots(count: int) -> Iterator[bytes]:
    """Seal many empty pages, about three times as fast as one by one.

    All of a batch go to one throw-away key. Each has an encapsulation of its own, which hides
    to whom it was made (X-Wing is anonymous), and the private half is dropped at once.

    Args:
        count: how many slots.

    Yields:
        Slots of 17,520 octets.
    """
    public = _read_public(generate_throwaway_keys().reply_public)
    for _ in range(count):
        yield _seal(bytes(PAGE_BYTES), public, MailboxId(secrets.token_bytes(limits.ID_BYTES)))


def open_slot(slot: bytes, keys: ReporterKeys) -> ReplyPage:
    """Open a slot of the reporter's own mailbox.

    Raises:
        AuthenticityError: sealed to another key, altered, or a page of another mailbox;
            an empty slot gives this too, and means that this recipient wrote nothing.
        FormatError: not 17,520 octets, or a page that breaks the format.
    """
    if len(slot) != SLOT_BYTES:
        raise FormatError("a slot has 17,520 octets")
    try:
        plain = _SUITE.decrypt(slot, keys.reply_private, info=_info(keys.mailbox_id))
    except InvalidTag:
        raise AuthenticityError("No reply in this slot is for this mailbox.") from None
    page = read_reply_page(plain)
    if page.mailbox != keys.mailbox_id:
        raise AuthenticityError("The reply in this slot was written for another mailbox.")
    return page


def _seal(plain: bytes, public: MLKEM768X25519PublicKey, mailbox: MailboxId) -> bytes:
    try:
        return _SUITE.encrypt(plain, public, info=_info(mailbox))
    except ValueError:  # an X25519 point of low order gives no shared secret
        raise FormatError("this is not a reply key: nothing can be sealed to it") from None


def _info(mailbox: MailboxId) -> bytes:
    return b"sotto/1 reply" + mailbox


def _read_public(reply_public: bytes) -> MLKEM768X25519PublicKey:
    try:
        return MLKEM768X25519PublicKey(
            MLKEM768PublicKey.from_public_bytes(reply_public[:_MLKEM_PUBLIC_BYTES]),
            X25519PublicKey.from_public_bytes(reply_public[_MLKEM_PUBLIC_BYTES:]),
        )
    except ValueError:
        raise FormatError("this is not a reply key: ML-KEM-768 and X25519, 1,216 octets") from None


def _read_reply(fields: Fields) -> Reply:
    reply = Reply(
        number=fields.integer("number", low=1),
        day=fields.day("day"),
        text=fields.text("text", limit=limits.REPLY_CHARS),
    )
    fields.end()
    return reply


def _text_of(day: date | None) -> str | None:
    return None if day is None else day.isoformat()
