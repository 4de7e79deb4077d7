"""Secret keys: of a counselor on her desk, and of the relay for bundles and dispatches.

A key is unlocked once, when it is read, and stays open in memory; Python cannot
wipe it afterwards (docs/THREAT_MODEL.md). Nothing here shows a secret in a
representation or an error.
"""

from collections.abc import Sequence
from datetime import datetime

from keys import packets
from keys.armor import PRIVATE_BLOCK, PUBLIC_BLOCK, SIGNATURE_BLOCK, encode_armor, read_armor
from keys.bindings import seconds, signing_keys
from keys.issuing import issue_signature
from keys.keypair import (
    PrivateKey,
    export_secret,
    generate,
    public_half,
    unlock,
)
from keys.lock import read_secret
from keys.parts import CERTIFICATE_BYTES, key_subject, read_parts
from keys.signing import (
    BINARY_DOCUMENT,
    FEATURES,
    KEY_EXPIRES,
    KEY_FLAGS,
    KEYSERVER,
    MAY_CERTIFY,
    MAY_ENCRYPT,
    MAY_SIGN,
    POSITIVE_CERTIFICATION,
    PREFERRED_CIPHERS,
    PREFERRED_COMPRESSION,
    PREFERRED_HASHES,
    SUBKEY_BINDING,
)
from protocol.errors import FormatError, KeyMaterialError
from protocol.names import Fingerprint, SessionKey

_LOCK_HEAD = 1 + 8 + 1  # version, key id, algorithm: RFC 9580 section 5.1.1
# AES-256 192 128; SHA-512 384 256; no compression first; SEIPD version 1; nobody else may edit.
_PREFERENCES = (
    (PREFERRED_CIPHERS, b"\x09\x08\x07"),
    (PREFERRED_HASHES, b"\x0a\x09\x08"),
    (PREFERRED_COMPRESSION, b"\x00\x02\x01"),
    (FEATURES, b"\x01"),
    (KEYSERVER, b"\x80"),
)


class SecretKey:
    """An opened OpenPGP key: it signs, and it opens locks."""

    def __init__(self, *, certificate: bytes, keys: Sequence[PrivateKey]) -> None:
        """Keep opened keys together with their public certificate.

        Args:
            certificate: binary, with everything that was signed about the keys.
            keys: all whose secrets are here, the primary key included or not.
        """
        self._parts = read_parts(certificate)
        self._keys = tuple(keys)

    def __repr__(self) -> str:
        """Name the key, never its secrets."""
        return f"SecretKey({self.fingerprint})"

    @property
    def fingerprint(self) -> Fingerprint:
        """The fingerprint of the primary key."""
        return self._parts.primary.fingerprint

    @property
    def certificate(self) -> bytes:
        """The public half, armoured."""
        return encode_armor(self._parts.binary, PUBLIC_BLOCK).encode()

    def sign_detached(self, data: bytes, *, created: datetime) -> bytes:
        """Sign bytes so that any OpenPGP program can verify them.

        With Ed25519 and RSA the same data and time give the same bytes, so a bundle
        that is made up twice does not differ.

        Args:
            data: what to sign.
            created: the time the signature will carry.

        Returns:
            An armoured detached signature, SHA-512.

        Raises:
            KeyMaterialError: no key here may sign at that time.
        """
        moment = seconds(created)
        opened = {key.public.fingerprint: key for key in self._keys}
        for public in signing_keys(self._parts, made=moment, now=moment):
            if public.fingerprint in opened:
                body = issue_signature(
                    opened[public.fingerprint],
                    subject=data,
                    kind=BINARY_DOCUMENT,
                    created=moment,
                    subpackets=(),
                )
                packet = packets.encode_packet(packets.SIGNATURE, body)
                return encode_armor(packet, SIGNATURE_BLOCK).encode()
        raise KeyMaterialError("No key here may sign; use the file that holds the signing key.")

    def open_lock(self, locks: Sequence[bytes]) -> SessionKey | None:
        """Open an envelope's lock with any encryption key, expired and retired ones included.

        Args:
            locks: raw PKESK packets with their headers, as they stand in an envelope.

        Returns:
            The session key, or None when no lock opens: not for me, or a blind one.
        """
        for lock in locks:
            try:
                (packet,) = packets.read_packets(lock)
            except (FormatError, ValueError):
                continue
            body = packet.body
            if packet.tag != packets.LOCK or len(body) <= _LOCK_HEAD or body[0] != 3:
                continue
            for key in self._keys:
                if key.public.key_id == body[1:9] and key.public.algorithm == body[9]:
                    session_key = read_secret(key.decrypt(body[_LOCK_HEAD:]))
                    if session_key is not None:
                        return session_key
        return None


def read_secret_key(armored: bytes, passphrase: str | None) -> SecretKey:
    """Open a secret key for as long as the process lives.

    Args:
        armored: one secret key as `gpg --export-secret-keys` writes it, armoured or not.
        passphrase: None only for a key that has none.

    Returns:
        The opened key.

    Raises:
        KeyMaterialError: wrong passphrase, an unprotected key although a passphrase
            was given, a public key, several keys, or damage.
    """
    if len(armored) > CERTIFICATE_BYTES:
        raise KeyMaterialError("The secret key is too large; export it minimally.")
    try:
        unwrapped = read_armor(armored)
        sequence = packets.read_packets(unwrapped.data)
        if sequence[0].tag != packets.SECRET_KEY:
            raise KeyMaterialError("This is no secret key; export it with its secret.")
        public = b""
        opened = []
        for packet in sequence:
            tag, body = packet.tag, packet.body
            if tag in _PUBLIC_TAG:
                subkey = tag == packets.SECRET_SUBKEY
                key = unlock(body, subkey=subkey, passphrase=passphrase)
                opened += [key] if key is not None else []
                tag, body = _PUBLIC_TAG[tag], public_half(body, subkey=subkey)
            public += packets.encode_packet(tag, body)
    except FormatError as error:
        raise KeyMaterialError(f"The secret key cannot be read. {error}") from None
    if not opened:
        raise KeyMaterialError("The file holds only stubs; use the one that holds the secret.")
    return SecretKey(certificate=public, keys=opened)


def generate_secret_key(
    *, user_id: str, passphrase: str | None, created: datetime, expires: datetime | None
) -> bytes:
    """Make a key pair that every OpenPGP program of today reads.

    Version 4, an Ed25519 primary key that certifies and signs, a Curve25519 subkey
    that encrypts: the one kind that gpg 2.2, Sequoia, RNP and OpenPGP.js share.

    Args:
        user_id: a name for people; not an address that leads anywhere.
        passphrase: None leaves the secret in the clear, for keys that a machine
            must open by itself.
        created: the time the key will carry.
        expires: of both keys; None: never.

    Returns:
        The secret key, armoured.

    Raises:
        KeyMaterialError: the expiry is not after the creation.
    """
    moment = seconds(created)
    lifetime = () if expires is None else _lifetime(seconds(expires) - moment)
    primary = generate(encrypts=False, created=created)
    subkey = generate(encrypts=True, created=created)
    name = user_id.encode()
    certification = issue_signature(
        primary,
        subject=key_subject(primary.public) + b"\xb4" + len(name).to_bytes(4, "big") + name,
        kind=POSITIVE_CERTIFICATION,
        created=moment,
        subpackets=(
            (KEY_FLAGS, bytes([MAY_CERTIFY | MAY_SIGN])),
            *lifetime,
            *_PREFERENCES,
        ),
    )
    binding = issue_signature(
        primary,
        subject=key_subject(primary.public) + key_subject(subkey.public),
        kind=SUBKEY_BINDING,
        created=moment,
        subpackets=((KEY_FLAGS, bytes([MAY_ENCRYPT])), *lifetime),
    )
    sequence = (
        (packets.SECRET_KEY, export_secret(primary, passphrase=passphrase)),
        (packets.USER_ID, name),
        (packets.SIGNATURE, certification),
        (packets.SECRET_SUBKEY, export_secret(subkey, passphrase=passphrase)),
        (packets.SIGNATURE, binding),
    )
    binary = b"".join(packets.encode_packet(tag, body) for tag, body in sequence)
    return encode_armor(binary, PRIVATE_BLOCK).encode()


_PUBLIC_TAG = {
    packets.SECRET_KEY: packets.PUBLIC_KEY,
    packets.SECRET_SUBKEY: packets.PUBLIC_SUBKEY,
}


def _lifetime(lifetime_seconds: int) -> tuple[tuple[int, bytes]]:
    if not 0 < lifetime_seconds < 1 << 32:
        raise KeyMaterialError("The key must expire after its creation; choose another day.")
    return ((KEY_EXPIRES, lifetime_seconds.to_bytes(4, "big")),)
