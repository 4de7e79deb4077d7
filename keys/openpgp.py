"""The one door to PGPy: parsing key packets, and the arithmetic with them.

PGPy parses keys and computes through `cryptography`. It is never asked for a
judgement: which key, which signature and which time are valid is decided in
`keys.bindings` (docs/decisions/0002-certificate-policy.md). Whatever it raises
on odd input becomes a `FormatError` here, without its text, since a library's
message may quote a secret. Its objects leave this module only as opaque handles
inside `keys.keypair`.
"""

import contextlib
import warnings
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, NewType

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.utils import CryptographyDeprecationWarning

# PGPy mentions ciphers and a module that are on their way out; nothing here uses
# them. Set once: filters are global, and changing them per call is not thread-safe.
for _category in (DeprecationWarning, CryptographyDeprecationWarning):
    warnings.filterwarnings("ignore", category=_category, module=r"pgpy\.")

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

KeyPacket = NewType("KeyPacket", object)  # PGPy's object for one key; opaque elsewhere

RSA, ECDH, ECDSA, EDDSA = {1, 2, 3}, 18, 19, 22  # RFC 9580 section 9.1
OTHER_CURVE = "another curve"
_CURVES = {
    EllipticCurveOID.Curve25519: "Curve25519",
    EllipticCurveOID.Ed25519: "Ed25519",
    EllipticCurveOID.NIST_P256: "NIST P-256",
    EllipticCurveOID.NIST_P384: "NIST P-384",
    EllipticCurveOID.NIST_P521: "NIST P-521",
}


def parse_key(tag: int, body: bytes) -> KeyPacket:
    """Read a key packet, public or secret.

    Args:
        tag: what the body is of: primary or subkey, public or secret.
        body: version 4.

    Returns:
        A handle. A public key was read exactly: written again it is the same bytes,
        and its point or modulus is one that `cryptography` accepts.

    Raises:
        FormatError: another version, an unknown algorithm, or not written as it
            would be; the fingerprint must be of what was read.
    """
    with refusing("A key cannot be read; use one of version 4 with Curve25519 or RSA."):
        packet = PGPyPacket(bytearray(packets.encode_packet(tag, body)))
        if tag in {packets.PUBLIC_KEY, packets.PUBLIC_SUBKEY}:
            if key_body(packet) != body:
                raise FormatError("A key is malformed; export it again.")
            if int(packet.pkalg) in RSA | {ECDH, ECDSA, EDDSA}:
                packet.keymaterial.__pubkey__()
        return KeyPacket(packet)


def key_body(packet: Any) -> bytes:
    """Write a key packet's body."""
    packet.update_hlen()
    (only,) = packets.read_packets(bytes(packet))
    return only.body


def public_body(packet: Any) -> bytes:
    """Write the body of the public half of a secret-key packet.

    Raises:
        FormatError: the packet has none.
    """
    with refusing("A secret key cannot be read; export it again with gpg."):
        return key_body(packet.pubkey())


def algorithm_of(packet: Any) -> tuple[int, str, int]:
    """Return a key's algorithm number, its name for people, and its bits (0: unknown)."""
    algorithm = int(packet.pkalg)
    if algorithm in RSA:
        return algorithm, "RSA", int(packet.keymaterial.n).bit_length()
    if algorithm in {ECDH, ECDSA, EDDSA}:
        curve = packet.keymaterial.oid
        return algorithm, _CURVES.get(curve, OTHER_CURVE), curve.key_size or 0
    return algorithm, PubKeyAlgorithm(algorithm).name, 0


def verify_raw(packet: Any, signed: bytes, numbers: bytes, *, digest: hashes.HashAlgorithm) -> None:
    """Check a signature over bytes.

    Args:
        packet: a public key.
        signed: the whole hashed input.
        numbers: the signature as MPIs, nothing behind them.
        digest: the hash that the signature names.

    Raises:
        FormatError: it does not verify, for whatever reason.
    """
    with refusing("The signature does not verify."):
        signature = _signature_class(packet)()
        rest = bytearray(numbers)
        signature.parse(rest)
        # `is True`: PGPy answers NotImplemented, which is true, for keys that cannot sign.
        verified = packet.keymaterial.verify(signed, signature.__sig__(), digest)
        if verified is not True or rest:
            raise FormatError("The signature does not verify.")


def sign_raw(packet: Any, signed: bytes, *, digest: hashes.HashAlgorithm) -> bytes:
    """Sign bytes and return the signature as MPIs.

    Raises:
        FormatError: this key cannot sign.
    """
    with refusing("This key cannot sign; use one that can."):
        signature = _signature_class(packet)()
        signature.from_signer(packet.keymaterial.sign(signed, digest))
        return bytes(signature)


def encrypt_raw(packet: Any, secret: bytes) -> bytes:
    """Encrypt a few octets as a lock holds them (RFC 9580 sections 5.1.3 and 5.1.5).

    Raises:
        FormatError: this key cannot encrypt.
    """
    with refusing("The key cannot encrypt."):
        if int(packet.pkalg) == ECDH:
            return bytes(ECDHCipherText.encrypt(packet, secret))
        public = packet.keymaterial.__pubkey__()
        return bytes(RSACipherText.encrypt(public.encrypt, secret, padding.PKCS1v15()))


def decrypt_raw(packet: Any, private: Any, ciphertext: bytes) -> bytes:
    """Open what `encrypt_raw` made.

    Args:
        packet: an unprotected secret key.
        private: from `private_key`, since building an RSA key takes long.
        ciphertext: the algorithm-specific part of a lock.

    Returns:
        What was encrypted; with RSA random octets when it was not (implicit rejection).

    Raises:
        FormatError: it does not open.
    """
    with refusing("The lock does not open."):
        rest = bytearray(ciphertext)
        if int(packet.pkalg) == ECDH:
            lock = ECDHCipherText()
            lock.parse(rest)
            return bytes(lock.decrypt(packet))
        lock = RSACipherText()
        lock.parse(rest)
        # MPIs drop leading zeros, RSA wants them (RFC 8017 section 7.2.2).
        padded = int(lock.me_mod_n).to_bytes((private.key_size + 7) // 8, "big")
        return bytes(private.decrypt(padded, padding.PKCS1v15()))


def private_key(packet: Any, public: Any) -> Any:
    """Build the private key of `cryptography`, and insist that it fits its public half.

    Raises:
        FormatError: damaged, or somebody else's secret.
    """
    with refusing("The secret key is damaged; export it again."):
        private = packet.keymaterial.__privkey__()
        if _spki(private.public_key()) != _spki(public.keymaterial.__pubkey__()):
            raise FormatError("The secret key does not belong to its public key.")
        return private


def unprotect(packet: Any, passphrase: str) -> None:
    """Open a protected secret key for good.

    Raises:
        KeyMaterialError: it does not open.
    """
    try:
        packet.unprotect(passphrase)
    except Exception:  # PGPy raises whatever the wrong bytes provoke
        raise KeyMaterialError("The passphrase does not open this key; try again.") from None


def protected_copy(packet: Any, passphrase: str) -> bytes:
    """Write the body of a secret key under a passphrase.

    Iterated and salted SHA-256 over 65 MB and AES-256, with the SHA-1 check of usage
    254 (RFC 9580 section 3.7): the strongest that gpg 2.2 reads.
    """
    # PGPy empties what it protects.
    copy = PGPyPacket(bytearray(packets.encode_packet(packets.SECRET_KEY, key_body(packet))))
    copy.protect(passphrase, SymmetricKeyAlgorithm.AES256, HashAlgorithm.SHA256)
    return key_body(copy)


def new_key(*, encrypts: bool, created: datetime) -> bytes:
    """Make a Curve25519 key that encrypts or an Ed25519 key that signs.

    Returns:
        The body of an unprotected secret-key packet.
    """
    algorithm = PubKeyAlgorithm.ECDH if encrypts else PubKeyAlgorithm.EdDSA
    curve = EllipticCurveOID.Curve25519 if encrypts else EllipticCurveOID.Ed25519
    return key_body(PrivKeyV4.new(algorithm, curve, created=created.astimezone(UTC)))


@contextlib.contextmanager
def refusing(sentence: str) -> Iterator[None]:
    """Turn everything that PGPy may raise into one sentence of ours."""
    try:
        yield
    except FormatError:
        raise
    except Exception:  # PGPy raises IndexError, AssertionError, TypeError … on odd bytes
        raise FormatError(sentence) from None


def _signature_class(packet: Any) -> Any:
    algorithm = int(packet.pkalg)
    if algorithm in RSA:
        return RSASignature
    return {ECDSA: ECDSASignature, EDDSA: EdDSASignature}[algorithm]


def _spki(key: Any) -> bytes:
    return bytes(
        key.public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        )
    )
