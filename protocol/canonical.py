"""Canonical JSON: one value has one encoding, and a reader accepts no other.

Signatures and digests cover bytes; two encodings of one value, or two readings of one
encoding (doubled keys, huge numbers), are how signed JSON has been broken elsewhere.
So a reader encodes again what it has read and compares. PROTOCOL.md, «Canonical JSON».
"""

import json
from collections.abc import Iterator
from datetime import date
from typing import NoReturn, cast

from protocol import limits
from protocol.errors import FormatError


def encode_json(value: object) -> bytes:
    """Encode a value in the only way that `read_json` accepts.

    Args:
        value: objects with text keys, arrays, text, integers within ±(2^53 - 1), true, false,
            null. No floating point: its decimal form differs between writers.

    Returns:
        UTF-8, keys in code-point order, no spaces, one newline at the end.

    Raises:
        FormatError: the value has no canonical form (a float, half a surrogate pair, …).
    """
    _check(value, limits.JSON_DEPTH)
    text = json.dumps(
        value, sort_keys=True, ensure_ascii=False, allow_nan=False, separators=(",", ":")
    )
    try:
        return text.encode("utf-8") + b"\n"
    except UnicodeEncodeError:
        raise FormatError("text holds half a surrogate pair, which UTF-8 cannot carry") from None


def read_json(data: bytes, limit: int) -> object:
    """Read canonical JSON, and nothing that is merely equivalent to it.

    Args:
        data: the whole document.
        limit: octets above which it is refused before it is parsed.

    Returns:
        The value, of dict, list, str, int, bool and None.

    Raises:
        FormatError: too long, too deep, not JSON, or not its canonical encoding.
    """
    if len(data) > limit:
        raise FormatError(f"JSON is longer than the {limit} octets allowed here")
    if sum(map(data.count, (b",", b"[", b"{"))) > limits.JSON_SIGNS:
        raise FormatError("JSON holds more values than any document of ours")
    try:
        value: object = json.loads(
            data.decode("utf-8"), parse_float=_refuse, parse_constant=_refuse
        )
    except (ValueError, RecursionError):  # UnicodeDecodeError is a ValueError
        raise FormatError("this is not JSON in UTF-8 as the protocol writes it") from None
    if encode_json(value) != data:
        raise FormatError("JSON is not in canonical form")
    return value


def _refuse(_text: str) -> NoReturn:
    raise ValueError("numbers are integers")


def _check(value: object, depth: int) -> None:
    if depth < 0:
        raise FormatError("JSON is nested too deeply")
    if value is None or isinstance(value, bool | str):
        return
    if isinstance(value, int):
        if abs(value) > limits.JSON_INTEGER:
            raise FormatError("a JSON number is too large to be exact everywhere")
    elif isinstance(value, dict):
        for key, member in value.items():
            if not isinstance(key, str):
                raise FormatError("a JSON key is text")
            _check(member, depth - 1)
    elif isinstance(value, list | tuple):
        for member in value:
            _check(member, depth - 1)
    else:
        raise FormatError("a value of this type has no canonical JSON form")


class Fields:
    """The members of one JSON object, taken out one by one with their types checked.

    Taking out, so that `end` can refuse what nobody asked for: an unknown member is either
    a newer format (which then has another version number) or an attempt to hide something.
    """

    def __init__(self, value: object, *, where: str) -> None:
        """Open an object.

        Args:
            value: what `read_json` returned, or a member of it.
            where: the name for messages, as "report.json".

        Raises:
            FormatError: not an object.
        """
        if not isinstance(value, dict):
            raise FormatError(f"{where} is not a JSON object")
        self._left = cast("dict[str, object]", dict(value))
        self._where = where

    def version(self, *, newest: int) -> int:
        """Take `format` and say plainly when only a newer program can read the rest."""
        number = self.integer("format", low=1)
        if number > newest:
            raise FormatError(
                f"{self._where} is of format {number}, newer than this program reads:"
                " update this machine's Sotto and try again"
            )
        return number

    def text(self, name: str, *, limit: int = limits.NAME_CHARS) -> str:
        """Take text of at most `limit` characters."""
        value = self._take(name)
        if not isinstance(value, str) or len(value) > limit:
            self._fail(name)
        return value

    def integer(self, name: str, *, low: int = 0, high: int = limits.JSON_INTEGER) -> int:
        """Take an integer from `low` to `high`, both included."""
        value = self._take(name)
        if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
            self._fail(name)
        return value

    def octets(self, name: str, size: int) -> bytes:
        """Take exactly `size` octets, written as lower-case hexadecimal digits."""
        return self._read_octets(name, self._take(name), size)

    def octets_or_none(self, name: str, limit: int) -> bytes | None:
        """Take null, or at most `limit` octets in lower-case hexadecimal digits."""
        value = self._take(name)
        if value is None:
            return None
        size = len(value) // 2 if isinstance(value, str) else 0
        if size > limit:
            self._fail(name)
        return self._read_octets(name, value, size)

    def day(self, name: str) -> date:
        """Take a day, YYYY-MM-DD, of the years that anybody counts from."""
        return self._read_day(name, self._take(name))

    def day_or_none(self, name: str) -> date | None:
        """Take null or a day."""
        value = self._take(name)
        return None if value is None else self._read_day(name, value)

    def items(self, name: str, *, limit: int) -> tuple[object, ...]:
        """Take an array of at most `limit` members of any type."""
        value = self._take(name)
        if not isinstance(value, list) or len(value) > limit:
            self._fail(name)
        return tuple(value)

    def texts(self, name: str, *, limit: int, chars: int = limits.NAME_CHARS) -> tuple[str, ...]:
        """Take an array of at most `limit` texts of at most `chars` characters each."""
        values = self.items(name, limit=limit)
        found = tuple(v for v in values if isinstance(v, str) and len(v) <= chars)
        if len(found) != len(values):
            self._fail(name)
        return found

    def value(self, name: str) -> object:
        """Take a member whose type the caller checks."""
        return self._take(name)

    def each(self, name: str, *, limit: int) -> Iterator["Fields"]:
        """Take an array of objects; the caller ends each of them."""
        for number, item in enumerate(self.items(name, limit=limit), start=1):
            yield Fields(item, where=f"{self._where}, {name} {number}")

    def end(self) -> None:
        """Refuse members that nobody took."""
        if self._left:
            raise FormatError(f"{self._where} holds a member that its format does not know")

    def _take(self, name: str) -> object:
        if name not in self._left:
            raise FormatError(f"{self._where} lacks «{name}»")
        return self._left.pop(name)

    def _read_octets(self, name: str, value: object, size: int) -> bytes:
        try:
            octets = bytes.fromhex(value) if isinstance(value, str) else b""
        except ValueError:
            self._fail(name)
        if octets.hex() != value or len(octets) != size:
            self._fail(name)
        return octets

    def _read_day(self, name: str, value: object) -> date:
        try:
            day = date.fromisoformat(value) if isinstance(value, str) else None
        except ValueError:
            self._fail(name)
        if day is None or day.isoformat() != value or day.year not in limits.YEARS:
            self._fail(name)
        return day

    def _fail(self, name: str) -> NoReturn:
        raise FormatError(f"«{name}» of {self._where} is not what the format asks for")
