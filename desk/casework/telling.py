"""Tell the reporter where a case stands, in words that no policy need know (P31).

For whoever works with commands; what the reporter is told stands in the record like every
other decision.
"""

from datetime import datetime

from desk.casework.record import Act
from desk.casework.work import working
from desk.records import CaseRecord
from desk.replies import check_fits
from desk.vault import Vault


def tell_reporter(
    vault: Vault, case: CaseRecord, *, status: str | None, outcome: str | None, now: datetime
) -> None:
    """Change what the reporter's page says, from the next dispatch on.

    Args:
        status: where the case stands; None leaves it.
        outcome: how it ended and why; None leaves it.

    Raises:
        ProcedureError: a conflict of interest was declared.
        CapacityError: the page would overflow.
    """
    with working(vault, case, now=now) as work:
        if status is not None:
            work.change_case(status=status)
            work.record(Act.STATUS, status=status)
        if outcome is not None:
            work.change_case(outcome=outcome)
            work.record(Act.DECIDED, why=outcome, outcomes=(), told=True)
        check_fits(work.case, today=work.today)
