"""Which case first: by the risk of harm, then by the clocks (P6, P32)."""

from dataclasses import dataclass
from datetime import date

from desk.cases import is_waiting, queued
from desk.casework.casefile import CaseFile
from desk.casework.clocks import Clocks, Window, case_clocks
from desk.casework.rules import policy_of, track_of
from desk.records import CaseRecord
from desk.vault import Vault
from policies.schema import Policy
from protocol.envelope import Kind


@dataclass(frozen=True, kw_only=True)
class TriageLine:
    """One case in the order of urgency.

    Attributes:
        case, file, clocks: as they are.
        reasons: why it stands where it stands, the gravest first, in words.
        waiting: the reporter spoke last.
        track: what the policy calls it.
    """

    case: CaseRecord
    file: CaseFile
    clocks: Clocks
    reasons: tuple[str, ...]
    waiting: bool
    track: str


def triage(vault: Vault, *, today: date, closed: bool = False) -> list[TriageLine]:
    """Return the open cases, the most urgent first; joined ones are inside their case.

    Danger, then a high risk that a counselor saw, retaliation, a call for support, what is
    overdue, some risk, and then whatever is due soonest. What was handed on for a conflict of
    interest comes last.

    Args:
        closed: return the closed ones instead.
    """
    files = {one.case: one for one in vault.all(CaseFile)}
    policies: dict[str, Policy] = {}
    lines = []
    for case in vault.all(CaseRecord):
        file = files.get(case.name) or CaseFile(case=case.name)
        if not file.merged_into and bool(file.closed_on) == closed:
            policy = policies.get(case.policy) or policy_of(vault, case)
            policies[case.policy] = policy
            clocks = case_clocks(vault, case, today=today, file=file, policy=policy)
            track = track_of(policy, case)
            lines.append(_line(case, file, clocks, track.title if track else case.track))
    return sorted(lines, key=_rank)


def _line(case: CaseRecord, file: CaseFile, clocks: Clocks, track: str) -> TriageLine:
    # `case.urgent` is set while importing, before the policy's meanings were looked up.
    said = (
        (bool(file.conflict), "your conflict of interest: " + _handed(file)),
        (file.danger, "says there is danger"),
        (file.risk == "high", "high risk of harm"),
        (file.retaliation, "retaliation"),
        (file.support or (case.urgent and not file.danger), "asks for support"),
        (clocks.overdue, clocks.running),
        (file.risk == "some", "some risk of harm"),
        (_is_escalated(case), "takes it further"),
        ("meeting" in file.requests, "asks for a meeting"),
        ("stop" in file.requests, "asks to stop"),
        (clocks.window is Window.DECIDE, clocks.window.value),
        (bool(queued(case)), "a reply waits for the next dispatch"),
    )
    return TriageLine(
        case=case,
        file=file,
        clocks=clocks,
        reasons=tuple(words for holds, words in said if holds),
        waiting=is_waiting(case),
        track=track,
    )


def _is_escalated(case: CaseRecord) -> bool:
    return any(one.kind == Kind.ESCALATION for one in case.items if case.is_same_reporter(one))


def _handed(file: CaseFile) -> str:
    names = ", ".join(one.name for one in file.handed_to)
    return f"handed to {names}" if names else "hand it over"


def _rank(line: TriageLine) -> tuple[bool, bool, bool, bool, bool, bool, bool, date, bool, str]:
    file = line.file
    return (
        bool(file.conflict and file.handed_to),  # nothing is left to do here
        not file.danger,
        file.risk != "high",
        not file.retaliation,
        not (file.support or line.case.urgent),
        not line.clocks.overdue,
        file.risk != "some",
        line.clocks.due or date.max,
        not line.waiting,
        line.case.name,
    )
