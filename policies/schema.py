"""A policy: an organisation's whole procedure, in one language.

Relay and desk hard-code no rule of any organisation; they read this model. All
models are frozen, and every reference between entries has been checked before a
policy exists (`policies.references`).
"""

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Annotated

from pydantic import Field

from policies.casework import (
    Action,
    Assessment,
    Concurrence,
    Deletion,
    Factor,
    Item,
    Status,
    Template,
)
from policies.parts import (
    Catalogue,
    Category,
    Channel,
    Consent,
    Contact,
    Document,
    Event,
    Group,
    Holiday,
    Id,
    Impartial,
    Ladder,
    LanguageCode,
    Meaning,
    Paragraph,
    Part,
    Question,
    Recipient,
    Refusal,
    Route,
    Rung,
    Sentence,
    Table,
    Title,
    Track,
)
from policies.texts import MarkdownFile, Page


class Policy(Part):
    """An organisation's procedure with all its texts in one language.

    Tables map ids to entries in the order of the file. `shown_in` is the
    language of the texts; the loader sets it.
    """

    id: Id
    version: str = Field(min_length=1, max_length=20)
    effective: date
    language: LanguageCode
    languages: tuple[LanguageCode, ...] = Field(min_length=1)
    reviewed: tuple[LanguageCode, ...] = ()
    read_every_days: Annotated[int, Field(strict=True, ge=1, le=60)]

    organisation: Title
    read_rhythm: Sentence
    late: Paragraph
    authorities_intro: Paragraph
    not_acted_on_intro: Paragraph

    welcome: Annotated[Page, MarkdownFile("welcome")]
    changes: Annotated[Page, MarkdownFile("changes")]
    safety: Annotated[Page, MarkdownFile("safety")]
    confidentiality: Annotated[Page, MarkdownFile("confidentiality")]
    rights: Annotated[Page, MarkdownFile("rights")]
    readers: Annotated[Page, MarkdownFile("readers")]

    recipients: Table[Recipient] = Field(alias="recipient")
    tracks: Table[Track] = Field(alias="track")
    groups: Table[Group] = Field(alias="group")
    questions: Table[Question] = Field(alias="question")
    consents: Table[Consent] = Field(alias="consent", default_factory=dict)
    catalogues: Table[Catalogue] = Field(alias="catalogue")
    categories: Table[Category] = Field(alias="category")
    routes: Table[Route] = Field(alias="route", default_factory=dict)
    channels: Table[Channel] = Field(alias="channel")
    ladders: Table[Ladder] = Field(alias="ladder", default_factory=dict)
    rungs: Table[Rung] = Field(alias="rung", default_factory=dict)
    emergency: Table[Contact]
    impartial: Impartial
    authorities: Table[Contact] = Field(alias="authority")
    holidays: Table[Holiday] = Field(alias="holiday", default_factory=dict)
    events: Table[Event] = Field(alias="event", default_factory=dict)
    documents: Table[Document] = Field(
        alias="document", default_factory=dict, validate_default=True
    )
    not_acted_on: Table[Refusal] = Field(default_factory=dict)
    duties: Table[Item] = Field(alias="duty")
    factors: Table[Factor] = Field(alias="factor", default_factory=dict)
    assessment: Assessment | None = None
    outcomes: Table[Item] = Field(alias="outcome")
    actions: Table[Action] = Field(alias="action", default_factory=dict)
    grounds: Table[Item] = Field(alias="ground", default_factory=dict)
    concurrence: Concurrence
    deletion: Deletion
    statuses: Table[Status] = Field(alias="status")
    templates: Table[Template] = Field(alias="template")

    shown_in: LanguageCode

    @property
    def languages_read(self) -> tuple[str, ...]:
        """All languages that some recipient reads, in the recipients' order (P37)."""
        return tuple(dict.fromkeys(c for r in self.recipients.values() for c in r.languages))

    @property
    def retaliation_categories(self) -> tuple[Category, ...]:
        """The categories for retaliation, which joins an earlier case (P18)."""
        return tuple(c for c in self.categories.values() if c.retaliation)

    def questions_of(self, track_id: str) -> tuple[Question, ...]:
        """The questions of a track, in its order."""
        return tuple(self.questions[q] for q in self.tracks[track_id].questions)

    def groups_of(self, track_id: str) -> tuple[tuple[Group, tuple[Question, ...]], ...]:
        """The questions of a track under their headings, empty headings left out."""
        asked = self.questions_of(track_id)
        groups = ((g, tuple(q for q in asked if q.group == g.id)) for g in self.groups.values())
        return tuple((group, questions) for group, questions in groups if questions)

    def question_meaning(self, track_id: str, meaning: Meaning) -> Question | None:
        """The question of a track whose answer has this meaning; None where it is not asked."""
        return next((q for q in self.questions_of(track_id) if q.meaning == meaning), None)

    def consents_of(self, track_id: str) -> tuple[Consent, ...]:
        """The consents that a track asks for, in its order."""
        return tuple(self.consents[c] for c in self.tracks[track_id].consents)

    def categories_of(self, track_id: str) -> tuple[Category, ...]:
        """The categories that a track offers; none where it has no catalogue."""
        catalogue = self.tracks[track_id].catalogue
        if catalogue is None:
            return ()
        return tuple(self.categories[c] for c in self.catalogues[catalogue].categories)

    def channels_of(self, track_id: str) -> tuple[Channel, ...]:
        """The ways to report on a track, side by side (P9)."""
        return tuple(self.channels[c] for c in self.tracks[track_id].channels)

    def ladder_of(self, track_id: str) -> tuple[Rung, ...]:
        """The rungs of a track's escalation, from the first; empty where it has none."""
        ladder = self.tracks[track_id].ladder
        if ladder is None:
            return ()
        return tuple(self.rungs[r] for r in self.ladders[ladder].rungs)

    def route_for(self, track_id: str, categories: Iterable[str] = ()) -> Route | None:
        """Find the route of a report: the first in the file that knows one of its categories.

        The first and not all of them: where a sensitive and an ordinary category
        are picked together, the policy puts the sensitive route first and nobody
        else learns of it.
        """
        picked = set(categories)
        return next(
            (
                route
                for route in self.routes.values()
                if route.track == track_id and picked.intersection(route.categories)
            ),
            None,
        )

    def recipients_for(self, track_id: str, categories: Iterable[str] = ()) -> tuple[str, ...]:
        """Name who reads a report before the reporter's own choice (P2).

        Args:
            track_id: id of a track.
            categories: ids of the categories that the reporter picked.

        Returns:
            Recipients' names; those of the track where no route applies.
        """
        route = self.route_for(track_id, categories)
        return route.recipients if route else self.tracks[track_id].recipients

    def holidays_on(self, day: date) -> tuple[Holiday, ...]:
        """The holiday notices that hold on a day (P37)."""
        return tuple(h for h in self.holidays.values() if h.first <= day <= h.last)

    def templates_for(self, moment: str) -> tuple[Template, ...]:
        """The ready replies for a moment: acknowledgement, question, outcome or closing."""
        return tuple(t for t in self.templates.values() if t.moment == moment)

    def status_titles(self) -> Mapping[str, str]:
        """The statuses by id, as the reporter reads them."""
        return {status.id: status.title for status in self.statuses.values()}
