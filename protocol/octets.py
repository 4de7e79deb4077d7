"""Reading a stream of pieces by exact counts, without holding more than is asked for."""

from collections.abc import Iterable

from protocol.errors import FormatError


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
