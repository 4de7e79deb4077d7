"""Which keys of a certificate may do what, and until when: the policy.

Ours alone, since PGPy verifies no binding: a subkey grafted onto a certificate
with the right fingerprint would be used. Every rule is in
docs/decisions/0002-certificate-policy.md. Whatever is older than the newest
valid statement of the primary key does not count.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from keys.keypair import PublicKey
from keys.openpgp import ECDH, ECDSA, EDDSA, RSA
from keys.packets import USER_ID
from keys.parts import Name, Parts, Subkey, key_subject
from keys.signing import (
    CERTIFICATION_REVOCATION,
    CERTIFICATIONS,
    DIRECT_KEY,
    KEY_REVOCATION,
    MAY_ENCRYPT,
    MAY_SIGN,
    PRIMARY_BINDING,
    SUBKEY_BINDING,
    SUBKEY_REVOCATION,
    SignaturePacket,
    read_signature_packet,
    signed_bytes,
)
from protocol.errors import FormatError, KeyMaterialError

RSA_BITS = range(3072, 16385)  # NIST SP 800-57: 128-bit security; above 16384 OpenSSL refuses
STRONG_CURVES = {"Curve25519", "Ed25519", "NIST P-256", "NIST P-384", "NIST P-521"}


@dataclass(frozen=True)
class Bound:
    """A key with what the primary key's newest valid statement says about it."""

    key: PublicKey
    flags: int
    expires: int | None  # seconds since 1970; None: never


def seconds(moment: datetime) -> int:
    """Return seconds since 1970 of a moment that knows its time zone."""
    if moment.tzinfo is None:
        raise ValueError("a moment needs a time zone")
    return int(moment.timestamp())


def bound_primary(parts: Parts, now: int) -> Bound:
    """Find what the primary key says of itself, and refuse one that cannot be relied on.

    Args:
        parts: a certificate taken apart.
        now: seconds since 1970.

    Returns:
        The primary key, its flags and its expiry.

    Raises:
        KeyMaterialError: weak, from the future, revoked, without a valid
            self-signature, or expired.
    """
    primary = parts.primary
    weakness = _weakness(primary)
    if weakness is not None:
        raise KeyMaterialError(weakness)
    if primary.created > now:
        raise KeyMaterialError("The key was made in the future; check the clock of this machine.")
    # Anyone's and even an unverifiable revocation counts: to doubt one is cheaper than to
    # overlook it, and whoever can insert packets could as well cut the certificate short.
    if any(signature.kind == KEY_REVOCATION for signature in parts.signatures):
        raise KeyMaterialError("The key is revoked; ask its owner for her new certificate.")
    newest = _newest(_self_signatures(parts, now))
    if newest is None:
        raise KeyMaterialError(
            "No valid self-signature with SHA-256 or better; let the owner export the key anew."
        )
    bound = _bound(primary, newest)
    if bound.expires is not None and bound.expires <= now:
        raise KeyMaterialError("The key has expired; let its owner extend it and export it anew.")
    return bound


def encryption_subkey(parts: Parts, now: int) -> Bound:
    """Find the newest subkey that the primary key vouches for and that may encrypt.

    Args:
        parts: a certificate whose primary key `bound_primary` accepted.
        now: seconds since 1970.

    Returns:
        The subkey and its expiry.

    Raises:
        KeyMaterialError: there is none; the sentence tells of the newest candidate.
    """
    usable: list[Bound] = []
    refusals: list[tuple[int, str]] = []
    for subkey in parts.subkeys:
        bound = _bound_subkey(parts.primary, subkey, now)
        if bound is None or not bound.flags & MAY_ENCRYPT:
            continue
        reason = _refusal(parts.primary, subkey, bound, now)
        if reason is None:
            usable.append(bound)
        else:
            refusals.append((bound.key.created, reason))
    if usable:
        return max(usable, key=lambda bound: bound.key.created)
    if refusals:
        raise KeyMaterialError(max(refusals)[1])
    if any(subkey.key is None for subkey in parts.subkeys):
        raise KeyMaterialError(
            "The subkey is of a kind that is not accepted; let the owner add one of Curve25519."
        )
    raise KeyMaterialError(
        "No encryption subkey that the primary key has signed; let the owner add one."
    )


def signing_keys(parts: Parts, *, made: int, now: int) -> tuple[PublicKey, ...]:
    """Find the keys whose signatures of a given time are accepted.

    Args:
        parts: a certificate taken apart.
        made: when the signature says it was made, seconds since 1970.
        now: seconds since 1970; who has expired since is not believed either, since
            a stolen key can write any date.

    Returns:
        The primary key if it may sign, then signing subkeys that agreed to be so.

    Raises:
        KeyMaterialError: the primary key is not to be relied on.
    """
    primary = bound_primary(parts, now)
    found = []
    if primary.flags & MAY_SIGN and primary.key.created <= made:
        found.append(primary.key)
    for subkey in parts.subkeys:
        bound = _bound_subkey(parts.primary, subkey, now, cross_certified=True)
        if (
            bound is not None
            and bound.flags & MAY_SIGN
            and bound.key.created <= made
            and _refusal(parts.primary, subkey, bound, now) is None
        ):
            found.append(bound.key)
    return tuple(found)


def vouched_names(parts: Parts, now: int) -> tuple[bytes, ...]:
    """Return the user ids that the primary key has certified and not taken back."""
    return tuple(
        name.body
        for name in parts.names
        if name.tag == USER_ID and _certifications(parts.primary, name, now)
    )


def _weakness(key: PublicKey) -> str | None:
    if key.algorithm in RSA and key.bits in RSA_BITS:
        return None
    if key.algorithm in {ECDH, ECDSA, EDDSA} and key.name in STRONG_CURVES:
        return None
    return "The key is too weak; its owner must make one of Curve25519 or RSA with 3072 bits."


def _refusal(primary: PublicKey, subkey: Subkey, bound: Bound, now: int) -> str | None:
    """Say why a bound subkey may not be used, or None."""
    weakness = _weakness(bound.key)
    if weakness is not None:
        return weakness
    if bound.key.created > now:
        return "The subkey was made in the future; check the clock of this machine."
    if bound.expires is not None and bound.expires <= now:
        return "The subkey has expired; let the owner extend it and export it anew."
    if any(
        signature.kind == SUBKEY_REVOCATION
        and _verifies(primary, signature, _subkey_subject(primary, bound.key), weak=True)
        for signature in subkey.signatures
    ):
        return "The subkey is revoked; ask the owner for a new certificate."
    return None


def _bound_subkey(
    primary: PublicKey, subkey: Subkey, now: int, *, cross_certified: bool = False
) -> Bound | None:
    """Read the newest valid binding of a subkey, or None if the primary never bound it."""
    key = subkey.key
    if key is None:
        return None
    subject = _subkey_subject(primary, key)
    newest = _newest(
        signature
        for signature in subkey.signatures
        if signature.kind == SUBKEY_BINDING and _counts(primary, signature, subject, now)
    )
    if newest is None or (cross_certified and not _agrees(primary, key, newest, now)):
        return None
    return _bound(key, newest)


def _agrees(primary: PublicKey, key: PublicKey, binding: SignaturePacket, now: int) -> bool:
    """Tell whether a signing subkey has signed back.

    Without it anyone could adopt a stranger's signing key and claim her
    signatures (RFC 9580 section 5.2.1.9).
    """
    subject = _subkey_subject(primary, key)
    for body in binding.embedded:
        try:
            back = read_signature_packet(body)
        except FormatError:
            continue
        if back.kind == PRIMARY_BINDING and _counts(key, back, subject, now):
            return True
    return False


def _self_signatures(parts: Parts, now: int) -> list[SignaturePacket]:
    subject = key_subject(parts.primary)
    found = [
        signature
        for signature in parts.direct
        if signature.kind == DIRECT_KEY and _counts(parts.primary, signature, subject, now)
    ]
    for name in parts.names:
        found += _certifications(parts.primary, name, now)
    return found


def _certifications(primary: PublicKey, name: Name, now: int) -> list[SignaturePacket]:
    """Return the primary key's valid certifications of a name that it has not taken back since."""
    subject = key_subject(primary) + name.subject
    revoked = max(
        (
            signature.created
            for signature in name.signatures
            if signature.kind == CERTIFICATION_REVOCATION
            and _verifies(primary, signature, subject, weak=True)
        ),
        default=-1,
    )
    return [
        signature
        for signature in name.signatures
        if signature.kind in CERTIFICATIONS
        and signature.created > revoked
        and _counts(primary, signature, subject, now)
    ]


def _counts(signer: PublicKey, signature: SignaturePacket, subject: bytes, now: int) -> bool:
    """Tell whether a signature is by this key, with a strong hash, and in force now."""
    return (
        signature.usable
        and signer.created <= signature.created <= now
        and not (signature.expires_after and signature.created + signature.expires_after <= now)
        and _verifies(signer, signature, subject)
    )


def _verifies(
    signer: PublicKey, signature: SignaturePacket, subject: bytes, *, weak: bool = False
) -> bool:
    if signature.issuers and signer.key_id not in signature.issuers:
        return False  # somebody else's; spares the arithmetic
    try:
        signer.verify(
            signed_bytes(subject, signature.hashed),
            signature.numbers,
            algorithm=signature.algorithm,
            hash_id=signature.hash_id,
            weak=weak,
        )
    except FormatError:
        return False
    return True


def _subkey_subject(primary: PublicKey, key: PublicKey) -> bytes:
    return key_subject(primary) + key_subject(key)


def _newest(signatures: Iterable[SignaturePacket]) -> SignaturePacket | None:
    return max(signatures, key=lambda signature: signature.created, default=None)


def _bound(key: PublicKey, statement: SignaturePacket) -> Bound:
    lifetime = statement.key_expires_after
    return Bound(
        key=key, flags=statement.flags, expires=key.created + lifetime if lifetime else None
    )
