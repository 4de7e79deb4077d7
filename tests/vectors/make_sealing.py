"""Vectors of «Sealing», composed here by the layout itself, not by sealing.py.

`message` and `content` are in base64. Most have the least size class, 16 KiB, of which nearly
all is padding.
"""

import base64
import hashlib
import zlib
from typing import Any

from cryptography.hazmat.decrepit.ciphers.modes import CFB
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms

KEY = bytes(range(32))
PREFIX = bytes(range(50, 66)) + bytes([64, 65])
CONTENT = b"said quietly"
NAME = b"envelope.zip"
LOCK = b"\x03" + bytes(range(8)) + b"\x01\x00\x08\xff"
SIX, FIVE, FINAL = b"\x02\0\0\0\xff\xff", b"\0\0\0\xff\xff", b"\1\0\0\xff\xff"
LEAST = 16384


def make() -> list[dict[str, Any]]:
    """Make all vectors of this format."""
    return [*_successes(), *_faults_outside(), *_faults_inside()]


def _successes() -> list[dict[str, Any]]:
    old = b"\x84" + bytes([len(LOCK)]) + LOCK
    new = b"\xc1" + bytes([len(LOCK)]) + LOCK
    longer = b"a" * 66_000
    return [
        _success("a short content and no lock", _message(), CONTENT),
        _success("no content", _message(content=b""), b""),
        _success("two locks, of old and new format", _message(locks=old + new), CONTENT, locks=2),
        _success("a file name in another script", _message(name="مظروف".encode()), CONTENT),
        _success("several parts and blocks", _message(content=longer, total=69632), longer),
    ]


def _faults_outside() -> list[dict[str, Any]]:
    good = _message()
    body = good[6:]
    armor = b"-----BEGIN PGP MESSAGE-----\n\n" + base64.encodebytes(good)
    lock6 = b"\xc1" + bytes([len(LOCK)]) + b"\x06" + LOCK[1:]
    middle = 8000
    turned = good[:middle] + bytes([good[middle] ^ 1]) + good[middle + 1 :]
    return [
        _fault("another session key", good, "AuthenticityError", key=bytes(32)),
        _fault("one bit turned in the middle", turned, "AuthenticityError"),
        _fault("one bit of the MDC turned", good[:-1] + bytes([good[-1] ^ 1]), "AuthenticityError"),
        _fault(
            "one bit of the prefix turned",
            good[:7] + bytes([good[7] ^ 1]) + good[8:],
            "AuthenticityError",
        ),
        _fault("the MDC packet left out", _message(mdc=b""), "AuthenticityError"),
        _fault("an MDC of zeros", _message(mdc=b"\xd3\x14" + bytes(20)), "AuthenticityError"),
        _fault("nothing at all", b""),
        _fault("one octet short", good[:-1]),
        _fault("one octet long", good + b"\0"),
        _fault("the message twice", good + good),
        _fault("no size class", _message(total=17_409)),
        _fault("armoured", armor),
        _fault("a marker packet in front", b"\xca\x03PGP" + _message(total=LEAST - 5)),
        _fault("a lock of version 6", _message(locks=lock6)),
        _fault("a lock longer than it may be", _message(locks=b"\xc1\xff\x00\x01\x00\x01")),
        _fault("a length in two octets", b"\xd2" + _short_length(_message(total=LEAST)[6:8006])),
        _fault(
            "a part of 512 octets",
            b"\xd2\xe9" + body[:512] + b"\xff" + (len(body) - 512).to_bytes(4, "big") + body[512:],
        ),
        _fault("without integrity protection (tag 9)", b"\xc9" + good[1:]),
        _fault("SEIPD version 2", _message(version=b"\x02")),
    ]


def _faults_inside() -> list[dict[str, Any]]:
    literal = _literal()
    deflate = zlib.compressobj(9, zlib.DEFLATED, -15)
    squeezed = deflate.compress(literal) + deflate.flush()
    return [
        _fault("a prefix that does not repeat", _message(prefix=PREFIX[:16] + b"\0\0")),
        _fault("no compressed packet", _message(packets=_literal(content=b"a" * 16_313))),
        _fault("ZLIB instead of ZIP", _message(algorithm=b"\x02")),
        _fault("not compressed by its algorithm", _message(algorithm=b"\x00")),
        _fault("real compression", _message(deflate=squeezed)),
        _fault(
            "a compressed packet in it",
            _message(literal=_packet(b"\xc8", b"\x01" + _blocks(literal) + FINAL)),
        ),
        _fault("two literal packets", _message(literal=literal + literal)),
        _fault(
            "a signature in front of the literal packet",
            _message(literal=b"\xc2\x01\x04" + literal),
        ),
        _fault("a text literal", _message(literal=_literal(kind=b"t"))),
        _fault("a literal with a date", _message(literal=_literal(date=b"\0\0\0\1"))),
        _fault(
            "a literal shorter than its header", _message(literal=_packet(b"\xcb", b"b\x0cenv"))
        ),
        _fault("a block whose length is not confirmed", _message(deflate=b"\0\1\0\0\0" + literal)),
        _fault(
            "a block marked as last in front of the padding",
            _message(deflate=b"\1" + _blocks(literal)[1:]),
        ),
        _fault(
            "data behind padding",
            _message(deflate=_blocks(literal[:9]) + FIVE + _blocks(literal[9:])),
        ),
        _fault(
            "five units of six octets",
            _message(padding=lambda n: SIX * 5 + FIVE * ((n - 35) // 5) + FINAL, slack=0),
        ),
        _fault(
            "units of six octets at the end",
            _message(padding=lambda n: FIVE * ((n - 11) // 5) + SIX + FINAL, slack=1),
        ),
        _fault("padding without an end", _message(padding=lambda n: FIVE * (n // 5), slack=0)),
        _fault(
            "something behind the end of deflate",
            _message(padding=lambda n: FIVE * ((n - 9) // 5) + FINAL + b"more", slack=4),
        ),
    ]


def _packet(tag: bytes, body: bytes) -> bytes:
    """Frame a body: full parts of 64 KiB, of which the last may be the last part."""
    framed = [tag]
    while len(body) > 65536:
        framed += [b"\xf0", body[:65536]]
        body = body[65536:]
    return b"".join([*framed, b"\xff", len(body).to_bytes(4, "big"), body])


def _short_length(body: bytes) -> bytes:
    length = len(body) - 192
    return bytes([192 + (length >> 8), length & 0xFF]) + body


def _literal(
    *, content: bytes = CONTENT, name: bytes = NAME, kind: bytes = b"b", date: bytes = bytes(4)
) -> bytes:
    return _packet(b"\xcb", kind + bytes([len(name)]) + name + date + content)


def _blocks(data: bytes) -> bytes:
    blocks = []
    for at in range(0, len(data), 65535):
        block = data[at : at + 65535]
        blocks += [b"\0", len(block).to_bytes(2, "little")]
        blocks += [(65535 - len(block)).to_bytes(2, "little"), block]
    return b"".join(blocks)


def _pad(count: int) -> bytes:
    return SIX * (count % 5) + FIVE * ((count - count % 5 * 6 - 5) // 5) + FINAL


def _message(
    *,
    content: bytes = CONTENT,
    name: bytes = NAME,
    locks: bytes = b"",
    total: int = LEAST,
    prefix: bytes = PREFIX,
    version: bytes = b"\x01",
    algorithm: bytes = b"\x01",
    literal: bytes | None = None,
    deflate: bytes | None = None,
    packets: bytes | None = None,
    padding: Any = _pad,
    slack: int | None = None,
    mdc: bytes | None = None,
) -> bytes:
    """Compose one message, any layer of which can be given."""
    literal = _literal(content=content, name=name) if literal is None else literal
    deflate = _blocks(literal) if deflate is None else deflate
    mdc_bytes = 22 if mdc is None else len(mdc)
    outer = total - len(locks)
    outer_body = outer - 6 - (outer - 6) // 65537
    inner = outer_body - 1 - 18 - mdc_bytes
    room = inner - 6 - (inner - 6) // 65537 - 1 - len(deflate)
    if slack is not None:  # padding of another kind fits only lengths of its own
        longer = (room - slack) % 5
        deflate = _blocks(_literal(name=name + b"x" * longer))
        room -= longer
    if packets is None:
        packets = _packet(b"\xc8", algorithm + deflate + padding(room))
    plain = prefix + packets
    if mdc is None:
        mdc = b"\xd3\x14" + hashlib.sha1(plain + b"\xd3\x14", usedforsecurity=False).digest()
    encryptor = Cipher(algorithms.AES(KEY), CFB(bytes(16))).encryptor()
    return locks + _packet(b"\xd2", version + encryptor.update(plain + mdc))


def _success(name: str, message: bytes, content: bytes, *, locks: int = 0) -> dict[str, Any]:
    return _fault(name, message, "success") | {
        "content": base64.b64encode(content).decode(),
        "locks": locks,
    }


def _fault(
    name: str, message: bytes, expect: str = "FormatError", *, key: bytes = KEY
) -> dict[str, Any]:
    encoded = base64.b64encode(message).decode()
    return {"name": name, "expect": expect, "session_key": key.hex(), "message": encoded}
