"""Handle a case: duties, assessment, risk, consents, how it ends.

Each function is one thing a counselor does, one rule of the procedure, one entry of
the record.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime

from desk.casework.casefile import Assessment, Decision, Risk, SpokenConsents, Tick
from desk.casework.errors import ProcedureError
from desk.casework.record import Act
from desk.casework.rules import policy_of
from desk.casework.said import is_manual
from desk.casework.threads import joined_cases, own_reports
from desk.casework.work import Work, read_file, require_words, working
from desk.records import CaseRecord, QueuedReply
from desk.replies import check_fits, has_mailbox
from desk.vault import Vault


def tick_duty(vault: Vault, case: CaseRecord, duty: str, note: str, *, now: datetime) -> None:
    """Note that one of the counselor's duties was seen to, and how (P6).

    Raises:
        ProcedureError: the policy has no such duty, or nothing says what was done.
    """
    note = require_words(note, "what was done")
    with working(vault, case, now=now) as work:
        if duty not in policy_of(vault, case).duties:
            raise ProcedureError("The procedure of this case has no such duty.")
        tick = Tick(day=work.today, by=work.by, note=note)
        work.change(duties={**work.file.duties, duty: tick})
        work.record(Act.DUTY, why=note, duty=duty)


def open_duties(vault: Vault, case: CaseRecord) -> tuple[str, ...]:
    """Return the ids of the duties that nobody has seen to yet."""
    done = read_file(vault, case).duties
    return tuple(one for one in policy_of(vault, case).duties if one not in done)


def assess(
    vault: Vault,
    case: CaseRecord,
    *,
    factors: Mapping[str, str],
    conclusion: bool,
    reasons: str,
    now: datetime,
) -> None:
    """Record an assessment: every factor of the policy, and the conclusion drawn (P7).

    Args:
        factors: ids of all factors to the ids of the options chosen.
        conclusion: whether a reasonable person would find it intimidating, hostile or abusive.

    Raises:
        ProcedureError: not this counselor's work, not handed over yet, or incomplete.
    """
    reasons = require_words(reasons, "the reasons of the conclusion")
    with working(vault, case, now=now) as work:
        policy = policy_of(vault, case)
        require_assessor(work)
        if set(factors) != set(policy.factors):
            raise ProcedureError("Weigh every factor of the assessment, and no other.")
        if any(chosen not in policy.factors[one].options for one, chosen in factors.items()):
            raise ProcedureError("Choose one of the answers that the policy gives to each factor.")
        assessment = Assessment(
            day=work.today,
            by=work.by,
            factors=dict(factors),
            conclusion=conclusion,
            reasons=reasons,
        )
        work.change(assessments=(*work.file.assessments, assessment))
        work.record(
            Act.ASSESSED,
            why=reasons,
            conclusion=conclusion,
            factors=[f"{one}: {chosen}" for one, chosen in factors.items()],
        )


def require_assessor(work: Work) -> None:
    """Refuse an assessment by anybody but the team that the policy names, or too early (P7).

    A report that went to that team alone, by the policy's own route, has nobody who could
    hand it over.

    Raises:
        ProcedureError: not hers to assess, or not yet.
    """
    rule = policy_of(work.vault, work.case).assessment
    if rule is None:
        raise ProcedureError("The procedure of this case has no assessment.")
    if work.by not in rule.recipients:
        raise ProcedureError(
            "The assessment is the reviewing team's work; hand the case over to them."
        )
    if not rule.after_hand_over or work.file.received_from is not None:
        return
    letters = own_reports(work.vault, work.case)
    if letters and set(letters[0].readers) <= set(rule.recipients):
        return
    raise ProcedureError("The counselor has not handed this case over yet; assess it afterwards.")


def set_risk(vault: Vault, case: CaseRecord, risk: Risk, reason: str, *, now: datetime) -> None:
    """Say how great the risk of harm is, to the reporter above all; triage follows it (P32).

    Raises:
        ProcedureError: no reason was given.
    """
    reason = require_words(reason, "the reason")
    with working(vault, case, now=now) as work:
        work.change(risk=risk, risk_reason=reason)
        work.record(Act.RISK, why=reason, risk=risk)


def record_consent(
    vault: Vault,
    case: CaseRecord,
    consents: Sequence[str],
    *,
    by_survivor: bool,
    how: str,
    now: datetime,
) -> None:
    """Record consents that were given, or taken back, otherwise than in the mailbox (P24).

    What is not named is not consented to any more.

    Args:
        by_survivor: the person affected said so in person; a witness cannot.
        how: when, where and in which words.

    Raises:
        ProcedureError: unknown consents, one that only the survivor can give, or no words.
    """
    how = require_words(how, "how the consent was given")
    with working(vault, case, now=now) as work:
        known = policy_of(vault, case).consents
        if any(one not in known for one in consents):
            raise ProcedureError("The procedure of this case asks for no such consent.")
        if not by_survivor and any(known[one].survivor_only for one in consents):
            raise ProcedureError(
                "Only the person affected can agree to this; a witness cannot do it for them."
            )
        spoken = SpokenConsents(
            day=work.today,
            cases=tuple(one.name for one in joined_cases(vault, work.case)),
            consents=tuple(consents),
            by_survivor=by_survivor,
            how=how,
        )
        work.change(spoken=(*work.file.spoken, spoken))
        work.record(Act.CONSENT, why=how, consents=tuple(consents), by_survivor=by_survivor)


def set_case_status(
    vault: Vault, case: CaseRecord, status: str, *, reason: str = "", now: datetime
) -> None:
    """Say where the case stands; the reporter's page says it with the next dispatch (P31).

    Raises:
        ProcedureError: unknown to the policy, or one that ends the case: use `close_case`.
    """
    with working(vault, case, now=now) as work:
        found = policy_of(vault, case).statuses.get(status)
        if found is None:
            raise ProcedureError("The procedure of this case has no such status.")
        if found.final:
            raise ProcedureError("Close the case instead: the reporter is asked something first.")
        work.change_case(status=status)
        work.change(closed_on=None)
        check_fits(work.case, today=work.today)
        work.record(Act.STATUS, why=reason.strip(), status=status)


def decide_outcome(
    vault: Vault,
    case: CaseRecord,
    outcomes: Sequence[str],
    *,
    reasons: str,
    tell_reporter: str = "",
    now: datetime,
) -> None:
    """Record how the case ended and why (P13, P31).

    Args:
        outcomes: ids of the policy's outcomes; one or several.
        reasons: kept in the record.
        tell_reporter: what their page says about outcome and reasons; "" tells nothing yet.
            Without a mailbox: what they were told otherwise.

    Raises:
        ProcedureError: unknown outcomes, none, or no reasons.
        CapacityError: the reporter's page is too small for it.
    """
    reasons = require_words(reasons, "the reasons")
    told = "\n".join(tell_reporter.splitlines()).strip()  # as replies: one text, whoever typed it
    with working(vault, case, now=now) as work:
        known = policy_of(vault, case).outcomes
        if not outcomes or any(one not in known for one in outcomes):
            raise ProcedureError("Choose at least one outcome that the policy names.")
        decision = Decision(day=work.today, by=work.by, outcomes=tuple(outcomes), reasons=reasons)
        work.change(decision=decision)
        if told:
            work.change_case(outcome=told)
            check_fits(work.case, today=work.today)
            if not has_mailbox(vault, work.case):
                work.change_case(told_outcome=work.case.outcome)
        work.record(Act.DECIDED, why=reasons, outcomes=tuple(outcomes), told=bool(told))


def close_case(
    vault: Vault, case: CaseRecord, status: str, *, question: str, reason: str, now: datetime
) -> None:
    """Close a case: ask the reporter whether they are satisfied, then set a final status (P31).

    Args:
        status: one that ends a case.
        question: the closing reply, queued here; "" only where nobody can read it: there is
            no mailbox, or the reporter closed it.
        reason: why it is closed.

    Raises:
        ProcedureError: no outcome was decided, or the reporter is not asked.
        CapacityError: the reporter's page is full.
    """
    reason = require_words(reason, "the reason")
    with working(vault, case, now=now) as work:
        found = policy_of(vault, case).statuses.get(status)
        if found is None or not found.final:
            raise ProcedureError("Choose a status that ends the case.")
        if work.file.decision is None:
            raise ProcedureError("Decide the outcome and write its reasons first.")
        unreachable = is_manual(work.file) or work.file.closed_by_reporter is not None
        if not unreachable:
            _ask(work, require_words(question, "the question whether the reporter is satisfied"))
        work.change_case(status=status)
        check_fits(work.case, today=work.today)
        work.change(closed_on=work.today)
        work.record(Act.STATUS, why=reason, status=status)


def _ask(work: Work, text: str) -> None:
    reply = QueuedReply(
        number=1 + max((one.number for one in work.case.replies), default=0),
        day=work.today,
        text=text,
        after_items=len(work.case.items),
    )
    work.change_case(replies=(*work.case.replies, reply))
