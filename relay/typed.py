"""What a reporter typed into a form, so that it survives every error.

Reads the fields of a policy's form into one value from which the page is drawn again,
and from which the answers of the envelope are made. Unknown fields and options are
dropped: only what the page offers reaches an envelope.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from policies.parts import Category, Consent, Question, QuestionKind, Track
from policies.schema import Policy
from protocol.envelope import Answer

# Single boxes of our own pages, ticked or not.
BOXES = ("own-choice", "outside-only", "hand-over")


@dataclass(frozen=True, kw_only=True)
class Typed:
    """The state of a form: what the page shows again after an error."""

    text: str = ""
    answers: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    categories: tuple[str, ...] = ()
    consents: tuple[str, ...] = ()
    recipients: tuple[str, ...] = ()
    requests: tuple[str, ...] = ()
    boxes: tuple[str, ...] = ()
    rung: str = ""


def read_typed(fields: Mapping[str, Sequence[str]], policy: Policy, track: Track) -> Typed:
    """Read what was typed into a form of this track.

    Args:
        fields: the text fields of the form; newlines arrive as CRLF.
        policy: in the language of the page.
        track: whose questions were asked.
    """
    answers = {
        question.id: given
        for question in policy.questions_of(track.id)
        if (given := _given(question, policy, fields.get(question.id, ())))
    }
    return Typed(
        text=_as_typed(first(fields, "text")),
        answers=answers,
        categories=_known(fields.get("categories", ()), policy.categories_of(track.id)),
        consents=_known(fields.get("consents", ()), policy.consents_of(track.id)),
        recipients=tuple(fields.get("recipients", ())),
        requests=tuple(fields.get("requests", ())),
        boxes=tuple(name for name in BOXES if first(fields, name)),
        rung=first(fields, "rung"),
    )


def first(fields: Mapping[str, Sequence[str]], name: str) -> str:
    """Return the first value of a field, or an empty text."""
    return next(iter(fields.get(name, ())), "")


def choices_of(question: Question, policy: Policy) -> tuple[tuple[str, str], ...]:
    """Return what can be picked, as (value, label): a question's options or the events."""
    if question.kind is QuestionKind.EVENT:
        return tuple((event.id, event.title) for event in policy.events.values())
    if question.kind is QuestionKind.TICK:
        return (("yes", question.label),)
    return question.choices


def make_answers(
    typed: Typed, policy: Policy, track: Track, labels: Mapping[str, str]
) -> tuple[Answer, ...]:
    """Turn what was typed into the answers of an envelope.

    Args:
        labels: translated headings of the fields that every form has:
            `categories`, `consents`, `outside-only`.
    """
    answers = []
    if typed.categories:
        titles = {c.id: c.title for c in policy.categories_of(track.id)}
        answers.append(_answer("categories", labels["categories"], typed.categories, titles))
    for question in policy.questions_of(track.id):
        if given := typed.answers.get(question.id):
            shown = dict(choices_of(question, policy))
            answers.append(_answer(question.id, question.label, given, shown))
    if typed.consents:
        texts = {c.id: c.label for c in policy.consents_of(track.id)}
        answers.append(_answer("consents", labels["consents"], typed.consents, texts))
    if "outside-only" in typed.boxes:
        label = labels["outside-only"]
        answers.append(_answer("outside-only", label, ("yes",), {"yes": label}))
    return tuple(answers)


def _answer(question: str, label: str, values: tuple[str, ...], shown: Mapping[str, str]) -> Answer:
    return Answer(
        question=question,
        label=label,
        values=values,
        shown=tuple(shown.get(value, value) for value in values),
    )


def _given(question: Question, policy: Policy, values: Iterable[str]) -> tuple[str, ...]:
    cleaned = tuple(text for value in values if (text := _clean(value)))
    if question.kind in (QuestionKind.CHOICE, QuestionKind.SEVERAL, QuestionKind.TICK):
        offered = {value for value, _ in choices_of(question, policy)}
        cleaned = tuple(value for value in cleaned if value in offered)
    return cleaned if question.kind is QuestionKind.SEVERAL else cleaned[:1]


def _known(values: Iterable[str], entries: Iterable[Category | Consent]) -> tuple[str, ...]:
    known = {entry.id for entry in entries}
    return tuple(value for value in values if value in known)


def _clean(text: str) -> str:
    return _as_typed(text).strip()


def _as_typed(text: str) -> str:
    """Undo what a browser does to newlines, and nothing else; blanks alone are no text."""
    return text.replace("\r\n", "\n") if text.strip() else ""
