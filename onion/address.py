"""The two onion addresses: made, read, checked, and drawn as a QR code.

The keys are made here rather than by tor's first start, so that a poster can be
printed and a courier's key written before tor ever ran. File formats are those
of tor (rend-spec-v3, section 6 for the address; `hs_ed25519_*` for the keys).
"""

import hashlib
import io
from base64 import b32decode, b32encode
from dataclasses import dataclass
from pathlib import Path
from typing import NewType

import segno
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from onion.places import Places, check_private, give_to_owner_of
from protocol.errors import OnionError

OnionAddress = NewType("OnionAddress", str)  # 56 characters, without ".onion"

_PUBLIC_HEADER = b"== ed25519v1-public: type0 ==\x00\x00\x00"
_SECRET_HEADER = b"== ed25519v1-secret: type0 ==\x00\x00\x00"
_VERSION = b"\x03"
_CHARACTERS = 56


@dataclass(frozen=True)
class Addresses:
    """Where reporters and couriers find the relay."""

    reporter: OnionAddress
    courier: OnionAddress


def encode_address(public_key: bytes) -> OnionAddress:
    """Write a service's public key as its address.

    Args:
        public_key: 32 bytes, Ed25519.

    Returns:
        56 characters without the ending `.onion` (rend-spec-v3, section 6).
    """
    packed = public_key + _checksum(public_key) + _VERSION
    return OnionAddress(b32encode(packed).decode().lower())


def read_address(text: str) -> OnionAddress:
    """Read an address as a person may write it: with scheme, ending or capitals.

    The checksum is tested, because a mistyped address leads a frightened person
    to nobody, or to somebody else.

    Returns:
        The 56 characters without `.onion`.

    Raises:
        OnionError: not a version 3 address, or its checksum is wrong.
    """
    bare = text.strip().lower().removeprefix("http://").removeprefix("https://").rstrip("/")
    bare = bare.removesuffix(".onion")
    try:
        packed = b32decode(bare.upper()) if len(bare) == _CHARACTERS else b""
    except ValueError:
        packed = b""
    if len(packed) != 35 or packed[34:] != _VERSION or packed[32:34] != _checksum(packed[:32]):
        raise OnionError("This is not an onion address: compare all 56 characters.")
    return OnionAddress(bare)


def create_service(directory: Path) -> OnionAddress:
    """Return a service's address; make its keys where there are none.

    Args:
        directory: tor's HiddenServiceDir, 0700.

    Raises:
        OnionError: keys exist but are damaged, incomplete or open to others.
    """
    if (directory / "hs_ed25519_secret_key").exists():
        return address_of(directory)
    if (directory / "hostname").exists():
        raise OnionError(f"{directory} has an address but no key: restore the relay's backup.")
    seed = Ed25519PrivateKey.generate()
    public = seed.public_key().public_bytes_raw()
    address = encode_address(public)
    _write(directory / "hs_ed25519_public_key", _PUBLIC_HEADER + public)
    _write(directory / "hostname", f"{address}.onion\n".encode())
    # Last: while it is missing nothing has been announced and the rest may be made anew.
    _write(directory / "hs_ed25519_secret_key", _SECRET_HEADER + _expand(seed))
    return address


def address_of(directory: Path) -> OnionAddress:
    """Read the address of a service from its folder and check it against the public key.

    Raises:
        OnionError: no service was made here, or its files contradict each other.
    """
    try:
        hostname = (directory / "hostname").read_text(encoding="ascii")
        public = (directory / "hs_ed25519_public_key").read_bytes()
    except (OSError, UnicodeDecodeError) as error:
        raise OnionError("There is no address here yet: run `sotto onion address`.") from error
    for path in (directory, directory / "hs_ed25519_secret_key"):
        check_private(path)
    address = read_address(hostname)
    if public != _PUBLIC_HEADER + public[32:64] or encode_address(public[32:64]) != address:
        raise OnionError(f"{directory} is damaged: restore the relay's backup.")
    return address


def create_addresses(places: Places) -> Addresses:
    """Return both addresses of a relay; make what is missing.

    Raises:
        OnionError: folders or keys are damaged or open to others.
    """
    places.prepare()
    return Addresses(
        reporter=create_service(places.reporter), courier=create_service(places.courier)
    )


def read_addresses(places: Places) -> Addresses:
    """Read both addresses of a relay that was set up.

    Raises:
        OnionError: it was not, or its files are damaged.
    """
    return Addresses(reporter=address_of(places.reporter), courier=address_of(places.courier))


def url(address: OnionAddress) -> str:
    """Write the address as it is typed into Tor Browser."""
    return f"http://{address}.onion/"


def qr_terminal(address: OnionAddress) -> str:
    """Draw the address as a QR code of block characters for a terminal."""
    drawn = io.StringIO()
    segno.make(url(address), error="m").terminal(out=drawn, compact=True)
    return drawn.getvalue()


def write_qr_png(address: OnionAddress, path: Path) -> None:
    """Write the address as a QR code for a poster: 12 pixels a square, quiet zone included."""
    drawn = io.BytesIO()
    segno.make(url(address), error="m").save(drawn, kind="png", scale=12, border=4)
    path.write_bytes(drawn.getvalue())


def _checksum(public_key: bytes) -> bytes:
    return hashlib.sha3_256(b".onion checksum" + public_key + _VERSION).digest()[:2]


def _expand(seed: Ed25519PrivateKey) -> bytes:
    """Tor stores the expanded secret: SHA-512 of the seed, clamped (RFC 8032, 5.1.5)."""
    digest = bytearray(hashlib.sha512(seed.private_bytes_raw()).digest())
    digest[0] &= 248
    digest[31] = (digest[31] & 127) | 64
    return bytes(digest)


def _write(path: Path, content: bytes) -> None:
    path.touch(mode=0o600)
    path.write_bytes(content)
    give_to_owner_of(path.parent, path)
