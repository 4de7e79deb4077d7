"""Cutting a stream into pieces of one size, and reading a stream by exact counts."""

from collections.abc import Callable, Iterable

from protocol.errors import FormatError

Octets = bytes | memoryview
Sink = Callable[[Octets], None]


class OctetReader:
    """Take octets from an iterable of pieces of any size."""

    def __init__(self, pieces: Iterable[bytes]) -> None:
        """Begin before the first piece."""
        self._pieces = iter(pieces)
        self._buffer = b""
        self._position = 0

    def exactly(self, count: int) -> bytes:
        """Take `count` octets.

        Raises:
            FormatError: fewer are left.
        """
        data = self.up_to(count)
        if len(data) != count:
            raise FormatError("a sealed message ends too early; fetch the file again")
        return data

    def up_to(self, count: int) -> bytes:
        """Take `count` octets, or fewer only where the stream ends."""
        data = self.peek(count)
        self._position += len(data)
        return data

    def peek(self, count: int) -> bytes:
        """Return what `up_to` would, without taking it."""
        if len(self._buffer) - self._position < count:
            held = [self._buffer[self._position :]]
            held_bytes = len(held[0])
            while held_bytes < count and (piece := next(self._pieces, None)) is not None:
                held.append(piece)
                held_bytes += len(piece)
            self._buffer = b"".join(held)
            self._position = 0
        return self._buffer[self._position : self._position + count]


class PieceWriter:
    """Collect octets into pieces of one size, each handed on behind the same header.

    There is one buffer, used again and again: large allocations for every piece cost more
    time than encryption. A sink must be done with what it gets when it returns.
    """

    def __init__(self, *, header: bytes, piece_bytes: int, sink: Sink) -> None:
        """Begin with nothing.

        Args:
            header: what stands before every full piece.
            piece_bytes: the size of a full piece, without the header.
            sink: takes header and piece together, once more octets have come after it.
        """
        self._buffer = memoryview(bytearray(header + bytes(piece_bytes)))
        self._start = len(header)
        self._end = self._start
        self._sink = sink

    def write(self, data: Octets) -> int:
        """Take more octets; return how many full pieces were handed on."""
        left = memoryview(data)
        count = 0
        while len(left) > (room := len(self._buffer) - self._end):
            self._buffer[self._end :] = left[:room]
            self._sink(self._buffer)
            self._end = self._start
            left = left[room:]
            count += 1
        end = self._end + len(left)
        self._buffer[self._end : end] = left
        self._end = end
        return count

    def rest(self) -> memoryview:
        """Take what waits: at most one full piece, without header."""
        rest = self._buffer[self._start : self._end]
        self._end = self._start
        return rest
