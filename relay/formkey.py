"""Seal the root of a receipt into a mailbox page's forms, under a key that is never stored.

A page without cookies must bring back what opened it. It never brings the receipt: a page
left open, cached or photographed would be the receipt itself. It brings a token that ends
by itself after an hour and with the process that made it; whoever seizes the disk and a
saved page holds two things that do not fit (claim C1 of docs/THREAT_MODEL.md).
"""

import base64
import binascii
import secrets
from datetime import datetime, timedelta

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from protocol.errors import AuthenticityError
from protocol.limits import KEY_BYTES
from protocol.names import ReceiptRoot

TOKEN_LIFE = timedelta(minutes=60)  # long enough to write an answer, short on a lost machine
_NONCE_BYTES = 12  # RFC 8439 section 2.8; random ones last for 2^32 tokens of one process
_EXPIRY_BYTES = 8
_ROOT_BYTES = 32
_TAG_BYTES = 16
_SEALED_BYTES = _NONCE_BYTES + _EXPIRY_BYTES + _ROOT_BYTES + _TAG_BYTES
TOKEN_CHARS = (_SEALED_BYTES * 4 + 2) // 3  # base64 without its padding


class FormKey:
    """The key of one running process; a restart ends every token."""

    def __init__(self) -> None:
        self._cipher = ChaCha20Poly1305(secrets.token_bytes(KEY_BYTES))

    def seal_token(self, root: ReceiptRoot, *, purpose: str, now: datetime) -> str:
        """Make a token that brings a root back within the hour.

        Args:
            root: 32 bytes from `receipt_root`.
            purpose: which form it is for; another form does not open it.
            now: the current time, with its zone.

        Returns:
            `TOKEN_CHARS` characters for a hidden field; its expiry is sealed as well, so a
            saved page does not tell when it was made.
        """
        nonce = secrets.token_bytes(_NONCE_BYTES)
        expiry = int((now + TOKEN_LIFE).timestamp()).to_bytes(_EXPIRY_BYTES, "big")
        sealed = nonce + self._cipher.encrypt(nonce, expiry + root, _bound_to(purpose))
        return base64.urlsafe_b64encode(sealed).rstrip(b"=").decode("ascii")

    def open_token(self, text: str, *, purpose: str, now: datetime) -> ReceiptRoot:
        """Return the root that a token was made for.

        Raises:
            AuthenticityError: expired, of another process, for another form, or not ours;
                one error, because the page's answer is the same: enter the words again.
        """
        refused = AuthenticityError("This page is too old; enter the nine words again.")
        if len(text) != TOKEN_CHARS or not text.isascii():
            raise refused
        try:
            sealed = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
            nonce, ciphertext = sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:]
            plaintext = self._cipher.decrypt(nonce, ciphertext, _bound_to(purpose))
        except (binascii.Error, InvalidTag):
            raise refused from None
        if now.timestamp() >= int.from_bytes(plaintext[:_EXPIRY_BYTES], "big"):
            raise refused
        return ReceiptRoot(plaintext[_EXPIRY_BYTES:])


def _bound_to(purpose: str) -> bytes:
    return b"sotto/1 form token " + purpose.encode("utf-8")
