"""Say in the desk's language what a report and a record hold as ids of a policy.

A report shows its answers as the reporter saw them, in the reporter's language. Whoever works
on the case reads English pages: what was picked from a list is said in the policy's English,
what somebody wrote stays as it was written.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from desk.casework.record import Entry
from desk.casework.said import CATEGORIES, CONSENTS, REQUESTS
from policies.parts import Meaning, Question, QuestionKind
from policies.schema import Policy
from protocol.envelope import Answer, Report

# What a reporter asked for in the mailbox, and how the relay's forms are called here.
REQUESTED: Mapping[str, str] = {
    "meeting": "a meeting",
    "stop": "to stop",
    "retaliation": "help against retaliation",
}
_LABELS: Mapping[str, str] = {
    CATEGORIES: "What kind of thing it was",
    CONSENTS: "Consents to",
    REQUESTS: "Asks for",
    "closing": "Wishes",
    "hand-over": "May the file be handed over",
    "rung": "Takes it to",
    "replaces": "Replaces the receipt of mailbox",
    "replaced-by": "Goes on in mailbox",
}
_CLOSING: Mapping[str, str] = {
    "delete-replies": "that the replies are removed",
    "close": "that the mailbox is closed",
}
# In an entry, but of no use to a reader: what was signed, byte by byte, and the case itself.
_UNSAID = frozenset({"case", "document", "signature", "signatures", "signer", "title"})
_ID_CHARS = 8  # of a random id or a digest, enough to tell two apart


@dataclass(frozen=True, kw_only=True)
class Answered:
    """One answer in words: `question` is the id, `label` and `value` are for people."""

    question: str
    label: str
    value: str


def answers_in_words(policy: Policy, report: Report) -> list[Answered]:
    """Return what a report answers, in the order in which it was asked."""
    return [_in_words(policy, one) for one in report.answers]


def word_of(policy: Policy, track: str, meaning: Meaning, value: str) -> str:
    """Say in words what was picked for a meaning, as «It happened to me» for «affected»."""
    question = policy.question_meaning(track, meaning) if track in policy.tracks else None
    return question.option_labels.get(value, value) if question else value


def facts_of(policy: Policy, entry: Entry) -> Iterator[tuple[str, str]]:
    """Yield what an entry of a record says, as name and value."""
    for name, value in sorted(entry.what.items()):
        if name not in _UNSAID and value not in ("", None, []):
            yield name.replace("_", " "), _fact(policy, name, value)


def _in_words(policy: Policy, answer: Answer) -> Answered:
    question = policy.questions.get(answer.question)
    label = question.label if question else _LABELS.get(answer.question, answer.label)
    shown = dict(zip(answer.values, answer.shown, strict=False))
    known = _titles(policy, answer.question, question)
    values = [known.get(one, shown.get(one, one)) for one in answer.values]
    if question is not None and question.kind is QuestionKind.TICK and values:
        values = ["Yes"]
    return Answered(question=answer.question, label=label, value="; ".join(filter(None, values)))


def _titles(policy: Policy, name: str, question: Question | None) -> Mapping[str, str]:
    """Return the words for the values of a question; none for what people write themselves."""
    if question is not None and question.kind is QuestionKind.EVENT:
        return {one.id: one.title for one in policy.events.values()}
    if question is not None:
        return question.option_labels
    tables: Mapping[str, Mapping[str, str]] = {
        CATEGORIES: {one.id: one.title for one in policy.categories.values()},
        CONSENTS: {one.id: one.label for one in policy.consents.values()},
        REQUESTS: REQUESTED,
        "closing": _CLOSING,
        "rung": {one.id: one.title for one in policy.rungs.values()},
    }
    return tables.get(name, {})


def _fact(policy: Policy, name: str, value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(_fact(policy, name, one) for one in value)
    text = str(value)
    if name in ("envelope", "proposal", "repeat_of", "their_record"):
        return text[:_ID_CHARS]
    return _words_for(policy, name).get(text, text)


def _words_for(policy: Policy, name: str) -> Mapping[str, str]:
    tables: Mapping[str, Mapping[str, str]] = {
        "action": {one.id: one.title for one in policy.actions.values()},
        "consents": {one.id: one.label for one in policy.consents.values()},
        "duty": {one.id: one.title for one in policy.duties.values()},
        "ground": {one.id: one.title for one in policy.grounds.values()},
        "outcomes": {one.id: one.title for one in policy.outcomes.values()},
        "requests": {**REQUESTED, **_CLOSING},
        "status": {one.id: one.title for one in policy.statuses.values()},
        "track": {one.id: one.title for one in policy.tracks.values()},
    }
    return tables.get(name, {})
