"""The case file: what the counselor adds to a case, beside what the reporter sent.

A case (`CaseRecord`) is what crossed the gap. Its file holds duties, decisions,
notes and agreements. Every change of it is written to the case's record in the same
step (`work.Work`); docs/RECORD.md, «What is recorded».
"""

from collections.abc import Collection
from datetime import date
from typing import Literal

from pydantic import BaseModel, Field

from desk.records import Record
from protocol.names import EnvelopeId, RecipientName

Way = Literal["telephone", "paper", "in-person", "staff"]
Origin = Literal["relay", Way]
FROM_RELAY: Origin = "relay"
Risk = Literal["none", "some", "high"]


class Value(BaseModel):
    """A part of a file: frozen, exact, bytes in base64 as in every document."""

    model_config = Record.model_config


class Tick(Value):
    """A duty that was seen to (P6)."""

    day: date
    by: str
    note: str


class Note(Value):
    """What a counselor or the person reported wrote; `shared` may go to colleagues."""

    day: date
    by: str
    text: str
    shared: bool = False


class Assessment(Value):
    """The factors weighed and the conclusion drawn (P7)."""

    day: date
    by: str
    factors: dict[str, str]
    conclusion: bool  # would a reasonable person find it intimidating, hostile or abusive
    reasons: str


class Decision(Value):
    """How a case ended, and why (P13, P31)."""

    day: date
    by: str
    outcomes: tuple[str, ...]
    reasons: str


class Hold(Value):
    """A legal hold: nothing of the case is deleted while it lasts (P35)."""

    day: date
    by: str
    reason: str


class Words(Value):
    """What a person wrote down of a reporter's words."""

    day: date
    cases: tuple[str, ...] = ()  # which it is about, beside the one in whose file it lies


class SpokenConsents(Words):
    """Consents given otherwise than in an envelope: said, or signed on paper (P24)."""

    consents: tuple[str, ...]
    by_survivor: bool
    how: str


class Agreement(Words):
    """The reporter agreed that somebody left out may learn of the case after all (P16)."""

    name: RecipientName
    envelope: EnvelopeId | None  # the letter that says so; None only where there is no mailbox
    why: str


class HandOver(Value):
    """A case handed on: to whom or from whom, and why (P7, P17, P38)."""

    name: str
    day: date
    reason: str
    outside: bool = False


class ColleagueReply(Value):
    """A reply of another counselor who shares this case, as she sent its copy."""

    number: int
    day: date
    text: str


class ColleagueCopy(Value):
    """The newest copy of what a colleague wrote in this case; a newer one takes its place."""

    by: RecipientName
    made: str  # ISO time by her clock; only a later one is taken
    status: str
    outcome: str
    replies: tuple[ColleagueReply, ...]
    notes: tuple[Note, ...]


class CaseFile(Record):
    """Everything that a desk keeps of a case beside its thread."""

    shelf = "case-file"
    case: str
    origin: Origin = FROM_RELAY
    seen: tuple[EnvelopeId, ...] = ()  # items whose arrival stands in the record
    replies_recorded: int = 0  # number of the last exported reply in the record
    danger: bool = False
    support: bool = False
    retaliation: bool = False
    event: date | None = None  # as the reporter dated it; kept here so that a list opens no letter
    requests: tuple[str, ...] = ()  # meeting, stop, …: asked for in the mailbox
    risk: Risk = "none"
    risk_reason: str = ""
    duties: dict[str, Tick] = Field(default_factory=dict)
    assessments: tuple[Assessment, ...] = ()  # the last one counts
    notes: tuple[Note, ...] = ()
    answers_of_reported: tuple[Note, ...] = ()  # P34
    told_otherwise: tuple[Note, ...] = ()  # P4: by telephone, in person, by letter
    spoken: tuple[SpokenConsents, ...] = ()
    agreements: tuple[Agreement, ...] = ()
    conflict: str = ""  # why this counselor must not decide (P17)
    handed_to: tuple[HandOver, ...] = ()
    received_from: HandOver | None = None
    window_decision: str = ""  # P3: what was decided about a late or undated event
    decision: Decision | None = None
    closed_on: date | None = None
    closed_by_reporter: date | None = None
    hold: Hold | None = None
    copies: tuple[ColleagueCopy, ...] = ()
    merged_into: str = ""
    replaced: bool = False  # the receipt of that case replaces this one's: one reporter for certain
    merged_from: tuple[str, ...] = ()

    def name_on_shelf(self) -> str:
        return self.case


def applies_to(words: Words, file: CaseFile, cases: Collection[str]) -> bool:
    """Tell whether words in a file are about one of some cases."""
    return file.case in cases or any(one in cases for one in words.cases)
