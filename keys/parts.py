"""What a certificate is made of: its keys, its names, and who signed which.

Grouping only; nothing is verified here. Refused: secret keys, more than one
primary key, packets that have no place in a certificate, and a revocation where
it could be overlooked (RFC 9580 section 10.1).
"""

import itertools
from dataclasses import dataclass, field

from keys import packets
from keys.armor import PRIVATE_BLOCK, read_armor
from keys.keypair import PublicKey, hashed_key, read_public_key
from keys.signing import SUBKEY_REVOCATION, SignaturePacket, read_signature_packet
from protocol.errors import FormatError, KeyMaterialError

CERTIFICATE_BYTES = 256 * 1024  # hundreds of foreign signatures fit; a minimal export is 2 KB


@dataclass(frozen=True)
class Name:
    """A user id or user attribute and the signatures behind it."""

    tag: int
    body: bytes
    signatures: tuple[SignaturePacket, ...] = field(repr=False)

    @property
    def subject(self) -> bytes:
        """What a certification signs besides the primary key (RFC 9580 section 5.2.4)."""
        prefix = b"\xb4" if self.tag == packets.USER_ID else b"\xd1"
        return prefix + len(self.body).to_bytes(4, "big") + self.body


@dataclass(frozen=True)
class Subkey:
    """A subkey and the signatures behind it; `key` is None when it cannot be read."""

    key: PublicKey | None
    signatures: tuple[SignaturePacket, ...] = field(repr=False)


@dataclass(frozen=True)
class Parts:
    """One certificate, taken apart."""

    primary: PublicKey
    direct: tuple[SignaturePacket, ...] = field(repr=False)
    names: tuple[Name, ...]
    subkeys: tuple[Subkey, ...]
    binary: bytes = field(repr=False)

    @property
    def signatures(self) -> tuple[SignaturePacket, ...]:
        """Every readable signature, wherever it stands."""
        behind = [name.signatures for name in self.names]
        behind += [subkey.signatures for subkey in self.subkeys]
        return self.direct + tuple(itertools.chain.from_iterable(behind))


def read_parts(data: bytes) -> Parts:
    """Take one public certificate apart.

    Args:
        data: armoured or binary.

    Returns:
        Its parts, in the order in which they came.

    Raises:
        KeyMaterialError: secret, garbage, several certificates, or too large.
    """
    if len(data) > CERTIFICATE_BYTES:
        raise KeyMaterialError(
            "The certificate is too large; use gpg --export-options export-minimal."
        )
    try:
        armored = read_armor(data)
        if armored.block == PRIVATE_BLOCK:
            raise KeyMaterialError("This is a secret key; export the public one instead.")
        return _group(packets.read_packets(armored.data), armored.data)
    except FormatError as error:
        raise KeyMaterialError(f"The certificate cannot be read. {error}") from None


def key_subject(key: PublicKey) -> bytes:
    """What a signature over a key hashes (RFC 9580 section 5.2.4)."""
    return hashed_key(key.body)


def _group(sequence: tuple[packets.Packet, ...], binary: bytes) -> Parts:
    tags = [packet.tag for packet in sequence]
    if packets.SECRET_KEY in tags or packets.SECRET_SUBKEY in tags:
        raise KeyMaterialError("This is a secret key; export the public one instead.")
    if tags[0] != packets.PUBLIC_KEY:
        raise KeyMaterialError("This is no certificate; export the public key.")
    if tags.count(packets.PUBLIC_KEY) > 1:
        raise KeyMaterialError("There is more than one certificate; export exactly one.")
    groups: list[tuple[packets.Packet, list[packets.Packet]]] = []
    for packet in sequence:
        if packet.tag == packets.SIGNATURE:
            groups[-1][1].append(packet)
        elif packet.tag in _HEADS:
            groups.append((packet, []))
        else:
            raise KeyMaterialError("The certificate holds foreign packets; export it again.")
    (head, direct), *others = groups
    return Parts(
        primary=read_public_key(head.body, subkey=False),
        direct=_read_signatures(direct, head.tag),
        names=tuple(
            Name(tag=head.tag, body=head.body, signatures=_read_signatures(behind, head.tag))
            for head, behind in others
            if head.tag != packets.PUBLIC_SUBKEY
        ),
        subkeys=tuple(
            Subkey(key=_read_subkey(head.body), signatures=_read_signatures(behind, head.tag))
            for head, behind in others
            if head.tag == packets.PUBLIC_SUBKEY
        ),
        binary=binary,
    )


_HEADS = {
    packets.PUBLIC_KEY,
    packets.USER_ID,
    packets.USER_ATTRIBUTE,
    packets.PUBLIC_SUBKEY,
}


def _read_subkey(body: bytes) -> PublicKey | None:
    """Read a subkey; one of a kind that is not known here is no reason to refuse the rest."""
    try:
        return read_public_key(body, subkey=True)
    except FormatError:
        return None


def _read_signatures(sequence: list[packets.Packet], behind: int) -> tuple[SignaturePacket, ...]:
    """Read the signatures behind one packet.

    An unreadable one behind a name vouches for nothing and is skipped; behind a
    key it might be a revocation, so it is refused.
    """
    signatures = []
    for packet in sequence:
        try:
            signature = read_signature_packet(packet.body)
        except FormatError:
            if behind in {packets.USER_ID, packets.USER_ATTRIBUTE}:
                continue
            raise
        if signature.kind == SUBKEY_REVOCATION and behind != packets.PUBLIC_SUBKEY:
            raise FormatError("A revocation stands in the wrong place; export it again.")
        signatures.append(signature)
    return tuple(signatures)
