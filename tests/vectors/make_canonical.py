"""Vectors of «Canonical JSON»: documents as text, or in hexadecimal digits where not UTF-8."""

from typing import Any

LIMIT = 1000
GOOD = {
    "an empty object": "{}\n",
    "every type": '{"a":[1,-2,true,false,null,"x"],"b":{}}\n',
    "keys in the order of code points": '{"A":1,"a":2,"é":3,"\ue000":4,"😀":5}\n',
    "short escapes": '"\\b\\t\\n\\f\\r\\"\\\\"\n',
    "long escapes": '"\\u0000\\u001f"\n',
    "no other escapes": '"/é\x7f\u2028😀"\n',
    "the largest integers": "[9007199254740991,-9007199254740991]\n",
    "eight deep": "[" * 8 + "1" + "]" * 8 + "\n",
}
BAD = {
    "nothing": "",
    "no newline at the end": "{}",
    "two newlines at the end": "{}\n\n",
    "a space": '{"a": 1}\n',
    "a byte order mark": "\ufeff{}\n",
    "a key twice": '{"a":1,"a":1}\n',
    "keys out of order": '{"b":1,"a":2}\n',
    "a fraction": "1.5\n",
    "an exponent": "1e3\n",
    "minus zero": "-0\n",
    "a leading zero": "01\n",
    "not a number": "NaN\n",
    "infinity": "-Infinity\n",
    "an integer too large": "9007199254740992\n",
    "an integer of 5,000 digits, above the limit": "1" * 5000 + "\n",
    "an integer of 900 digits": "1" * 900 + "\n",
    "an escaped slash": '"\\/"\n',
    "an escape that is not needed": '"\\u0041"\n',
    "upper-case digits in an escape": '"\\u001F"\n',
    "half a surrogate pair": '"\\ud800"\n',
    "an escaped surrogate pair": '"\\ud83d\\ude00"\n',
    "a bare control character": '"\x01"\n',
    "nine deep": "[" * 9 + "1" + "]" * 9 + "\n",
    "too deep for any parser": "[" * 900 + "\n",
    "two documents": "{}{}\n",
    "a comment": "{}//\n",
    "single quotes": "{'a':1}\n",
}


def make() -> list[dict[str, Any]]:
    """Make all vectors of this format."""
    return [
        *(_vector(name, text.encode(), "success") for name, text in GOOD.items()),
        *(_vector(name, text.encode(), "FormatError") for name, text in BAD.items()),
        _vector("not UTF-8", b'"\xff"\n', "FormatError"),
        _vector("UTF-8 longer than needed", b'"\xc0\xaf"\n', "FormatError"),
        _vector("UTF-16", '{"a":1}\n'.encode("utf-16-le"), "FormatError"),
        _vector("one octet above the limit", b'"' + b"x" * (LIMIT - 2) + b'"\n', "FormatError"),
    ]


def _vector(name: str, document: bytes, expect: str) -> dict[str, Any]:
    return {"name": name, "expect": expect, "limit": LIMIT, "document": document.hex()}
