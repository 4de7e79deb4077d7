"""Collect a request's bytes until a thread is worth spending on it.

Pure: bytes in, a verdict out; the poll loop owns socket and clock. Tor's PROXY line comes
first where circuits are exported, then header and the first 16 KiB of the body, which is
the whole of any request but an upload. Nothing is interpreted here that the parser would
not interpret again: the length only decides how long to go on collecting.
"""

import re
from http import HTTPStatus

from relay.circuit import read_circuit

HEADER_BYTES = 16 * 1024
BODY_BYTES = 16 * 1024
_PROXY_LINE_BYTES = 108  # the specification of the PROXY protocol, version 1
_PROXY_LINE = re.compile(rb"PROXY TCP6 ([0-9a-f:]{2,39}) [0-9a-f:]{2,39} \d{1,5} \d{1,5} ?\r\n")
_LENGTH = re.compile(rb"\r\ncontent-length:[ \t]*(\d{1,18})[ \t]*\r\n", re.IGNORECASE)
_ANY_LENGTH = re.compile(rb"\r\ncontent-length", re.IGNORECASE)
_STREAMED = re.compile(rb"\r\n(?:expect|transfer-encoding):", re.IGNORECASE)


class RefusedError(Exception):
    """Nothing more is read of this client.

    Args:
        status: what it is told; None where it is not worth an answer.
    """

    def __init__(self, status: HTTPStatus | None = None) -> None:
        super().__init__(status)
        self.status = status


class Collector:
    """One request on its way in.

    Args:
        wants_circuit: the connection must begin with Tor's PROXY line.
        already: bytes that came with the request before this one.
    """

    def __init__(self, *, wants_circuit: bool, already: bytes = b"") -> None:
        self._wants_circuit = wants_circuit
        self._buffer = bytearray()
        self._wanted: int | None = None  # how much to collect, once the header is whole
        self.address: str | None = None
        self.is_upload = False
        self.feed(already)

    @property
    def is_empty(self) -> bool:
        """Whether nothing of a request has come yet."""
        return not self._buffer

    @property
    def has_header(self) -> bool:
        """Whether the header is whole."""
        return self._wanted is not None

    @property
    def is_complete(self) -> bool:
        """Whether a thread may take over."""
        return self._wanted is not None and len(self._buffer) >= self._wanted

    def feed(self, data: bytes) -> None:
        """Take what came.

        Raises:
            RefusedError: no PROXY line where one must be, or a header without end.
        """
        seen = len(self._buffer)
        self._buffer += data
        if self._wants_circuit and self.address is None:
            seen = 0
            if not self._take_circuit():
                return
        if self._wanted is None:
            self._look_for_header(max(0, seen - 3))

    def taken(self) -> bytes:
        """Return everything collected, for the parser; the collector is spent."""
        return bytes(self._buffer)

    def _take_circuit(self) -> bool:
        end = self._buffer.find(b"\n", 0, _PROXY_LINE_BYTES)
        if end < 0 and len(self._buffer) < _PROXY_LINE_BYTES:
            return False
        match = _PROXY_LINE.fullmatch(self._buffer, 0, end + 1)
        address = match[1].decode("ascii") if match else ""
        if read_circuit(address) is None:
            raise RefusedError
        self.address = address
        del self._buffer[: end + 1]
        return True

    def _look_for_header(self, start: int) -> None:
        end = self._buffer.find(b"\r\n\r\n", start, HEADER_BYTES)
        if end < 0:
            if len(self._buffer) >= HEADER_BYTES:
                raise RefusedError(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)
            return
        length = _LENGTH.search(self._buffer, 0, end + 2)
        if length is None and _ANY_LENGTH.search(self._buffer, 0, end + 2):
            # The parser might read it, and a slow body take a page's thread.
            raise RefusedError(HTTPStatus.BAD_REQUEST)
        body_bytes = int(length[1]) if length else 0
        streamed = _STREAMED.search(self._buffer, 0, end + 2) is not None
        self.is_upload = streamed or body_bytes > BODY_BYTES
        self._wanted = end + 4 + (0 if streamed else min(body_bytes, BODY_BYTES))
