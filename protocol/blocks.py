"""Stored deflate blocks, and padding made of empty ones.

Every OpenPGP tool undoes a ZIP-compressed packet, so empty blocks are the one padding that all
of them take in any amount (padding packets are not). PROTOCOL.md, «Sealing», padding.
"""

from collections.abc import Iterator

from protocol import limits
from protocol.errors import FormatError
from protocol.octets import OctetReader, Octets, PieceWriter, Sink

_BLOCK = limits.STORED_BLOCK_BYTES
_HEADER_BYTES = 5
_SIX = b"\x02\x00\x00\x00\xff\xff"  # an empty block of fixed codes, then an empty stored one
_FIVE = b"\x00\x00\x00\xff\xff"  # an empty stored block
_FINAL = b"\x01\x00\x00\xff\xff"  # the same, and the stream ends
_FIVES = _FIVE * (limits.PART_BYTES // len(_FIVE))
LEAST_PADDING_BYTES = 4 * len(_SIX) + len(_FINAL)  # from here on every length can be made


def _header(count: int) -> bytes:
    # RFC 1951 section 3.2.4
    return b"\x00" + count.to_bytes(2, "little") + (count ^ 0xFFFF).to_bytes(2, "little")


class BlockWriter:
    """Put octets into stored blocks; what does not fill one waits."""

    def __init__(self, *, sink: Sink) -> None:
        """Begin a deflate stream that goes to `sink`."""
        self._sink = sink
        self._pieces = PieceWriter(header=_header(_BLOCK), piece_bytes=_BLOCK, sink=sink)

    def write(self, data: Octets) -> None:
        """Take more octets."""
        self._pieces.write(data)

    def flush(self) -> None:
        """Write what waits as a last block, perhaps shorter; only padding may follow."""
        rest = self._pieces.rest()
        if rest:
            self._sink(_header(len(rest)))
            self._sink(rest)


def make_padding(count: int) -> Iterator[bytes]:
    """Yield `count` octets (at least LEAST_PADDING_BYTES) of empty blocks that end the stream."""
    sixes = count % len(_FIVE)
    yield _SIX * sixes
    left = count - sixes * len(_SIX) - len(_FINAL)
    while left:
        piece = _FIVES[:left]
        left -= len(piece)
        yield piece
    yield _FINAL


def read_blocks(reader: OctetReader) -> Iterator[bytes]:
    """Yield the data of stored blocks, then check that what follows is padding as we make it.

    Nothing else that deflate can do is accepted, so no stream grows when it is read.

    Raises:
        FormatError: any other block, or padding in another order.
    """
    while (header := reader.peek(_HEADER_BYTES))[:1] == b"\x00" and header != _FIVE:
        count = int.from_bytes(reader.exactly(_HEADER_BYTES)[1:3], "little")
        if header != _header(count):
            raise FormatError("a sealed message has a broken block")
        yield reader.exactly(count)
    sixes = 0
    while reader.peek(len(_SIX)) == _SIX:
        reader.exactly(len(_SIX))
        sixes += 1
    held = reader.up_to(len(_FIVES))
    while more := reader.up_to(len(_FIVES)):
        if held != _FIVES:
            raise FormatError("a sealed message has padding that we do not make")
        held = more
    fives = _FIVES[: max(0, len(held) - len(_FINAL))]
    if sixes >= len(_FIVE) or held != fives + _FINAL or len(held) % len(_FIVE):
        raise FormatError("a sealed message has padding that we do not make")
