"""The parts of a policy that the desk works with once a report has arrived."""

import re
from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field, StrictBool, StrictInt

from policies.parts import Days, Entry, Id, Label, OptionalSentence, Part, Sentence, Title
from policies.texts import Labels, Words


class Item(Entry):
    """A title with a word of explanation: duties, outcomes, grounds."""

    title: Title
    explanation: OptionalSentence


class Factor(Entry):
    """One factor of the assessment, from the least to the most serious answer (P7)."""

    options: tuple[Id, ...] = Field(min_length=2)
    title: Title
    explanation: OptionalSentence
    option_labels: Annotated[Mapping[str, str], Labels(of="options", most=200)]

    @property
    def choices(self) -> tuple[tuple[str, str], ...]:
        """The options as (id, label), in order."""
        return tuple((option, self.option_labels[option]) for option in self.options)


class Assessment(Part):
    """Whose work the assessment is, and the conclusion that it ends with (P7)."""

    recipients: tuple[str, ...] = Field(min_length=1)
    after_hand_over: StrictBool
    conclusion: Label


class Action(Entry):
    """A stabilising action; those marked need another person's concurrence (P22, P26)."""

    concurrence: StrictBool
    grounds: StrictBool
    title: Title
    explanation: OptionalSentence


class Concurrence(Part):
    """How others agree to an action before it is carried out (P22, P23)."""

    others: Annotated[StrictInt, Field(ge=1, le=9)]
    word_of_mouth: StrictBool
    sign_within_days: Days
    repeat_without_asking: StrictBool


class Deletion(Part):
    """How many sign before a case is deleted (P35)."""

    signatures: Annotated[StrictInt, Field(ge=1, le=9)]
    signatures_when_alone: Annotated[StrictInt, Field(ge=1, le=9)]
    exempt: tuple[Literal["expiry", "spam"], ...] = ("expiry", "spam")


class Status(Entry):
    """Where a case stands, in words that the reporter may be told (P31)."""

    final: StrictBool = False
    title: Title
    explanation: Sentence


TEMPLATE_PLACEHOLDERS = (
    "organisation",
    "track",
    "received",
    "acknowledge_by",
    "feedback_by",
    "next_steps",
    "question",
    "outcome",
    "reasons",
    "next_rung",
)


class Template(Entry):
    """A ready reply that the counselor edits before she sends it (P4)."""

    moment: Literal["acknowledgement", "question", "outcome", "closing"]
    title: Title
    text: Annotated[str, Words(most=4000, placeholders=TEMPLATE_PLACEHOLDERS)]

    def fill(self, values: Mapping[str, str]) -> str:
        """Put values in place of `{name}`; what has no value stays to be seen and edited.

        Args:
            values: placeholder names, of `TEMPLATE_PLACEHOLDERS`, to their texts.

        Returns:
            The reply's text.
        """
        return re.sub(r"\{([a-z_]+)\}", lambda hit: values.get(hit[1], hit[0]), self.text)
