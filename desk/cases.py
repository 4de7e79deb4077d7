"""Cases: their names, their clocks, and which one a counselor should look at first.

A case is one mailbox with its report, follow-ups and replies. Its name is derived
from the reply key, which stands only inside envelopes: two counselors who share a
case say the same name, and nobody who seizes a relay can find a mailbox with it.
"""

import calendar
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from desk.records import CaseRecord, Item, QueuedReply, ReadingRecord
from desk.vault import Vault
from protocol.envelope import Report, read_report
from protocol.errors import StorageError

NAME_CHARS = 8  # 40 bits: one accidental pair in some 10^6 cases (birthday bound, 2^20)
LONGER_NAME_CHARS = 12  # for that pair
_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # Crockford's: no I, L, O, U to misread
_MISREAD = str.maketrans("OIL", "011", " -")

# Defaults until a policy says otherwise: DDP asks for two weeks (P4), the Directive
# (EU) 2019/1937, article 9(1)(f), for three months.
ACKNOWLEDGE_DAYS = 14
FEEDBACK_MONTHS = 3
SOON_DAYS = 7


@dataclass(frozen=True)
class ThreadItem:
    """One entry of a case's thread, with the words in it."""

    item: Item
    report: Report
    reading: ReadingRecord


def case_name(reply_public: bytes, *, chars: int = NAME_CHARS) -> str:
    """Derive the name by which all desks call the case of this reply key.

    Returns:
        Groups of four from Crockford's alphabet, as `K7QF-2M9A`.
    """
    number = int.from_bytes(hashlib.sha256(b"sotto/1 case" + reply_public).digest()[:8])
    letters = [_ALPHABET[number >> (59 - 5 * place) & 31] for place in range(chars)]
    return "-".join("".join(letters[i : i + 4]) for i in range(0, chars, 4))


def find_case(vault: Vault, typed: str) -> CaseRecord:
    """Find a case by its name as a person types it: any case, with or without the hyphen.

    Raises:
        StorageError: there is none.
    """
    letters = typed.upper().translate(_MISREAD)
    name = "-".join(letters[i : i + 4] for i in range(0, len(letters), 4))
    case = vault.get(CaseRecord, name)
    if case is None:
        raise StorageError("This desk has no case of that name; look at the list of cases.")
    return case


def reload_case(vault: Vault, case: CaseRecord) -> CaseRecord:
    """Return a case as it is now: another command may have changed it. Inside `changes`."""
    return vault.get(CaseRecord, case.name) or case


def read_thread(vault: Vault, case: CaseRecord) -> Iterator[ThreadItem]:
    """Read what the reporter sent, in the order of the days on which the relay took it.

    Raises:
        StorageError: the vault lost a part.
    """
    for item in case.items:
        reading = vault.get(ReadingRecord, item.envelope.hex())
        if reading is None:
            raise StorageError("A part of this case is gone from the vault; restore the backup.")
        yield ThreadItem(item=item, report=read_report(reading.report), reading=reading)


def acknowledge_by(received: date) -> date:
    """Return the last day on which the reporter is to hear that the report was received."""
    return received + timedelta(days=ACKNOWLEDGE_DAYS)


def feedback_by(received: date) -> date:
    """Return the last day for feedback: counted from receipt, the stricter reading."""
    month = received.year * 12 + received.month - 1 + FEEDBACK_MONTHS
    year, month = month // 12, month % 12 + 1
    return date(year, month, min(received.day, calendar.monthrange(year, month)[1]))


def is_waiting(case: CaseRecord) -> bool:
    """Tell whether the reporter spoke last: nothing was written since the newest item."""
    return not case.replies or len(case.items) > case.replies[-1].after_items


def due(case: CaseRecord) -> date | None:
    """Return the day of the clock that runs: acknowledgement, then feedback, then none.

    What is written and has not crossed stops no clock: nobody has read it.
    """
    if case.acknowledged is None:
        return case.acknowledge_by
    return None if case.told_outcome else case.feedback_by


def clock(case: CaseRecord, *, today: date) -> str:
    """Say the clock that runs in words, as "5 days left to acknowledge"."""
    day = due(case)
    if day is None:
        return "no clock runs"
    what = "give feedback" if case.acknowledged else "acknowledge"
    left = (day - today).days
    if left < 0:
        return f"{_days(-left)} overdue to {what}"
    return f"{_days(left)} left to {what}" if left else f"{what} today"


def queued(case: CaseRecord) -> tuple[QueuedReply, ...]:
    """Return the replies that no dispatch has carried yet."""
    return tuple(reply for reply in case.replies if reply.serial is None)


def _days(number: int) -> str:
    return "1 day" if number == 1 else f"{number} days"
