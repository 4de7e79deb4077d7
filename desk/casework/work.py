"""Work on a case: change its file and write the record, both or neither.

No function of casework changes a file in another way, so nothing happens to a case
that its record does not tell.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime

from desk.cases import reload_case
from desk.casework.casefile import CaseFile
from desk.casework.errors import ProcedureError
from desk.casework.record import Act, Fact, append
from desk.desk import read_desk
from desk.records import CaseRecord
from desk.vault import Vault

TEXT_CHARS = 100_000  # as much as a reporter may write in one letter


class Work:
    """An open case inside `Vault.changes`; what it holds is filed when the context ends."""

    def __init__(self, *, vault: Vault, case: CaseRecord, now: datetime) -> None:
        self.vault = vault
        self.case = reload_case(vault, case)
        self.file = read_file(vault, case)
        self.now = now
        self.by = actor(vault)

    @property
    def today(self) -> date:
        """The day of the desk's clock."""
        return self.now.date()

    def change(self, **changes: object) -> None:
        """Change fields of the case's file."""
        self.file = self.file.model_copy(update=changes)

    def change_case(self, **changes: object) -> None:
        """Change fields of the case itself."""
        self.case = self.case.model_copy(update=changes)

    def record(self, act: Act, *, why: str = "", **what: Fact) -> None:
        """Append to the case's record."""
        append(self.vault, self.case.name, act, by=self.by, why=why, what=what, now=self.now)

    def require_not_joined(self) -> None:
        """Refuse to work on a part of a case: its hold and its readers are those of the whole."""
        if self.file.merged_into:
            raise ProcedureError(
                f"This case was joined to {self.file.merged_into}; go on working there."
            )

    def require_no_conflict(self) -> None:
        """Refuse to decide anything after a conflict of interest was declared (P17)."""
        if self.file.conflict:
            raise ProcedureError(
                "You declared a conflict of interest in this case; hand it to another counselor."
            )


@contextmanager
def working(
    vault: Vault,
    case: CaseRecord,
    *,
    now: datetime,
    even_joined: bool = False,
    despite_conflict: bool = False,
) -> Iterator[Work]:
    """Open a case for one change; a refusal inside leaves everything as it was.

    Args:
        even_joined: follow what arrives in a case that was joined to another one.
        despite_conflict: it decides nothing: what arrives, a note, the way to a colleague.

    Raises:
        ProcedureError: the case was joined to another one, or a conflict of interest in it
            was declared (P17).
        StorageError: the disk is full, or another command is writing.
    """
    with vault.changes():
        work = Work(vault=vault, case=case, now=now)
        if not even_joined:
            work.require_not_joined()
        if not despite_conflict:
            work.require_no_conflict()
        yield work
        vault.put(work.case)
        vault.put(work.file)


def read_file(vault: Vault, case: CaseRecord) -> CaseFile:
    """Return the file of a case; an empty one where nothing was written yet."""
    return vault.get(CaseFile, case.name) or CaseFile(case=case.name)


def actor(vault: Vault) -> str:
    """Return what the record calls this counselor: the relay's name for her, or her key."""
    desk = read_desk(vault)
    return desk.counselor or desk.fingerprint


def require_words(text: str, what: str) -> str:
    """Return a text without its outer white space.

    Args:
        what: what the counselor is asked for, as "the reason".

    Raises:
        ProcedureError: nothing was written, or far too much.
    """
    text = "\n".join(text.splitlines()).strip()
    if not text:
        raise ProcedureError(f"Write {what} first; the record needs it.")
    if len(text) > TEXT_CHARS:
        raise ProcedureError(f"Shorten {what} to {TEXT_CHARS} characters.")
    return text
