"""The record of a case: who did what, when and why; appended to, never changed.

Each entry is committed to by its salted digest, each link names the digest of the
link before it and is signed with the counselor's key. An entry can be taken out of a
copy, and what stays still verifies, with sha256sum and gpg alone. docs/RECORD.md.
"""

import hashlib
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from enum import StrEnum

from desk.records import Record
from desk.vault import Vault
from protocol.canonical import encode_json
from protocol.errors import AuthenticityError
from protocol.names import Fingerprint

SALT_BYTES = 32  # as the digest: guessing an entry from its commitment is guessing the salt
FORMAT = 1

Fact = str | int | bool | None | Sequence[str]


class Act(StrEnum):
    """What an entry is about."""

    OPENED = "opened"
    ARRIVED = "arrived"
    REPLIED = "replied"
    TOLD = "told"  # the reporter, otherwise than in the mailbox
    REQUESTED = "requested"  # by the reporter, in the mailbox
    WINDOW = "window"
    DUTY = "duty"
    RISK = "risk"
    ASSESSED = "assessed"
    STATUS = "status"
    DECIDED = "decided"
    NOTE = "note"
    ANSWER = "answer"  # of the person reported
    CONSENT = "consent"
    AGREEMENT = "agreement"
    CONFLICT = "conflict"
    HANDED_OVER = "handed over"
    RECEIVED = "received"
    SHARED = "shared"
    JOINED = "joined"
    PROPOSED = "proposed"
    ASKED = "asked"
    AGREED = "agreed"
    REFUSED = "refused"
    WORD_OF_MOUTH = "word of mouth"
    CARRIED_OUT = "carried out"
    REPEATED = "repeated"
    SIGNED = "signed"  # at the desk of the one who was asked
    HOLD = "hold"
    EXPORTED = "exported"
    DISOWNED = "disowned"  # handed over by a colleague, and not what the relay brought
    DELETED = "deleted"


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One entry. Where it was taken out, `act`, `by` and `why` are empty.

    Attributes:
        number: from 1.
        moment: by the clock of the desk, UTC; stands in the link and stays.
        fingerprint: of the key that signed.
        act, by, why, what: what was done, by whom, for which reason, with which details.
        redacted: the entry itself is not there, only its commitment.
    """

    number: int
    moment: datetime
    fingerprint: Fingerprint
    act: str = ""
    by: str = ""
    why: str = ""
    what: Mapping[str, object]
    redacted: bool

    @property
    def day(self) -> date:
        """The day of the entry."""
        return self.moment.date()


class RecordLink(Record):
    """One link of the chain with its signature and, unless it was erased, its entry."""

    shelf = "record"
    case: str
    number: int
    entry: bytes | None
    link: bytes
    signature: bytes

    def name_on_shelf(self) -> str:
        return f"{self.case}/{self.number}"


class RecordHead(Record):
    """Where a chain ends, and the certificates of the keys that signed it."""

    shelf = "record-head"
    case: str
    count: int
    link_sha256: bytes
    certificates: tuple[bytes, ...]
    fingerprint: str  # of the newest of them

    def name_on_shelf(self) -> str:
        return self.case


def append(
    vault: Vault,
    case: str,
    act: Act,
    *,
    by: str,
    why: str,
    what: Mapping[str, Fact],
    now: datetime,
) -> int:
    """Append an entry to the record of a case. Only inside `Vault.changes`.

    Signed one by one and not as a whole at the end: an entry counts from the moment it is
    written, whatever happens to the desk afterwards (decision 0010).

    Returns:
        Its number.

    Raises:
        KeyMaterialError: the counselor's key may not sign any more.
    """
    moment = now.astimezone(UTC).replace(microsecond=0)
    content = {
        "act": act.value,
        "by": by,
        "case": case,
        "format": FORMAT,
        "moment": f"{moment:%Y-%m-%dT%H:%M:%SZ}",
        "what": dict(what),
        "why": why,
    }
    entry = secrets.token_hex(SALT_BYTES).encode() + b"\n" + encode_json(content)
    head, key = vault.get(RecordHead, case), vault.secret_key
    certificates = head.certificates if head else ()
    changed = head is None or head.fingerprint != key.fingerprint
    if changed:
        certificates = (*certificates, key.certificate)
    number = head.count + 1 if head else 1
    first = f"# sotto record {FORMAT} {case} {number} {key.fingerprint} {content['moment']}"
    lines = [first, *([_line(certificates[-1], key_name(len(certificates)))] if changed else [])]
    lines += [f"{head.link_sha256.hex()}  {link_name(number - 1)}"] if head else []
    lines.append(_line(entry, entry_name(number)))
    link = "".join(f"{line}\n" for line in lines).encode()
    signature = key.sign_detached(link, created=now)
    vault.put(RecordLink(case=case, number=number, entry=entry, link=link, signature=signature))
    vault.put(
        RecordHead(
            case=case,
            count=number,
            link_sha256=hashlib.sha256(link).digest(),
            certificates=certificates,
            fingerprint=key.fingerprint,
        )
    )
    return number


def record_files(vault: Vault, case: str) -> dict[str, bytes]:
    """Return the record of a case as the files that its exports hold, nothing redacted.

    Raises:
        AuthenticityError: a link is gone from the vault.
    """
    head = vault.get(RecordHead, case)
    if head is None:
        return {}
    files = {key_name(n): data for n, data in enumerate(head.certificates, start=1)}
    for number in range(1, head.count + 1):
        link = vault.get(RecordLink, f"{case}/{number}")
        if link is None:
            raise AuthenticityError(f"Entry {number} of this record is gone; restore the backup.")
        files[link_name(number)] = link.link
        files[signature_name(number)] = link.signature
        if link.entry is not None:
            files[entry_name(number)] = link.entry
    return files


def erase_entries(vault: Vault, case: str) -> None:
    """Forget what every entry says; who and when stay provable. Only inside `changes`."""
    head = vault.get(RecordHead, case)
    for number in range(1, (head.count if head else 0) + 1):
        link = vault.get(RecordLink, f"{case}/{number}")
        if link is not None:
            vault.put(link.model_copy(update={"entry": None}))


def link_name(number: int) -> str:
    """Return the name of a link's file."""
    return f"{number:04d}.link"


def signature_name(number: int) -> str:
    """Return the name of the file with a link's signature."""
    return f"{number:04d}.link.asc"


def entry_name(number: int) -> str:
    """Return the name of an entry's file."""
    return f"{number:04d}.entry"


def key_name(number: int) -> str:
    """Return the name of the file with the certificate of the n-th key that signed."""
    return "key.asc" if number == 1 else f"key-{number}.asc"


def _line(content: bytes, name: str) -> str:
    return f"{hashlib.sha256(content).hexdigest()}  {name}"
