"""Compare what a colleague handed over with what the relay brings in the end.

Her file may come before the bundle, and nobody but the relay can say that a letter is
genuine: it bears the voice that stands in it, whoever made it. So when the bundle opens for
this counselor, the bundle's letter counts; what differs is no part of the case any more.
"""

from datetime import datetime

from desk.casework.casefile import CaseFile
from desk.casework.origins import note_relay
from desk.casework.record import Act, append
from desk.casework.work import actor, read_file
from desk.filing import Reading
from desk.records import (
    CaseRecord,
    EnvelopeRecord,
    EnvelopeState,
    MailboxRecord,
    ObjectRef,
    ReadingRecord,
)
from desk.vault import Vault
from protocol.bundle import BundleEnvelope
from protocol.envelope import read_report


def is_genuine(
    vault: Vault,
    handed: EnvelopeRecord,
    listed: BundleEnvelope,
    reading: Reading | None,
    *,
    now: datetime,
) -> bool:
    """Settle whether a letter that was handed over is the relay's; take it out if it is not.

    Args:
        handed: the letter as it lies here.
        listed: the same envelope in the bundle.
        reading: what the bundle's opens to; None when it is not for this counselor to open, and
            nobody can tell.
    """
    here = vault.get(ReadingRecord, handed.name_on_shelf())
    is_deleted = handed.state is EnvelopeState.READ and handed.content is None
    if reading is None or is_deleted or (here is not None and _same(here, reading)):
        settled = {"size_bytes": listed.size_bytes, "sha256": listed.sha256, "handed_by": ""}
        with vault.changes():
            vault.put(handed.model_copy(update=settled))
            if here is not None:
                _note_relay(vault, handed, here)
        return True
    with vault.changes():
        for case in _cases(vault, handed):
            _take_out(vault, case, handed, now=now)
        vault.remove(ReadingRecord, handed.name_on_shelf())
        vault.remove(EnvelopeRecord, handed.name_on_shelf())
    _forget(vault, handed.content)
    return False


def _note_relay(vault: Vault, handed: EnvelopeRecord, here: ReadingRecord) -> None:
    """Keep no case without its mailbox because a colleague said that it came otherwise."""
    for case in _cases(vault, handed):
        note_relay(vault, case, read_report(here.report))


def _cases(vault: Vault, handed: EnvelopeRecord) -> list[CaseRecord]:
    return [
        case
        for case in vault.all(CaseRecord)
        if any(item.envelope == handed.id for item in case.items)
    ]


def _same(here: ReadingRecord, reading: Reading) -> bool:
    files = [
        [(one.entry, one.sha256) for one in of] for of in (here.attachments, reading.attachments)
    ]
    return here.report == reading.report_bytes and files[0] == files[1]


def _take_out(vault: Vault, case: CaseRecord, handed: EnvelopeRecord, *, now: datetime) -> None:
    what = {"envelope": handed.id.hex(), "handed_by": handed.handed_by}
    append(vault, case.name, Act.DISOWNED, by=actor(vault), why="", what=what, now=now)
    items = tuple(item for item in case.items if item.envelope != handed.id)
    file = read_file(vault, case)
    if items:
        vault.put(case.model_copy(update={"items": items}))
        seen = tuple(one for one in file.seen if one != handed.id)
        vault.put(file.model_copy(update={"seen": seen}))
    else:
        vault.remove(CaseRecord, case.name)
        vault.remove(CaseFile, case.name)
        vault.remove(MailboxRecord, case.mailbox.hex())


def _forget(vault: Vault, content: ObjectRef | None) -> None:
    if content is not None:
        vault.objects.remove(content)
