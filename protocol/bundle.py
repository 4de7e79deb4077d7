"""Bundles: what a courier carries from the relay to the desks, the same bytes within a cut.

A head lists everything and is signed by the relay, so a desk knows before it opens anything
what is missing, changed or older than what it has seen. The order follows from sizes and
random ids alone and tells nothing of when an envelope came. PROTOCOL.md, «Bundle».
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple
from zlib import crc32

from protocol import limits
from protocol.archive import ArchiveFrame, ArchiveReader, StoredEntry
from protocol.canonical import Fields, encode_json, read_json
from protocol.errors import AuthenticityError, FormatError
from protocol.names import EnvelopeId, Fingerprint, RecipientName, RelayId
from protocol.naming import read_fingerprint, read_recipient_name, read_relay_id

HEAD_NAME = "bundle.json"
SIGNATURE_NAME = "bundle.json.asc"
_TYPE = "sotto bundle"
_FORMAT = 1


@dataclass(frozen=True, kw_only=True)
class BundleEnvelope:
    """One envelope as the head lists it: id, octets, SHA-256 of its ciphertext."""

    id: EnvelopeId
    size_bytes: int
    sha256: bytes

    @property
    def entry_name(self) -> str:
        """Its place in the archive."""
        return f"envelopes/{self.id.hex()}.pgp"


class RecipientCertificate(NamedTuple):
    """A certificate that envelopes of this cut are sealed to."""

    recipient: RecipientName
    fingerprint: Fingerprint
    certificate: bytes


@dataclass(frozen=True, kw_only=True)
class BundleHead:
    """What a bundle says of itself; the relay signs its encoding.

    Attributes:
        relay: fingerprint of the certificate that signs.
        cut: counts up by one with each cut; a lower one is stale.
        day: of the cut, UTC, by the relay's clock.
        envelopes: small ones first (`bundle_order`).
        serials: the last dispatch accepted from each recipient, 0 for none.
        certificates: of the active recipients, in their fixed order.
        policy, policy_version: under which the reports were made.
        warnings: sentences for the operator, who has no other line to the relay.
    """

    relay: RelayId
    cut: int
    day: date
    envelopes: tuple[BundleEnvelope, ...]
    serials: Mapping[RecipientName, int]
    certificates: tuple[RecipientCertificate, ...]
    policy: str
    policy_version: str
    warnings: tuple[str, ...]

    def encode(self) -> bytes:
        """Encode the head: exactly the bytes that are signed.

        Raises:
            FormatError: a value that no reader would take.
        """
        document = encode_json(
            {
                "certificates": [
                    {"certificate": data.hex(), "fingerprint": fingerprint, "recipient": name}
                    for name, fingerprint, data in self.certificates
                ],
                "cut": self.cut,
                "day": self.day.isoformat(),
                "envelopes": [
                    {"id": one.id.hex(), "sha256": one.sha256.hex(), "size_bytes": one.size_bytes}
                    for one in sorted(self.envelopes, key=bundle_order)
                ],
                "format": _FORMAT,
                "policy": self.policy,
                "policy_version": self.policy_version,
                "relay": self.relay,
                "serials": dict(self.serials),
                "type": _TYPE,
                "warnings": list(self.warnings),
            }
        )
        read_bundle_head(document)  # nothing is signed that no reader would take
        return document


def bundle_order(envelope: BundleEnvelope) -> tuple[int, bytes]:
    """Return the key by which envelopes are sorted: a broken download has the texts first."""
    return envelope.size_bytes, envelope.id


def read_bundle_head(document: bytes) -> BundleHead:
    """Read a head; verify its signature over these same bytes before believing it.

    Raises:
        FormatError: anything but what `BundleHead.encode` writes.
    """
    fields = Fields(read_json(document, limits.BUNDLE_HEAD_BYTES), where=HEAD_NAME)
    if fields.text("type") != _TYPE:
        raise FormatError("this is not the head of a bundle")
    fields.version(newest=_FORMAT)
    head = BundleHead(
        relay=read_relay_id(fields.text("relay")),
        cut=fields.integer("cut"),
        day=fields.day("day"),
        envelopes=tuple(
            _read_envelope(item)
            for item in fields.each("envelopes", limit=limits.BUNDLE_ENVELOPES_COUNT)
        ),
        serials=_read_serials(fields.value("serials")),
        certificates=tuple(
            _read_certificate(item)
            for item in fields.each("certificates", limit=limits.RECIPIENTS_COUNT)
        ),
        policy=fields.text("policy"),
        policy_version=fields.text("policy_version"),
        warnings=fields.texts("warnings", limit=limits.WARNINGS_COUNT, chars=limits.NOTICE_CHARS),
    )
    fields.end()
    if list(head.envelopes) != sorted(head.envelopes, key=bundle_order):
        raise FormatError("a bundle lists its envelopes small ones first")
    if len({one.id for one in head.envelopes}) != len(head.envelopes):
        raise FormatError("a bundle lists no envelope twice")
    if len({one.recipient for one in head.certificates}) != len(head.certificates):
        raise FormatError("a bundle has one certificate for each recipient")
    return head


def bundle_frame(
    head: bytes, signature: bytes, envelopes: Sequence[tuple[BundleEnvelope, int]]
) -> ArchiveFrame:
    """Lay out the archive of a cut, so that its length is known and ranges can be served.

    Args:
        head: what `BundleHead.encode` gave.
        signature: armoured, over `head`.
        envelopes: all that the head lists, in its order, each with the CRC-32 of its octets.

    Returns:
        The frame of: the head, the signature, then the envelopes.

    Raises:
        FormatError: these are not the envelopes of the head, or not in its order.
        CapacityError: more than one archive holds; cut with fewer.
    """
    if tuple(envelope for envelope, _ in envelopes) != read_bundle_head(head).envelopes:
        raise FormatError("a bundle holds exactly what its head lists, in that order")
    return ArchiveFrame(
        [
            StoredEntry(HEAD_NAME, len(head), crc32(head)),
            StoredEntry(SIGNATURE_NAME, len(signature), crc32(signature)),
            *(StoredEntry(one.entry_name, one.size_bytes, crc) for one, crc in envelopes),
        ]
    )


class BundleReader:
    """A bundle at the desk: the head is readable, the rest waits for its signature.

    Attributes:
        head_bytes: what the signature is over.
        signature: armoured, for the caller to verify.
        head: what the head says.
        missing: envelopes that the head lists and the archive lacks.
    """

    def __init__(self, archive: ArchiveReader) -> None:
        """Read head and signature and compare the head with what is there.

        Raises:
            FormatError: not a bundle, or one with entries that its head does not list.
        """
        self._archive = archive
        self.head_bytes = archive.read_small(HEAD_NAME, limits.BUNDLE_HEAD_BYTES)
        self.signature = archive.read_small(SIGNATURE_NAME, limits.SIGNATURE_BYTES)
        self.head = read_bundle_head(self.head_bytes)
        there = {entry.name for entry in archive.entries} - {HEAD_NAME, SIGNATURE_NAME}
        if there - {one.entry_name for one in self.head.envelopes}:
            raise FormatError("the bundle holds an entry that its head does not list")
        self.missing = tuple(one.id for one in self.head.envelopes if one.entry_name not in there)

    def read(self, envelope: BundleEnvelope) -> Iterator[bytes]:
        """Yield the ciphertext of an envelope; trust it only when the end is reached.

        Raises:
            AuthenticityError: not the octets that the relay listed (after the last piece).
            FormatError: missing or damaged.
        """
        digest = hashlib.sha256()
        for piece in self._archive.read(envelope.entry_name):
            digest.update(piece)
            yield piece
        if digest.digest() != envelope.sha256:
            raise AuthenticityError("An envelope was changed after the relay listed it.")


def _read_envelope(fields: Fields) -> BundleEnvelope:
    envelope = BundleEnvelope(
        id=EnvelopeId(fields.octets("id", limits.ID_BYTES)),
        size_bytes=fields.integer("size_bytes", low=1, high=limits.ARCHIVE_BYTES),
        sha256=fields.octets("sha256", limits.SHA256_BYTES),
    )
    fields.end()
    return envelope


def _read_serials(value: object) -> dict[RecipientName, int]:
    if not isinstance(value, dict) or len(value) > limits.RECIPIENTS_COUNT:
        raise FormatError("the serials of a bundle are not what the format asks for")
    fields = Fields(value, where="the serials of a bundle")
    return {read_recipient_name(name): fields.integer(name) for name in value}


def _read_certificate(fields: Fields) -> RecipientCertificate:
    certificate = RecipientCertificate(
        recipient=read_recipient_name(fields.text("recipient")),
        fingerprint=read_fingerprint(fields.text("fingerprint")),
        certificate=fields.octets_or_none("certificate", limits.CERTIFICATE_BYTES) or b"",
    )
    fields.end()
    if not certificate.certificate:
        raise FormatError("a bundle names a recipient without a certificate")
    return certificate
