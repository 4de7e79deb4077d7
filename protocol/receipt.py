"""Receipts: the nine words that a reporter keeps, and reading them as people write them.

A receipt is read from paper by someone who is tired or afraid, on whatever keyboard there is.
So capitals, spaces, hyphens, line breaks, numbering, first letters only, dice numbers and one
slip in every word all mean the same receipt; what stays doubtful is refused with the place
of the word. PROTOCOL.md, «Receipt».
"""

import hmac
import re
import secrets
import unicodedata
from hashlib import sha256

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from protocol import limits
from protocol.errors import AuthenticityError, UnknownReceiptError
from protocol.names import DeploymentSalt, Receipt
from protocol.words import (
    DICE_DIGITS,
    PREFIX_LETTERS,
    dice_number,
    exact_word,
    is_word,
    may_be_typo,
    word_of_dice,
    word_of_prefix,
    word_of_typo,
    words,
    words_run_together,
)

__all__ = [
    "dice_number",
    "doubtful_places",
    "encode_issued",
    "generate_receipt",
    "read_receipt",
    "verify_issued",
]

_WORDS = limits.RECEIPT_WORDS
_Reading = tuple[str | None, ...]


def generate_receipt() -> Receipt:
    """Draw nine words, each of 1,296 with equal chance, from the operating system."""
    return Receipt(tuple(secrets.choice(words()) for _ in range(_WORDS)))


def read_receipt(text: str) -> Receipt:
    """Read nine words however a person wrote them down.

    Every correction happens here, on the list, before any key is derived.

    Args:
        text: what was typed or pasted.

    Returns:
        The nine words as they stand on the list.

    Raises:
        UnknownReceiptError: not nine words that can be told for certain; `positions` names
            those to look at when there are nine, and is empty when there are not.
    """
    if len(text) > limits.RECEIPT_TEXT_CHARS:
        raise UnknownReceiptError("Nine words are much shorter than this: look again.")
    tokens = _tokens(text)
    reading = tuple(_settle(tokens))
    if len(reading) != _WORDS or None in reading:
        reading = _regroup(tokens, reading)
    if len(reading) != _WORDS:
        raise UnknownReceiptError("A receipt has nine words: look for one missing or too many.")
    unread = tuple(place for place, word in enumerate(reading, start=1) if word is None)
    if unread:
        raise UnknownReceiptError(
            "Some words are not on the list: compare them with your paper.", positions=unread
        )
    return Receipt(tuple(word for word in reading if word is not None))


def doubtful_places(text: str) -> tuple[int, ...]:
    """Name the words, from 1, that `read_receipt` could have taken for others.

    Where no mailbox opens, these are the first to look at.
    """
    tokens = _tokens(text[: limits.RECEIPT_TEXT_CHARS])
    if len(tokens) != _WORDS:
        return ()
    return tuple(place for place, one in enumerate(tokens, start=1) if _has_two_readings(one))


def encode_issued(salt: DeploymentSalt, receipt: Receipt) -> str:
    """Write a receipt so that this deployment recognises it as one of its own.

    Without the code a stranger could hand out a receipt of their own making and read along.
    The key follows from the deployment salt, so a form survives a restart of the relay:
    docs/decisions/0003-issued-receipts-survive-a-restart.md.

    Args:
        salt: 16 octets, the deployment's.
        receipt: nine words from `generate_receipt`.

    Returns:
        The nine words and 32 hexadecimal digits, separated by single spaces.
    """
    spoken = " ".join(receipt)
    return f"{spoken} {_issued_code(salt, spoken)}"


def verify_issued(salt: DeploymentSalt, text: str) -> Receipt:
    """Return the receipt of a form field that `encode_issued` wrote, or refuse.

    Raises:
        AuthenticityError: this deployment did not issue it.
    """
    spoken, _, code = text[: limits.RECEIPT_TEXT_CHARS].rpartition(" ")
    expected = _issued_code(salt, spoken)
    # Octets, not text: compare_digest refuses to compare text outside ASCII.
    genuine = hmac.compare_digest(code.encode("utf-8", "replace"), expected.encode("ascii"))
    receipt = tuple(spoken.split(" "))
    if not genuine or len(receipt) != _WORDS or not all(map(is_word, receipt)):
        raise AuthenticityError("This receipt was not issued here: open the form anew.")
    return Receipt(receipt)


def _issued_code(salt: DeploymentSalt, spoken: str) -> str:
    key = HKDF(SHA256(), length=limits.KEY_BYTES, salt=None, info=b"sotto/1 issued").derive(salt)
    code = hmac.digest(key, spoken.encode("utf-8", "replace"), sha256)
    return code[: limits.ISSUED_CODE_BYTES].hex()


def _tokens(text: str) -> list[str]:
    """Cut text into runs of letters and runs of digits, whatever stands between them."""
    # The one word that has a hyphen is put together again where hyphens part words.
    plain = re.sub(r"(?<![^\W\d_])yo[\W_]+yo(?![^\W\d_])", "yoyo", _plain(text))
    tokens = re.findall(r"[0-9]+|[^\W\d_](?:[0-9]?[^\W\d_])*", plain)
    if all(token.isdigit() for token in tokens):
        digits = "".join(tokens)
        if len(digits) == _WORDS * DICE_DIGITS:
            return _split(digits, DICE_DIGITS)
    if len(tokens) == 1 and len(tokens[0]) == _WORDS * PREFIX_LETTERS:
        beginnings = _split(tokens[0], PREFIX_LETTERS)
        return beginnings if all(map(word_of_prefix, beginnings)) else tokens
    # A single digit, or one after a zero, is the number of a line; no dice number has one.
    return [part for token in tokens if not re.fullmatch("0?[0-9]", token) for part in _dice(token)]


def _plain(text: str) -> str:
    """Fold away what keyboards and screens add: width, case, accents, marks of direction."""
    folded = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", text).casefold())
    kept = []
    for character in folded.replace("ı", "i"):  # the i of a Turkish keyboard in lower case
        kind = unicodedata.category(character)
        if kind == "Nd":
            kept.append(str(unicodedata.decimal(character)))
        elif kind not in ("Mn", "Cf"):
            kept.append(character)
    return "".join(kept)


def _split(token: str, width: int) -> list[str]:
    return [token[at : at + width] for at in range(0, len(token), width)]


def _dice(token: str) -> list[str]:
    if token.isdigit() and len(token) % DICE_DIGITS == 0:
        return _split(token, DICE_DIGITS)
    return [token]


def _settle(tokens: list[str]) -> list[str | None]:
    """Read each token as one word, deciding by the others what has two readings.

    Some beginnings are also slips of another word: "cap" begins one word and is a slip of
    "cup", "aard" of "yard". People write one way throughout, so they are beginnings where
    another token certainly is one, else slips where most words are whole, else unread: a
    wrong guess looks like a lost mailbox.
    """
    begun = any(map(_is_certain_beginning, tokens))
    whole = sum(map(_is_certainly_whole, tokens)) > _WORDS // 2
    return [_word(token, begun=begun, whole=whole) for token in tokens]


def _is_certain_beginning(token: str) -> bool:
    is_other = exact_word(token) is not None or may_be_typo(token)
    return word_of_prefix(token) is not None and not is_other


def _is_certainly_whole(token: str) -> bool:
    is_slip = word_of_typo(token) is not None and word_of_prefix(token) is None
    return exact_word(token) is not None or is_slip


def _has_two_readings(token: str) -> bool:
    readings = {word_of_prefix(token), word_of_typo(token)}
    return exact_word(token) is None and None not in readings and len(readings) > 1


def _word(token: str, *, begun: bool, whole: bool) -> str | None:
    if token.isdigit():
        return word_of_dice(token)
    if not _has_two_readings(token):
        return exact_word(token) or word_of_prefix(token) or word_of_typo(token)
    if begun:
        return word_of_prefix(token)
    return word_of_typo(token) if whole else None


def _regroup(tokens: list[str], reading: _Reading) -> _Reading:
    """Try again with spaces in the wrong place, and with the words and their numbers.

    Returns:
        The only reading of nine words that there is, or `reading` as it was.
    """
    if len(tokens) == 2 * _WORDS:
        if reading[::2] == reading[1::2]:
            return reading[::2]
        if reading[:_WORDS] == reading[_WORDS:]:
            return reading[:_WORDS]
    spelled = words_run_together("".join(tokens))
    if len(spelled) == _WORDS:
        return spelled
    if len(tokens) > 2 * _WORDS:  # no way to join pairs makes nine of them
        return reading
    # ends[at] holds the readings of tokens[:at]; two are enough to know that it is ambiguous.
    ends: list[set[tuple[str, ...]]] = [{()}, *(set() for _ in tokens)]
    for at, word in enumerate(reading):
        joined = "".join(tokens[at : at + 2])
        steps = [(1, (word,) if word else words_run_together(tokens[at]))]
        if at + 1 < len(tokens) and not joined.isdigit():
            mended = exact_word(joined) or word_of_typo(joined)
            steps.append((2, (mended,) if mended else ()))
        for width, found in steps:
            if found:
                ends[at + width] |= {one + found for one in ends[at] if len(one) < _WORDS}
    whole = {one for one in ends[-1] if len(one) == _WORDS}
    return whole.pop() if len(whole) == 1 else reading
