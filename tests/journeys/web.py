"""A small web client that sends files of any size as a stream, as a browser does."""

import http.client
import re
import secrets
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

BLOCK_BYTES = 1024 * 1024


@dataclass(frozen=True)
class Answer:
    """What a server answered."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode("utf-8")


class Web:
    """One site. Follows redirections of GET, keeps nothing."""

    def __init__(self, base: str, timeout_seconds: float = 120) -> None:
        self.base = base
        self._timeout_seconds = timeout_seconds

    def _connect(self) -> http.client.HTTPConnection:
        parts = urlsplit(self.base)
        assert parts.hostname
        return http.client.HTTPConnection(parts.hostname, parts.port, timeout=self._timeout_seconds)

    def get(self, path: str, headers: Mapping[str, str] | None = None) -> Answer:
        for _ in range(5):
            connection = self._connect()
            connection.request("GET", path, headers=dict(headers or {}))
            answer = _read(connection)
            if answer.status not in (301, 302, 303):
                return answer
            path = answer.headers["Location"]
        raise AssertionError("too many redirections")

    def post(
        self,
        path: str,
        fields: Sequence[tuple[str, str]],
        files: Sequence[tuple[str, str, bytes | Path]] = (),
    ) -> Answer:
        """Post a multipart form; files are (field, name, content) and read as they are sent."""
        boundary = secrets.token_hex(16)
        pieces = list(_pieces(boundary, fields, files))
        length = sum(p.stat().st_size if isinstance(p, Path) else len(p) for p in pieces)
        connection = self._connect()
        connection.putrequest("POST", path)
        connection.putheader("Content-Type", f"multipart/form-data; boundary={boundary}")
        connection.putheader("Content-Length", str(length))
        connection.endheaders()
        try:
            for block in _blocks(pieces):
                connection.send(block)
        except (BrokenPipeError, ConnectionResetError):
            pass  # the server may answer before it has read everything
        return _read(connection)


def _read(connection: http.client.HTTPConnection) -> Answer:
    response = connection.getresponse()
    answer = Answer(response.status, dict(response.getheaders()), response.read())
    connection.close()
    return answer


def _pieces(
    boundary: str,
    fields: Sequence[tuple[str, str]],
    files: Sequence[tuple[str, str, bytes | Path]],
) -> Iterator[bytes | Path]:
    for name, value in fields:
        head = f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n'
        yield head.encode() + value.encode() + b"\r\n"
    for field, name, content in files:
        quoted = name.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")
        head = (
            f'--{boundary}\r\nContent-Disposition: form-data; name="{field}"; '
            f'filename="{quoted}"\r\nContent-Type: application/octet-stream\r\n\r\n'
        )
        yield head.encode()
        yield content
        yield b"\r\n"
    yield f"--{boundary}--\r\n".encode()


def _blocks(pieces: Sequence[bytes | Path]) -> Iterator[bytes]:
    for piece in pieces:
        if isinstance(piece, bytes):
            yield piece
            continue
        with piece.open("rb") as file:
            while block := file.read(BLOCK_BYTES):
                yield block


def hidden_fields(page: str) -> dict[str, str]:
    """Return the hidden fields of a page's forms, the first of each name."""
    found: dict[str, str] = {}
    for name, value in re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)">', page):
        found.setdefault(name, value)
    return found


def receipt_words(page: str) -> tuple[str, ...]:
    """Return the nine words that the element with id `receipt` shows."""
    shown = page.partition('id="receipt"')[2].partition("</ol>")[0]
    return tuple(re.findall(r"<b>([a-z-]+)</b>", shown))
