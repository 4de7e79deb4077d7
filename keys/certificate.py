"""Certificates: who an envelope may be sealed to, and whether that still holds.

A pinned fingerprint alone protects nothing: anyone can graft a subkey onto a
certificate without changing it. So every statement that is relied on is verified
against the pinned primary key; docs/decisions/0002-certificate-policy.md.
"""

import unicodedata
from dataclasses import dataclass, field
from datetime import UTC, date, datetime

from keys.armor import PUBLIC_BLOCK, encode_armor
from keys.bindings import bound_primary, encryption_subkey, seconds, vouched_names
from keys.keypair import PublicKey
from keys.packets import USER_ID
from keys.parts import Parts, read_parts
from protocol.errors import FormatError, KeyMaterialError
from protocol.names import Fingerprint

_HEX_DIGITS = 40  # version 4: SHA-1
_TRIAL = bytes(35)  # as long as what a lock holds


@dataclass(frozen=True)
class Certificate:
    """A recipient's public keys, read or verified.

    Only `verify_certificate` sets `encryption_key`, and only with it a lock can be
    made: what was merely read cannot be sealed to by mistake.
    """

    fingerprint: Fingerprint
    armored: str = field(repr=False)
    user_ids: tuple[str, ...]
    expires: date | None  # the day on which the first of primary key and subkey expires
    primary_key: PublicKey
    encryption_key: PublicKey | None = None

    @property
    def encryption_key_id(self) -> bytes:
        """The 8-octet key id that a lock for this certificate carries.

        Raises:
            KeyMaterialError: the certificate was read, not verified.
        """
        return self.require_encryption_key().key_id

    def require_encryption_key(self) -> PublicKey:
        """Return the key to seal to.

        Raises:
            KeyMaterialError: the certificate was read, not verified.
        """
        if self.encryption_key is None:
            raise KeyMaterialError("This certificate is not verified; verify it before sealing.")
        return self.encryption_key


def read_fingerprint(text: str) -> Fingerprint:
    """Read a fingerprint as people write it: any case, any spacing.

    Args:
        text: 40 hex digits, as `gpg --fingerprint` prints them.

    Returns:
        The fingerprint in its one spelling.

    Raises:
        KeyMaterialError: anything else, short key ids above all.
    """
    digits = "".join(text.split()).upper()
    if len(digits) != _HEX_DIGITS or not set(digits) <= set("0123456789ABCDEF"):
        raise KeyMaterialError("A fingerprint has 40 hex digits; copy the whole of it.")
    return Fingerprint(digits)


def read_certificate(data: bytes) -> Certificate:
    """Read a certificate without believing it, to show whose it says it is.

    Args:
        data: one public certificate, armoured or binary.

    Returns:
        The certificate; it cannot be sealed to.

    Raises:
        KeyMaterialError: secret, garbage, or more than one.
    """
    parts = read_parts(data)
    names = tuple(name.body for name in parts.names if name.tag == USER_ID)
    return _certificate(parts, names=names, expires=None, encryption_key=None)


def verify_certificate(data: bytes, *, pinned: Fingerprint, now: datetime) -> Certificate:
    """Verify that a certificate is the pinned one and that reports may be sealed to it now.

    Called whenever a certificate is loaded, not once: keys expire while a relay runs.

    Args:
        data: one public certificate, armoured or binary.
        pinned: the fingerprint that a person has compared.
        now: with a time zone.

    Returns:
        The certificate with the subkey to seal to.

    Raises:
        KeyMaterialError: one sentence on what is wrong and what to do.
    """
    parts = read_parts(data)
    if parts.primary.fingerprint != pinned:
        raise KeyMaterialError(
            "The certificate has another fingerprint; compare it with its owner before you go on."
        )
    moment = seconds(now)
    primary = bound_primary(parts, moment)
    subkey = encryption_subkey(parts, moment)
    try:
        # A point of low order parses but cannot encrypt: better refused here than
        # when a report arrives.
        subkey.key.encrypt(_TRIAL)
    except FormatError:
        raise KeyMaterialError(
            "The encryption subkey does not work; let the owner make a new one."
        ) from None
    expiries = [bound.expires for bound in (primary, subkey) if bound.expires is not None]
    return _certificate(
        parts,
        names=vouched_names(parts, moment),
        expires=datetime.fromtimestamp(min(expiries), UTC).date() if expiries else None,
        encryption_key=subkey.key,
    )


def describe(certificate: Certificate) -> tuple[str, ...]:
    """Explain a certificate in words, for a person who compares it.

    Args:
        certificate: read or verified.

    Returns:
        Lines without control characters: user ids come from strangers.
    """
    digits = certificate.fingerprint
    groups = " ".join(digits[start : start + 4] for start in range(0, len(digits), 4))
    lines = [f"Fingerprint: {groups}"]
    lines += [f"User id: {name}" for name in certificate.user_ids] or ["User id: none"]
    lines.append(f"Primary key: {_words(certificate.primary_key)}")
    if certificate.encryption_key is None:
        return (*lines, "Not verified: whether it may be sealed to is not known yet.")
    lines.append(f"Encryption key: {_words(certificate.encryption_key)}")
    lines.append(f"Expires: {certificate.expires.isoformat() if certificate.expires else 'never'}")
    return tuple(lines)


def _certificate(
    parts: Parts,
    *,
    names: tuple[bytes, ...],
    expires: date | None,
    encryption_key: PublicKey | None,
) -> Certificate:
    return Certificate(
        fingerprint=parts.primary.fingerprint,
        armored=encode_armor(parts.binary, PUBLIC_BLOCK),
        user_ids=tuple(_printable(name) for name in names),
        expires=expires,
        primary_key=parts.primary,
        encryption_key=encryption_key,
    )


def _printable(name: bytes) -> str:
    """Decode a user id; what could move a cursor or turn the writing round becomes U+FFFD."""
    text = name.decode("utf-8", errors="replace")
    return "".join(
        "\N{REPLACEMENT CHARACTER}" if unicodedata.category(c)[0] == "C" else c for c in text
    )


def _words(key: PublicKey) -> str:
    made = datetime.fromtimestamp(key.created, UTC).date().isoformat()
    size = f", {key.bits} bits" if key.bits else ""
    return f"{key.name}{size}, made {made}"
