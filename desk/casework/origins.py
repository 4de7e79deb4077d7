"""File a letter by the way it came: what did not come through the relay has no mailbox (P9)."""

from datetime import datetime

from desk.casework.casefile import FROM_RELAY, CaseFile, Origin
from desk.casework.work import read_file
from desk.filing import Arrival, Reading, file_reading
from desk.records import CaseRecord, MailboxRecord
from desk.vault import Vault
from protocol.envelope import Report


def file_letter(vault: Vault, reading: Reading, origin: Origin, *, now: datetime) -> Arrival | None:
    """File a letter that was read. Only inside `changes`.

    Returns:
        What to tell; None for cover.
    """
    arrival = file_reading(vault, reading, month=now.year * 12 + now.month - 1)
    if arrival is not None and arrival.opened_case and origin != FROM_RELAY:
        # The relay knows no mailbox for it, so no dispatch may name one.
        vault.remove(MailboxRecord, reading.report.mailbox.hex())
        vault.put(CaseFile(case=arrival.case, origin=origin))
    return arrival


def note_relay(vault: Vault, case: CaseRecord, report: Report) -> None:
    """Note that a case came through the relay, whatever was said of it. Only inside `changes`."""
    file = read_file(vault, case)
    if file.origin != FROM_RELAY:
        vault.put(file.model_copy(update={"origin": FROM_RELAY}))
        vault.put(
            MailboxRecord(
                id=case.mailbox, reply_public=report.reply_public, case=case.name, until_month=None
            )
        )
