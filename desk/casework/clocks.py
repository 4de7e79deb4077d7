"""The clocks of a case, as its policy sets them: acknowledge, feedback, window, retention.

P3 asks for a window that refuses nothing: what lies outside it waits for a person's
decision. P4 and P29 count from the day on which the relay took the report, P10 from
the day on which the case was closed.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

from desk.cases import acknowledge_by, clock, due, feedback_by
from desk.casework.casefile import CaseFile
from desk.casework.record import Act
from desk.casework.rules import policy_of, track_of
from desk.casework.work import read_file, require_words, working
from desk.records import CaseRecord
from desk.vault import Vault
from policies.schema import Policy


class Window(StrEnum):
    """How the day of the event lies to the window of the track (P3)."""

    NONE = "no window"
    INSIDE = "inside the window"
    DECIDE = "outside the window: decide"
    DECIDED = "outside the window: decided"


@dataclass(frozen=True, kw_only=True)
class Clocks:
    """What is counted in a case.

    Attributes:
        running: the clock that runs, in words.
        due: its last day; None where none runs.
        overdue: that day has passed.
        acknowledge_by, feedback_by: the days promised to the reporter.
        window: see `Window`.
        event: the day of the event; None where it is not dated.
        expires: the day on which the case is to be deleted; None while it is open.
        held: a legal hold stops deletion.
    """

    running: str
    due: date | None
    overdue: bool
    acknowledge_by: date
    feedback_by: date
    window: Window
    event: date | None
    expires: date | None
    held: bool


def case_clocks(
    vault: Vault,
    case: CaseRecord,
    *,
    today: date,
    file: CaseFile | None = None,
    policy: Policy | None = None,
) -> Clocks:
    """Count everything that is counted in a case.

    Args:
        file, policy: of the case, where the caller has read them already.
    """
    policy, file = policy or policy_of(vault, case), file or read_file(vault, case)
    track = track_of(policy, case)
    rests = "closed" if file.closed_on else ""
    rests = f"joined to {file.merged_into}" if file.merged_into else rests
    day = None if rests else due(case)
    event = file.event
    expires = None
    if file.closed_on and track:
        expires = file.closed_on + timedelta(days=track.retention_days)
    return Clocks(
        running=rests or clock(case, today=today),
        due=day,
        overdue=day is not None and day < today,
        acknowledge_by=case.acknowledge_by,
        feedback_by=case.feedback_by,
        window=_window(
            track.window_days if track else None, event, case, decided=bool(file.window_decision)
        ),
        event=event,
        expires=expires,
        held=file.hold is not None,
    )


def event_window(vault: Vault, case: CaseRecord) -> Window:
    """Return how the event of a case lies to the window of its track (P3)."""
    return case_clocks(vault, case, today=case.received).window


def decide_window(vault: Vault, case: CaseRecord, decision: str, *, now: datetime) -> None:
    """Decide about a case whose event is older than the window, or not dated (P3).

    Args:
        decision: what was decided and why, in words.

    Raises:
        ProcedureError: nothing was written.
    """
    decision = require_words(decision, "what was decided and why")
    with working(vault, case, now=now) as work:
        work.change(window_decision=decision)
        work.record(Act.WINDOW, why=decision)


def promised_days(policy: Policy, case: CaseRecord) -> tuple[date, date]:
    """Return the last days to acknowledge and to give feedback by the track of a case."""
    track = track_of(policy, case)
    if track is None:
        return acknowledge_by(case.received), feedback_by(case.received)
    received = case.received
    return (
        received + timedelta(days=track.acknowledge_days),
        received + timedelta(days=track.feedback_days),
    )


def _window(days: int | None, event: date | None, case: CaseRecord, *, decided: bool) -> Window:
    if days is None:
        return Window.NONE
    if event is not None and event >= case.received - timedelta(days=days):
        return Window.INSIDE
    return Window.DECIDED if decided else Window.DECIDE
