"""Follow what a bundle brought: open files, set clocks, write arrivals into the record.

Called after every import; doing it twice changes nothing. What the reporter asked for
in the mailbox is done here where it needs nobody's judgement: replies come off the
page, and two receipts of which one replaces the other become one case.
"""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from desk.cases import queued, read_thread
from desk.casework.clocks import promised_days
from desk.casework.colleagues import learn_colleagues
from desk.casework.merging import join_replaced
from desk.casework.record import Act
from desk.casework.rules import follow_policy, policy_of
from desk.casework.said import CATEGORIES, REQUESTS, event_day, values_of
from desk.casework.threads import joined_cases
from desk.casework.work import Work, read_file, working
from desk.files import random_access
from desk.filing import FIRST_STATUS
from desk.importing import verify_bundle
from desk.records import CaseRecord, Item
from desk.vault import Vault
from policies.parts import Meaning
from policies.schema import Policy
from protocol.archive import ArchiveReader
from protocol.envelope import Kind, Report

CLOSING, HAND_OVER, RUNG = "closing", "hand-over", "rung"
DELETE_REPLIES, CLOSE = "delete-replies", "close"
RETALIATION = "retaliation"
_NO = frozenset({"", "no", "none", "unsure"})


@dataclass(frozen=True, kw_only=True)
class Followed:
    """What following found.

    Attributes:
        told: sentences that need a look: new keys, requests, joined cases.
        changed: names of the cases in which something arrived.
    """

    told: tuple[str, ...]
    changed: tuple[str, ...]


def after_import(vault: Vault, bundle: Path, *, now: datetime) -> Followed:
    """Do everything that follows an import: colleagues' certificates, then `catch_up`.

    Raises:
        AuthenticityError: the bundle is not the pinned relay's.
    """
    with random_access(bundle) as (read_at, size_bytes):
        head = verify_bundle(vault, ArchiveReader(read_at, size_bytes), now=now).head
    told = [
        *learn_colleagues(vault, head),
        *follow_policy(vault, head.policy, head.policy_version),
    ]
    followed = catch_up(vault, now=now)
    return Followed(told=(*told, *followed.told), changed=followed.changed)


def catch_up(vault: Vault, *, now: datetime) -> Followed:
    """Bring every case's file and record up to what its thread holds."""
    told: list[str] = []
    changed = []
    for case in sorted(vault.all(CaseRecord), key=lambda one: one.name):
        file = read_file(vault, case)
        new = [one for one in case.items if one.envelope not in file.seen]
        sent = [
            r for r in case.replies if r.serial is not None and r.number > file.replies_recorded
        ]
        if not (new or sent):
            continue
        with working(vault, case, now=now, even_joined=True, despite_conflict=True) as work:
            told += _follow(work, {one.envelope for one in new})
            _record_replies(work)
        _pass_on_flags(vault, case, now=now)
        changed.append(case.name)
    told += join_replaced(vault, now=now)
    return Followed(told=tuple(told), changed=tuple(changed))


def _pass_on_flags(vault: Vault, case: CaseRecord, *, now: datetime) -> None:
    """Let a case that others were joined to know what arrived under the older receipt."""
    file = read_file(vault, case)
    kept = vault.get(CaseRecord, file.merged_into) if file.merged_into else None
    if kept is None:
        return
    with working(vault, kept, now=now, even_joined=True, despite_conflict=True) as work:
        work.change(
            danger=work.file.danger or file.danger,
            support=work.file.support or file.support,
            retaliation=work.file.retaliation or file.retaliation,
            requests=tuple(dict.fromkeys((*work.file.requests, *file.requests))),
        )
        work.record(Act.ARRIVED, joined=case.name)


def _follow(work: Work, new: set[bytes]) -> list[str]:
    policy = policy_of(work.vault, work.case)
    cases = (work.case, *joined_cases(work.vault, work.case))
    promised = [promised_days(policy, one) for one in cases]
    work.change_case(
        acknowledge_by=min(acknowledge for acknowledge, _ in promised),
        feedback_by=min(feedback for _, feedback in promised),
    )
    if not work.file.seen:
        first = next(iter(policy.statuses), FIRST_STATUS)
        if work.case.status == FIRST_STATUS:
            work.change_case(status=first)
        work.record(Act.OPENED, policy=f"{policy.id} {policy.version}", track=work.case.track)
    told = []
    for one in read_thread(work.vault, work.case):
        if one.item.envelope in new:
            told += _arrive(work, policy, one.item, one.report)
    work.change(event=event_day(work.vault, work.case))
    return told


def _arrive(work: Work, policy: Policy, item: Item, report: Report) -> list[str]:
    own = work.case.is_same_reporter(item)
    work.record(
        Act.ARRIVED,
        envelope=item.envelope.hex(),
        kind=item.kind,
        received=item.day.isoformat(),
        same_reporter=own,
    )
    work.change(seen=(*work.file.seen, item.envelope))
    if not own:
        return []
    asked = _values(report, REQUESTS)
    picked = {*_values(report, CATEGORIES)} & {c.id for c in policy.retaliation_categories}
    file = work.file
    work.change(
        danger=file.danger or _yes(values_of(policy, report, Meaning.DANGER)),
        support=file.support or _yes(values_of(policy, report, Meaning.SUPPORT)),
        retaliation=file.retaliation or bool(picked) or RETALIATION in asked,
        requests=tuple(dict.fromkeys((*file.requests, *asked))),
    )
    told = []
    if asked:
        work.record(Act.REQUESTED, requests=asked)
        told.append(f"Case {work.case.name}: the reporter asks for: {', '.join(asked)}.")
    if item.kind == Kind.CLOSING:
        told += _close(work, _values(report, CLOSING))
    return told


def _close(work: Work, wishes: tuple[str, ...]) -> list[str]:
    """Do what the reporter wants with replies and mailbox; the next dispatch carries it out."""
    name = work.case.name
    closed = CLOSE in wishes
    if closed or DELETE_REPLIES in wishes:
        # What was not sent yet cannot have been read; it goes only when nobody will come back.
        gone = {one.number for one in work.case.replies if closed or one.serial is not None}
        replies = tuple(
            one.model_copy(update={"on_page": False}) if one.number in gone else one
            for one in work.case.replies
        )
        work.change_case(replies=replies)
    if closed:
        work.change(closed_by_reporter=work.today)
        work.record(Act.REQUESTED, requests=(CLOSE,))
        return [f"Case {name}: the reporter closed the mailbox and will not come back."]
    if DELETE_REPLIES in wishes:
        work.record(Act.REQUESTED, requests=(DELETE_REPLIES,))
        return [f"Case {name}: the reporter wants the replies removed; the next dispatch does it."]
    return []


def _record_replies(work: Work) -> None:
    waiting = {one.number for one in queued(work.case)}
    last = work.file.replies_recorded
    for reply in work.case.replies:
        if reply.number > last and reply.number not in waiting:
            work.record(Act.REPLIED, number=reply.number, written=reply.day.isoformat())
            work.change(replies_recorded=reply.number)


def _values(report: Report, question: str) -> tuple[str, ...]:
    return tuple(v for one in report.answers if one.question == question for v in one.values)


def _yes(values: tuple[str, ...]) -> bool:
    return any(value.strip().casefold() not in _NO for value in values)
