"""OpenPGP packet framing: where one packet of a key or a signature ends.

Ours, because what is verified must be the very bytes that came in, never what a
library writes again. Refused: partial and indeterminate lengths, which no
certificate has, and anything left over (RFC 9580 section 4.2).
"""

from dataclasses import dataclass, field

from protocol.errors import FormatError

LOCK = 1  # public-key encrypted session key
SIGNATURE = 2
SECRET_KEY = 5
PUBLIC_KEY = 6
SECRET_SUBKEY = 7
USER_ID = 13
PUBLIC_SUBKEY = 14
USER_ATTRIBUTE = 17


@dataclass(frozen=True)
class Packet:
    """One packet: its tag and its body without the header."""

    tag: int
    body: bytes = field(repr=False)


def read_packets(data: bytes) -> tuple[Packet, ...]:
    """Split bytes into packets, every byte accounted for.

    Args:
        data: binary OpenPGP packets.

    Returns:
        The packets in order, at least one.

    Raises:
        FormatError: not a whole sequence of packets of definite length.
    """
    packets = []
    position = 0
    while position < len(data):
        tag, start, length = _read_header(data, position)
        position = start + length
        if position > len(data):
            raise FormatError("An OpenPGP packet is cut off; export it again.")
        packets.append(Packet(tag=tag, body=data[start:position]))
    if not packets:
        raise FormatError("There are no OpenPGP packets; export it again.")
    return tuple(packets)


def encode_packet(tag: int, body: bytes) -> bytes:
    """Put the new-format header before a body (RFC 9580 section 4.2.1).

    Args:
        tag: 0 to 63.
        body: what follows the header.

    Returns:
        The whole packet.
    """
    return bytes([0xC0 | tag]) + encode_length(len(body)) + body


def encode_length(length: int) -> bytes:
    """Encode a length in one, two or five octets (RFC 9580 section 4.2.1)."""
    if length < 192:
        return bytes([length])
    if length < 8384:
        high, low = divmod(length - 192, 256)
        return bytes([192 + high, low])
    return b"\xff" + length.to_bytes(4, "big")


def read_length(data: bytes, position: int) -> tuple[int, int]:
    """Read a length of one, two or five octets.

    Signature subpackets use the same code except that first octets of 224 to 254
    mean two octets there, partial lengths here: both are refused, since nothing
    that long belongs into a key or a signature.

    Args:
        data: the bytes around it.
        position: where its first octet stands.

    Returns:
        The length, and where the octets after it begin.

    Raises:
        FormatError: cut off, or a partial length.
    """
    first = data[position : position + 1]
    if first < b"\xc0":
        width, value = 1, int.from_bytes(first, "big")
    elif first < b"\xe0":
        width = 2
        value = int.from_bytes(data[position : position + 2], "big") - (192 << 8) + 192
    elif first == b"\xff":
        width, value = 5, int.from_bytes(data[position + 1 : position + 5], "big")
    else:
        raise FormatError("An OpenPGP packet has a partial length; export it again.")
    if position + width > len(data):
        raise FormatError("An OpenPGP packet is cut off; export it again.")
    return value, position + width


def _read_header(data: bytes, position: int) -> tuple[int, int, int]:
    """Return the tag, where the body starts, and the body's length."""
    first = data[position]
    if not first & 0x80:
        raise FormatError("These bytes are no OpenPGP packets; export them again.")
    if first & 0x40:
        length, start = read_length(data, position + 1)
        return first & 0x3F, start, length
    width = {0: 1, 1: 2, 2: 4}.get(first & 3)
    start = position + 1 + (width or 0)
    if width is None or start > len(data):
        raise FormatError("An OpenPGP packet has no definite length; export it again.")
    return first >> 2 & 0x0F, start, int.from_bytes(data[position + 1 : start], "big")
