"""A case with those joined to it: what was sent, and by how many reporters.

Cases are joined because one person writes under two receipts, or because two persons write of
one matter. Only two receipts that name each other prove the first; else every mailbox speaks
for itself, and what one reporter agrees to binds nobody else.
"""

from collections.abc import Sequence

from desk.cases import ThreadItem, read_thread
from desk.casework.work import read_file
from desk.records import CaseRecord
from desk.vault import Vault
from protocol.envelope import Kind, Report


def threads_of(vault: Vault, case: CaseRecord) -> list[tuple[CaseRecord, ThreadItem]]:
    """Return every item of a case and of the cases joined to it, each with its own case."""
    return _sorted(vault, [case, *joined_cases(vault, case)])


def joined_cases(vault: Vault, case: CaseRecord) -> list[CaseRecord]:
    """Return the cases that were joined to this one, and to those."""
    found: list[CaseRecord] = []
    for name in read_file(vault, case).merged_from:
        joined = vault.get(CaseRecord, name)
        if joined is not None:
            found += [joined, *joined_cases(vault, joined)]
    return found


def kept_case(vault: Vault, case: CaseRecord) -> CaseRecord:
    """Return what a case goes on as: itself, or the one that it was joined to in the end."""
    name = read_file(vault, case).merged_into
    kept = vault.get(CaseRecord, name) if name else None
    return case if kept is None else kept_case(vault, kept)


def by_reporter(vault: Vault, case: CaseRecord) -> list[list[CaseRecord]]:
    """Part a case and those joined to it by who wrote them, as far as it is proven."""
    own, others = [case], []
    for name in read_file(vault, case).merged_from:
        joined = vault.get(CaseRecord, name)
        if joined is not None:
            theirs, *more = by_reporter(vault, joined)
            if read_file(vault, joined).replaced:
                own += theirs
            else:
                others.append(theirs)
            others += more
    return [own, *others]


def own_reports(vault: Vault, case: CaseRecord) -> list[Report]:
    """Return what the reporters of a case and of those joined to it sent, the oldest first."""
    return letters_of(vault, [case, *joined_cases(vault, case)])


def letters_of(vault: Vault, cases: Sequence[CaseRecord]) -> list[Report]:
    """Return what the reporters of these cases sent; strangers' letters are not among them."""
    return [item.report for one, item in _sorted(vault, cases) if one.is_same_reporter(item.item)]


def _sorted(vault: Vault, cases: Sequence[CaseRecord]) -> list[tuple[CaseRecord, ThreadItem]]:
    items = [(one, item) for one in cases for item in read_thread(vault, one)]
    return sorted(items, key=lambda pair: (pair[1].item.day, pair[1].item.kind != Kind.REPORT))
