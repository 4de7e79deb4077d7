"""Cut a multipart body into its parts, strictly, a block at a time.

Not werkzeug's decoder: when a block ends one byte behind a boundary it appends a byte to
the file, it reads a file name that ends in a backslash as a text field, and it bounds no
header (decision 0005). This one knows only what the HTML standard lets a browser send;
anything else is a FormatError.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple, Protocol
from urllib.parse import unquote

from werkzeug.exceptions import HTTPException

from protocol.errors import FormatError

BLOCK_BYTES = 64 * 1024
HEADER_BYTES = 4 * 1024  # of one part; a file name of 255 bytes, escaped, stays below 1 KiB

# RFC 2046 section 5.1.1, without the space that no browser sends.
BOUNDARY = re.compile(r"[0-9A-Za-z'()+_,\-./:=?]{1,70}")
# The HTML standard escapes quotes and line breaks in names as %22, %0D and %0A and nothing
# else: a backslash is a backslash.
_DISPOSITION = re.compile(
    r'form-data[ \t]*;[ \t]*name="(?P<name>[^"\r\n]*)"'
    r'(?:[ \t]*;[ \t]*filename="(?P<file>[^"\r\n]*)")?'
    r"(?:[ \t]*;[ \t]*filename\*=(?:utf-8|UTF-8)'[^']*'(?P<star>[^;\"\s]+))?"
)


class Readable(Protocol):
    """What `wsgi.input` is: something to read from."""

    def read(self, size: int, /) -> bytes: ...


class Part(NamedTuple):
    """One part: the field's name, the file's name if it is a file, and its bytes."""

    name: str
    file: str | None
    chunks: Iterator[bytes]


class Body:
    """The request body in whole blocks, never read beyond its declared length."""

    def __init__(self, stream: Readable, length: int) -> None:
        self._stream = stream
        self.remaining = length

    def block(self) -> bytes:
        """Read the next block; empty at the end.

        Raises:
            FormatError: the body ends before its declared length, or the connection broke.
        """
        wanted = min(BLOCK_BYTES, self.remaining)
        block = bytearray()
        while len(block) < wanted:
            try:
                piece = self._stream.read(wanted - len(block))
            except (OSError, HTTPException):
                raise FormatError("The upload broke off; send it again.") from None
            if not piece:
                raise FormatError("The upload ended too early; send it again.")
            block += piece
        self.remaining -= wanted
        return bytes(block)


class _Scanner:
    """Finds delimiters in the stream and holds no more than about one block of it."""

    def __init__(self, body: Body, boundary: str) -> None:
        self._body = body
        self._delimiter = b"\r\n--" + boundary.encode("ascii")
        self._buffer = bytearray(b"\r\n")  # RFC 2046: the first one may lack its line break

    def until_delimiter(self) -> Iterator[bytes]:
        """Yield what stands before the next delimiter, and step over that."""
        keep = len(self._delimiter) - 1
        while (at := self._buffer.find(self._delimiter)) < 0:
            if len(self._buffer) > keep:
                yield self._take(len(self._buffer) - keep)
            self._read_more()
        yield self._take(at)
        self._take(len(self._delimiter))

    def is_another_part(self) -> bool:
        """Tell from the two bytes behind a delimiter whether a part or the end follows.

        Raises:
            FormatError: neither.
        """
        while len(self._buffer) < 2:
            self._read_more()
        mark = self._take(2)
        if mark not in (b"\r\n", b"--"):
            raise FormatError("This is not a form as browsers send it.")
        return mark == b"\r\n"

    def header(self) -> bytes:
        """Read the header of a part, with the empty line behind it."""
        while (at := self._buffer.find(b"\r\n\r\n", 0, HEADER_BYTES)) < 0:
            if len(self._buffer) >= HEADER_BYTES:
                raise FormatError("A field of this form has too long a name.")
            self._read_more()
        return self._take(at + 4)[:at]

    def finish(self) -> None:
        """Make sure that nothing but a line break follows the last delimiter."""
        while len(self._buffer) <= 2 and (block := self._body.block()):
            self._buffer += block
        if bytes(self._buffer) not in (b"", b"\r\n"):
            raise FormatError("This form goes on behind its end.")

    def _take(self, size: int) -> bytes:
        taken = bytes(self._buffer[:size])
        del self._buffer[:size]
        return taken

    def _read_more(self) -> None:
        block = self._body.block()
        if not block:
            raise FormatError("This form ended too early; send it again.")
        self._buffer += block


def read_parts(body: Body, boundary: str) -> Iterator[Part]:
    """Yield the parts of a body; each is read past when the next is asked for.

    Raises:
        FormatError: not what a browser sends, or the body broke off.
    """
    scanner = _Scanner(body, boundary)
    if any(chunk.strip(b"\r\n") for chunk in scanner.until_delimiter()):  # RFC 2046: a preamble
        raise FormatError("This form begins with something that is no field.")
    while scanner.is_another_part():
        name, file = _read_disposition(scanner.header())
        chunks = scanner.until_delimiter()
        yield Part(name, file, chunks)
        for _ in chunks:
            pass  # a part that nobody read is read past
    scanner.finish()


def _read_disposition(header: bytes) -> tuple[str, str | None]:
    try:
        lines = header.decode("utf-8").split("\r\n")
    except UnicodeDecodeError:
        raise FormatError("A field of this form has a name that is not UTF-8.") from None
    found = [line for line in lines if line[:20].lower() == "content-disposition:"]
    match = _DISPOSITION.fullmatch(found[0][20:].strip(" \t")) if len(found) == 1 else None
    if match is None:
        raise FormatError("A field of this form has no name.")
    file = match["file"]
    if match["star"] is not None:
        file = unquote(match["star"])
    return _unescape(match["name"]), None if file is None else _unescape(file)


def _unescape(text: str) -> str:
    return text.replace("%22", '"').replace("%0D", "\r").replace("%0A", "\n")
