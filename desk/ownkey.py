"""What the desk asks of the counselor's own key, wherever its secret lies.

Two implementations: `keys.secretkey.SecretKey`, opened in memory from a file that a
passphrase protects, and `desk.gpgkey.GpgKey`, whose secret gpg-agent or a smartcard
keeps. Nothing else of a key is used on a desk.
"""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Protocol

from keys import packets
from keys.parts import read_parts
from protocol.errors import FormatError
from protocol.names import Fingerprint, SessionKey

_LOCK_VERSION = 3
_KEY_ID = slice(1, 9)  # RFC 9580 section 5.1.1


class OwnKey(Protocol):
    """A key of the counselor: it signs for her, and it opens locks."""

    @property
    def fingerprint(self) -> Fingerprint:
        """The fingerprint of the primary key."""

    @property
    def certificate(self) -> bytes:
        """The public half, armoured."""

    def sign_detached(self, data: bytes, *, created: datetime) -> bytes:
        """Sign bytes; an armoured detached signature of that time.

        Raises:
            KeyMaterialError: this key may not, or cannot now.
        """

    def open_lock(self, locks: Sequence[bytes]) -> SessionKey | None:
        """Open one of the locks; None only when none of them is for this key.

        Raises:
            KeyMaterialError: it cannot be told now; a card is not there, say.
        """


def key_ids(certificate: bytes) -> frozenset[bytes]:
    """Return the key ids that a lock for this certificate may carry, old subkeys included."""
    parts = read_parts(certificate)
    subkeys = [one.key for one in parts.subkeys if one.key is not None]
    return frozenset(key.key_id for key in (parts.primary, *subkeys))


def addressed(locks: Sequence[bytes], ids: Collection[bytes]) -> list[bytes]:
    """Return the locks that name one of these keys; what is not a lock at all is passed over.

    A key id says for whom a lock is, not whether it opens: a blind one names its
    recipient like every other.
    """
    found = []
    for lock in locks:
        try:
            (packet,) = packets.read_packets(lock)
        except (FormatError, ValueError):
            continue
        body = packet.body
        if (
            packet.tag == packets.LOCK
            and body[:1] == bytes([_LOCK_VERSION])
            and body[_KEY_ID] in ids
        ):
            found.append(lock)
    return found
