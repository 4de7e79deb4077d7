"""Read a posted form as a stream: text first, then files, nothing ever spooled.

Stock form parsers write every large part to a temporary file, in plaintext, and hand a
truncated upload to the view as a valid form. This one keeps the text fields in memory,
each counted, and gives the files one after the other as iterators of bytes; what is not
read yet is still in the socket. It refuses everything that a browser would not send:
other content types, a body without a length, text behind files, a body that ends early.
Claims C1 and C5 of docs/THREAT_MODEL.md.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from typing import NamedTuple

from werkzeug.exceptions import HTTPException
from werkzeug.http import parse_options_header

from protocol.errors import CapacityError, FormatError
from relay.multipart import BLOCK_BYTES, BOUNDARY, HEADER_BYTES, Body, Part, Readable, read_parts

_SPARE_FILE_INPUTS = 20  # file inputs that were left empty still arrive as parts
_WINDOWS_PATH = re.compile(r"[A-Za-z]:\\|\\\\")


@dataclass(frozen=True, kw_only=True)
class FormLimits:
    """How much one form may hold.

    Args:
        text_bytes: all text fields together; far above what the page allows, so that a
            text that is somewhat too long still comes back with the page.
        fields: how many text fields.
        name_bytes: the name of a field.
        files: how many files.
        files_bytes: all files together.
    """

    text_bytes: int = 1024 * 1024
    fields: int = 200
    name_bytes: int = 100
    files: int = 100
    files_bytes: int


class FilePart(NamedTuple):
    """One file as it arrives.

    Args:
        name: the last part of the name that the browser gave, Unicode, perhaps empty;
            `protocol.filenames` makes it safe.
        chunks: its bytes, to be read before the next file is asked for.
    """

    name: str
    chunks: Iterator[bytes]


class Form:
    """What was posted: the text fields, read; the files, still to be read.

    Args:
        fields: every text field by name, in the order in which they came.
        files: the files, to be taken once.
        body: where the bytes come from, for the progress page.
    """

    def __init__(
        self, *, fields: Mapping[str, tuple[str, ...]], files: Iterator[FilePart], body: Body
    ) -> None:
        self.fields = fields
        self._files = files
        self._body = body

    def get(self, name: str) -> str:
        """Return the first value of a field, or an empty text."""
        return self.all(name)[0] if name in self.fields else ""

    def all(self, name: str) -> tuple[str, ...]:
        """Return every value of a field, such as ticked boxes."""
        return self.fields.get(name, ())

    @property
    def remaining_bytes(self) -> int:
        """How much of the body has not been read yet."""
        return self._body.remaining

    def files(self) -> Iterator[FilePart]:
        """Take the files, one after the other, each to be read before the next.

        The text has been read when this raises, so the page can come back with it.

        Raises:
            CapacityError: too many or too large; at once when the length says so.
            FormatError: the body broke off, or is no form.
        """
        return self._files


def read_form(
    stream: Readable, content_type: str | None, content_length: int | None, limits: FormLimits
) -> Form:
    """Read the text fields of a multipart form, up to the first file.

    Args:
        stream: the body; never read beyond `content_length`.
        content_type: must be multipart/form-data; browsers send nothing else here.
        content_length: required, because a body that nobody announced cannot be told
            from one that broke off.
        limits: how much is accepted.

    Raises:
        FormatError: not a form that a browser sends; discard it.
        CapacityError: the text alone is beyond every bound.
    """
    kind, options = parse_options_header(content_type)
    boundary = options.get("boundary", "")
    if kind.lower() != "multipart/form-data" or not BOUNDARY.fullmatch(boundary):
        raise FormatError("This form must be sent as multipart/form-data.")
    if content_length is None or content_length < 0:
        raise FormatError("This form must be sent with its length.")
    body = Body(stream, content_length)
    parts = read_parts(body, boundary)
    fields: dict[str, list[str]] = {}
    text_bytes = 0
    first_file: Part | None = None
    for count, part in enumerate(parts, 1):
        if part.file is not None:
            first_file = part
            break
        if count > limits.fields or not 0 < len(part.name.encode()) <= limits.name_bytes:
            raise FormatError("This form has fields that no page of ours has.")
        value = _read_text(part.chunks, limits.text_bytes - text_bytes)
        text_bytes += len(value)
        fields.setdefault(part.name, []).append(_decode(value))
    return Form(
        fields={name: tuple(values) for name, values in fields.items()},
        files=_files(first_file, parts, body, limits),
        body=body,
    )


def drain(stream: Readable, limit_bytes: int) -> bool:
    """Read and forget the rest of a body, so that the browser shows the answer.

    Firefox shows an answer only after it has handed over the whole body; for a small
    overshoot it is kinder to take it than to reset the connection.

    Returns:
        Whether the end was reached within `limit_bytes`.
    """
    remaining = limit_bytes + 1
    try:
        while remaining and (piece := stream.read(min(BLOCK_BYTES, remaining))):
            remaining -= len(piece)
    except (OSError, HTTPException):
        return False
    return remaining > 0


def _read_text(chunks: Iterator[bytes], limit_bytes: int) -> bytes:
    value = bytearray()
    for chunk in chunks:
        value += chunk
        if len(value) > limit_bytes:
            raise CapacityError("The text is too long to be taken; send it as a file.")
    return bytes(value)


def _decode(value: bytes) -> str:
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        raise FormatError("This form must be sent as UTF-8.") from None


def _files(
    first: Part | None, parts: Iterator[Part], body: Body, limits: FormLimits
) -> Iterator[FilePart]:
    if first is None:
        return
    if body.remaining > limits.files_bytes + (limits.files + _SPARE_FILE_INPUTS) * HEADER_BYTES:
        raise CapacityError("The files are too large; send fewer or smaller ones.")
    budget = _Budget(limits.files_bytes)
    count = empty = 0
    for part in chain([first], parts):
        if part.file is None:
            raise FormatError("This form has text behind its files.")
        head = next((chunk for chunk in part.chunks if chunk), b"")
        if not head and not part.file:
            empty += 1
            if empty > _SPARE_FILE_INPUTS:
                raise FormatError("This form has more file inputs than any page of ours.")
            continue
        count += 1
        if count > limits.files:
            raise CapacityError("There are too many files; pack them into one.")
        yield FilePart(_last_part(part.file), budget.spend(chain([head], part.chunks)))
        for chunk in part.chunks:  # what the caller did not read still counts
            budget.take(len(chunk))


class _Budget:
    """Counts the bytes of all files together."""

    def __init__(self, limit_bytes: int) -> None:
        self._left = limit_bytes

    def take(self, size_bytes: int) -> None:
        self._left -= size_bytes
        if self._left < 0:
            raise CapacityError("The files are too large; send fewer or smaller ones.")

    def spend(self, chunks: Iterator[bytes]) -> Iterator[bytes]:
        for chunk in chunks:
            self.take(len(chunk))
            if chunk:
                yield chunk


def _last_part(name: str) -> str:
    if _WINDOWS_PATH.match(name):
        name = name.rpartition("\\")[2]
    return name.rpartition("/")[2]
