"""What the relay keeps, as values: one frozen shape for each row of the data model.

No row carries a time finer than a month (C2): a `Month` is all that the store
knows about when something came, and the place of a content is random so that neither its
value nor where it lies in the file tells an order.
"""

from dataclasses import dataclass
from datetime import date
from typing import NewType

from protocol.names import EnvelopeId, Fingerprint, RecipientName

ContentId = NewType("ContentId", int)  # the place of its first chunk, random; the others follow
Month = NewType("Month", int)  # year * 12 + month - 1

CHUNK_BYTES = 256 * 1024  # FACTS: 120-180 MB/s with rows of this size
CONTENT_CHUNKS = 2**14  # 4 GiB, the most that is sealed at once
CONTENTS = 2**63 // CONTENT_CHUNKS  # how many such places a database has


def month_of(day: date) -> Month:
    """Return the month that a day lies in, the finest time that any row may hold.

    Args:
        day: a day, UTC.

    Returns:
        year * 12 + month - 1, so that differences are counted in months.
    """
    return Month(day.year * 12 + day.month - 1)


@dataclass(frozen=True, kw_only=True)
class EnvelopeRow:
    """What is written, in one piece, when an envelope becomes visible.

    Attributes:
        id: the receipt's report id, or random for follow-ups and cover.
        memo: 1,024 bytes, sealed under the memo key; random where there is none.
        token_hash: SHA-256 of the read-token that lies inside the envelope.
        content: the id under which the chunks were stored.
        size_bytes: ciphertext, a Padmé size class.
        sha256: of the ciphertext; the bundle's head repeats it.
        crc32: of the ciphertext; the bundle's ZIP headers need it before the bytes.
        expiry: the month at whose end the row goes; one period for all rows.
    """

    id: EnvelopeId
    memo: bytes
    token_hash: bytes
    content: ContentId
    size_bytes: int
    sha256: bytes
    crc32: int
    expiry: Month


@dataclass(frozen=True, kw_only=True)
class HeldEnvelope:
    """An envelope whose content the relay still holds."""

    id: EnvelopeId
    size_bytes: int
    sha256: bytes
    crc32: int
    proven: bool
    expiry: Month


@dataclass(frozen=True, kw_only=True)
class Recipient:
    """A counselor's row: her number never changes and is never given to anybody else.

    The number is her bit in `envelope.acknowledged` and her place in the fixed
    order of locks, so a successor certificate changes neither.
    """

    number: int
    name: RecipientName
    fingerprint: Fingerprint
    certificate: bytes
    last_serial: int
    retired: bool


@dataclass(frozen=True, kw_only=True)
class Cut:
    """The current bundle, frozen: its signed head and its envelopes in their order.

    Day and hour (UTC) are those of the timetable, not of the moment: the next cut
    after a restart is due when it would have been.
    """

    number: int
    day: date
    hour: int
    head: bytes
    signature: bytes
    envelopes: tuple[HeldEnvelope, ...]
