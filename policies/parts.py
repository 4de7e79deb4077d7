"""The parts of a policy that a reporter meets: one small frozen model for each kind of entry.

Every entry stands in policy.toml under `[kind.id]`. Fields marked `Words`,
`Lines`, `Labels` or `MarkdownFile` are texts: they are filled from
`texts/<language>/` and never written in policy.toml. Only what a rule of relay
or desk hangs on is structure.
"""

from collections.abc import Mapping
from datetime import date
from enum import StrEnum
from types import MappingProxyType
from typing import Annotated, Literal, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StrictBool,
    StrictInt,
)

from policies.texts import Labels, Lines, MarkdownFile, Page, Words, toml_name

_Part = TypeVar("_Part", bound=BaseModel)

Id = Annotated[str, Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=32)]
LanguageCode = Annotated[str, Field(pattern=r"^[a-z]{2,3}(-[A-Z][a-z]{3})?(-[A-Z]{2})?$")]
Days = Annotated[StrictInt, Field(ge=1, le=36500)]

Title = Annotated[str, Words(most=90)]
Label = Annotated[str, Words(most=200)]
Sentence = Annotated[str, Words(most=400)]
Paragraph = Annotated[str, Words(most=1500)]
OptionalSentence = Annotated[str, Words(most=400, optional=True)]
OptionalParagraph = Annotated[str, Words(most=1500, optional=True)]
OptionalLines = Annotated[tuple[str, ...], Lines(most=300, optional=True)]


class Part(BaseModel):
    """What all entries share: frozen, no unknown key, hyphens in the file."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        validate_default=True,
        alias_generator=toml_name,
        arbitrary_types_allowed=True,
    )


class Entry(Part):
    """An entry of a table, known by its id."""

    id: Id


def _name_entries(value: object) -> object:
    """Tell each entry of a table its own id."""
    if not isinstance(value, Mapping):
        return value
    return {
        key: {**entry, "id": key} if isinstance(entry, Mapping) else entry
        for key, entry in value.items()
    }


# A table `[kind.id]` of the policy file: ids to entries, in the file's order.
Table = Annotated[
    Mapping[str, _Part], BeforeValidator(_name_entries), AfterValidator(MappingProxyType)
]


class QuestionKind(StrEnum):
    """How a question is answered."""

    TEXT = "text"
    LONG_TEXT = "long-text"
    CHOICE = "choice"
    SEVERAL = "several"
    TICK = "tick"
    DATE = "date"
    PERSON = "person"
    PLACE = "place"
    EVENT = "event"


class Meaning(StrEnum):
    """What an answer means to the rules of relay and desk, whatever the question's id."""

    HOW = "how"
    WHEN = "when"  # the window of the track is counted from it (P3)
    NAME = "name"
    TELEPHONE = "telephone"
    E_MAIL = "e-mail"
    CONTACT = "contact"  # another way to reach the reporter
    CONTACT_PURPOSE = "contact-purpose"  # options follow-up and inform-only (P19)
    STANDING = "standing"  # options affected, witness and on-behalf (P1, P24)
    RELATIONSHIP = "relationship"
    FORMALITY = "formality"  # options formal and informal (P2)
    DANGER = "danger"  # the desk lists these first (P6, P37)
    SUPPORT = "support"
    SUPPORT_PERSON = "support-person"
    EVENT = "event"
    PLACE = "place"
    PERSON = "person"
    WISHES = "wishes"  # shown on top of the case (P25)
    EARLIER = "earlier"  # belongs to an earlier report (P39)


CONTACT_MEANINGS = frozenset(
    {Meaning.NAME, Meaning.TELEPHONE, Meaning.E_MAIL, Meaning.CONTACT, Meaning.SUPPORT_PERSON}
)


class Recipient(Entry):
    """Who may read; the id is the recipient's name on the relay."""

    title: Title
    about: Sentence
    languages: tuple[LanguageCode, ...] = Field(min_length=1)
    belongs: Literal["organisation", "independent"]

    @property
    def independent(self) -> bool:
        """Whether this person stays when the whole organisation is left out (P16)."""
        return self.belongs == "independent"


class Group(Entry):
    """Questions that stand together on the form under one heading."""

    title: Title
    intro: OptionalSentence
    open: StrictBool = False


class Question(Entry):
    """A question of the form; answering is always the reporter's choice."""

    kind: QuestionKind
    group: str
    meaning: Meaning | None = None
    options: tuple[Id, ...] = ()
    label: Label
    hint: OptionalSentence
    option_labels: Annotated[Mapping[str, str], Labels(of="options", most=200)]

    @property
    def choices(self) -> tuple[tuple[str, str], ...]:
        """The options as (id, label), in order."""
        return tuple((option, self.option_labels[option]) for option in self.options)

    @property
    def identifies(self) -> bool:
        """Whether an answer says who the reporter is, so that the form warns."""
        return self.meaning in CONTACT_MEANINGS


class Consent(Entry):
    """Something that happens only when the person concerned says yes (P2, P24)."""

    covers: Literal["pass-on", "name", "account", "documents"]
    survivor_only: StrictBool
    label: Label
    hint: OptionalSentence


class Category(Entry):
    """A kind of conduct, with its plain definition."""

    title: Title
    definition: Paragraph
    examples: OptionalLines
    not_this: OptionalLines
    retaliation: StrictBool = False


class Catalogue(Entry):
    """Categories that belong together; a reporter may pick several."""

    title: Title
    intro: OptionalParagraph
    categories: tuple[str, ...] = Field(min_length=1)


class Channel(Entry):
    """A way to report, and what it reveals about whoever uses it (P9)."""

    address: str = ""
    title: Title
    reach: OptionalSentence
    reveals: Sentence


class Track(Entry):
    """One procedure: what is asked, who reads, and which clocks run."""

    kind: Literal["complaint", "whistleblowing", "incident"]
    default_formality: Literal["formal", "informal", "undecided"] = "undecided"
    window_days: Days | None = None
    acknowledge_days: Days
    feedback_days: Days
    retention_days: Days
    recipients: tuple[str, ...] = Field(min_length=1)
    questions: tuple[str, ...] = ()
    consents: tuple[str, ...] = ()
    catalogue: str | None = None
    channels: tuple[str, ...] = Field(min_length=1)
    ladder: str | None = None
    title: Title
    intro: Sentence
    for_whom: Sentence
    window: OptionalSentence


class Route(Entry):
    """Where a report goes by its categories, before the reporter's own choice (P2)."""

    track: str
    categories: tuple[str, ...] = Field(min_length=1)
    recipients: tuple[str, ...] = Field(min_length=1)
    reason: Sentence


class Rung(Entry):
    """One step of an escalation: a recipient, or a body outside and how to reach it."""

    recipient: str | None = None
    address: str = ""
    copy_to: tuple[str, ...] = ()
    title: Title
    explanation: Sentence
    reach: OptionalSentence

    @property
    def people(self) -> tuple[str, ...]:
        """Who gets what is taken to this rung: whoever decides, then those with a copy."""
        return tuple(name for name in (self.recipient, *self.copy_to) if name)

    @property
    def external(self) -> bool:
        """Whether nobody has a key for it here, so that it is reached another way."""
        return not self.people


class Ladder(Entry):
    """The rungs of an escalation, from the first to the last (P5)."""

    rungs: tuple[str, ...] = Field(min_length=1)


class Contact(Entry):
    """Someone to turn to: an emergency contact or an authority."""

    address: str = ""
    title: Title
    reach: Sentence


class Impartial(Part):
    """The impartial person who is not part of the procedure (P30)."""

    address: str = ""
    title: Title
    reach: Paragraph


class Holiday(Entry):
    """A time in which reports are read less often."""

    first: date
    last: date
    notice: Sentence


class Event(Entry):
    """An event or place, with its own guidelines page (P21)."""

    first: date | None = None
    last: date | None = None
    title: Title
    guidelines: Annotated[Page, MarkdownFile("event-{id}")]


class Document(Entry):
    """A published text of the organisation, with version and date of effect (P14)."""

    version: str = Field(min_length=1, max_length=20)
    effective: date
    title: Title
    changes: OptionalParagraph
    body: Annotated[Page, MarkdownFile("document-{id}")]


class Refusal(Entry):
    """A kind of complaint that is not acted on (P12)."""

    title: Title
    explanation: Sentence
