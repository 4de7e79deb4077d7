"""A file of any size, sealed under one key, that can be read at any place.

For disks that we write and read ourselves: the desk's objects, the relay's scratch space. The
STREAM construction: number and last-flag of a chunk stand in its nonce, so that chunks can be
neither moved, nor dropped from the end, nor added. PROTOCOL.md, «Chunked container».
"""

import secrets
from collections.abc import Callable

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from protocol import limits
from protocol.errors import AuthenticityError, CapacityError, FormatError
from protocol.octets import Octets, PieceWriter

CHUNK = limits.CHUNK_BYTES
_SALT_BYTES = 16
_SEALED_CHUNK = CHUNK + limits.CHUNK_TAG_BYTES
_CHANGED = "a file on this disk was changed or cut off; take it from the backup"


class ChunkedWriter:
    """Seal a stream; at most one chunk is in memory."""

    def __init__(self, key: bytes) -> None:
        """Begin a container.

        Args:
            key: 32 octets. The salt makes the chunks' key, so one key may seal many containers.
        """
        salt = secrets.token_bytes(_SALT_BYTES)
        self._cipher = _cipher(key, salt)
        self._out: list[bytes] = [salt]
        self._pieces = PieceWriter(header=b"", piece_bytes=CHUNK, sink=self._seal)
        self._number = 0
        self._finished = False

    def update(self, data: bytes) -> bytes:
        """Take more plaintext; give the chunks that are complete.

        Raises:
            CapacityError: more than 2^32 chunks.
        """
        if self._finished:
            raise ValueError("a finished container takes no more")
        self._pieces.write(data)
        return self._take()

    def finish(self) -> bytes:
        """Seal what waits as the last chunk."""
        if self._finished:
            raise ValueError("a container is finished once")
        self._finished = True
        self._seal(self._pieces.rest(), last=True)
        return self._take()

    def _seal(self, chunk: Octets, *, last: bool = False) -> None:
        if self._number == limits.CHUNKS_COUNT:
            raise CapacityError("a file is too large to be sealed; split it")
        self._out.append(self._cipher.encrypt(_nonce(self._number, last=last), chunk, None))
        self._number += 1

    def _take(self) -> bytes:
        out = b"".join(self._out)
        self._out.clear()
        return out


class ChunkedReader:
    """Read a container at any place; every octet that comes out was authenticated.

    Attributes:
        plain_bytes: the length of the plaintext.
    """

    def __init__(self, key: bytes, read_at: Callable[[int, int], bytes], size_bytes: int) -> None:
        """Open the last chunk, so that a container that was cut off is refused at once.

        Args:
            key: 32 octets.
            read_at: gives the sealed octets of (offset, length).
            size_bytes: of the container.

        Raises:
            FormatError: too short to be a container.
            AuthenticityError: another key, changed, or cut off.
        """
        sealed_bytes = size_bytes - _SALT_BYTES
        if sealed_bytes < limits.CHUNK_TAG_BYTES:
            raise FormatError("a file on this disk is too short to be a sealed one")
        self._read_sealed = read_at
        self._cipher = _cipher(key, self._exactly(0, _SALT_BYTES))
        self._last = (sealed_bytes - 1) // _SEALED_CHUNK
        self._last_bytes = sealed_bytes - self._last * _SEALED_CHUNK
        if self._last_bytes < limits.CHUNK_TAG_BYTES or self._last >= limits.CHUNKS_COUNT:
            raise FormatError("a file on this disk has a length that no sealed one has")
        self.plain_bytes = sealed_bytes - (self._last + 1) * limits.CHUNK_TAG_BYTES
        self._held: tuple[int, bytes] = (-1, b"")
        if not self._chunk(self._last) and self._last:
            raise FormatError("a file on this disk ends in an empty chunk, which we never write")

    def read_at(self, offset: int, length: int) -> bytes:
        """Return `length` octets of plaintext from `offset`, fewer only at the end.

        Raises:
            AuthenticityError: a chunk was changed or moved.
        """
        end = min(offset + length, self.plain_bytes)
        if offset < 0 or offset >= end:
            return b""
        first = offset // CHUNK
        chunks = [self._chunk(number) for number in range(first, (end - 1) // CHUNK + 1)]
        return b"".join(chunks)[offset - first * CHUNK : end - first * CHUNK]

    def _chunk(self, number: int) -> bytes:
        """Open one chunk; the newest stays, for readers that go in small steps."""
        if self._held[0] != number:
            last = number == self._last
            length = self._last_bytes if last else _SEALED_CHUNK
            sealed = self._exactly(_SALT_BYTES + number * _SEALED_CHUNK, length)
            try:
                chunk = self._cipher.decrypt(_nonce(number, last=last), sealed, None)
            except InvalidTag:
                raise AuthenticityError(_CHANGED) from None
            self._held = (number, chunk)
        return self._held[1]

    def _exactly(self, offset: int, length: int) -> bytes:
        sealed = self._read_sealed(offset, length)
        if len(sealed) != length:
            raise AuthenticityError(_CHANGED)
        return sealed


def _cipher(key: bytes, salt: bytes) -> ChaCha20Poly1305:
    if len(key) != limits.KEY_BYTES:
        raise ValueError("the key of a container has 32 octets")
    info = b"sotto/1 chunked"
    derived = HKDF(algorithm=SHA256(), length=limits.KEY_BYTES, salt=salt, info=info).derive(key)
    return ChaCha20Poly1305(derived)


def _nonce(number: int, *, last: bool) -> bytes:
    return number.to_bytes(11, "big") + (b"\x01" if last else b"\x00")
