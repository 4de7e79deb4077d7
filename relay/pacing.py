"""A client's socket as a worker thread sees it: patient, but not without end.

A thread that reads a body waits on a stranger, and one that gives a long answer too. It gives
up when nothing moves for a minute or when, after a grace, less than 1 KiB moves in a second;
while others wait for its place, only four times the speed of a modem keeps one. What counts
is the time spent waiting for the client, not the time that the relay itself needs. Claim C5.
"""

import contextlib
import socket
import time
from dataclasses import dataclass, field

_SLICE_SECONDS = 2.0  # how soon a waiting thread notices that others wait for its place
_PIECE_BYTES = 64 * 1024
_RECEIVE_BYTES = 128 * 1024  # an upload that stalls holds no more than this


@dataclass(frozen=True, kw_only=True)
class Pace:
    """The deadlines of bodies and answers.

    Args:
        idle_seconds: without a byte.
        grace_seconds: of waiting, before a rate is asked for.
        bytes_per_second: the least rate of a body after the grace.
        pressed_bytes_per_second: of body and answer, while others wait for the place.
        write_seconds: for each 64 KiB of an answer, so about the same rate.
    """

    idle_seconds: float = 60.0
    grace_seconds: float = 15.0
    bytes_per_second: int = 1024
    pressed_bytes_per_second: int = 16 * 1024
    write_seconds: float = 60.0


@dataclass
class Pressure:
    """Whether others wait for a place; set by the poll loop, read by every thread."""

    waiting: int = field(default=0)


class PacedSocket:
    """What gunicorn's parser and response need of a socket, with deadlines.

    Args:
        sock: the client's connection.
        pace: the deadlines.
        pressure: shared by all that compete for the same places.
    """

    def __init__(self, sock: socket.socket, *, pace: Pace, pressure: Pressure) -> None:
        self._sock = sock
        self._pace = pace
        self._pressure = pressure
        self._cap: float | None = None
        self._competes = False
        self._waited = 0.0
        self._received = 0

    def begin(self, *, competes: bool) -> None:
        """Start counting anew: a new request.

        Args:
            competes: it holds one of the places that `pressure` is about.
        """
        self._waited, self._received, self._competes = 0.0, 0, competes

    def recv(self, size: int) -> bytes:
        """Receive up to `size` bytes; empty when the client has closed.

        Raises:
            TimeoutError: too long without a byte, or too few of them.
        """
        idle = 0.0
        limit = self._pace.idle_seconds if self._cap is None else self._cap
        while True:
            started = time.monotonic()
            self._sock.settimeout(max(0.001, min(_SLICE_SECONDS, limit - idle)))
            try:
                data = self._sock.recv(min(size, _RECEIVE_BYTES))
            except TimeoutError:
                data = None
            elapsed = time.monotonic() - started
            idle += elapsed
            self._waited += elapsed
            self._received += len(data or b"")
            self._require_pace()
            if data is not None:
                return data
            if idle >= limit:
                raise TimeoutError("The client sent nothing for too long.")

    @property
    def _pressed(self) -> bool:
        return self._competes and self._pressure.waiting > 0

    def _require_pace(self) -> None:
        pace = self._pace
        rate = pace.pressed_bytes_per_second if self._pressed else pace.bytes_per_second
        if self._waited > self._pace.grace_seconds and self._received < self._waited * rate:
            raise TimeoutError("The client sent too slowly.")

    def sendall(self, data: bytes) -> None:
        """Send everything, each piece within its deadline.

        Raises:
            TimeoutError: the client takes too little.
        """
        view = memoryview(data)
        for start in range(0, len(view), _PIECE_BYTES):
            self._send_piece(view[start : start + _PIECE_BYTES])

    def _send_piece(self, piece: memoryview) -> None:
        waited = 0.0
        while piece:
            limit = self._pace.write_seconds
            if self._pressed:
                limit = min(limit, _PIECE_BYTES / self._pace.pressed_bytes_per_second)
            if waited >= limit:
                raise TimeoutError("The client takes too little.")
            started = time.monotonic()
            self._sock.settimeout(max(0.001, min(_SLICE_SECONDS, limit - waited)))
            with contextlib.suppress(TimeoutError):
                piece = piece[self._sock.send(piece) :]
            waited += time.monotonic() - started

    def send(self, data: bytes) -> int:
        """Send everything; gunicorn sends «100 Continue» this way."""
        self.sendall(data)
        return len(data)

    def gettimeout(self) -> float | None:
        """Return the cap that `settimeout` put on each `recv`."""
        return self._cap

    def settimeout(self, seconds: float | None) -> None:
        """Put a cap on each `recv`; None leaves the pace alone."""
        self._cap = seconds
