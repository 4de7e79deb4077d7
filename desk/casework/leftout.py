"""Who must not learn of a case (P16): left out by its reporter, and not let in since.

The first letter of a mailbox leaves out. A later one lets in whom it names as a reader, and a
follow-up from which the tick of a reader was taken away leaves her out from then on: it may
be about her. What one reporter allows holds for nobody else's letters.
"""

from collections.abc import Iterator, Sequence
from datetime import date

from desk.casework.casefile import Agreement, applies_to
from desk.casework.threads import by_reporter, letters_of
from desk.casework.work import read_file
from desk.records import CaseRecord
from desk.vault import Vault
from protocol.envelope import Kind, Report
from protocol.names import RecipientName


def left_out(
    vault: Vault, case: CaseRecord, *, also: Sequence[Agreement] = ()
) -> tuple[RecipientName, ...]:
    """Return who must not learn of a case and of those joined to it.

    Args:
        also: agreements that are not in the file of the case yet.
    """
    every = left_out_by(vault, case, also=also)
    return tuple(dict.fromkeys(name for _, names in every for name in names))


def left_out_by(
    vault: Vault, case: CaseRecord, *, also: Sequence[Agreement] = ()
) -> list[tuple[list[CaseRecord], tuple[RecipientName, ...]]]:
    """Return for each reporter the cases that are theirs, and whom they leave out of them."""
    groups = by_reporter(vault, case)
    files = [read_file(vault, one) for group in groups for one in group]
    found = []
    for group in groups:
        names = {one.name for one in group}
        agreed = [
            agreement
            for file in files
            for agreement in file.agreements
            if applies_to(agreement, file, names)
        ]
        agreed += [one for one in also if names & set(one.cases)]
        found.append((group, tuple(_left_out(vault, group, agreed))))
    return found


def _left_out(
    vault: Vault, group: Sequence[CaseRecord], agreed: Sequence[Agreement]
) -> Iterator[RecipientName]:
    at_first: dict[RecipientName, None] = {}
    let_in = {one.name for one in agreed}
    for case in group:
        first, *later = letters_of(vault, [case])
        at_first |= dict.fromkeys(first.left_out)
        for letter in later:
            let_in.update(letter.readers)
    yield from (name for name in at_first if name not in let_in)
    for name, day in _unticked(letters_of(vault, group)).items():
        if name not in at_first and all(one.name != name or one.day < day for one in agreed):
            yield name


def _unticked(letters: Sequence[Report]) -> dict[RecipientName, date]:
    """Return from whom a follow-up took the tick away that the first letter gave, and when.

    Other letters bear no ticks: the relay sends them to those whom the first one named.
    """
    last: dict[RecipientName, tuple[date, bool]] = {}
    for letter in letters[1:]:
        if letter.kind is Kind.FOLLOW_UP:
            for name in letters[0].readers:
                # Of one day the narrower holds: a bundle does not tell the hour.
                ticked = (letter.day, name not in letter.readers)
                last[name] = max(last.get(name, ticked), ticked)
    return {name: day for name, (day, taken) in last.items() if taken}
