"""Detached signatures: that a bundle or a dispatch comes from whom it says.

PGPy's own verification accepts revoked and expired signers, SHA-1, and a
timestamp for a document; so the decision is made here.
"""

from datetime import datetime

from keys import packets
from keys.armor import SIGNATURE_BLOCK, read_armor
from keys.bindings import seconds, signing_keys
from keys.keypair import STRONG_HASHES
from keys.parts import read_parts
from keys.signing import BINARY_DOCUMENT, SignaturePacket, read_signature_packet, signed_bytes
from protocol.errors import AuthenticityError, FormatError, KeyMaterialError
from protocol.names import Fingerprint

SKEW_SECONDS = 24 * 3600  # an air-gapped clock drifts, and nobody sets it
SIGNATURE_BYTES = 16 * 1024  # RSA with 16,384 bits in armour is 3 KB


def verify_detached(
    data: bytes, signature: bytes, *, certificate: bytes, pinned: Fingerprint, now: datetime
) -> bytes:
    """Verify that the owner of a certificate signed these bytes.

    Args:
        data: what was signed.
        signature: one detached signature, armoured or binary.
        certificate: the signer's, armoured or binary.
        pinned: its fingerprint, compared by a person.
        now: with a time zone.

    Returns:
        `data`: what is used afterwards is what was verified.

    Raises:
        AuthenticityError: the signature is malformed, weak, from the future, expired,
            or not by this signer over these bytes.
        KeyMaterialError: the certificate is not the pinned one, or no longer valid.
    """
    packet = _read(signature)
    parts = read_parts(certificate)
    if parts.primary.fingerprint != pinned:
        raise KeyMaterialError("The signer's certificate is another one; compare fingerprints.")
    moment = seconds(now)
    if packet.created > moment + SKEW_SECONDS:
        raise AuthenticityError("The signature is from the future; check both clocks.")
    if packet.expires_after and packet.created + packet.expires_after <= moment:
        raise AuthenticityError("The signature has expired; ask for a new one.")
    signed = signed_bytes(data, packet.hashed)
    for key in signing_keys(parts, made=packet.created, now=moment):
        try:
            key.verify(signed, packet.numbers, algorithm=packet.algorithm, hash_id=packet.hash_id)
        except FormatError:
            continue
        return data
    raise AuthenticityError("This signer did not sign these bytes; do not use them.")


def _read(signature: bytes) -> SignaturePacket:
    if len(signature) > SIGNATURE_BYTES:
        raise AuthenticityError("The signature is too large; ask for it again.")
    try:
        armored = read_armor(signature)
        sequence = packets.read_packets(armored.data)
        if armored.block not in {None, SIGNATURE_BLOCK} or len(sequence) != 1:
            raise FormatError("It is not one detached signature; ask for it again.")
        if sequence[0].tag != packets.SIGNATURE:
            raise FormatError("It is no signature; ask for it again.")
        packet = read_signature_packet(sequence[0].body)
    except FormatError as error:
        raise AuthenticityError(f"The signature cannot be read. {error}") from None
    if packet.kind != BINARY_DOCUMENT:
        raise AuthenticityError("The signature is not over a document; sign as binary data.")
    if packet.hash_id not in STRONG_HASHES or not packet.usable:
        raise AuthenticityError("The signature is too weak; sign with SHA-256 or better.")
    return packet
