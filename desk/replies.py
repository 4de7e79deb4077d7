"""Replies: queued in a case, taken back until they are exported, laid out as one page.

A page carries all replies of a case that are still to be read, so that a lost
stick loses none. It has one size; what does not fit is refused while it is being
written, never at export.
"""

import unicodedata
from datetime import date

from desk.cases import queued, reload_case
from desk.records import CaseRecord, DeskRecord, MailboxRecord, QueuedReply
from desk.vault import Vault
from protocol.errors import CapacityError, FormatError, StorageError
from protocol.names import MailboxId, RecipientName
from protocol.replypage import Reply, ReplyPage

# Measured with the texts of the catalogues: a letter takes one octet, two or three.
PAGE_HOLDS = (
    "some 1,900 words in Latin letters, 1,400 in Arabic or Cyrillic ones, 5,000 Chinese characters"
)
_LONGEST_NAME = RecipientName("x" * 32)  # room for a name that the relay has not told yet


def queue_reply(vault: Vault, case: CaseRecord, text: str, *, today: date) -> QueuedReply:
    """Queue a reply for the next dispatch.

    Args:
        text: what the reporter will read; line ends of any system.
        today: the day that stands beside it.

    Returns:
        The reply with its number in this case.

    Raises:
        CapacityError: the page of this case would overflow.
        FormatError: there is nothing in it to be seen, or half a surrogate.
        StorageError: the case has no mailbox.
    """
    text = "\n".join(text.splitlines()).strip()
    if not any(unicodedata.category(character)[0] in "LNPS" for character in text):
        raise FormatError("The reply is empty; write something first.")
    with vault.changes():
        case = reload_case(vault, case)
        if not has_mailbox(vault, case):
            raise StorageError(
                "This case has no mailbox: nobody would read the reply. Tell the person "
                "otherwise, and note it in the case."
            )
        if queued(case) and queued(case)[-1].text == text:
            raise FormatError("This very reply waits for the next dispatch already.")
        reply = QueuedReply(
            number=1 + max((one.number for one in case.replies), default=0),
            day=today,
            text=text,
            after_items=len(case.items),
        )
        longer = case.model_copy(update={"replies": (*case.replies, reply)})
        check_fits(longer, today=today)
        vault.put(longer)
    return reply


def take_back(vault: Vault, case: CaseRecord) -> QueuedReply:
    """Take back the newest reply, as long as no dispatch carried it.

    Raises:
        StorageError: there is none.
    """
    with vault.changes():
        case = reload_case(vault, case)
        if not queued(case):
            raise StorageError(
                "No reply of this case is waiting: what a dispatch carried cannot be taken back."
            )
        vault.put(case.model_copy(update={"replies": case.replies[:-1]}))
    return case.replies[-1]


def take_off_page(vault: Vault, case: CaseRecord, number: int) -> None:
    """Leave an older reply out of the page from now on; the case keeps it.

    Raises:
        StorageError: there is no such reply on the page.
    """
    with vault.changes():
        case = reload_case(vault, case)
        if not any(one.number == number and one.on_page for one in case.replies):
            raise StorageError("No reply of that number is on the page of this case.")
        replies = tuple(
            one.model_copy(update={"on_page": False}) if one.number == number else one
            for one in case.replies
        )
        vault.put(case.model_copy(update={"replies": replies}))


def check_fits(case: CaseRecord, *, today: date) -> None:
    """Raise CapacityError if the page of a case is too small for what shall stand on it."""
    try:
        case_page(case, counselor=_LONGEST_NAME, today=today).encode()
    except CapacityError:
        numbers = [str(one.number) for one in case.replies if one.on_page and one.serial]
        way = f", or leave an older one off it, as number {numbers[0]}" if numbers else ""
        raise CapacityError(
            f"The page for this reporter is full: it holds {PAGE_HOLDS}; shorten the reply{way}."
        ) from None


def case_page(case: CaseRecord, *, counselor: RecipientName, today: date) -> ReplyPage:
    """Lay out the page that the reporter of a case will read."""
    return ReplyPage(
        mailbox=case.mailbox,
        recipient=counselor,
        day=today,
        status=case.status,
        acknowledge_by=case.acknowledge_by,
        feedback_by=case.feedback_by,
        replies=tuple(
            Reply(number=one.number, day=one.day, text=one.text)
            for one in case.replies
            if one.on_page
        ),
        outcome=case.outcome,
    )


def cover_page(mailbox: MailboxId, *, counselor: RecipientName, today: date) -> ReplyPage:
    """Lay out the page of a cover mailbox: nothing stands on it, and nobody can open it."""
    return ReplyPage(
        mailbox=mailbox,
        recipient=counselor,
        day=today,
        status="",
        acknowledge_by=None,
        feedback_by=None,
        replies=(),
    )


def mark_exported(vault: Vault, desk: DeskRecord, serial: int, *, today: date) -> None:
    """Note that a dispatch carries what every case has to say. Only inside `changes`."""
    for case in list(vault.all(CaseRecord)):
        if says_something_new(case) and has_mailbox(vault, case):
            vault.put(_carried(case, serial, today))
    vault.put(desk.model_copy(update={"serial": serial}))


def changed_words(case: CaseRecord) -> tuple[str, str]:
    """Return the status and the outcome that the next dispatch changes, "" for what it does not."""
    status = case.status if case.status != case.told_status else ""
    return status, case.outcome if case.outcome != case.told_outcome else ""


def says_something_new(case: CaseRecord) -> bool:
    """Tell whether the next dispatch brings the reporter more than the last one did."""
    return bool(queued(case)) or changed_words(case) != ("", "")


def has_mailbox(vault: Vault, case: CaseRecord) -> bool:
    """Tell whether anybody can read a reply: what was entered at the desk has no mailbox."""
    return vault.get(MailboxRecord, case.mailbox.hex()) is not None


def _carried(case: CaseRecord, serial: int, today: date) -> CaseRecord:
    replies = tuple(
        one.model_copy(update={"serial": serial}) if one.serial is None else one
        for one in case.replies
    )
    changes: dict[str, object] = {
        "replies": replies,
        "told_status": case.status,
        "told_outcome": case.outcome,
    }
    if queued(case) and case.acknowledged is None:
        changes["acknowledged"] = today
    return case.model_copy(update=changes)
