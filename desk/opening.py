"""Open one envelope: from the bundle's sealed octets to a sealed object and a checked reading.

What is unsealed goes straight into a sealed object of the vault, so that no
plaintext touches the disk however large it is. Only then is it read and checked.
An attachment that is encrypted itself is never opened here: a desk that decrypts
what strangers send would read other people's reports for them.
"""

from desk.filing import Reading
from desk.objects import ObjectWriter
from desk.records import AttachmentRecord, EnvelopeRecord, EnvelopeState, ObjectRef
from desk.vault import Vault
from protocol import limits
from protocol.archive import ArchiveReader
from protocol.bundle import BundleEnvelope, BundleReader
from protocol.envelope import Attachment, Envelope, read_envelope
from protocol.errors import AuthenticityError, FormatError
from protocol.names import RecipientName, RelayId, SessionKey
from protocol.replypage import ReplyPage, seal_reply_page
from protocol.sealing import SealedMessage, read_sealed

REPORT_NAME = "report.json"
_OURS = (
    "This file is itself a message sealed to your key. Do not decrypt it and do not tell "
    "anybody what is in it: it may be another person's report."
)


def open_envelope(
    vault: Vault, reader: BundleReader, envelope: BundleEnvelope, *, relay: RelayId
) -> Reading | None:
    """Open an envelope if one of its locks is hers.

    Args:
        vault: unlocked; receives the content as an object that no record names yet.
        reader: of a bundle whose signature was verified.
        envelope: listed in it, and compared with its digest.
        relay: the one that must have made it.

    Returns:
        What was read; None when no lock is hers.

    Raises:
        FormatError: not an envelope, or of a newer format.
        AuthenticityError: altered, of another relay, or under another id.
        StorageError: this desk's disk is full.
    """
    message = read_sealed(lambda: reader.read(envelope))
    session_key = vault.secret_key.open_lock(message.locks)
    if session_key is None:
        return None
    with vault.objects.writer() as writer:
        content = _store(writer, message, session_key)
    record = EnvelopeRecord(
        id=envelope.id,
        size_bytes=envelope.size_bytes,
        sha256=envelope.sha256,
        state=EnvelopeState.READ,
    )
    try:
        return read_object(vault, content, record, relay=relay)
    except BaseException:
        vault.objects.remove(content)
        raise


def _store(writer: ObjectWriter, message: SealedMessage, session_key: SessionKey) -> ObjectRef:
    for part in message.unseal(session_key):
        writer.write(part)
    return writer.commit()


def read_object(
    vault: Vault, content: ObjectRef, record: EnvelopeRecord, *, relay: RelayId
) -> Reading:
    """Check what an object holds as one envelope, whoever brought it.

    Args:
        record: of the envelope that it must be, as far as it is known.

    Raises:
        FormatError: not an envelope, or of a newer format.
        AuthenticityError: altered, of another relay, or another envelope.
    """
    with vault.objects.reader(content) as read_at:
        archive = ArchiveReader(read_at, content.size_bytes)
        opened = read_envelope(archive, expected=record.id, relay=relay)
        _check_reply_key(opened)
        update = {
            "state": EnvelopeState.READ,
            "read_token": opened.report.read_token,
            "mailbox": opened.report.mailbox,
            "content": content,
        }
        return Reading(
            envelope=record.model_copy(update=update),
            report=opened.report,
            report_bytes=archive.read_small(REPORT_NAME, limits.REPORT_BYTES),
            attachments=tuple(_attachment(vault, archive, one) for one in opened.attachments),
        )


def _check_reply_key(opened: Envelope) -> None:
    """Seal a page on trial: a key that takes none would stop every later dispatch."""
    report = opened.report
    trial = ReplyPage(
        mailbox=report.mailbox,
        recipient=RecipientName("trial"),
        day=report.day,
        status="",
        acknowledge_by=None,
        feedback_by=None,
        replies=(),
    )
    seal_reply_page(trial, report.reply_public)


def _attachment(vault: Vault, archive: ArchiveReader, one: Attachment) -> AttachmentRecord:
    return AttachmentRecord(
        name=one.name,
        entry=one.entry,
        size_bytes=one.size_bytes,
        sha256=one.sha256,
        nested=one.nested,
        warning=_OURS if one.nested and _opens_for_her(vault, archive, one) else "",
    )


def _opens_for_her(vault: Vault, archive: ArchiveReader, one: Attachment) -> bool:
    """Look at the locks alone; nothing behind them is decrypted.

    Where the card of a former key is away it cannot be told, and the letter shall come all the
    same: then the warning stands.
    """
    try:
        message = read_sealed(lambda: archive.read(one.entry))
    except FormatError:
        return False
    try:
        return vault.secret_key.open_lock(message.locks) is not None
    except AuthenticityError:
        return True
