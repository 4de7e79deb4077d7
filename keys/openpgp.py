"""The one door to PGPy: key packets, session-key ciphertexts, raw signatures.

PGPy parses keys and does the arithmetic through `cryptography`. It is never
asked for a judgement: which key, which signature and which time are valid is
decided in `keys.bindings` (docs/decisions/0002-certificate-policy.md). Whatever
it raises on odd input becomes a `FormatError` here, without its text, since a
library's message may quote a secret.
"""

import contextlib
import hashlib
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.utils import CryptographyDeprecationWarning

# PGPy mentions ciphers and a module that are on their way out; nothing here uses
# them. Set once: filters are global, and changing them per call is not thread-safe.
warnings.filterwarnings("ignore", category=DeprecationWarning, module=r"pgpy\.")
warnings.filterwarnings("ignore", category=CryptographyDeprecationWarning)

from pgpy.constants import (  # noqa: E402 - the filters must stand first
    EllipticCurveOID,
    HashAlgorithm,
    PubKeyAlgorithm,
    SymmetricKeyAlgorithm,
)
from pgpy.packet import Packet as PGPyPacket  # noqa: E402
from pgpy.packet.fields import (  # noqa: E402
    ECDHCipherText,
    ECDSASignature,
    EdDSASignature,
    RSACipherText,
    RSASignature,
)
from pgpy.packet.packets import PrivKeyV4  # noqa: E402

from keys import packets  # noqa: E402
from protocol.errors import FormatError, KeyMaterialError  # noqa: E402
from protocol.names import Fingerprint  # noqa: E402

RSA, ECDH, ECDSA, EDDSA = {1, 2, 3}, 18, 19, 22  # RFC 9580 section 9.1
SHA512 = 10
# RFC 9580 section 9.5. Only revocations may rest on SHA-1 or SHA-224.
STRONG_HASHES: dict[int, hashes.HashAlgorithm] = {
    8: hashes.SHA256(),
    9: hashes.SHA384(),
    SHA512: hashes.SHA512(),
}
WEAK_HASHES: dict[int, hashes.HashAlgorithm] = {2: hashes.SHA1(), 11: hashes.SHA224()}  # noqa: S303 - to honour old revocations
_CURVES = {
    EllipticCurveOID.Curve25519: "Curve25519",
    EllipticCurveOID.Ed25519: "Ed25519",
    EllipticCurveOID.NIST_P256: "NIST P-256",
    EllipticCurveOID.NIST_P384: "NIST P-384",
    EllipticCurveOID.NIST_P521: "NIST P-521",
}
_UNPROTECTED, _PROTECTED = 0, {254, 255}  # S2K usage, RFC 9580 section 3.7.2.1
_GNU_STUB = 101  # S2K specifier of keys whose secret lies elsewhere (GnuPG doc/DETAILS)
_OTHER_CURVE = "another curve"


@dataclass(frozen=True)
class PublicKey:
    """One public key or subkey, and the exact bytes it came in."""

    body: bytes = field(repr=False)
    fingerprint: Fingerprint
    created: int  # seconds since 1970
    algorithm: int
    name: str  # "RSA", "Ed25519", "Curve25519", "NIST P-256" …
    bits: int
    _packet: Any = field(repr=False, compare=False)

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
        known = STRONG_HASHES | WEAK_HASHES if weak else STRONG_HASHES
        if hash_id not in known or algorithm != self.algorithm:
            raise FormatError("The signature uses a weak hash or another key's algorithm.")
        with _refusing("The signature does not verify."):
            signature = _signature_class(algorithm)()
            rest = bytearray(numbers)
            signature.parse(rest)
            # `is True`: PGPy answers NotImplemented, which is true, for keys that cannot sign.
            verified = self._packet.keymaterial.verify(signed, signature.__sig__(), known[hash_id])
            if verified is not True or rest:
                raise FormatError("The signature does not verify.")

    def encrypt(self, secret: bytes) -> bytes:
        """Encrypt a few octets to this key, as RFC 9580 section 5.1 wants inside a lock.

        Args:
            secret: algorithm octet, session key and checksum.

        Returns:
            The algorithm-specific part of a lock.

        Raises:
            FormatError: this key cannot encrypt.
        """
        with _refusing("The key cannot encrypt."):
            if self.algorithm == ECDH:
                return bytes(ECDHCipherText.encrypt(self._packet, secret))
            public = self._packet.keymaterial.__pubkey__()
            return bytes(RSACipherText.encrypt(public.encrypt, secret, padding.PKCS1v15()))


@dataclass(frozen=True)
class PrivateKey:
    """One secret key, opened; what `cryptography` needs is built once and kept."""

    public: PublicKey
    _packet: Any = field(repr=False, compare=False)
    _private: Any = field(repr=False, compare=False)

    def sign(self, signed: bytes) -> tuple[bytes, bytes]:
        """Sign with SHA-512, deterministically with Ed25519 and RSA.

        Args:
            signed: the whole hashed input.

        Returns:
            The digest, and the signature as MPIs.

        Raises:
            KeyMaterialError: this key cannot sign.
        """
        digest = hashlib.sha512(signed).digest()
        try:
            raw = self._packet.keymaterial.sign(signed, hashes.SHA512())
            signature = _signature_class(self.public.algorithm)()
            signature.from_signer(raw)
            return digest, bytes(signature)
        except Exception:  # PGPy raises whatever comes; its text may quote secrets
            raise KeyMaterialError("This key cannot sign; use one that can.") from None

    def decrypt(self, ciphertext: bytes) -> bytes | None:
        """Open the algorithm-specific part of a lock.

        Args:
            ciphertext: as `PublicKey.encrypt` returns it.

        Returns:
            What was encrypted, or None: a lock for nobody is no error.
        """
        rest = bytearray(ciphertext)
        try:
            if self.public.algorithm == ECDH:
                lock = ECDHCipherText()
                lock.parse(rest)
                return bytes(lock.decrypt(self._packet))
            lock = RSACipherText()
            lock.parse(rest)
            # MPIs drop leading zeros, RSA wants them (RFC 8017 section 7.2.2).
            padded = int(lock.me_mod_n).to_bytes((self.public.bits + 7) // 8, "big")
            return bytes(self._private.decrypt(padded, padding.PKCS1v15()))
        except Exception:  # any failure at all means the same: this lock opens nothing here
            return None


def read_public_key(body: bytes, *, subkey: bool) -> PublicKey:
    """Read a version 4 public key.

    Args:
        body: of a public-key or public-subkey packet.
        subkey: which of the two.

    Returns:
        The key; its point or modulus is one that `cryptography` accepts.

    Raises:
        FormatError: another version, an unknown algorithm, or bytes that would be
            written differently (the fingerprint must be of what was read).
    """
    with _refusing("A key in the certificate cannot be read; use RSA or Curve25519, version 4."):
        packet = _parse(packets.PUBLIC_SUBKEY if subkey else packets.PUBLIC_KEY, body)
        if _body(packet) != body:
            raise FormatError("A key in the certificate is malformed.")
        algorithm = int(packet.pkalg)
        if algorithm in RSA | {ECDH, ECDSA, EDDSA}:
            packet.keymaterial.__pubkey__()
        name, bits = _describe(algorithm, packet.keymaterial)
        digest = hashlib.sha1(  # noqa: S324 - RFC 9580 section 5.5.4.2 fixes it
            b"\x99" + len(body).to_bytes(2, "big") + body
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


def public_body(body: bytes, *, subkey: bool) -> bytes:
    """Cut the public half out of a secret-key packet's body.

    Raises:
        FormatError: the packet cannot be read.
    """
    with _refusing("A secret key cannot be read; export it again with gpg."):
        tag = packets.SECRET_SUBKEY if subkey else packets.SECRET_KEY
        public = _body(_parse(tag, body).pubkey())
        if not body.startswith(public):
            raise FormatError("A secret key is malformed.")
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
    public = read_public_key(public_body(body, subkey=subkey), subkey=subkey)
    protection = body[len(public.body) :]
    if protection[:1] and protection[0] in _PROTECTED:
        if protection[2:3] == bytes([_GNU_STUB]):
            return None
        if passphrase is None:
            raise KeyMaterialError("The key is protected; give its passphrase.")
    elif protection[:1] and protection[0] == _UNPROTECTED:
        if passphrase is not None:
            raise KeyMaterialError("The key has no passphrase; protect it before you use it.")
    else:
        raise FormatError("The key is protected in an unknown way; export it again with gpg.")
    packet = _unprotect(body, subkey=subkey, passphrase=passphrase)
    with _refusing("The secret key is damaged; export it again."):
        private = packet.keymaterial.__privkey__()
        if _spki(private.public_key()) != _spki(public._packet.keymaterial.__pubkey__()):
            raise FormatError("The secret key does not belong to its public key.")
    return PrivateKey(public=public, _packet=packet, _private=private)


def generate(*, encrypts: bool, created: datetime) -> PrivateKey:
    """Make a new Ed25519 or Curve25519 key.

    Args:
        encrypts: True for Curve25519 (ECDH), False for Ed25519 (EdDSA).
        created: the time it will carry.

    Returns:
        The opened key.
    """
    algorithm = PubKeyAlgorithm.ECDH if encrypts else PubKeyAlgorithm.EdDSA
    curve = EllipticCurveOID.Curve25519 if encrypts else EllipticCurveOID.Ed25519
    packet = PrivKeyV4.new(algorithm, curve, created=created.astimezone(UTC))
    key = unlock(_body(packet), subkey=encrypts, passphrase=None)
    if key is None:  # a fresh key is no stub
        raise KeyMaterialError("The new key could not be read back; try again.")
    return key


def export_secret(key: PrivateKey, *, passphrase: str | None) -> bytes:
    """Write the body of a secret-key packet, protected if there is a passphrase.

    Protection is iterated and salted SHA-256 over 65 MB and AES-256, with the
    SHA-1 check of usage 254: the strongest that gpg 2.2 reads.

    Args:
        key: an opened key.
        passphrase: None leaves the secret in the clear.

    Returns:
        The body for a secret-key or secret-subkey packet.
    """
    packet = _parse(packets.SECRET_KEY, _body(key._packet))
    if passphrase is not None:
        packet.protect(passphrase, SymmetricKeyAlgorithm.AES256, HashAlgorithm.SHA256)
    return _body(packet)


def _unprotect(body: bytes, *, subkey: bool, passphrase: str | None) -> Any:
    tag = packets.SECRET_SUBKEY if subkey else packets.SECRET_KEY
    with _refusing("The secret key is damaged; export it again."):
        packet = _parse(tag, body)
    if passphrase is not None:
        try:
            packet.unprotect(passphrase)
        except Exception:  # PGPy raises whatever the wrong bytes provoke
            raise KeyMaterialError("The passphrase does not open this key; try again.") from None
    return packet


def _parse(tag: int, body: bytes) -> Any:
    return PGPyPacket(bytearray(packets.encode_packet(tag, body)))


def _body(packet: Any) -> bytes:
    packet.update_hlen()
    (only,) = packets.read_packets(bytes(packet))
    return only.body


def _describe(algorithm: int, material: Any) -> tuple[str, int]:
    if algorithm in RSA:
        return "RSA", int(material.n).bit_length()
    if algorithm in {ECDH, ECDSA, EDDSA}:
        return _CURVES.get(material.oid, _OTHER_CURVE), material.oid.key_size
    return PubKeyAlgorithm(algorithm).name, 0


def _signature_class(algorithm: int) -> Any:
    if algorithm in RSA:
        return RSASignature
    return {ECDSA: ECDSASignature, EDDSA: EdDSASignature}[algorithm]


def _spki(key: Any) -> bytes:
    return bytes(
        key.public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        )
    )


@contextlib.contextmanager
def _refusing(sentence: str) -> Iterator[None]:
    """Turn everything that PGPy may raise into one sentence of ours."""
    try:
        yield
    except FormatError:
        raise
    except Exception:  # PGPy raises IndexError, AssertionError, TypeError … on odd bytes
        raise FormatError(sentence) from None
