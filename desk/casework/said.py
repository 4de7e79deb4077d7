"""What the reporter said that rules hang on: wishes, consents, who was left out.

Answers are found by their meaning in the policy, not by their id. Only what bears the
reporter's own voice counts; the newest word holds, and where two words of one day
disagree, the narrower: a bundle tells the day of a letter and not the hour.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from desk.casework.casefile import FROM_RELAY, CaseFile, SpokenConsents, applies_to
from desk.casework.leftout import left_out
from desk.casework.rules import policy_of
from desk.casework.threads import by_reporter, letters_of, own_reports
from desk.casework.work import read_file
from desk.records import CaseRecord
from desk.vault import Vault
from policies.parts import Meaning
from policies.schema import Policy
from protocol.envelope import Answer, Kind, Report
from protocol.names import RecipientName

CONSENTS, CATEGORIES, REQUESTS = "consents", "categories", "requests"


@dataclass(frozen=True, kw_only=True)
class Top:
    """What stands above everything else of a case (P16, P19, P24, P25).

    Attributes:
        wishes: in the reporter's words; the newest first.
        consents: ids of what is consented to now, by somebody who may.
        contact: «follow-up», «inform-only», or "" where nothing was said.
        contact_details: what was left, as (label, value).
        support_person: as the reporter named them.
        readers: who may read, by the newest letter.
        left_out: who must not learn of the case.
        requests: asked for in the mailbox: meeting, stop, retaliation.
        standing: «affected», «witness», «on-behalf» or "".
        formality: «formal», «informal» or as the policy words it, or "".
        earlier: what was said about an earlier report.
    """

    wishes: tuple[str, ...]
    consents: tuple[str, ...]
    contact: str
    contact_details: tuple[tuple[str, str], ...]
    support_person: str
    readers: tuple[RecipientName, ...]
    left_out: tuple[RecipientName, ...]
    requests: tuple[str, ...]
    standing: str
    formality: str
    earlier: str


def case_top(vault: Vault, case: CaseRecord) -> Top:
    """Gather what stands on top of a case, cases joined to it included."""
    policy = policy_of(vault, case)
    file = read_file(vault, case)
    letters = own_reports(vault, case)

    def last(meaning: Meaning) -> str:
        return " ".join(next(_said(policy, letters, meaning), ()))

    return Top(
        wishes=tuple(" ".join(one) for one in _said(policy, letters, Meaning.WISHES)),
        consents=consents(vault, case),
        contact=last(Meaning.CONTACT_PURPOSE),
        contact_details=tuple(
            (words, " ".join(one.shown))
            for meaning, words in _CONTACT.items()
            for one in _answers(policy, letters, {meaning})
            if one.shown
        ),
        support_person=last(Meaning.SUPPORT_PERSON),
        readers=letters[-1].readers if letters else (),
        left_out=left_out(vault, case),
        requests=file.requests,
        standing=last(Meaning.STANDING),
        formality=last(Meaning.FORMALITY),
        earlier=last(Meaning.EARLIER),
    )


_CONTACT = {
    Meaning.NAME: "Name",
    Meaning.TELEPHONE: "Telephone",
    Meaning.E_MAIL: "E-mail",
    Meaning.CONTACT: "Another way",
}


def consents(vault: Vault, case: CaseRecord) -> tuple[str, ...]:
    """Return the ids of the consents that hold now; in joined cases, what all reporters give.

    A consent that only the person affected can give counts only from that person: in
    letters where they say that it happened to them, or as the counselor recorded it (P24).
    """
    policy, groups = policy_of(vault, case), by_reporter(vault, case)
    files = [read_file(vault, one) for group in groups for one in group]
    given = [set(policy.consents)]
    for group in groups:
        names = {one.name for one in group}
        spoken = [one for file in files for one in file.spoken if applies_to(one, file, names)]
        given.append(_consents_of(policy, letters_of(vault, group), spoken))
    return tuple(one for one in policy.consents if one in set.intersection(*given))


def categories(vault: Vault, case: CaseRecord) -> tuple[str, ...]:
    """Return the categories that the reporter picked and the policy knows."""
    policy = policy_of(vault, case)
    picked = {
        value
        for report in own_reports(vault, case)
        for one in report.answers
        if one.question == CATEGORIES
        for value in one.values
    }
    return tuple(one for one in policy.categories if one in picked)


def values_of(policy: Policy, report: Report, meaning: Meaning) -> tuple[str, ...]:
    """Return the values that a letter holds for a meaning; empty when it says nothing.

    Where the policy does not know the track, a question named like the meaning is taken.
    """
    ids = _question_ids(policy, report, {meaning})
    return tuple(v for one in report.answers if one.question in ids for v in one.values if v)


def event_day(vault: Vault, case: CaseRecord) -> date | None:
    """Return the day of the event as the reporter dated it; None for undated or unreadable."""
    policy = policy_of(vault, case)
    for value in next(_said(policy, own_reports(vault, case), Meaning.WHEN), ()):
        try:
            return date.fromisoformat(value)
        except ValueError:
            return None
    return None


def is_manual(file: CaseFile) -> bool:
    """Tell whether a case was entered at the desk, so that it has no mailbox (P9)."""
    return file.origin != FROM_RELAY


def _said(policy: Policy, letters: Sequence[Report], meaning: Meaning) -> Iterator[tuple[str, ...]]:
    """Yield what was said for a meaning, the newest first."""
    return iter([v for one in reversed(letters) if (v := values_of(policy, one, meaning))])


def _answers(
    policy: Policy, letters: Sequence[Report], meanings: Iterable[Meaning]
) -> list[Answer]:
    return [
        one
        for report in letters
        for one in report.answers
        if one.question in _question_ids(policy, report, meanings)
    ]


def _question_ids(policy: Policy, report: Report, meanings: Iterable[Meaning]) -> set[str]:
    if report.track not in policy.tracks:
        return {meaning.value for meaning in meanings}
    asked = (policy.question_meaning(report.track, meaning) for meaning in meanings)
    return {question.id for question in asked if question}


def _consents_of(
    policy: Policy, letters: Sequence[Report], spoken: Sequence[SpokenConsents]
) -> set[str]:
    affected = "affected" in next(_said(policy, letters, Meaning.STANDING), ())
    by_day = [(day, ids, affected) for day, ids in _consents_told(letters)]
    by_day += [(one.day, set(one.consents), one.by_survivor) for one in spoken]
    if not by_day:
        return set()
    newest = max(day for day, _, _ in by_day)
    allowed = [_allowed(policy, ids, may) for day, ids, may in by_day if day == newest]
    return set.intersection(*allowed)


def _consents_told(letters: Sequence[Report]) -> list[tuple[date, set[str]]]:
    """Return what each letter consents to; a change of a day outweighs that day's report."""
    told = [
        (one.day, set(answer.values), one.kind is Kind.CONSENT)
        for one in letters
        for answer in one.answers
        if answer.question == CONSENTS
    ]
    changed = {day for day, _, is_change in told if is_change}
    return [(day, ids) for day, ids, is_change in told if is_change or day not in changed]


def _allowed(policy: Policy, ids: set[str], by_survivor: bool) -> set[str]:
    known = {one for one in ids if one in policy.consents}
    return {one for one in known if by_survivor or not policy.consents[one].survivor_only}
