"""Proposals: what shall be done in a case, and who agreed to it so far (P22, P35).

A proposal counts agreements, signed and spoken; those by word of mouth are listed
until they are signed.
"""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime
from typing import Literal

from desk.casework.casefile import Value
from desk.casework.errors import ProcedureError
from desk.casework.record import Act
from desk.casework.work import Work, working
from desk.records import CaseRecord, Record
from desk.vault import Vault
from protocol.canonical import encode_json
from protocol.errors import StorageError
from protocol.names import RecipientName


class Signed(Value):
    """A colleague's signed answer to a request."""

    by: RecipientName
    made: str  # ISO time by her clock; only a later answer takes its place
    fingerprint: str
    agrees: bool
    reason: str
    day: date
    document: bytes
    signature: bytes


class Spoken(Value):
    """An agreement by word of mouth, to be signed later."""

    by: RecipientName
    how: str
    day: date
    sign_by: date


class Proposal(Record):
    """An action, or the deletion of a case, that others must agree to.

    Attributes:
        needed: how many others must agree.
        target: the login, post or person that the action is about.
        ground, harm: for what revokes access (P26).
        repeat_of: the first action, whose agreement this one rests on (P23).
    """

    shelf = "proposal"
    id: str
    case: str
    kind: Literal["action", "deletion"]
    action: str
    title: str
    target: str
    reason: str
    ground: str = ""
    harm: str = ""
    by: str
    day: date
    needed: int
    asked: tuple[RecipientName, ...] = ()
    signed: tuple[Signed, ...] = ()
    spoken: tuple[Spoken, ...] = ()
    repeat_of: str = ""
    carried_out: date | None = None

    def name_on_shelf(self) -> str:
        return self.id

    def body(self) -> dict[str, object]:
        """Return what others sign: everything that says what is to be done."""
        return {
            "action": self.action,
            "case": self.case,
            "day": self.day.isoformat(),
            "ground": self.ground,
            "harm": self.harm,
            "kind": self.kind,
            "proposal": self.id,
            "proposed_by": self.by,
            "reason": self.reason,
            "target": self.target,
            "title": self.title,
        }

    @property
    def digest(self) -> bytes:
        """The digest of the body, which an answer repeats."""
        return hashlib.sha256(encode_json(self.body())).digest()

    @property
    def agreed_by(self) -> tuple[RecipientName, ...]:
        """Who agreed, signed or by word of mouth; a signed refusal outweighs a spoken yes."""
        refused = {one.by for one in self.signed if not one.agrees}
        yes = [one.by for one in self.signed if one.agrees] + [one.by for one in self.spoken]
        return tuple(name for name in dict.fromkeys(yes) if name not in refused)

    @property
    def unsigned(self) -> tuple[Spoken, ...]:
        """Agreements by word of mouth that nobody has signed yet, or that were taken back."""
        signed = {one.by for one in self.signed if one.agrees}
        return tuple(one for one in self.spoken if one.by not in signed)

    @property
    def may_be_carried_out(self) -> bool:
        """Whether enough others agreed and nothing was done yet."""
        return self.carried_out is None and len(self.agreed_by) >= self.needed


def file_proposal(work: Work, proposal: Proposal) -> Proposal:
    """File a new proposal and write it to the record. Only inside `working`."""
    work.vault.put(proposal)
    facts = {key: str(value) for key, value in proposal.body().items()}
    work.record(Act.PROPOSED, why=facts.pop("reason"), needed=proposal.needed, **facts)
    return proposal


def proposals_of(vault: Vault, case: CaseRecord) -> list[Proposal]:
    """Return the proposals of a case, the oldest first."""
    found = [one for one in vault.all(Proposal) if one.case == case.name]
    return sorted(found, key=lambda one: (one.day, one.id))


def find_proposal(vault: Vault, typed: str) -> Proposal:
    """Find a proposal by its id, or the beginning of it.

    Raises:
        StorageError: there is none, or more than one begins so.
    """
    found = [one for one in vault.all(Proposal) if typed and one.id.startswith(typed.lower())]
    if len(found) != 1:
        raise StorageError("This desk has no single proposal of that name.")
    return found[0]


def overdue_signatures(vault: Vault, *, today: date) -> list[tuple[Proposal, Spoken]]:
    """Return the agreements by word of mouth whose signature is overdue, the oldest first."""
    late = [
        (one, spoken)
        for one in vault.all(Proposal)
        for spoken in one.unsigned
        if spoken.sign_by < today
    ]
    return sorted(late, key=lambda pair: (pair[1].sign_by, pair[0].id))


def awaited_signatures(vault: Vault) -> list[tuple[Proposal, Spoken]]:
    """Return every agreement by word of mouth that is still to be signed, due first."""
    pending = [(one, spoken) for one in vault.all(Proposal) for spoken in one.unsigned]
    return sorted(pending, key=lambda pair: (pair[1].sign_by, pair[0].id))


@contextmanager
def proposal_work(
    vault: Vault, proposal: Proposal, *, now: datetime, despite_conflict: bool = False
) -> Iterator[tuple[Work, Proposal]]:
    """Open the case of a proposal, with the proposal as it is now; see `working`.

    Raises:
        StorageError: the case or the proposal was deleted.
    """
    case = vault.get(CaseRecord, proposal.case)
    if case is None:
        raise StorageError("The case of this proposal is not on this desk any more.")
    with working(vault, case, now=now, despite_conflict=despite_conflict) as work:
        current = vault.get(Proposal, proposal.id)
        if current is None:
            raise StorageError("This proposal is not on this desk any more.")
        yield work, current


def require_agreement(proposal: Proposal) -> None:
    """Raise unless enough others agreed and nothing was done yet."""
    if proposal.carried_out is not None:
        raise ProcedureError("This was carried out before.")
    missing = proposal.needed - len(proposal.agreed_by)
    if missing > 0:
        raise ProcedureError(
            f"{missing} more must agree first: export the request and import the answer."
        )
