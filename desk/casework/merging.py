"""Join cases: a receipt that was lost, one that was replaced, a report that belongs to another.

Joining moves nothing: both threads stay what they are, under one file. Whoever was left
out of one of them stays left out of both (P16), and what is consented to must be so in both
(P24), unless both are proven to be of one reporter. A replaced receipt is joined without
asking, but only when both letters name each other, each with the voice of its own
mailbox: whoever found a receipt cannot pull somebody else's case to himself (P39).
"""

from datetime import date, datetime
from typing import get_args

from desk.cases import read_thread
from desk.casework.casefile import CaseFile, Risk
from desk.casework.errors import ProcedureError
from desk.casework.record import Act, append
from desk.casework.work import actor, read_file, require_words, working
from desk.records import CaseRecord, MailboxRecord
from desk.replies import has_mailbox
from desk.vault import Vault
from protocol.names import MailboxId

_RISKS = get_args(Risk)  # from none to high
REPLACES, REPLACED_BY = "replaces", "replaced-by"  # as the relay's mailbox writes them


def merge_cases(
    vault: Vault,
    kept: CaseRecord,
    joined: CaseRecord,
    why: str,
    *,
    replaced: bool = False,
    now: datetime,
) -> None:
    """Join a case to another, after checking that both are of one reporter or one matter.

    Args:
        kept: goes on; its mailbox is where replies go from now on, so it is the newer one
            when a receipt was lost (P39), the earlier one when retaliation joins it (P18).
        why: how it was checked that they belong together.
        replaced: two receipts that name each other prove that they are of one reporter.

    Raises:
        ProcedureError: the same case, one that was joined already, no reason, or nobody
            could be answered any more.
    """
    why = require_words(why, "how you checked that they belong together")
    if kept.name == joined.name:
        raise ProcedureError("This is one case, not two.")
    # Following what a reporter did decides nothing.
    with working(vault, kept, now=now, despite_conflict=replaced) as work:
        file = read_file(vault, joined)
        if file.merged_into:
            raise ProcedureError(f"This case was joined to {file.merged_into} before.")
        if has_mailbox(vault, joined) and not has_mailbox(vault, kept):
            raise ProcedureError(
                f"Case {kept.name} has no mailbox: join it to {joined.name} instead, whose "
                "reporter can be answered."
            )
        work.change_case(**_earlier_days(work.case, joined))
        work.change(**_both(work.file, file), merged_from=(*work.file.merged_from, joined.name))
        work.record(Act.JOINED, why=why, joined=joined.name)
        vault.put(file.model_copy(update={"merged_into": kept.name, "replaced": replaced}))
        append(
            vault,
            joined.name,
            Act.JOINED,
            by=actor(vault),
            why=why,
            what={"joined_to": kept.name},
            now=now,
        )


def _both(kept: CaseFile, joined: CaseFile) -> dict[str, object]:
    """Return what the file of a case that goes on holds of both: nothing noted is lost.

    Consents and agreements stay in their own files: they bind nobody else.
    """
    graver = joined if _RISKS.index(joined.risk) > _RISKS.index(kept.risk) else kept
    return {
        "event": kept.event or joined.event,
        "danger": kept.danger or joined.danger,
        "support": kept.support or joined.support,
        "retaliation": kept.retaliation or joined.retaliation,
        "requests": tuple(dict.fromkeys((*kept.requests, *joined.requests))),
        "risk": graver.risk,
        "risk_reason": graver.risk_reason,
        "duties": {**joined.duties, **kept.duties},
        "assessments": (*joined.assessments, *kept.assessments),
        "conflict": kept.conflict or joined.conflict,
        "hold": kept.hold or joined.hold,
        "notes": (*joined.notes, *kept.notes),
        "answers_of_reported": (*joined.answers_of_reported, *kept.answers_of_reported),
        "told_otherwise": (*joined.told_otherwise, *kept.told_otherwise),
        "received_from": kept.received_from or joined.received_from,
        "window_decision": kept.window_decision or joined.window_decision,
    }


def _earlier_days(kept: CaseRecord, joined: CaseRecord) -> dict[str, date | None]:
    """Keep what was promised first: a lost receipt starts no clock anew."""
    answered = [one for one in (kept.acknowledged, joined.acknowledged) if one]
    return {
        "acknowledge_by": min(kept.acknowledge_by, joined.acknowledge_by),
        "feedback_by": min(kept.feedback_by, joined.feedback_by),
        "acknowledged": min(answered, default=None),
    }


def join_replaced(vault: Vault, *, now: datetime) -> list[str]:
    """Join the cases of replaced receipts, and say which and which not.

    The new case goes on, for its mailbox is the one that only the reporter can open; what
    stood on the old page is taken off it, for somebody else has seen those words.
    """
    told = []
    for new in list(vault.all(CaseRecord)):
        old = _replaced_case(vault, new)
        if old is None or read_file(vault, old).merged_into or _is_joined(vault, new):
            continue
        if _named(vault, old, REPLACED_BY) != new.mailbox:
            told.append(
                f"Case {new.name} says that its receipt replaces that of {old.name}, and "
                f"{old.name} does not say so: nothing was joined. Ask the reporter."
            )
            continue
        why = "The reporter replaced the receipt."
        merge_cases(vault, new, old, why, replaced=True, now=now)
        with vault.changes():
            fresh = vault.get(CaseRecord, old.name) or old
            off = tuple(one.model_copy(update={"on_page": False}) for one in fresh.replies)
            vault.put(fresh.model_copy(update={"replies": off}))
        told.append(f"Case {old.name} goes on as {new.name}: the reporter replaced the receipt.")
    return told


def suggested_joins(vault: Vault, case: CaseRecord, mentioned: str) -> list[CaseRecord]:
    """Return other open cases whose name stands in what the reporter said about an earlier one.

    Reporters rarely know a case's name; a counselor may have told it in a reply.
    """
    letters = "".join(one for one in mentioned.upper() if one.isalnum())
    return [
        one
        for one in vault.all(CaseRecord)
        if one.name != case.name
        and not read_file(vault, one).merged_into
        and one.name.replace("-", "") in letters
    ]


def _replaced_case(vault: Vault, new: CaseRecord) -> CaseRecord | None:
    mailbox = _named(vault, new, REPLACES)
    record = vault.get(MailboxRecord, mailbox.hex()) if mailbox else None
    return vault.get(CaseRecord, record.case) if record and record.case else None


def _named(vault: Vault, case: CaseRecord, question: str) -> MailboxId | None:
    """Return the mailbox that a letter in the case's own voice names."""
    for one in read_thread(vault, case):
        if not case.is_same_reporter(one.item):
            continue
        for answer in one.report.answers:
            if answer.question == question and len(answer.values) == 1:
                try:
                    return MailboxId(bytes.fromhex(answer.values[0]))
                except ValueError:
                    return None
    return None


def _is_joined(vault: Vault, case: CaseRecord) -> bool:
    file = vault.get(CaseFile, case.name)
    return file is not None and bool(file.merged_into)
