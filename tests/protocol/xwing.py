"""X-Wing and HPKE written out a second time from their specifications, to check the first.

Slow and plain on purpose: each line is one of draft-connolly-cfrg-xwing-kem or RFC 9180.
"""

import hashlib
import hmac

from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

LABEL = bytes.fromhex("5c2e2f2f5e5c")  # the wing, as the draft draws it
SUITE = b"HPKE" + bytes.fromhex("647a 0001 0003")  # X-Wing, HKDF-SHA256, ChaCha20-Poly1305


def decapsulate(seed: bytes, ciphertext: bytes) -> bytes:
    """Return the shared secret of 32 octets."""
    expanded = hashlib.shake_256(seed).digest(96)
    mlkem = MLKEM768PrivateKey.from_seed_bytes(expanded[:64])
    x25519 = X25519PrivateKey.from_private_bytes(expanded[64:])
    inner, point = ciphertext[:1_088], ciphertext[1_088:]
    first = mlkem.decapsulate(inner)
    second = x25519.exchange(X25519PublicKey.from_public_bytes(point))
    own = x25519.public_key().public_bytes_raw()
    return hashlib.sha3_256(first + second + point + own + LABEL).digest()


def open_base(seed: bytes, sealed: bytes, info: bytes) -> bytes:
    """Open a single-shot HPKE message in mode base, without associated data."""
    secret = decapsulate(seed, sealed[:1_120])
    context = b"\x00" + _extract(b"", b"psk_id_hash", b"") + _extract(b"", b"info_hash", info)
    root = _extract(secret, b"secret", b"")
    key = _expand(root, b"key", context, 32)
    nonce = _expand(root, b"base_nonce", context, 12)
    return ChaCha20Poly1305(key).decrypt(nonce, sealed[1_120:], b"")


def _extract(salt: bytes, label: bytes, material: bytes) -> bytes:
    labeled = b"HPKE-v1" + SUITE + label + material
    return hmac.digest(salt or bytes(32), labeled, "sha256")


def _expand(key: bytes, label: bytes, info: bytes, size: int) -> bytes:
    labeled = size.to_bytes(2, "big") + b"HPKE-v1" + SUITE + label + info
    return hmac.digest(key, labeled + b"\x01", "sha256")[:size]
