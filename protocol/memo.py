"""Memos: what the relay must know again when the reporter returns, and nobody else may.

Who may read a follow-up is decided by the memo of the first envelope, so a follow-up cannot
reach the person it is about. It is sealed under a key that only the receipt gives, and it has
one size, so that rows with a memo and rows with random octets look alike. PROTOCOL.md, «Memo».
"""

import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from protocol import limits
from protocol.canonical import Fields, encode_json, read_json
from protocol.errors import AuthenticityError, CapacityError, FormatError
from protocol.names import MemoKey, RecipientName
from protocol.naming import read_recipient_name
from protocol.report import Kind

MEMO_BYTES = limits.MEMO_BYTES
_LABEL = b"sotto/1 memo"
_KINDS = tuple(kind for kind in Kind if kind is not Kind.COVER)
_LENGTH_BYTES = 2
_PLAIN_BYTES = MEMO_BYTES - limits.AEAD_NONCE_BYTES - limits.AEAD_TAG_BYTES
_TRACK_CHARS, _LANGUAGE_CHARS = 32, 11  # the longest that a policy can have


@dataclass(frozen=True, kw_only=True)
class Memo:
    """What was decided with the first envelope.

    Attributes:
        kind: of the first envelope: a report, or what came first after another receipt was
            replaced or an earlier memo expired.
        readers: people who may read; people, not keys, so a new key changes nothing.
        left_out: people whom nothing of the case may reach unless the reporter says so.
        not_asked: people who were offered and not chosen: no follow-up reaches them either.
        track: the policy's track, as "complaint".
        language: of the reporter, as "en".
        day: when it was received, UTC.
    """

    kind: Kind
    readers: tuple[RecipientName, ...]
    left_out: tuple[RecipientName, ...]
    not_asked: tuple[RecipientName, ...]
    track: str
    language: str
    day: date


def seal_memo(memo: Memo, key: MemoKey) -> bytes:
    """Seal a memo to exactly 1,024 octets.

    Args:
        memo: about 20 names of the longest kind fit, 60 of the usual.
        key: of the receipt.

    Returns:
        Nonce (12), sealed length, JSON and zeros (996), tag (16).

    Raises:
        CapacityError: the names do not fit.
        FormatError: a value that no reader would take.
    """
    nonce = secrets.token_bytes(limits.AEAD_NONCE_BYTES)
    return nonce + ChaCha20Poly1305(key).encrypt(nonce, _padded(memo), _LABEL)


def require_fit(names: Iterable[RecipientName]) -> None:
    """Refuse a team whose names would not fit into the memo of whatever a reporter sends.

    Raises:
        CapacityError: they do not.
    """
    _padded(
        Memo(
            kind=max(_KINDS, key=len),
            readers=tuple(names),
            left_out=(),
            not_asked=(),
            track="x" * _TRACK_CHARS,
            language="x" * _LANGUAGE_CHARS,
            day=date.max.replace(year=max(limits.YEARS)),
        )
    )


def _padded(memo: Memo) -> bytes:
    document = encode_json(
        {
            "day": memo.day.isoformat(),
            "kind": memo.kind,
            "language": memo.language,
            "left_out": list(memo.left_out),
            "not_asked": list(memo.not_asked),
            "readers": list(memo.readers),
            "track": memo.track,
        }
    )
    plain = len(document).to_bytes(_LENGTH_BYTES, "big") + document
    if len(plain) > _PLAIN_BYTES:
        raise CapacityError("The names of all recipients do not fit in a memo: shorten them.")
    padded = plain.ljust(_PLAIN_BYTES, b"\0")
    _read(padded)  # nothing is written that no reader would take
    return padded


def open_memo(sealed: bytes, key: MemoKey) -> Memo:
    """Open a memo.

    Raises:
        AuthenticityError: another key's memo, altered, or the random octets of a follow-up.
        FormatError: not 1,024 octets, or sealed with contents that break the format.
    """
    if len(sealed) != MEMO_BYTES:
        raise FormatError("a memo has 1,024 octets")
    nonce, body = sealed[: limits.AEAD_NONCE_BYTES], sealed[limits.AEAD_NONCE_BYTES :]
    try:
        plain = ChaCha20Poly1305(key).decrypt(nonce, body, _LABEL)
    except InvalidTag:
        raise AuthenticityError("This memo does not belong to this receipt.") from None
    return _read(plain)


def random_memo() -> bytes:
    """Make what stands in place of a memo in follow-ups and cover."""
    return secrets.token_bytes(MEMO_BYTES)


def _read(plain: bytes) -> Memo:
    end = _LENGTH_BYTES + int.from_bytes(plain[:_LENGTH_BYTES], "big")
    if end > len(plain) or plain[end:].strip(b"\0"):
        raise FormatError("the padding of a memo is not as its length says")
    fields = Fields(read_json(plain[_LENGTH_BYTES:end], _PLAIN_BYTES), where="a memo")
    memo = Memo(
        kind=_read_kind(fields.text("kind")),
        readers=_names(fields, "readers"),
        left_out=_names(fields, "left_out"),
        not_asked=_names(fields, "not_asked"),
        track=fields.text("track"),
        language=fields.text("language"),
        day=fields.day("day"),
    )
    fields.end()
    return memo


def _read_kind(text: str) -> Kind:
    if text not in _KINDS:
        raise FormatError("a memo is of a kind that no reporter sends")
    return Kind(text)


def _names(fields: Fields, name: str) -> tuple[RecipientName, ...]:
    names = fields.texts(name, limit=limits.RECIPIENTS_COUNT)
    return tuple(read_recipient_name(one) for one in names)
