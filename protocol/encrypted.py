"""Notice that something is encrypted already, so that a person learns it and a desk leaves it.

This is help, not a guard: nothing relies on a «no». PROTOCOL.md, «Envelope», Nested.
"""

from protocol import limits

_PGP_ARMOR = b"-----BEGIN PGP MESSAGE"
_AGE_ARMOR = b"-----BEGIN AGE ENCRYPTED FILE-----"
_AGE = b"age-encryption.org/"
_BLANK = b" \t\r\n\xef\xbb\xbf"  # and the byte order mark that some editors write first
_OLD_FORMAT = 0x80
_NEW_FORMAT = 0xC0
# RFC 9580 section 5: the packets that begin an encrypted message, and their versions there.
_VERSIONS = {
    1: frozenset({3, 6}),  # session key for a certificate
    3: frozenset({4, 5, 6}),  # session key for a passphrase
    18: frozenset({1, 2}),  # encrypted, integrity protected
    20: frozenset({1}),  # AEAD, of an earlier draft
}
_LENGTH_BYTES = {0: 1, 1: 2, 2: 4}  # old format, section 4.2.2


def encryption_of(head: bytes) -> str:
    """Name the encryption that a file or text begins with.

    Args:
        head: its first octets; 64 are enough.

    Returns:
        "OpenPGP", "age", or "" when it looks like neither.
    """
    text = head[: limits.NESTED_HEAD_BYTES].lstrip(_BLANK)
    if text.startswith(_PGP_ARMOR) or _begins_with_packet(head):
        return "OpenPGP"
    if text.startswith((_AGE_ARMOR, _AGE)):
        return "age"
    return ""


def encryption_in(text: str) -> str:
    """Name the encryption of an armoured message that stands anywhere in a text."""
    found = (encryption_of(line.encode("utf-8", "replace")) for line in text.splitlines())
    return next(filter(None, found), "")


def _begins_with_packet(head: bytes) -> bool:
    if len(head) < 2 or head[0] < _OLD_FORMAT:
        return False
    if head[0] >= _NEW_FORMAT:
        tag = head[0] & 0x3F
        length_bytes = 1 if head[1] < 192 or 224 <= head[1] < 255 else 2 if head[1] < 224 else 5
    else:
        tag = head[0] >> 2 & 0x0F
        length_bytes = _LENGTH_BYTES.get(head[0] & 0x03, 0)
    version = head[1 + length_bytes : 2 + length_bytes]
    return bool(version) and version[0] in _VERSIONS.get(tag, frozenset())
