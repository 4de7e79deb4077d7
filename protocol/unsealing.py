"""Read what `sealing` writes, and release nothing before all of it is proven whole.

An OpenPGP tool that streams shows an attacker's plaintext before it notices the forgery; here
a first pass checks everything and a second one releases. PROTOCOL.md, «Sealing», Reading.
"""

import hashlib
import hmac
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from cryptography.hazmat.decrepit.ciphers.modes import CFB
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms

from protocol import limits
from protocol.blocks import read_blocks
from protocol.errors import AuthenticityError, FormatError
from protocol.names import SessionKey
from protocol.octets import OctetReader
from protocol.padding import padme
from protocol.parts import read_parts

_MDC_HEADER = b"\xd3\x14"
_MDC_BYTES = 22
_PREFIX_BYTES = 18
_PIECE_BYTES = limits.PART_BYTES
_CHANGED = (
    "a sealed message was changed on its way, or the key does not belong to it; fetch it again"
)

Source = Callable[[], Iterable[bytes]]


@dataclass(frozen=True)
class SealedMessage:
    """One message, of which only the locks have been read.

    Attributes:
        locks: whole PKESK packets, headers included, in order.
    """

    locks: tuple[bytes, ...]
    _source: Source = field(repr=False)

    def unseal(self, session_key: SessionKey) -> Iterator[bytes]:
        """Check the whole message, then yield its content.

        Args:
            session_key: from one of the locks.

        Yields:
            The content in pieces of at most 64 KiB, none before the MDC has been compared.

        Raises:
            AuthenticityError: changed, or not sealed with this key.
            FormatError: intact, but not of our making.
        """
        if len(session_key) != limits.SESSION_KEY_BYTES:
            raise AuthenticityError(_CHANGED)
        digests: list[bytes] = []
        self._check(session_key, digests)
        yield from _read_content(_decrypt(self._verified(digests), session_key))

    def _check(self, session_key: SessionKey, digests: list[bytes]) -> None:
        """Pass 1. A wrong MDC outranks faults of the content, which only a forger could plan."""
        plain = _decrypt(self._recorded(digests), session_key)
        fault: FormatError | None = None
        try:
            for _ in _read_content(plain):
                pass
        except FormatError as found:
            fault = found
        for _ in plain:  # to the end, where the MDC is compared
            pass
        if fault is not None:
            raise fault

    def _recorded(self, digests: list[bytes]) -> Iterator[bytes]:
        """Yield the parts of pass 1, remember their digests, and check the length of all."""
        counted = _Counted(self._source())
        reader = OctetReader(counted)
        _read_locks(reader)
        for part in read_parts(reader, b"\xd2"):
            digests.append(hashlib.sha256(part).digest())
            yield part
        if reader.up_to(1):
            raise FormatError("a sealed message is followed by something; fetch the file again")
        if counted.count != padme(counted.count):
            raise FormatError("a sealed message has a length that no size class has")

    def _verified(self, digests: list[bytes]) -> Iterator[bytes]:
        """Yield the parts of pass 2, each only if it is what pass 1 saw."""
        reader = OctetReader(self._source())
        _read_locks(reader)
        expected = iter(digests)
        for part in read_parts(reader, b"\xd2"):
            if hashlib.sha256(part).digest() != next(expected, None):
                raise AuthenticityError("a file changed while it was read; copy it and try again")
            yield part
        if next(expected, None) is not None:
            raise AuthenticityError("a file changed while it was read; copy it and try again")


def read_sealed(source: Source) -> SealedMessage:
    """Read the locks of a message.

    Args:
        source: gives the octets of the message from the start, each time it is called; it is
            called again for each pass, and pieces may have any size.

    Raises:
        FormatError: not a message of our making; the body is judged by `unseal`.
    """
    reader = OctetReader(source())
    locks = _read_locks(reader)
    if reader.peek(1) != b"\xd2":
        raise FormatError("this is not a sealed message of ours")
    return SealedMessage(locks=locks, _source=source)


class _Counted:
    """Count the octets that pass."""

    def __init__(self, pieces: Iterable[bytes]) -> None:
        self._pieces = iter(pieces)
        self.count = 0

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        piece = next(self._pieces)
        self.count += len(piece)
        return piece


def _read_locks(reader: OctetReader) -> tuple[bytes, ...]:
    locks: list[bytes] = []
    while (lock_bytes := _lock_bytes(reader.peek(6))) is not None:
        header_bytes, body_bytes = lock_bytes
        if body_bytes > limits.LOCK_BYTES or len(locks) == limits.LOCKS_COUNT:
            raise FormatError("a sealed message has more locks, or longer ones, than it may")
        lock = reader.exactly(header_bytes + body_bytes)
        if lock[header_bytes : header_bytes + 1] != b"\x03":
            raise FormatError("a sealed message has a lock of a version that we do not make")
        locks.append(lock)
    return tuple(locks)


def _lock_bytes(head: bytes) -> tuple[int, int] | None:
    """Return how long header and body of the next lock are; None if no lock follows."""
    if head[:1] in (b"\x84", b"\x85"):  # RFC 4880 section 4.2.1, old format
        header_bytes = 2 if head[:1] == b"\x84" else 3
        return header_bytes, int.from_bytes(head[1:header_bytes], "big")
    if head[:1] != b"\xc1" or len(head) < 6:
        return None
    if head[1] < 192:  # section 4.2.2.1
        return 2, head[1]
    if head[1] < 224:  # section 4.2.2.2
        return 3, ((head[1] - 192) << 8) + head[2] + 192
    if head[1] == 255:  # section 4.2.2.3
        return 6, int.from_bytes(head[2:6], "big")
    raise FormatError("a sealed message has a lock in parts, which we do not make")


def _decrypt(parts: Iterator[bytes], session_key: SessionKey) -> Iterator[bytes]:
    """Yield prefix and packets, and compare the MDC when all of them have passed."""
    body = OctetReader(parts)
    if body.exactly(1) != b"\x01":
        raise FormatError("a sealed message is of a version that we do not make")
    decryptor = Cipher(algorithms.AES(session_key), CFB(bytes(16))).decryptor()
    sha1 = hashlib.sha1(usedforsecurity=False)  # RFC 4880 section 5.14
    held = b""
    while part := body.up_to(_PIECE_BYTES):
        held += decryptor.update(part)
        plain, held = held[:-_MDC_BYTES], held[-_MDC_BYTES:]
        sha1.update(plain)
        yield plain
    sha1.update(_MDC_HEADER)
    if not hmac.compare_digest(held, _MDC_HEADER + sha1.digest()):
        raise AuthenticityError(_CHANGED)


def _read_content(plain: Iterator[bytes]) -> Iterator[bytes]:
    """Yield what the one literal packet holds; whatever else is there is refused."""
    packets = OctetReader(plain)
    prefix = packets.exactly(_PREFIX_BYTES)
    compressed = OctetReader(read_parts(packets, b"\xc8"))
    algorithm = compressed.exactly(1)
    blocks = OctetReader(read_blocks(compressed))
    literal = OctetReader(read_parts(blocks, b"\xcb"))
    kind = literal.exactly(1)
    literal.exactly(literal.exactly(1)[0])  # the proposed file name; readers choose their own
    date = literal.exactly(4)
    if prefix[-4:-2] != prefix[-2:] or (algorithm, kind, date) != (b"\x01", b"b", bytes(4)):
        raise FormatError("a sealed message has content of a kind that we do not make")
    while piece := literal.up_to(_PIECE_BYTES):
        yield piece
    if blocks.up_to(1) or compressed.up_to(1) or packets.up_to(1):
        raise FormatError("a sealed message has more in it than its content")
