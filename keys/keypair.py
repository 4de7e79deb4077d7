"""One OpenPGP key: its public half as read, its secret half once opened.

Keeps the exact bytes beside the parsed key, since fingerprints and signatures
are over bytes. Knows no certificate and no policy.
"""

import hashlib
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from cryptography.hazmat.primitives import hashes

from keys import openpgp, packets
from keys.openpgp import KeyPacket
from protocol.errors import FormatError, KeyMaterialError
from protocol.names import Fingerprint

SHA512 = 10
# RFC 9580 section 9.5.
STRONG_HASHES: dict[int, hashes.HashAlgorithm] = {
    8: hashes.SHA256(),
    9: hashes.SHA384(),
    SHA512: hashes.SHA512(),
}
# Good enough to take something back, not to vouch for it.
_WEAK_HASHES: dict[int, hashes.HashAlgorithm] = {
    2: hashes.SHA1(),  # noqa: S303 - old revocations rest on it
    11: hashes.SHA224(),
}
_UNPROTECTED, _PROTECTED = 0, {254, 255}  # S2K usage, RFC 9580 section 3.7.2.1
_GNU_STUB = 101  # S2K specifier of keys whose secret lies elsewhere (GnuPG doc/DETAILS)


@dataclass(frozen=True)
class PublicKey:
    """One public key or subkey, and the exact bytes it came in."""

    body: bytes = field(repr=False)
    fingerprint: Fingerprint
    created: int  # seconds since 1970
    algorithm: int
    name: str  # "RSA", "Ed25519", "Curve25519", "NIST P-256" …
    bits: int
    _packet: KeyPacket = field(repr=False, compare=False)

    @property
    def key_id(self) -> bytes:
        """The low 8 octets of the fingerprint, as locks and signatures name keys."""
        return bytes.fromhex(self.fingerprint)[-8:]

    def verify(
        self, signed: bytes, numbers: bytes, *, algorithm: int, hash_id: int, weak: bool = False
    ) -> None:
        """Check a raw signature.

        Args:
            signed: the whole hashed input, from `keys.signing.signed_bytes`.
            numbers: the signature's MPIs.
            algorithm: the algorithm that the signature names.
            hash_id: the hash that the signature names.
            weak: allow SHA-1 and SHA-224; for revocations only.

        Raises:
            FormatError: it does not verify, for whatever reason.
        """
        known = STRONG_HASHES | _WEAK_HASHES if weak else STRONG_HASHES
        if hash_id not in known or algorithm != self.algorithm:
            raise FormatError("The signature uses a weak hash or another key's algorithm.")
        openpgp.verify_raw(self._packet, signed, numbers, digest=known[hash_id])

    def encrypt(self, secret: bytes) -> bytes:
        """Encrypt a few octets to this key, as a lock holds them.

        Args:
            secret: algorithm octet, session key and checksum.

        Returns:
            The algorithm-specific part of a lock.

        Raises:
            FormatError: this key cannot encrypt.
        """
        return openpgp.encrypt_raw(self._packet, secret)


@dataclass(frozen=True)
class PrivateKey:
    """One secret key, opened; what `cryptography` needs is built once and kept."""

    public: PublicKey
    _packet: KeyPacket = field(repr=False, compare=False)
    _private: Any = field(repr=False, compare=False)

    def sign(self, signed: bytes) -> tuple[bytes, bytes]:
        """Sign with SHA-512; the same bytes every time with Ed25519 and RSA.

        Args:
            signed: the whole hashed input.

        Returns:
            The digest, and the signature as MPIs.

        Raises:
            KeyMaterialError: this key cannot sign.
        """
        try:
            numbers = openpgp.sign_raw(self._packet, signed, digest=STRONG_HASHES[SHA512])
        except FormatError as error:
            raise KeyMaterialError(str(error)) from None
        return hashlib.sha512(signed).digest(), numbers

    def decrypt(self, ciphertext: bytes) -> bytes | None:
        """Open the algorithm-specific part of a lock.

        Args:
            ciphertext: as `PublicKey.encrypt` returns it.

        Returns:
            What was encrypted, or None: a lock for nobody is no error.
        """
        try:
            return openpgp.decrypt_raw(self._packet, self._private, ciphertext)
        except FormatError:
            return None


def read_public_key(body: bytes, *, subkey: bool) -> PublicKey:
    """Read a version 4 public key.

    Args:
        body: of a public-key or public-subkey packet.
        subkey: which of the two.

    Returns:
        The key.

    Raises:
        FormatError: another version, an unknown algorithm, or malformed.
    """
    packet = openpgp.parse_key(packets.PUBLIC_SUBKEY if subkey else packets.PUBLIC_KEY, body)
    algorithm, name, bits = openpgp.algorithm_of(packet)
    digest = hashlib.sha1(  # noqa: S324 - RFC 9580 section 5.5.4.2 fixes it
        hashed_key(body)
    ).hexdigest()
    return PublicKey(
        body=body,
        fingerprint=Fingerprint(digest.upper()),
        created=int.from_bytes(body[1:5], "big"),
        algorithm=algorithm,
        name=name,
        bits=bits,
        _packet=packet,
    )


def hashed_key(body: bytes) -> bytes:
    """Return what fingerprints and signatures hash of a key (RFC 9580 section 5.2.4).

    Raises:
        FormatError: longer than the two octets of its length can say.
    """
    if len(body) >= 1 << 16:
        raise FormatError("A key is too long; use Curve25519 or RSA with 3072 bits.")
    return b"\x99" + len(body).to_bytes(2, "big") + body


def public_half(body: bytes, *, subkey: bool) -> bytes:
    """Cut the public half out of a secret-key packet's body.

    Raises:
        FormatError: the packet cannot be read.
    """
    public = openpgp.public_body(openpgp.parse_key(_secret_tag(subkey), body))
    if not body.startswith(public):
        raise FormatError("A secret key is malformed; export it again.")
    return public


def unlock(body: bytes, *, subkey: bool, passphrase: str | None) -> PrivateKey | None:
    """Open a secret-key packet for good.

    Args:
        body: of a secret-key or secret-subkey packet.
        subkey: which of the two.
        passphrase: None for a key that has none.

    Returns:
        The opened key, or None for a stub whose secret is kept elsewhere.

    Raises:
        KeyMaterialError: wrong passphrase, none where one is needed, or one where
            the key has none.
        FormatError: the packet is damaged or of an unknown kind.
    """
    public = read_public_key(public_half(body, subkey=subkey), subkey=subkey)
    protection = body[len(public.body) :]
    usage = protection[0] if protection else None
    packet = openpgp.parse_key(_secret_tag(subkey), body)
    if usage in _PROTECTED:
        if protection[2:3] == bytes([_GNU_STUB]):
            return None
        if passphrase is None:
            raise KeyMaterialError("The key is protected; give its passphrase.")
        openpgp.unprotect(packet, passphrase)
    elif usage != _UNPROTECTED:
        raise FormatError("The key is protected in an unknown way; export it again with gpg.")
    elif passphrase is not None:
        raise KeyMaterialError("The key has no passphrase; protect it before you use it.")
    private = openpgp.private_key(packet, public._packet)
    return PrivateKey(public=public, _packet=packet, _private=private)


def generate(*, encrypts: bool, created: datetime) -> PrivateKey:
    """Make a new Ed25519 or Curve25519 key.

    Args:
        encrypts: True for Curve25519 (ECDH), False for Ed25519 (EdDSA).
        created: the time it will carry.

    Returns:
        The opened key.
    """
    body = openpgp.new_key(encrypts=encrypts, created=created)
    key = unlock(body, subkey=encrypts, passphrase=None)
    if key is None:  # only a stub is, and this one was just made
        raise KeyMaterialError("The new key could not be read back; try again.")
    return key


def export_secret(key: PrivateKey, *, passphrase: str | None) -> bytes:
    """Write the body of a secret-key packet, protected if there is a passphrase.

    Args:
        key: an opened key that came unprotected.
        passphrase: None leaves the secret in the clear.

    Returns:
        The body for a secret-key or secret-subkey packet.
    """
    if passphrase is None:
        return openpgp.key_body(key._packet)
    return openpgp.protected_copy(key._packet, passphrase)


def _secret_tag(subkey: bool) -> int:
    return packets.SECRET_SUBKEY if subkey else packets.SECRET_KEY
