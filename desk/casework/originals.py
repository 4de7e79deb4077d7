"""Originals: the archives that envelopes held, passed on and taken exactly as they came.

An original carries the reporter's own signature over everything in it, so whoever gets
it from a colleague checks what the colleague's desk checked. docs/PROTOCOL.md, Envelope.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import cast, get_args

from desk.cases import LONGER_NAME_CHARS, case_name
from desk.casework.casefile import FROM_RELAY, Origin
from desk.casework.origins import file_letter
from desk.casework.packing import Part, object_octets
from desk.casework.signedfile import SignedFile
from desk.casework.threads import threads_of
from desk.casework.work import read_file
from desk.desk import read_desk
from desk.filing import Reading
from desk.opening import REPORT_NAME, read_object
from desk.records import (
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
from protocol.envelope import read_report
from protocol.errors import AuthenticityError, FormatError, StorageError

FOLDER = "originals"


@dataclass(frozen=True, kw_only=True)
class Original:
    """An original to pass on, and what the relay's bundle said of its sealed form."""

    part: Part
    origin: Origin
    sealed_bytes: int
    sealed_sha256: bytes

    def described(self) -> dict[str, object]:
        """Return what a colleague file says of it."""
        return {
            "name": self.part.name,
            "origin": self.origin,
            "sealed_bytes": self.sealed_bytes,
            "sealed_sha256": self.sealed_sha256.hex(),
        }


@dataclass(frozen=True, kw_only=True)
class Described:
    """What a colleague file says of one of its originals."""

    name: str
    origin: Origin
    sealed_bytes: int
    sealed_sha256: bytes


def read_described(fields: Fields) -> Described:
    """Read what a colleague file says of an original."""
    origin = fields.text("origin")
    if origin not in get_args(Origin):
        raise FormatError("A letter came in a way that this desk does not know.")
    described = Described(
        name=fields.text("name"),
        origin=cast(Origin, origin),
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
    for number, (owner, item) in enumerate(threads_of(vault, case), start=1):
        if unread_by in item.report.readers:
            continue
        envelope = vault.get(EnvelopeRecord, item.item.envelope.hex())
        if envelope is None or envelope.content is None:
            raise StorageError("A part of this case is gone from the vault; restore the backup.")
        name = f"{FOLDER}/{number:03d}-{item.item.envelope.hex()}.zip"
        found.append(
            Original(
                part=Part(name=name, octets=object_octets(vault, envelope.content)),
                origin=read_file(vault, owner).origin,
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
        reading = _read(vault, file, ref, described)
        long_name = case_name(reading.report.reply_public, chars=LONGER_NAME_CHARS)
        if not any(long_name.startswith(one) for one in cases):
            raise AuthenticityError("This file brings a letter of another case than it names.")
        here = vault.get(ReadingRecord, reading.envelope.id.hex())
        if here is None:
            file_letter(vault, reading, described.origin, now=now)
        filed = vault.get(EnvelopeRecord, reading.envelope.id.hex())
        if here is not None or filed is None or filed.content is None:
            vault.objects.remove(ref)
    except BaseException:
        vault.objects.remove(ref)
        raise
    return ref


def _read(vault: Vault, file: SignedFile, ref: ObjectRef, described: Described) -> Reading:
    """Read an original; what the relay listed of it is believed more than who brings it."""
    with vault.objects.reader(ref) as read_at:
        archive = ArchiveReader(read_at, ref.size_bytes)
        report = read_report(archive.read_small(REPORT_NAME, limits.REPORT_BYTES))
    sealed = EnvelopeRecord(
        id=report.envelope,
        size_bytes=described.sealed_bytes,
        sha256=described.sealed_sha256,
        state=EnvelopeState.READ,
        handed_by=file.sender.name,
    )
    known = vault.get(EnvelopeRecord, report.envelope.hex())
    if known is not None and not known.handed_by:
        listed = (known.size_bytes, known.sha256)
        came_otherwise = described.origin != FROM_RELAY and known.state is EnvelopeState.UNOPENED
        if came_otherwise or listed != (described.sealed_bytes, described.sealed_sha256):
            raise AuthenticityError("This file brings a letter that the relay listed otherwise.")
        if known.state is EnvelopeState.UNOPENED:  # she has seen that it is not for her to open
            sealed = known.model_copy(update={"copied": False})
    return read_object(vault, ref, sealed, relay=read_desk(vault).relay)
