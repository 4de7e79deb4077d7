"""Files from desk to desk: a document signed by one counselor and sealed to another.

A request, an answer and a colleague file differ only in what their document says and
in the parts that follow it. They travel by hand, and whoever finds one sees its size.
docs/RECORD.md, «Files between desks».
"""

import hashlib
import re
import secrets
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from desk.casework.colleagues import Colleague, certificate_of, confirmed_colleague
from desk.casework.errors import ProcedureError
from desk.casework.packing import Octets, Part, measure, pieces, seal_archive
from desk.desk import read_desk
from desk.files import StagedFile, alone, random_access
from desk.keyring import own_fingerprints
from desk.records import ObjectRef, Record
from desk.vault import Vault
from keys.signature import verify_detached
from protocol import limits
from protocol.archive import ArchiveFrame, ArchiveReader, StoredEntry
from protocol.canonical import Fields, encode_json, read_json
from protocol.errors import AuthenticityError, FormatError
from protocol.names import RecipientName
from protocol.naming import read_recipient_name
from protocol.sealing import read_sealed

Kind = Literal["request", "answer", "colleague"]
FORMAT = 1
DOCUMENT, SIGNATURE = "document.json", "document.json.asc"
DOCUMENT_BYTES = 16 * limits.MIB
ID_BYTES = 16
# Groups of four of Crockford's alphabet, as `desk.cases.case_name` makes them.
CASE_NAME = re.compile(r"[0-9A-HJKMNP-TV-Z]{4}(-[0-9A-HJKMNP-TV-Z]{4}){1,2}")
_MADE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z")


@dataclass(frozen=True, kw_only=True)
class SignedFile:
    """A file whose signature was verified.

    Attributes:
        kind: what it is for.
        sender: who signed, a confirmed colleague.
        case: the short name that all desks share.
        made: by the sender's clock, UTC, in ISO form.
        body: what it says, still to be read field by field.
        document, signature: as they were signed; kept in the record.
        parts: digests of the parts by name.
        read_part: yields a part, checked against its digest at the end.
    """

    kind: Kind
    sender: Colleague
    case: str
    made: str
    body: Fields
    document: bytes
    signature: bytes
    parts: Mapping[str, bytes]
    content: ArchiveReader

    def read_part(self, name: str) -> Iterator[bytes]:
        """Yield a part; believe it only when the end is reached.

        Raises:
            AuthenticityError: not what the sender signed.
        """
        digest = hashlib.sha256()
        for piece in self.content.read(name):
            digest.update(piece)
            yield piece
        if digest.digest() != self.parts[name]:
            raise AuthenticityError("A part of this file is not what your colleague signed.")


class TakenFile(Record):
    """A file that was imported once; it is not taken a second time."""

    shelf = "taken-file"
    id: str

    def name_on_shelf(self) -> str:
        return self.id


def write_signed(
    vault: Vault,
    staged: StagedFile,
    *,
    to: Colleague,
    kind: Kind,
    case: str,
    body: Mapping[str, object],
    parts: Sequence[Part] = (),
    now: datetime,
) -> tuple[bytes, bytes]:
    """Sign a document, seal it with its parts to a colleague, and write the file.

    Args:
        staged: published by the caller, once the record says what leaves this desk: a signature
            of hers that her own record does not know must not exist.

    Returns:
        The document and its signature, for the record.

    Raises:
        KeyMaterialError: her certificate has expired, or this key may not sign.
        ProcedureError: no bundle has told yet what the relay calls this counselor.
        StorageError: the stick cannot be written.
    """
    desk = read_desk(vault)
    if desk.counselor is None:
        raise ProcedureError("Import a bundle first: this desk does not know yet who you are.")
    measured = [(one, *measure(one)) for one in parts]
    document = encode_json(
        {
            "body": dict(body),
            "case": case,
            "format": FORMAT,
            "from": desk.counselor,
            "id": secrets.token_hex(ID_BYTES),
            "made": f"{now.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}",
            "parts": [{"name": one.name, "sha256": digest.hex()} for one, _, digest in measured],
            "relay": desk.relay,
            "to": to.name,
            "to_fingerprint": to.fingerprint,
            "type": f"sotto {kind}",
        }
    )
    signature = vault.secret_key.sign_detached(document, created=now)
    entries = [_entry(DOCUMENT, document), _entry(SIGNATURE, signature)]
    frame = ArchiveFrame([*entries, *(entry for _, entry, _ in measured)])
    bodies: list[Octets] = [lambda: [document], lambda: [signature], *(p.octets for p in parts)]
    certificate = certificate_of(to, now=now)
    staged.write(seal_archive(frame, bodies, certificate=certificate, name=f"{kind}.zip"))
    return document, signature


@contextmanager
def opened_signed(
    vault: Vault, path: Path, *, kinds: Sequence[Kind], now: datetime
) -> Iterator[SignedFile]:
    """Unseal a file from a colleague, verify her signature, and give it while the context lasts.

    What is unsealed lies in a sealed object of the vault meanwhile, so that nothing of it
    touches the disk in the clear; the folder is held, for an import would sweep that object.

    Raises:
        StorageError: another command imports or copies this desk.
        FormatError: not such a file.
        AuthenticityError: sealed to somebody else, or not signed by a confirmed colleague.
        ProcedureError: its sender is not confirmed yet.
    """
    with alone(vault.directory):
        ref = _unsealed(vault, path)
        try:
            with vault.objects.reader(ref) as read_plain:
                yield _verified(vault, ArchiveReader(read_plain, ref.size_bytes), kinds, now)
        finally:
            vault.objects.remove(ref)


def _unsealed(vault: Vault, path: Path) -> ObjectRef:
    with random_access(path) as (read_at, size_bytes):
        message = read_sealed(lambda: pieces(read_at, size_bytes))
        session_key = vault.secret_key.open_lock(message.locks)
        if session_key is None:
            raise AuthenticityError("This file is sealed to somebody else.")
        with vault.objects.writer() as writer:
            for piece in message.unseal(session_key):
                writer.write(piece)
            return writer.commit()


def require_new(vault: Vault, file: SignedFile) -> str:
    """Return under which name a file is noted as taken.

    Raises:
        AuthenticityError: it was taken before.
    """
    name = hashlib.sha256(file.document).hexdigest()
    if vault.get(TakenFile, name) is not None:
        raise AuthenticityError("This file was imported before; nothing was changed.")
    return name


def take_once(vault: Vault, file: SignedFile) -> None:
    """Note that a file was taken, together with all that it changes. Only inside `changes`.

    Raises:
        AuthenticityError: it was taken before.
    """
    vault.put(TakenFile(id=require_new(vault, file)))


def _entry(name: str, data: bytes) -> StoredEntry:
    return StoredEntry(name, len(data), zlib.crc32(data))


def _verified(
    vault: Vault, archive: ArchiveReader, kinds: Sequence[Kind], now: datetime
) -> SignedFile:
    document = archive.read_small(DOCUMENT, DOCUMENT_BYTES)
    signature = archive.read_small(SIGNATURE, limits.SIGNATURE_BYTES)
    fields = Fields(read_json(document, DOCUMENT_BYTES), where=DOCUMENT)
    named = fields.text("type")
    fields.version(newest=FORMAT)
    sender = confirmed_colleague(vault, read_recipient_name(fields.text("from")))
    verify_detached(
        document, signature, certificate=sender.certificate, pinned=sender.fingerprint, now=now
    )
    kind = next((one for one in kinds if named == f"sotto {one}"), None)
    if kind is None:
        raise AuthenticityError("This file is for something else; import it where it belongs.")
    _check_address(vault, fields)
    fields.text("id")
    made = _read_exactly(fields, "made", _MADE)
    case = _read_exactly(fields, "case", CASE_NAME)
    body = Fields(fields.value("body"), where="the body of the document")
    parts = {}
    for item in fields.each("parts", limit=limits.ARCHIVE_ENTRIES):
        parts[item.text("name")] = item.octets("sha256", limits.SHA256_BYTES)
        item.end()
    fields.end()
    if not signature.isascii():
        raise FormatError("A signature travels armoured; this one is not.")
    if {one.name for one in archive.entries} != {DOCUMENT, SIGNATURE, *parts}:
        raise AuthenticityError("This file does not hold what your colleague signed.")
    return SignedFile(
        kind=kind,
        sender=sender,
        case=case,
        made=made,
        body=body,
        document=document,
        signature=signature,
        parts=parts,
        content=archive,
    )


def _read_exactly(fields: Fields, name: str, pattern: re.Pattern[str]) -> str:
    """Take a text of one form: it goes into lines that this desk signs."""
    text = fields.text(name)
    if not pattern.fullmatch(text):
        raise FormatError(f"«{name}» of {DOCUMENT} is not what the format asks for")
    return text


def _check_address(vault: Vault, fields: Fields) -> None:
    """Refuse what was signed for somebody else, or for the desk of another relay."""
    desk = read_desk(vault)
    to = (RecipientName(fields.text("to")), fields.text("to_fingerprint"))
    # A colleague may not have learnt of her new key yet.
    if fields.text("relay") != desk.relay or to[1] not in own_fingerprints(vault):
        raise AuthenticityError("This file was made for another counselor or another relay.")
    if desk.counselor is not None and to[0] != desk.counselor:
        raise AuthenticityError("This file was made for another counselor.")
