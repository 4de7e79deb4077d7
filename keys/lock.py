"""Locks: one packet per recipient that opens an envelope for her, or for nobody.

PROTOCOL.md, "Locks". A blind lock takes the same path through the same code: a
random key under a checksum that is wrong, to the real subkey. A *valid* other
session key would make gpg try it and write garbage; key id zero breaks RNP.
"""

import secrets

from keys.certificate import Certificate
from keys.packets import LOCK, encode_packet
from protocol.errors import FormatError, KeyMaterialError
from protocol.names import SessionKey

AES256 = 9  # RFC 9580 section 9.3
SESSION_KEY_BYTES = 32
_VERSION = 3
_CHECKSUMS = 1 << 16


def generate_session_key() -> SessionKey:
    """Return 32 random bytes for AES-256."""
    return SessionKey(secrets.token_bytes(SESSION_KEY_BYTES))


def make_lock(certificate: Certificate, session_key: SessionKey) -> bytes:
    """Make the lock that opens an envelope for one recipient.

    Args:
        certificate: from `verify_certificate`.
        session_key: 32 bytes, AES-256.

    Returns:
        A version 3 PKESK packet with its header (RFC 9580 section 5.1.1).

    Raises:
        KeyMaterialError: the certificate was not verified, or cannot encrypt.
    """
    return _make(certificate, session_key, checksum_error=0)


def make_blind_lock(certificate: Certificate) -> bytes:
    """Make a lock that opens nothing, and that only its recipient can tell from a real one.

    Args:
        certificate: from `verify_certificate`; of one who may not read.

    Returns:
        A packet like that of `make_lock`, its length drawn from the same distribution.

    Raises:
        KeyMaterialError: the certificate was not verified, or cannot encrypt.
    """
    error = 1 + secrets.randbelow(_CHECKSUMS - 1)
    return _make(certificate, generate_session_key(), checksum_error=error)


def read_secret(secret: bytes | None) -> SessionKey | None:
    """Take the session key out of what a lock held.

    Args:
        secret: what was decrypted, or None.

    Returns:
        The session key, or None: no AES-256, no right length, or a wrong checksum.
    """
    if secret is None or len(secret) != 1 + SESSION_KEY_BYTES + 2 or secret[0] != AES256:
        return None
    key, checksum = secret[1:-2], secret[-2:]
    if not secrets.compare_digest(_checksum(key, 0), checksum):
        return None
    return SessionKey(key)


def _make(certificate: Certificate, session_key: SessionKey, *, checksum_error: int) -> bytes:
    if len(session_key) != SESSION_KEY_BYTES:
        raise KeyMaterialError("A session key has 32 bytes; generate one.")
    key = certificate.require_encryption_key()
    secret = bytes([AES256]) + session_key + _checksum(session_key, checksum_error)
    try:
        encrypted = key.encrypt(secret)
    except FormatError:
        raise KeyMaterialError("The certificate cannot encrypt; get a new one.") from None
    return encode_packet(LOCK, bytes([_VERSION]) + key.key_id + bytes([key.algorithm]) + encrypted)


def _checksum(key: bytes, error: int) -> bytes:
    return ((sum(key) + error) % _CHECKSUMS).to_bytes(2, "big")
