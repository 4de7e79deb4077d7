"""Making signatures: over documents, over names, over subkeys.

One function for all of them, so that what is signed, hashed and written never
differs between a bundle and a certificate (RFC 9580 section 5.2.4).
"""

from collections.abc import Sequence

from keys.keypair import SHA512, PrivateKey
from keys.signing import (
    CREATED,
    ISSUER,
    ISSUER_FINGERPRINT,
    encode_hashed,
    encode_signature,
    signed_bytes,
)


def issue_signature(
    key: PrivateKey,
    *,
    subject: bytes,
    kind: int,
    created: int,
    subpackets: Sequence[tuple[int, bytes]],
) -> bytes:
    """Sign a subject, with SHA-512.

    No salt and no notation: with Ed25519 and RSA the same arguments give the same
    bytes, which a bundle that is made up twice relies on.

    Args:
        key: the signer, opened.
        subject: what the type of signature hashes before its own fields.
        kind: signature type, RFC 9580 section 5.2.1.
        created: seconds since 1970.
        subpackets: signed ones besides creation time and issuer.

    Returns:
        The body of a signature packet.

    Raises:
        KeyMaterialError: this key cannot sign.
    """
    public = key.public
    hashed = encode_hashed(
        kind=kind,
        algorithm=public.algorithm,
        hash_id=SHA512,
        subpackets=(
            (CREATED, created.to_bytes(4, "big")),
            (ISSUER_FINGERPRINT, b"\x04" + bytes.fromhex(public.fingerprint)),
            *subpackets,
        ),
    )
    digest, numbers = key.sign(signed_bytes(subject, hashed))
    return encode_signature(
        hashed=hashed, unhashed=((ISSUER, public.key_id),), digest=digest, numbers=numbers
    )
