"""What a list and a case say, as plain values: the same for JSON, terminal and screen."""

from collections.abc import Sequence
from datetime import date
from typing import TypedDict

from desk.cases import ThreadItem, clock, is_waiting, queued, read_thread
from desk.casework.casefile import CaseFile
from desk.casework.triage import triage
from desk.records import CaseRecord, QueuedReply
from desk.vault import Vault
from protocol.encrypted import encryption_in
from protocol.envelope import Report


class CaseLine(TypedDict):
    """One line of the list."""

    case: str
    kind: str
    received: str  # ISO day on which the relay took it
    track: str
    language: str
    urgent: bool
    waiting: bool  # the reporter spoke last
    clock: str
    acknowledge_by: str
    feedback_by: str
    status: str
    outcome: str
    items: int
    queued: int  # replies that no dispatch has carried


class ListLine(CaseLine):
    """One line of the list of all cases."""

    reasons: list[str]  # why it stands where it stands, the gravest first
    state: str  # open, closed, or «joined to» and the case that goes on


class AnswerView(TypedDict):
    """One answered question."""

    question: str
    label: str
    value: str | list[str]  # as the reporter saw it; one text, or several choices
    values: list[str]  # ids of the policy, for programs


class MessageView(TypedDict):
    """One entry of the thread."""

    by: str  # reporter, counselor, or "not the same reporter"
    kind: str
    day: str
    text: str
    answers: list[AnswerView]
    number: int | None  # of a reply
    serial: int | None  # of the dispatch that carried the reply
    encrypted: bool  # holds a message that is encrypted already
    repeated: int  # how often the same was sent again
    envelope: str  # that brought it, as hexadecimal digits; "" for a reply


class AttachmentView(TypedDict):
    """One file, described and not opened."""

    name: str
    size: int
    sha256: str
    item: int  # the entry of the thread that it came with, from 1
    nested: bool
    warning: str


class CaseView(CaseLine):
    """A whole case."""

    policy: str
    mailbox: str
    readers: list[str]
    left_out: list[str]
    answers: list[AnswerView]
    messages: list[MessageView]
    attachments: list[AttachmentView]


def list_lines(vault: Vault, *, today: date) -> list[ListLine]:
    """Return all cases: the open ones by urgency, then the closed, then those joined to others."""
    lines = [
        ListLine(**case_line(one.case, today=today), reasons=list(one.reasons), state=state)
        for state, closed in (("open", False), ("closed", True))
        for one in triage(vault, today=today, closed=closed)
    ]
    joined = [
        ListLine(**case_line(case, today=today), reasons=[], state=f"joined to {file.merged_into}")
        for file in vault.all(CaseFile)
        if file.merged_into and (case := vault.get(CaseRecord, file.case))
    ]
    return lines + sorted(joined, key=lambda one: one["case"])


def case_line(case: CaseRecord, *, today: date) -> CaseLine:
    """Say in one line what a case is and what it waits for."""
    return CaseLine(
        case=case.name,
        kind=case.kind,
        received=case.received.isoformat(),
        track=case.track,
        language=case.language,
        urgent=case.urgent,
        waiting=is_waiting(case),
        clock=clock(case, today=today),
        acknowledge_by=case.acknowledge_by.isoformat(),
        feedback_by=case.feedback_by.isoformat(),
        status=case.status,
        outcome=case.outcome,
        items=len(case.items),
        queued=len(queued(case)),
    )


def case_view(vault: Vault, case: CaseRecord, *, today: date) -> CaseView:
    """Say everything about a case but what is in its files.

    The answers on top are the first report's; `readers` and `left_out` are those of the
    newest item of the same reporter, who may have changed the choice.
    """
    thread = list(read_thread(vault, case))
    own = [one.report for one in thread if case.is_same_reporter(one.item)]
    newest = own[-1]
    return CaseView(
        **case_line(case, today=today),
        policy=case.policy,
        mailbox=case.mailbox.hex(),
        readers=list(newest.readers),
        left_out=list(newest.left_out),
        answers=_answers(own[0]),
        messages=_messages(case, thread),
        attachments=[
            AttachmentView(
                name=file.name,
                size=file.size_bytes,
                sha256=file.sha256.hex(),
                item=number,
                nested=file.nested,
                warning=file.warning,
            )
            for number, one in enumerate(thread, start=1)
            for file in one.reading.attachments
        ],
    )


def _messages(case: CaseRecord, thread: Sequence[ThreadItem]) -> list[MessageView]:
    """Interleave what came and what was answered, as the counselor saw it."""
    messages = []
    for number, one in enumerate(thread, start=1):
        messages += [_reply(reply) for reply in case.replies if reply.after_items == number - 1]
        messages.append(_item(case, one))
    messages += [_reply(reply) for reply in case.replies if reply.after_items >= len(thread)]
    return messages


def _item(case: CaseRecord, one: ThreadItem) -> MessageView:
    same = case.is_same_reporter(one.item)
    return MessageView(
        by="reporter" if same else "not the same reporter",
        kind=one.item.kind,
        day=one.item.day.isoformat(),
        text=one.report.text,
        answers=_answers(one.report),
        number=None,
        serial=None,
        encrypted=bool(encryption_in(one.report.text)),
        repeated=len(one.item.also),
        envelope=one.item.envelope.hex(),
    )


def _reply(reply: QueuedReply) -> MessageView:
    return MessageView(
        by="counselor",
        kind="reply",
        day=reply.day.isoformat(),
        text=reply.text,
        answers=[],
        number=reply.number,
        serial=reply.serial,
        encrypted=False,
        repeated=0,
        envelope="",
    )


def _answers(report: Report) -> list[AnswerView]:
    return [
        AnswerView(
            question=one.question,
            label=one.label,
            value=one.shown[0] if len(one.shown) == 1 else list(one.shown),
            values=list(one.values),
        )
        for one in report.answers
    ]
