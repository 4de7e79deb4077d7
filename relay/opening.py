"""Open a mailbox: from nine words, or from the token of its page, to what lies in it.

A visit writes nothing. A wrong receipt, an expired one and one that never was take
the same steps and end in the same error (PROTOCOL.md, Receipt).
"""

from dataclasses import dataclass

from protocol.derivation import ReporterKeys, derive_reporter_keys
from protocol.errors import AuthenticityError, FormatError, UnknownReceiptError
from protocol.memo import Memo
from protocol.names import ReceiptRoot, RecipientName
from protocol.replypage import ReplyPage, open_slot
from relay.parts import Parts
from relay.readers import Absent, absent_of
from relay.sending import read_memo
from relay.withdrawal import may_withdraw

TOKEN_PURPOSE = "mailbox"  # noqa: S105 - names a purpose, is no password


@dataclass(frozen=True, kw_only=True)
class Mailbox:
    """What a receipt opens.

    Args:
        pages: one for each recipient who wrote to this mailbox, by her name.
        memo: of the first envelope, or None where it expired.
        withdrawn: the first envelope was taken back, as far as this process knows.
        may_withdraw: it was neither taken back nor collected yet.
    """

    keys: ReporterKeys
    pages: dict[RecipientName, ReplyPage]
    memo: Memo | None
    withdrawn: bool
    may_withdraw: bool

    @property
    def absent(self) -> Absent:
        """Who was offered in the first letter and cannot read it."""
        return absent_of(self.memo)


def open_mailbox(parts: Parts, root: ReceiptRoot) -> Mailbox:
    """Read every slot and the memo of a receipt.

    Raises:
        UnknownReceiptError: there is neither an envelope nor a page for it.
    """
    keys = derive_reporter_keys(root)
    pages: dict[RecipientName, ReplyPage] = {}
    for recipient, slot in parts.store.slots_of(keys.mailbox_id).items():
        try:
            page = open_slot(slot, keys)
        except (AuthenticityError, FormatError):
            continue  # a slot of somebody who has not written here opens for nobody
        if page.recipient == recipient:
            pages[recipient] = page
    memo = read_memo(parts, keys)
    if memo is None and not pages:
        raise UnknownReceiptError("No mailbox opens with these words.")
    return Mailbox(
        keys=keys,
        pages=pages,
        memo=memo,
        withdrawn=keys.report_id in parts.withdrawn,
        may_withdraw=memo is not None and may_withdraw(parts, keys, memo),
    )


def open_with_token(parts: Parts, token: str) -> ReceiptRoot:
    """Return the root behind a mailbox page's token.

    Raises:
        AuthenticityError: expired, or made before a restart.
    """
    return parts.form_key.open_token(token, purpose=TOKEN_PURPOSE, now=parts.clock())


def token_for(parts: Parts, root: ReceiptRoot) -> str:
    """Make the token that a mailbox page carries instead of the receipt."""
    return parts.form_key.seal_token(root, purpose=TOKEN_PURPOSE, now=parts.clock())
