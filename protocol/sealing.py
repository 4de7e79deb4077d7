"""Seal a stream of octets into one OpenPGP message of exact size class, while it arrives.

Written here and not by an OpenPGP library because a report must be sealed before it touches a
disk, in memory that does not grow with it, and stock gpg must read it without our help. What
is written is deliberately plain; PROTOCOL.md, «Sealing», gives every octet and the reasons.
"""

import hashlib
import secrets
from collections.abc import Iterator

from cryptography.hazmat.decrepit.ciphers.modes import CFB
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms

from protocol import limits
from protocol.blocks import LEAST_PADDING_BYTES, BlockWriter, make_padding
from protocol.errors import CapacityError, FormatError
from protocol.names import SessionKey
from protocol.octets import Octets
from protocol.padding import padme
from protocol.parts import PartWriter, body_bytes, full_parts, packet_bytes
from protocol.unsealing import SealedMessage, read_sealed

__all__ = ["SealedMessage", "Sealer", "read_sealed"]

_MDC_HEADER = b"\xd3\x14"
_AROUND_COMPRESSED_BYTES = 1 + 18 + 22  # version, prefix, MDC packet


class Sealer:
    """Seal one message. Memory stays at a few parts of 64 KiB, whatever the length."""

    def __init__(self, *, session_key: SessionKey, locks: bytes, file_name: str) -> None:
        """Begin a message.

        Args:
            session_key: 32 random octets, used for this message only.
            locks: the PKESK packets, in order, as they will stand in front.
            file_name: what gpg proposes when it writes the content; ASCII or any script, at
                most 255 octets.

        Raises:
            FormatError: a session key or file name of wrong length.
        """
        name = file_name.encode("utf-8")
        if len(session_key) != limits.SESSION_KEY_BYTES or len(name) > limits.LITERAL_NAME_BYTES:
            raise FormatError("a session key has 32 octets, a file name at most 255")
        self._encryptor = Cipher(algorithms.AES(session_key), CFB(bytes(16))).encryptor()
        self._sha1 = hashlib.sha1(usedforsecurity=False)  # RFC 4880 section 5.14
        self._ciphertext = memoryview(bytearray(limits.PART_BYTES + 32))
        self._out: list[bytes] = []
        self._locks_bytes = len(locks)
        self._finished = False
        # Each writer hands on to the one before it: literal, blocks, compressed, SEIPD, out.
        self._seipd = PartWriter(locks + b"\xd2", sink=lambda data: self._out.append(bytes(data)))
        self._seipd.write(b"\x01")
        prefix = secrets.token_bytes(16)
        self._encrypt(prefix + prefix[-2:])
        self._compressed = PartWriter(b"\xc8", sink=self._encrypt)
        self._compressed.write(b"\x01")
        self._blocks = BlockWriter(sink=self._compressed.write)
        self._literal = PartWriter(b"\xcb", sink=self._blocks.write)
        self._literal.write(b"b" + len(name).to_bytes(1, "big") + name + bytes(4))

    def update(self, data: bytes) -> bytes:
        """Take more content; give the ciphertext that is ready, in whole parts.

        Raises:
            CapacityError: the message would pass 4 GiB.
        """
        if self._finished:
            raise ValueError("a finished message takes no more content")
        if self._seipd.body_bytes + len(data) > limits.SEALED_BYTES:
            raise CapacityError("a sealed message holds at most 4 GiB; send less at once")
        self._literal.write(data)
        return self._take()

    def finish(self) -> bytes:
        """End the message; see `finish_in_pieces` for large ones.

        Returns:
            The rest: what was buffered, padding, MDC. All output together has exactly the
            length of a Padmé class.
        """
        return b"".join(self.finish_in_pieces())

    def finish_in_pieces(self) -> Iterator[bytes]:
        """End the message, giving the rest piece by piece: padding may be 3 % of the whole."""
        if self._finished:
            raise ValueError("a message is finished once")
        self._finished = True
        self._literal.finish()
        self._blocks.flush()
        compressed_packet = self._compressed_packet_bytes()
        padding_bytes = body_bytes(compressed_packet) - self._compressed.body_bytes
        for piece in make_padding(padding_bytes):
            self._compressed.write(piece)
            yield self._take()
        self._compressed.finish(full_parts=full_parts(compressed_packet))
        self._sha1.update(_MDC_HEADER)
        mdc = _MDC_HEADER + self._sha1.digest()
        self._seipd.write(self._encryptor.update(mdc) + self._encryptor.finalize())
        self._seipd.finish(full_parts=full_parts(self._seipd_packet_bytes))
        yield self._take()

    def _compressed_packet_bytes(self) -> int:
        """Find the class of the least possible message, and go back to the inner packet."""
        least = packet_bytes(self._compressed.body_bytes + LEAST_PADDING_BYTES)
        least_message = self._locks_bytes + packet_bytes(least + _AROUND_COMPRESSED_BYTES)
        self._seipd_packet_bytes = padme(least_message) - self._locks_bytes
        return body_bytes(self._seipd_packet_bytes) - _AROUND_COMPRESSED_BYTES

    def _encrypt(self, packets: Octets) -> None:
        self._sha1.update(packets)
        count = self._encryptor.update_into(packets, self._ciphertext)
        self._seipd.write(self._ciphertext[:count])

    def _take(self) -> bytes:
        out = b"".join(self._out)
        self._out.clear()
        return out
