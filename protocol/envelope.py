"""One envelope: a report, its files and a signed list of both, in an archive that is sealed.

The relay writes it as a stream and forgets it; the desk believes nothing of it before every
octet matches the list and the list its signature. PROTOCOL.md, «Envelope».
"""

import hashlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from protocol import limits
from protocol.archive import ArchiveReader, ArchiveWriter
from protocol.canonical import Fields, encode_json, read_json
from protocol.encrypted import encryption_in, encryption_of
from protocol.errors import AuthenticityError, CapacityError, FormatError
from protocol.filenames import safe_name
from protocol.names import EnvelopeId, RelayId
from protocol.report import FORMAT_VERSION, Answer, Kind, Report, read_report, render_report
from protocol.sealing import Sealer

__all__ = [
    "FORMAT_VERSION",
    "Answer",
    "Attachment",
    "Envelope",
    "EnvelopeWriter",
    "Kind",
    "Report",
    "read_envelope",
    "read_report",
    "render_report",
]

_REPORT = "report.json"
_TEXT = "report.txt"
_MANIFEST = "manifest.json"
_ATTACHMENT = re.compile(r"attachments/([0-9]{3})-([^/]+)")
_CONTEXT = b"sotto/1 manifest\x00"


@dataclass(frozen=True, kw_only=True)
class _Listed:
    """One line of the manifest."""

    name: str
    size_bytes: int
    sha256: bytes


@dataclass(frozen=True, kw_only=True)
class Attachment:
    """One file of an envelope.

    Attributes:
        name: as it is shown and saved, without its number; harmless as a name.
        entry: where its octets are in the archive.
        size_bytes: of the file.
        sha256: of the file; compared with its octets.
        nested: it was encrypted before it was sent; never open it without a person's wish.
    """

    name: str
    entry: str
    size_bytes: int
    sha256: bytes
    nested: bool


@dataclass(frozen=True, kw_only=True)
class Envelope:
    """What a verified envelope holds."""

    report: Report
    attachments: tuple[Attachment, ...]

    @property
    def text_encryption(self) -> str:
        """Name the encryption of a message pasted into the text, "" when there is none."""
        return encryption_in(self.report.text)


class EnvelopeWriter:
    """Write one envelope as ciphertext, in the order: start, attachments, finish."""

    def __init__(self, *, report: Report, voice: Ed25519PrivateKey, sealer: Sealer) -> None:
        """Begin an envelope.

        Args:
            report: goes first, so it is complete before the first file arrives.
            voice: the reporter's; its public half stands in the report.
            sealer: fresh; its session key is locked for the report's readers.
        """
        self._report = report
        self._voice = voice
        self._sealer = sealer
        self._archive = ArchiveWriter()
        self._listed: list[_Listed] = []
        self._attachments = 0
        self._name = ""
        self._size_bytes = 0
        self._sha256 = hashlib.sha256()

    def start(self) -> bytes:
        """Write report.json and report.txt.

        Raises:
            FormatError: the report breaks its schema; a desk would refuse it.
        """
        if self._voice.public_key().public_bytes_raw() != self._report.voice_public:
            raise ValueError("the report names another voice than the one that signs")
        report = self._whole(_REPORT, self._report.encode())
        return report + self._whole(_TEXT, render_report(self._report))

    def begin_attachment(self, original_name: str) -> bytes:
        """Begin a file.

        Args:
            original_name: as the browser sent it; made harmless here.

        Raises:
            CapacityError: 100 files are there already.
        """
        if self._attachments == limits.ATTACHMENTS_COUNT:
            raise CapacityError("at most 100 files go with one report; send the rest afterwards")
        self._attachments += 1
        return self._begin(f"attachments/{self._attachments:03d}-{safe_name(original_name)}")

    def update(self, data: bytes) -> bytes:
        """Take more of the open file."""
        self._size_bytes += len(data)
        self._sha256.update(data)
        return self._sealer.update(self._archive.update(data))

    def end_attachment(self) -> bytes:
        """End the open file."""
        entry = _Listed(name=self._name, size_bytes=self._size_bytes, sha256=self._sha256.digest())
        self._listed.append(entry)
        return self._sealer.update(self._archive.end())

    def finish(self) -> bytes:
        """Write the signed manifest and end the message; see `finish_in_pieces`."""
        return b"".join(self.finish_in_pieces())

    def finish_in_pieces(self) -> Iterator[bytes]:
        """End the message piece by piece: padding of a large envelope is megabytes."""
        digest = _digest_to_sign(self._report.envelope, self._listed)
        manifest = {
            "entries": _encode_entries(self._listed),
            "format": FORMAT_VERSION,
            "signature": self._voice.sign(digest).hex(),
        }
        yield self._whole(_MANIFEST, encode_json(manifest))
        yield self._sealer.update(self._archive.finish())
        yield from self._sealer.finish_in_pieces()

    def _begin(self, name: str) -> bytes:
        self._name = name
        self._size_bytes = 0
        self._sha256 = hashlib.sha256()
        return self._sealer.update(self._archive.begin(name))

    def _whole(self, name: str, data: bytes) -> bytes:
        return self._begin(name) + self.update(data) + self.end_attachment()


def _encode_entries(listed: Sequence[_Listed]) -> list[dict[str, object]]:
    return [
        {"name": one.name, "sha256": one.sha256.hex(), "size": one.size_bytes} for one in listed
    ]


def _digest_to_sign(envelope: EnvelopeId, listed: Sequence[_Listed]) -> bytes:
    """Bind the list to its envelope: a signed list must not serve in another one."""
    entries = encode_json(_encode_entries(listed))
    return _CONTEXT + envelope + hashlib.sha256(entries).digest()


def read_envelope(archive: ArchiveReader, *, expected: EnvelopeId, relay: RelayId) -> Envelope:
    """Read and verify an envelope; every entry is read through once.

    Args:
        archive: what the sealed message held.
        expected: the id under which the bundle delivered it.
        relay: the relay that this desk belongs to.

    Returns:
        The report and what is known of its files. That the voice is the reporter's is for the
        caller to say, who remembers the voice of each mailbox.

    Raises:
        FormatError: not the layout of an envelope, or of a newer format.
        AuthenticityError: another envelope's or relay's, or not what its voice signed.
    """
    names = [entry.name for entry in archive.entries]
    if names[:2] != [_REPORT, _TEXT] or names[-1] != _MANIFEST or len(names) < 3:
        raise FormatError("an envelope lacks its report or its manifest, or has them elsewhere")
    shown_names = _read_attachment_names(names[2:-1])
    report = read_report(archive.read_small(_REPORT, limits.REPORT_BYTES))
    if report.envelope != expected:
        raise AuthenticityError("an envelope came under the name of another; tell the operator")
    if report.relay != relay:
        raise AuthenticityError("an envelope was made by another relay than this desk's")
    listed = _verify_manifest(archive, report)
    if [one.name for one in listed] != names[:-1]:
        raise AuthenticityError("an envelope holds other files than its sender signed")
    heads = [_verify_entry(archive, one) for one in listed]
    attachments = tuple(
        Attachment(
            name=name,
            entry=one.name,
            size_bytes=one.size_bytes,
            sha256=one.sha256,
            nested=bool(encryption_of(head)),
        )
        for name, one, head in zip(shown_names, listed[2:], heads[2:], strict=True)
    )
    return Envelope(report=report, attachments=attachments)


def _read_attachment_names(entries: Sequence[str]) -> list[str]:
    if len(entries) > limits.ATTACHMENTS_COUNT:
        raise FormatError("an envelope has more files than it may")
    names = []
    for number, entry in enumerate(entries, start=1):
        found = _ATTACHMENT.fullmatch(entry)
        if not found or int(found[1]) != number:
            raise FormatError("an envelope has a file whose name we would not have written")
        names.append(safe_name(found[2]))
    return names


def _verify_manifest(archive: ArchiveReader, report: Report) -> list[_Listed]:
    data = archive.read_small(_MANIFEST, limits.MANIFEST_BYTES)
    fields = Fields(read_json(data, limits.MANIFEST_BYTES), where=_MANIFEST)
    fields.version(newest=FORMAT_VERSION)
    listed = []
    for item in fields.each("entries", limit=limits.ATTACHMENTS_COUNT + 2):
        listed.append(
            _Listed(
                name=item.text("name", limit=limits.ENTRY_NAME_BYTES),
                sha256=item.octets("sha256", limits.SHA256_BYTES),
                size_bytes=item.integer("size"),
            )
        )
        item.end()
    signature = fields.octets("signature", limits.VOICE_SIGNATURE_BYTES)
    fields.end()
    try:
        voice = Ed25519PublicKey.from_public_bytes(report.voice_public)
        voice.verify(signature, _digest_to_sign(report.envelope, listed))
    except (InvalidSignature, ValueError):
        raise AuthenticityError("an envelope does not bear its sender's signature") from None
    return listed


def _verify_entry(archive: ArchiveReader, listed: _Listed) -> bytes:
    """Compare one entry with the manifest and return its head."""
    sha256 = hashlib.sha256()
    size_bytes = 0
    head = b""
    for piece in archive.read(listed.name):
        head = head or piece[: limits.NESTED_HEAD_BYTES]
        sha256.update(piece)
        size_bytes += len(piece)
    if (size_bytes, sha256.digest()) != (listed.size_bytes, listed.sha256):
        raise AuthenticityError("an envelope holds other octets than its sender signed")
    return head
