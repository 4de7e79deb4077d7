"""What the desk remembers, as values: each is one sealed document of the vault.

A case holds no more than lists and clocks need, because ten thousand of them are
read for one list. The words of a reporter stand in the reading of their envelope,
the files in its object.
"""

from datetime import date
from enum import StrEnum
from typing import ClassVar

from pydantic import BaseModel, ConfigDict

from protocol.names import EnvelopeId, Fingerprint, MailboxId, ReadToken, RecipientName, RelayId

FORMAT = 1


class Record(BaseModel):
    """A document: it knows the shelf it stands on and its name there."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", ser_json_bytes="base64", val_json_bytes="base64"
    )
    shelf: ClassVar[str]

    def name_on_shelf(self) -> str:
        """Return the name that finds this document again."""
        raise NotImplementedError


class ObjectRef(BaseModel):
    """Where a large sealed object lies and what opens it."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", ser_json_bytes="base64", val_json_bytes="base64"
    )
    name: str  # 32 random hex digits
    key: bytes  # 32 bytes: secret
    size_bytes: int  # before padding


class DeskRecord(Record):
    """The one record of the desk itself: whose it is, which relay it trusts, what crossed."""

    shelf = "desk"
    format: int = FORMAT
    relay: RelayId
    relay_certificate: bytes  # pinned at init; compared by voice
    fingerprint: Fingerprint  # of the counselor's own certificate
    counselor: RecipientName | None = None  # what the relay calls her; learnt from a bundle
    serial: int = 0  # of the last dispatch that she exported
    confirmed: int = 0  # the last serial that the relay says it accepted
    cut: int = 0  # the newest bundle seen
    cut_day: date | None = None
    head_sha256: bytes = b""  # of that bundle's bundle.json
    bundle: tuple[EnvelopeId, ...] = ()  # the envelopes of that bundle
    restored: bool = False  # from a backup, and no bundle imported since
    backup_day: date | None = None
    rehearsed_day: date | None = None  # of the last time that a way back was tried
    successor: Fingerprint | None = None  # of the key that shall follow hers; kept in the vault
    successor_serial: int = 0  # of the first dispatch that carried its certificate

    def name_on_shelf(self) -> str:
        return "desk"


class EnvelopeState(StrEnum):
    """What became of an envelope."""

    UNOPENED = "unopened"  # no lock of hers: cover and left-out look alike
    COVER = "cover"
    READ = "read"
    FOLDED = "folded"  # a second sending of what the same reporter sent on the same day
    REFUSED = "refused"  # could not be read; tried again with the next bundle


class EnvelopeRecord(Record):
    """One envelope that reached this desk, whatever it held."""

    shelf = "envelope"
    id: EnvelopeId
    size_bytes: int
    sha256: bytes
    state: EnvelopeState
    read_token: ReadToken | None = None
    mailbox: MailboxId | None = None
    content: ObjectRef | None = None
    reason: str = ""  # the sentence, when refused
    copied: bool = False  # lies on a second copy, or needs none there: `desk backup` sets it
    handed_by: str = ""  # who brought it, until a bundle shows whether it is the relay's

    def name_on_shelf(self) -> str:
        return self.id.hex()


class MailboxRecord(Record):
    """A mailbox that this desk writes a page for in every dispatch: of a case or of cover."""

    shelf = "mailbox"
    id: MailboxId
    reply_public: bytes
    case: str | None  # None: cover
    until_month: int | None  # cover only: the last month (year * 12 + month - 1) it is listed

    def name_on_shelf(self) -> str:
        return self.id.hex()


class AttachmentRecord(BaseModel):
    """A file of an envelope: found, checked and shown without opening it."""

    model_config = Record.model_config
    name: str  # as the reporter called it, cleaned
    entry: str  # its place in the archive
    size_bytes: int
    sha256: bytes
    nested: bool  # encrypted already; this desk never opens it
    warning: str = ""  # why not to open it elsewhere either


class ReadingRecord(Record):
    """What was read in an envelope, so that showing a case opens no large object."""

    shelf = "reading"
    id: EnvelopeId
    report: bytes  # report.json, as it came
    attachments: tuple[AttachmentRecord, ...]

    def name_on_shelf(self) -> str:
        return self.id.hex()


class Item(BaseModel):
    """One thing that came from a reporter, as the thread of a case lists it."""

    model_config = Record.model_config
    envelope: EnvelopeId
    kind: str
    day: date  # the day the relay took it
    voice_public: bytes  # whose signature the envelope bore
    urgent: bool  # says that there is danger or that support is needed
    content_sha256: bytes  # equal contents are folded
    also: tuple[EnvelopeId, ...] = ()  # envelopes that said the same


class QueuedReply(BaseModel):
    """A reply of the counselor; `serial` is None until a dispatch carried it."""

    model_config = Record.model_config
    number: int
    day: date
    text: str
    after_items: int  # how much of the thread the counselor had before her
    serial: int | None = None
    on_page: bool = True  # False: taken off the page to make room; kept here


class CaseRecord(Record):
    """A case: what the desk makes of a report and its follow-ups."""

    shelf = "case"
    name: str  # the same at every desk
    mailbox: MailboxId
    voice_public: bytes
    kind: str
    received: date
    track: str
    language: str
    policy: str
    status: str
    outcome: str = ""
    acknowledge_by: date
    feedback_by: date
    acknowledged: date | None = None  # the day on which the reporter was first answered
    told_status: str = ""  # as the last dispatch carried it
    told_outcome: str = ""  # as the last dispatch carried it, or as it was told otherwise
    items: tuple[Item, ...]
    replies: tuple[QueuedReply, ...] = ()

    def is_same_reporter(self, item: Item) -> bool:
        """Tell whether an item bears the voice of the one whose report opened the case."""
        return item.voice_public == self.voice_public

    @property
    def urgent(self) -> bool:
        """Whether the reporter speaks of danger or asks for support; strangers cannot."""
        return any(item.urgent for item in self.items if self.is_same_reporter(item))

    def name_on_shelf(self) -> str:
        return self.name
