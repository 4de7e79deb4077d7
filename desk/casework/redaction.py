"""What an export may show: what the person affected consents to, and nothing else (P24, P34).

Consent is asked per item: the name, the account, the documents. The person reported is
presumed innocent, so their name is left out unless whoever gets the export needs it.
In free text, names that were given in the form are blotted out wherever they stand;
what people wrote otherwise no program can find, so a person reads an export before it
leaves.
"""

from dataclasses import dataclass

from desk.casework.blotting import BLOT, Blotter
from desk.casework.phrasing import Answered
from desk.casework.record import Act, Entry
from desk.casework.rules import policy_of
from desk.casework.said import CATEGORIES, CONSENTS, REQUESTS, consents, values_of
from desk.casework.threads import own_reports, threads_of
from desk.records import CaseRecord
from desk.vault import Vault
from policies.parts import CONTACT_MEANINGS, Meaning, QuestionKind
from policies.schema import Policy

WITHHELD = f"{BLOT} (not consented to)"
_COVERED = {
    "pass-on": "passing the case on",
    "account": "showing the account",
    "name": "saying the name",
    "documents": "showing the files",
}
_PICKED = frozenset({QuestionKind.CHOICE, QuestionKind.SEVERAL, QuestionKind.TICK})
# Entries without a word that a person wrote; all others may name somebody.
_PLAIN_ACTS = frozenset({Act.OPENED, Act.ARRIVED, Act.REPLIED, Act.REQUESTED})


@dataclass(frozen=True, kw_only=True)
class Redaction:
    """What may be shown of a case, and which words are blotted out.

    Attributes:
        name, account, documents: consented to by the person affected.
        reported: the person reported may be named.
        blotter: knows whose names are blotted out in every text.
    """

    name: bool
    account: bool
    documents: bool
    reported: bool
    blotter: Blotter

    @property
    def nothing_withheld(self) -> bool:
        """Whether everything may be shown."""
        return self.name and self.account and self.documents and self.reported

    def text(self, text: str) -> str:
        """Return a text that belongs to the account, as far as it may be shown."""
        return self.blotted(text) if self.account else WITHHELD

    def blotted(self, text: str) -> str:
        """Return a text with every word that names a protected person blotted out."""
        return self.blotter.blot(text)

    def answer(self, policy: Policy, answered: Answered) -> str:
        """Return an answer as far as it may be shown."""
        question = policy.questions.get(answered.question)
        meaning = question.meaning if question else _meaning(answered.question)
        if meaning is Meaning.SUPPORT_PERSON:  # a third person, who consented to nothing
            return answered.value if self.name and self.account else WITHHELD
        if meaning in CONTACT_MEANINGS:
            return answered.value if self.name else WITHHELD
        if meaning is Meaning.PERSON:
            return answered.value if self.reported else BLOT
        if answered.question in (CATEGORIES, CONSENTS, REQUESTS):
            return answered.value
        if question is not None and question.kind in _PICKED:
            return answered.value
        return self.text(answered.value)

    def shows(self, entry: Entry) -> bool:
        """Tell whether an entry of the record may be shown: it is whole or not there."""
        return not entry.redacted and (self.nothing_withheld or entry.act in _PLAIN_ACTS)


def redaction_of(vault: Vault, case: CaseRecord, *, name_reported: bool = False) -> Redaction:
    """Return what may be shown of a case by the consents that hold now."""
    policy = policy_of(vault, case)
    covered = {policy.consents[one].covers for one in consents(vault, case)}
    protected: list[str] = []
    for report in own_reports(vault, case):
        if "name" not in covered:
            for meaning in CONTACT_MEANINGS:
                protected += values_of(policy, report, meaning)
        if not name_reported:
            protected += values_of(policy, report, Meaning.PERSON)
    return Redaction(
        name="name" in covered,
        account="account" in covered,
        documents="documents" in covered,
        reported=name_reported,
        blotter=Blotter(protected),
    )


def missing_consents(vault: Vault, case: CaseRecord) -> tuple[str, ...]:
    """Return what a hand-over of the originals still needs consent for, in words (P38)."""
    policy = policy_of(vault, case)
    covered = {policy.consents[one].covers for one in consents(vault, case)}
    letters = own_reports(vault, case)
    files = any(item.reading.attachments for _, item in threads_of(vault, case))
    named = any(
        values_of(policy, report, meaning) for report in letters for meaning in CONTACT_MEANINGS
    )
    needed = [("pass-on", True), ("account", True), ("name", named), ("documents", files)]
    return tuple(_COVERED[one] for one, holds in needed if holds and one not in covered)


def _meaning(question: str) -> Meaning | None:
    return next((one for one in Meaning if one.value == question), None)
