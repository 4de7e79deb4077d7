"""Vectors of «Chunked container», sealed here by the layout itself, not by chunked.py."""

import base64
from typing import Any

from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

KEY = bytes(range(32))
SALT = bytes(range(100, 116))
CHUNK = 65536


def make() -> list[dict[str, Any]]:
    """Make all vectors of this format; the plaintext is `plain_bytes` octets of 0x61."""
    short = _seal([b"a" * 100])
    two = _seal([b"a" * CHUNK, b"a"])
    return [
        _vector("nothing", _seal([b""]), 0),
        _vector("one short chunk", short, 100),
        _vector("one full chunk", _seal([b"a" * CHUNK]), CHUNK),
        _vector("two chunks", two, CHUNK + 1),
        _failure("another key", short, "AuthenticityError", key=bytes(32)),
        _failure("another salt", b"\0" + short[1:], "AuthenticityError"),
        _failure("one bit turned", short[:20] + bytes([short[20] ^ 1]) + short[21:]),
        _failure("one octet short", short[:-1]),
        _failure("one octet long", short + b"\0"),
        _failure("last chunk missing", two[: 16 + CHUNK + 16]),
        _failure("last chunk not marked as last", _seal([b"a"], marks=[0])),
        _failure("numbers begin at one", _seal([b"a"], first=1)),
        _failure("no chunk", SALT, "FormatError"),
        _failure("less than a salt", SALT[:15], "FormatError"),
        _failure("less than a tag", short[:31], "FormatError"),
        _failure("another label", _seal([b"a"], info=b"sotto/1 memo")),
        _failure("an empty chunk behind a full one", _seal([b"a" * CHUNK, b""]), "FormatError"),
    ]


def _seal(
    chunks: list[bytes],
    *,
    marks: list[int] | None = None,
    first: int = 0,
    info: bytes = b"sotto/1 chunked",
) -> bytes:
    marks = marks or [0] * (len(chunks) - 1) + [1]
    cipher = ChaCha20Poly1305(HKDF(SHA256(), 32, SALT, info).derive(KEY))
    sealed = [
        cipher.encrypt(number.to_bytes(11, "big") + bytes([mark]), chunk, None)
        for number, (chunk, mark) in enumerate(zip(chunks, marks, strict=True), start=first)
    ]
    return SALT + b"".join(sealed)


def _vector(name: str, container: bytes, plain_bytes: int) -> dict[str, Any]:
    return _failure(name, container, "success") | {"plain_bytes": plain_bytes}


def _failure(
    name: str, container: bytes, expect: str = "AuthenticityError", *, key: bytes = KEY
) -> dict[str, Any]:
    encoded = base64.b64encode(container).decode()
    return {"name": name, "expect": expect, "key": key.hex(), "container": encoded}
