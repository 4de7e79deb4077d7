"""The signature packet, version 4: read strictly, written the same way every time.

Only what a signature covers counts: times, flags and expiry are taken from the
hashed area alone. The unhashed area may name the issuer and carry an embedded
signature, which proves itself. RFC 9580 section 5.2.3.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from keys.packets import encode_length, read_length
from protocol.errors import FormatError

# Signature types, RFC 9580 section 5.2.1.
BINARY_DOCUMENT = 0x00
CERTIFICATIONS = (0x10, 0x11, 0x12, 0x13)
POSITIVE_CERTIFICATION = 0x13
SUBKEY_BINDING = 0x18
PRIMARY_BINDING = 0x19
DIRECT_KEY = 0x1F
KEY_REVOCATION = 0x20
SUBKEY_REVOCATION = 0x28
CERTIFICATION_REVOCATION = 0x30

# Subpacket types, RFC 9580 section 5.2.3.7.
CREATED = 2
EXPIRES = 3
KEY_EXPIRES = 9
PREFERRED_CIPHERS = 11
ISSUER = 16
PREFERRED_HASHES = 21
PREFERRED_COMPRESSION = 22
KEYSERVER = 23
KEY_FLAGS = 27
FEATURES = 30
EMBEDDED = 32
ISSUER_FINGERPRINT = 33
# A critical subpacket that is neither acted upon nor harmless voids its signature.
_UNDERSTOOD = {2, 3, 4, 7, 9, 11, 12, 16, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 32, 33, 34}

# Key flags, RFC 9580 section 5.2.3.29.
MAY_CERTIFY, MAY_SIGN, MAY_ENCRYPT = 0x01, 0x02, 0x0C


@dataclass(frozen=True)
class SignaturePacket:
    """What a signature says, and the bytes it says it with."""

    kind: int
    algorithm: int
    hash_id: int
    created: int  # seconds since 1970
    expires_after: int  # seconds after `created`; 0: never
    key_expires_after: int  # seconds after the key's creation; 0: never
    flags: int
    usable: bool  # no critical subpacket that we do not understand
    issuers: frozenset[bytes]  # 8-octet key ids, as hints only
    embedded: tuple[bytes, ...] = field(repr=False)  # bodies of signature packets
    hashed: bytes = field(repr=False)  # from the version to the end of the hashed area
    numbers: bytes = field(repr=False)  # the signature itself, as MPIs


def read_signature_packet(body: bytes) -> SignaturePacket:
    """Read a version 4 signature packet, every byte accounted for.

    Args:
        body: the packet without its header.

    Returns:
        The parsed signature; nothing is verified yet.

    Raises:
        FormatError: another version, cut off, or without a signed creation time.
    """
    if len(body) < 10 or body[0] != 4:
        raise FormatError("The signature is not of version 4; sign with a version 4 key.")
    hashed_end = 6 + int.from_bytes(body[4:6], "big")
    unhashed_start = hashed_end + 2
    unhashed_end = unhashed_start + int.from_bytes(body[hashed_end:unhashed_start], "big")
    if unhashed_end + 2 > len(body):
        raise FormatError("The signature is cut off; export it again.")
    hashed = _read_subpackets(body[6:hashed_end])
    unhashed = _read_subpackets(body[unhashed_start:unhashed_end])
    numbers = body[unhashed_end + 2 :]
    if CREATED not in [kind for kind, _, _ in hashed]:
        raise FormatError("The signature does not say when it was made; sign again.")
    everything = hashed + unhashed
    return SignaturePacket(
        kind=body[1],
        algorithm=body[2],
        hash_id=body[3],
        created=_number(hashed, CREATED),
        expires_after=_number(hashed, EXPIRES),
        key_expires_after=_number(hashed, KEY_EXPIRES),
        flags=_flags(hashed),
        usable=all(kind in _UNDERSTOOD for kind, critical, _ in hashed if critical),
        issuers=frozenset(
            value[-8:] for kind, _, value in everything if kind in {ISSUER, ISSUER_FINGERPRINT}
        ),
        embedded=tuple(value for kind, _, value in everything if kind == EMBEDDED),
        hashed=body[:hashed_end],
        numbers=numbers,
    )


def signed_bytes(subject: bytes, hashed: bytes) -> bytes:
    """Append what a version 4 signature adds to its subject (RFC 9580 section 5.2.4)."""
    return subject + hashed + b"\x04\xff" + len(hashed).to_bytes(4, "big")


def encode_hashed(
    *, kind: int, algorithm: int, hash_id: int, subpackets: Sequence[tuple[int, bytes]]
) -> bytes:
    """Write the part of a signature that is signed.

    Args:
        kind: signature type.
        algorithm: the signing key's algorithm number.
        hash_id: RFC 9580 section 9.5.
        subpackets: type and value, in the order in which they will stand.

    Returns:
        The body from its version to the end of the hashed area.
    """
    area = _encode_subpackets(subpackets)
    return bytes([4, kind, algorithm, hash_id]) + len(area).to_bytes(2, "big") + area


def encode_signature(
    *, hashed: bytes, unhashed: Sequence[tuple[int, bytes]], digest: bytes, numbers: bytes
) -> bytes:
    """Write the body of a signature packet around the signature itself.

    Args:
        hashed: from `encode_hashed`.
        unhashed: subpackets that need no protection.
        digest: of `signed_bytes`; its first two octets stand in the packet.
        numbers: the signature as MPIs.

    Returns:
        The body, without the packet header.
    """
    area = _encode_subpackets(unhashed)
    return hashed + len(area).to_bytes(2, "big") + area + digest[:2] + numbers


def _read_subpackets(area: bytes) -> list[tuple[int, bool, bytes]]:
    """Return type, critical bit and value of each subpacket."""
    subpackets = []
    position = 0
    while position < len(area):
        length, start = read_length(area, position)
        position = start + length
        if length < 1 or position > len(area):
            raise FormatError("A part of the signature is cut off; export it again.")
        kind = area[start]
        subpackets.append((kind & 0x7F, bool(kind & 0x80), area[start + 1 : position]))
    return subpackets


def _single(subpackets: list[tuple[int, bool, bytes]], kind: int) -> bytes | None:
    """Return the one value of a type; two that disagree could be read either way."""
    values = {value for found, _, value in subpackets if found == kind}
    if len(values) > 1:
        raise FormatError("The signature contradicts itself; export it again.")
    return values.pop() if values else None


def _number(subpackets: list[tuple[int, bool, bytes]], kind: int) -> int:
    value = _single(subpackets, kind)
    if value is not None and len(value) != 4:
        raise FormatError("A time in the signature is malformed; export it again.")
    return int.from_bytes(value or b"", "big")


def _flags(subpackets: list[tuple[int, bool, bytes]]) -> int:
    value = _single(subpackets, KEY_FLAGS)
    return value[0] if value else 0


def _encode_subpackets(subpackets: Sequence[tuple[int, bytes]]) -> bytes:
    return b"".join(
        encode_length(len(value) + 1) + bytes([kind]) + value for kind, value in subpackets
    )
