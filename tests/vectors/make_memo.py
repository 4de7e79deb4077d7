"""Vectors of «Memo», sealed here with a fixed nonce by the layout itself, not by memo.py."""

from typing import Any

from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

KEY = bytes(range(32))
NONCE = bytes(range(100, 112))
LABEL = b"sotto/1 memo"
GOOD = (
    '{"day":"2026-11-22","kind":"report","language":"ar","left_out":["head"],'
    '"not_asked":["office"],"readers":["counselor-1","counselor-2"],"track":"complaint"}\n'
)
REPLACING = GOOD.replace('"report"', '"follow-up"')


def make() -> list[dict[str, Any]]:
    """Make all vectors of this format."""
    good = _seal(_padded(GOOD))
    turned = bytes([*good[:500], good[500] ^ 1, *good[501:]])
    return [
        _vector("a memo", good, "success", document=GOOD),
        _vector(
            "a memo of a receipt that replaces another",
            _seal(_padded(REPLACING)),
            "success",
            document=REPLACING,
        ),
        _vector("a memo of another receipt", good, "AuthenticityError", key=bytes(32)),
        _vector("one bit turned", turned, "AuthenticityError"),
        _vector(
            "random octets of a follow-up", bytes(i % 251 for i in range(1024)), "AuthenticityError"
        ),
        _vector(
            "another label", _seal(_padded(GOOD), label=b"sotto/1 issued"), "AuthenticityError"
        ),
        _vector("one octet short", good[:-1], "FormatError"),
        _vector("one octet long", good + b"\0", "FormatError"),
        _vector("padding that is not zero", _seal(_padded(GOOD)[:-1] + b"x"), "FormatError"),
        _vector("length beyond the end", _seal(b"\xff\xff" + _padded(GOOD)[2:]), "FormatError"),
        _changed("not canonical", ":", ": "),
        _changed("a day that does not exist", "11-22", "11-31"),
        _changed("a kind that no reporter sends", '"report"', '"cover"'),
        _changed("a recipient in capitals", "head", "Head"),
        _changed("a member that the format does not know", '"day"', '"cover":true,"day"'),
        _changed("a member missing", '"language":"ar",', ""),
    ]


def _padded(document: str) -> bytes:
    encoded = document.encode()
    return (len(encoded).to_bytes(2, "big") + encoded).ljust(996, b"\0")


def _seal(plain: bytes, *, label: bytes = LABEL) -> bytes:
    return NONCE + ChaCha20Poly1305(KEY).encrypt(NONCE, plain, label)


def _changed(name: str, old: str, new: str) -> dict[str, Any]:
    return _vector(name, _seal(_padded(GOOD.replace(old, new))), "FormatError")


def _vector(
    name: str, sealed: bytes, expect: str, *, key: bytes = KEY, document: str = ""
) -> dict[str, Any]:
    found = {"name": name, "expect": expect, "key": key.hex(), "sealed": sealed.hex()}
    return found | ({"document": document} if document else {})
