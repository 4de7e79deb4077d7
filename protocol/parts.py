"""OpenPGP packets whose length is not known in advance: parts of 64 KiB, and a last one.

The last part always has a five-octet length. So how long a packet gets is a plain formula,
which `sealing` runs backwards to meet a size class exactly. PROTOCOL.md, «Sealing», Length.
"""

from collections.abc import Iterator

from protocol import limits
from protocol.errors import FormatError
from protocol.octets import OctetReader, Octets, PieceWriter, Sink

_PART = limits.PART_BYTES
_FULL = b"\xf0"  # RFC 4880 section 4.2.2.4: 224 + 16, for 2^16 octets
_FIVE = b"\xff"  # RFC 4880 section 4.2.2.3
_ENDS_BYTES = 1 + 1 + 4  # tag, and the length of the last part


def packet_bytes(body_bytes: int) -> int:
    """Return the least length of the packet that holds a body."""
    return body_bytes + max(0, body_bytes - 1) // _PART + _ENDS_BYTES


def body_bytes(packet_bytes: int) -> int:
    """Return how long the body of a packet of just that length is: never no solution."""
    return packet_bytes - _ENDS_BYTES - full_parts(packet_bytes)


def full_parts(packet_bytes: int) -> int:
    """Return how many full parts a packet of that length has before its last part."""
    return (packet_bytes - _ENDS_BYTES) // (_PART + 1)


class PartWriter:
    """Frame one packet. A full part is held back until it is sure that it is not the last."""

    def __init__(self, tag: bytes, *, sink: Sink) -> None:
        """Begin a packet.

        Args:
            tag: its first octet, as 0xD2; written at once.
            sink: takes the packet, piece by piece.
        """
        sink(tag)
        self._sink = sink
        self._pieces = PieceWriter(header=_FULL, piece_bytes=_PART, sink=sink)
        self._full_parts = 0
        self.body_bytes = 0

    def write(self, data: Octets) -> None:
        """Take more of the body."""
        self.body_bytes += len(data)
        self._full_parts += self._pieces.write(data)

    def finish(self, *, full_parts: int = 0) -> None:
        """End the packet.

        Args:
            full_parts: with how many; matters only when what waits fills a part just so, which
                then may be the last or be followed by an empty last one.
        """
        rest = self._pieces.rest()
        if full_parts > self._full_parts:
            self._sink(_FULL)
            self._sink(rest)
            rest = rest[:0]
        self._sink(_FIVE + len(rest).to_bytes(4, "big"))
        self._sink(rest)


def read_parts(reader: OctetReader, tag: bytes) -> Iterator[bytes]:
    """Yield the body of one packet, part by part; the reader then stands behind the packet.

    Raises:
        FormatError: another tag, another size of part, or an end that is missing.
    """
    if reader.exactly(1) != tag:
        raise FormatError("a sealed message has a packet where another one belongs")
    while (mark := reader.exactly(1)) == _FULL:
        yield reader.exactly(_PART)
    if mark != _FIVE:
        raise FormatError("a sealed message has a packet length of a kind that we do not write")
    last = int.from_bytes(reader.exactly(4), "big")
    if last > _PART:
        raise FormatError("a sealed message has a last part that is too long")
    if last:
        yield reader.exactly(last)
