"""ASCII armour: OpenPGP bytes as text that survives a mail or a clipboard.

Ours, because PGPy's reader is a regular expression over the whole text and
keeps going after garbage. Refused here: more than one block, text around the
block, anything but base64 inside. The CRC-24 is written, since old programs
want it, but not checked: RFC 9580 section 6.1 forbids refusing for it, and
signatures guard what matters.
"""

import base64
import binascii
from dataclasses import dataclass

from protocol.errors import FormatError

PUBLIC_BLOCK = "PGP PUBLIC KEY BLOCK"
PRIVATE_BLOCK = "PGP PRIVATE KEY BLOCK"
SIGNATURE_BLOCK = "PGP SIGNATURE"

_BEGIN = "-----BEGIN "
_DASHES = "-----"
_LINE = 64  # RFC 9580 section 6.2 allows 76; 64 is what gpg writes
_CRC24_INIT, _CRC24_POLY = 0xB704CE, 0x1864CFB  # RFC 9580 section 6.1.1


@dataclass(frozen=True)
class Armored:
    """What came out of the armour, and what the armour said it was."""

    block: str | None  # None: there was no armour
    data: bytes


def read_armor(data: bytes) -> Armored:
    """Take the armour off, or return binary OpenPGP data as it is.

    The first octet decides: every OpenPGP packet begins with its high bit set
    (RFC 9580 section 4.2), no text does.

    Args:
        data: one armoured block, with nothing but white space around it, or binary.

    Returns:
        The bytes inside and the name of the block.

    Raises:
        FormatError: neither, or more than one block.
    """
    if data[:1] >= b"\x80" and not data.startswith(b"\xef\xbb\xbf"):
        return Armored(block=None, data=data)
    # Comments in the header may hold any charset; only the base64 is read.
    text = data.removeprefix(b"\xef\xbb\xbf").decode("latin-1").strip(" \t\r\n")
    lines = [line.rstrip(" \t\r") for line in text.split("\n")]
    if sum(line.startswith(_BEGIN) for line in lines) > 1:
        raise FormatError("There is more than one armoured block; give exactly one.")
    block = lines[0].removeprefix(_BEGIN).removesuffix(_DASHES)
    if lines[0] != f"{_BEGIN}{block}{_DASHES}" or lines[-1] != f"-----END {block}{_DASHES}":
        raise FormatError("This is no OpenPGP data; give one armoured block or a binary file.")
    body = lines[1:-1]
    if "" not in body:
        raise FormatError("The armour has no empty line after its headers; export it again.")
    body = [line for line in body[body.index("") + 1 :] if line]
    if body and len(body[-1]) == len("=XXXX") and body[-1].startswith("="):
        body.pop()
    try:
        return Armored(block=block, data=base64.b64decode("".join(body), validate=True))
    except (binascii.Error, ValueError):
        raise FormatError("The armour is damaged; export it again.") from None


def encode_armor(data: bytes, block: str) -> str:
    """Wrap bytes into one armoured block, without a comment or a version.

    Args:
        data: binary OpenPGP packets.
        block: one of the names above.

    Returns:
        ASCII text, lines of 64 characters, ending in a newline.
    """
    text = base64.b64encode(data).decode()
    lines = [text[start : start + _LINE] for start in range(0, len(text), _LINE)]
    checksum = base64.b64encode(_crc24(data).to_bytes(3, "big")).decode()
    return "\n".join(
        [f"{_BEGIN}{block}{_DASHES}", "", *lines, f"={checksum}", f"-----END {block}{_DASHES}", ""]
    )


def _crc24(data: bytes) -> int:
    crc = _CRC24_INIT
    for octet in data:
        crc ^= octet << 16
        for _ in range(8):
            crc <<= 1
            if crc & 0x1000000:
                crc ^= _CRC24_POLY
    return crc
