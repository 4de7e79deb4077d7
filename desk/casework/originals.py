"""Originals: the archives that envelopes held, passed on and taken exactly as they came.

An original carries the reporter's own signature over everything in it, so whoever gets
it from a colleague checks what the colleague's desk checked. docs/PROTOCOL.md, Envelope.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from desk.cases import LONGER_NAME_CHARS, case_name
from desk.casework.packing import Part, object_octets
from desk.casework.signedfile import SignedFile
from desk.casework.threads import threads_of
from desk.desk import read_desk
from desk.filing import Reading, file_reading
from desk.records import (
    AttachmentRecord,
    CaseRecord,
    EnvelopeRecord,
    EnvelopeState,
    ObjectRef,
    ReadingRecord,
)
from desk.vault import Vault
from protocol import limits
from protocol.archive import ArchiveReader
from protocol.canonical import Fields
from protocol.envelope import read_envelope, read_report
from protocol.errors import AuthenticityError, StorageError

FOLDER = "originals"
_REPORT = "report.json"


@dataclass(frozen=True, kw_only=True)
class Original:
    """An original to pass on, and what the relay's bundle said of its sealed form."""

    part: Part
    sealed_bytes: int
    sealed_sha256: bytes

    def described(self) -> dict[str, object]:
        """Return what a colleague file says of it."""
        return {
            "name": self.part.name,
            "sealed_bytes": self.sealed_bytes,
            "sealed_sha256": self.sealed_sha256.hex(),
        }


@dataclass(frozen=True, kw_only=True)
class Described:
    """What a colleague file says of one of its originals."""

    name: str
    sealed_bytes: int
    sealed_sha256: bytes


def read_described(fields: Fields) -> Described:
    """Read what a colleague file says of an original."""
    described = Described(
        name=fields.text("name"),
        sealed_bytes=fields.integer("sealed_bytes"),
        sealed_sha256=fields.octets("sealed_sha256", limits.SHA256_BYTES),
    )
    fields.end()
    return described


def originals_of(vault: Vault, case: CaseRecord, *, unread_by: str | None = None) -> list[Original]:
    """Return the original of every item of a case, joined cases included.

    Args:
        unread_by: leave out what this recipient could read herself.

    Raises:
        StorageError: one is gone from the vault.
    """
    found = []
    for number, (_, item) in enumerate(threads_of(vault, case), start=1):
        if unread_by in item.report.readers:
            continue
        envelope = vault.get(EnvelopeRecord, item.item.envelope.hex())
        if envelope is None or envelope.content is None:
            raise StorageError("A part of this case is gone from the vault; restore the backup.")
        name = f"{FOLDER}/{number:03d}-{item.item.envelope.hex()}.zip"
        found.append(
            Original(
                part=Part(name=name, octets=object_octets(vault, envelope.content)),
                sealed_bytes=envelope.size_bytes,
                sealed_sha256=envelope.sha256,
            )
        )
    return found


def adopt_original(
    vault: Vault, file: SignedFile, described: Described, *, cases: Sequence[str], now: datetime
) -> ObjectRef:
    """File an original that a colleague handed over, checked as if a bundle had brought it.

    Only inside `changes`. One that is here already is left as it is.

    Args:
        cases: the names that the colleague's desk gives to the case and those joined to it.

    Raises:
        AuthenticityError: not what its reporter signed, of another relay, or of another case.
        FormatError: not an original.
    """
    if described.name not in file.parts:
        raise AuthenticityError("This file lacks an original that it lists.")
    with vault.objects.writer() as writer:
        for piece in file.read_part(described.name):
            writer.write(piece)
        ref = writer.commit()
    try:
        reading = _read(vault, ref, described)
        long_name = case_name(reading.report.reply_public, chars=LONGER_NAME_CHARS)
        if not any(long_name.startswith(one) or one == long_name for one in cases):
            raise AuthenticityError("This file brings a letter of another case than it names.")
        here = vault.get(ReadingRecord, reading.envelope.id.hex())
        if here is None:
            file_reading(vault, reading, month=now.year * 12 + now.month - 1)
        filed = vault.get(EnvelopeRecord, reading.envelope.id.hex())
        if here is not None or filed is None or filed.content is None:
            vault.objects.remove(ref)
    except BaseException:
        vault.objects.remove(ref)
        raise
    return ref


def _read(vault: Vault, ref: ObjectRef, described: Described) -> Reading:
    with vault.objects.reader(ref) as read_at:
        archive = ArchiveReader(read_at, ref.size_bytes)
        report_bytes = archive.read_small(_REPORT, limits.REPORT_BYTES)
        report = read_report(report_bytes)
        opened = read_envelope(archive, expected=report.envelope, relay=read_desk(vault).relay)
    known = vault.get(EnvelopeRecord, report.envelope.hex())
    sealed = EnvelopeRecord(
        id=report.envelope,
        size_bytes=described.sealed_bytes,
        sha256=described.sealed_sha256,
        state=EnvelopeState.READ,
    )
    update = {
        "state": EnvelopeState.READ,
        "read_token": report.read_token,
        "mailbox": report.mailbox,
        "content": ref,
        "copied": False,
    }
    return Reading(
        # Where a bundle brought it before, unopened, what the relay listed is believed.
        envelope=(known or sealed).model_copy(update=update),
        report=report,
        report_bytes=report_bytes,
        attachments=tuple(
            AttachmentRecord(
                name=one.name,
                entry=one.entry,
                size_bytes=one.size_bytes,
                sha256=one.sha256,
                nested=one.nested,
            )
            for one in opened.attachments
        ),
    )
