"""OpenPGP packets whose length is not known in advance: parts of 64 KiB, and a last one.

The last part always has a five-octet length. So how long a packet gets is a plain formula,
which `sealing` runs backwards to meet a size class exactly. PROTOCOL.md, «Sealing», Length.
"""

from collections.abc import Iterator

from protocol import limits
from protocol.errors import FormatError
from protocol.octets import OctetReader

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

    def __init__(self, tag: bytes) -> None:
        """Begin a packet with its first octet, as 0xD2."""
        self._head = tag
        self._pending = bytearray()
        self._written_parts = 0
        self.body_bytes = 0

    def update(self, data: bytes) -> bytes:
        """Take more of the body; give the parts that are complete."""
        self._pending += data
        self.body_bytes += len(data)
        count = (len(self._pending) - 1) // _PART if self._pending else 0
        return self._emit(count)

    def finish(self, *, full_parts: int | None = None) -> bytes:
        """End the packet.

        Args:
            full_parts: with how many; matters only when the pending octets fill a part just so,
                which then may be the last or be followed by an empty last one.
        """
        out = b""
        if full_parts is not None and full_parts > self._written_parts:
            out = self._emit(1)
        rest = bytes(self._pending)
        return b"".join((out, self._take_head(), _FIVE, len(rest).to_bytes(4, "big"), rest))

    def _emit(self, count: int) -> bytes:
        if not count:
            return b""
        pieces = [self._take_head()]
        for number in range(count):
            pieces.append(_FULL)
            pieces.append(bytes(self._pending[number * _PART : (number + 1) * _PART]))
        del self._pending[: count * _PART]
        self._written_parts += count
        return b"".join(pieces)

    def _take_head(self) -> bytes:
        head, self._head = self._head, b""
        return head


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
