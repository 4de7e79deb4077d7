"""Yearly figures that name nobody: counts by track, category, outcome and time (P28).

A count from one to four is not shown, for in a small organisation it points at a
person; and where hidden counts could be worked out from their total, others are hidden
with them. docs/decisions/0010 gives the rule.
"""

import secrets
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from desk.casework.rules import chosen_policy, policy_named, policy_of
from desk.casework.said import categories
from desk.casework.work import read_file
from desk.records import CaseRecord, Record
from desk.vault import Vault

SMALLEST_SHOWN = 5
HIDDEN = "suppressed"
NONE = "none recorded"
EVERY = "every row"
TALLY_BYTES = 16
_PLAIN = ({1}, {SMALLEST_SHOWN - 1})  # their sum says what each of them is
_DAYS = ((7, "within 7 days"), (14, "within 14 days"))
_LATER, _NEVER = "later", "not yet"
_ORIGINS = {
    "relay": "through the relay",
    "telephone": "by telephone",
    "paper": "on paper",
    "in-person": "in person",
    "staff": "seen by staff",
}
_ROW_CHARS = 40  # of 12 px, beside the bars


class Tally(Record):
    """What the figures keep of a deleted case, under a name that leads nowhere."""

    shelf = "tally"
    id: str
    year: int
    track: str
    origin: str
    categories: tuple[str, ...]
    outcomes: tuple[str, ...]
    acknowledged: str

    def name_on_shelf(self) -> str:
        return self.id


@dataclass(frozen=True, kw_only=True)
class Table:
    """One table of the figures; a count that is hidden is None.

    Attributes:
        title: what is counted.
        total: of all cases of the year, None when hidden.
        cells: label and count, in a fixed order.
        several: a case may stand in several rows, so that they add up to more.
    """

    title: str
    total: int | None
    cells: tuple[tuple[str, int | None], ...]
    several: bool


def yearly_figures(vault: Vault, year: int) -> tuple[Table, ...]:
    """Count the cases that came in a year, small counts suppressed.

    Cases joined to others are not counted twice; deleted ones count by their tally.
    """
    tallies = [one for one in vault.all(Tally) if one.year == year]
    tallies += [
        tally_of(vault, case)
        for case in vault.all(CaseRecord)
        if case.received.year == year and not read_file(vault, case).merged_into
    ]
    total = len(tallies)
    return (
        counted("Track", Counter(one.track for one in tallies), total),
        counted("How it came", Counter(one.origin for one in tallies), total),
        counted("Acknowledged", Counter(one.acknowledged for one in tallies), total),
        counted("Category", _count(one.categories for one in tallies), total, several=True),
        counted("Outcome", _count(one.outcomes for one in tallies), total, several=True),
    )


def tally_of(vault: Vault, case: CaseRecord) -> Tally:
    """Return what the figures count of a case."""
    file, policy = read_file(vault, case), policy_of(vault, case)
    return Tally(
        id=secrets.token_hex(TALLY_BYTES),
        year=case.received.year,
        # Ids of the policy only: what a hostile envelope calls itself reaches no table.
        track=case.track if case.track in policy.tracks else "other",
        origin=file.origin,
        categories=categories(vault, case),
        outcomes=file.decision.outcomes if file.decision else (),
        acknowledged=_acknowledged(case),
    )


def row_titles(vault: Vault) -> dict[str, str]:
    """Return what people call the rows of the tables, which hold ids of policies.

    CSV keeps the ids: they stay the same from year to year, whatever a text says.
    """
    named = {one.policy.split(" ")[0] for one in vault.all(CaseRecord)}
    titles = dict(_ORIGINS)
    for policy in (policy_named(vault, one) for one in sorted({*named, chosen_policy(vault)})):
        for entries in (policy.tracks, policy.categories, policy.outcomes):
            titles |= {one.id: one.title for one in entries.values()}
    return titles


def suppress(counts: Mapping[str, int], *, total: int) -> tuple[dict[str, int | None], int | None]:
    """Hide small counts, and as many others as it takes that none can be worked out.

    What is hidden are all counts up to a bound: so to whoever knows this rule each hidden row
    may be any of the hidden counts. These must be two or more, add up to at least five, and be
    neither all one nor all four; else the bound rises. Zero is shown: it points at nobody.
    """
    bounds = {SMALLEST_SHOWN - 1, *(one for one in counts.values() if one >= SMALLEST_SHOWN)}
    hidden: set[str] = set()
    for bound in sorted(bounds):
        hidden = {one for one, count in counts.items() if 0 < count <= bound}
        values = [counts[one] for one in hidden]
        is_plain = len(values) < 2 or set(values) in _PLAIN
        if not hidden or (sum(values) >= SMALLEST_SHOWN and not is_plain):
            break
    shown = {one: None if one in hidden else count for one, count in counts.items()}
    return shown, total if total >= SMALLEST_SHOWN or total == 0 else None


def figures_csv(tables: Iterable[Table], *, year: int) -> bytes:
    """Write the figures as CSV (RFC 4180)."""
    lines = ["year,table,row,count"]
    for table in tables:
        lines.append(f"{year},{table.title},all cases,{_shown(table.total)}")
        lines += [f"{year},{table.title},{row},{_shown(count)}" for row, count in table.cells]
    return "".join(f"{line}\r\n" for line in lines).encode()


def figures_svg(
    tables: Iterable[Table], *, year: int, titles: Mapping[str, str] | None = None
) -> bytes:
    """Draw the figures as one picture: bars with their numbers, hidden ones named as such.

    Args:
        titles: from `row_titles`; without them the ids stand there.
    """
    titles = titles or {}
    rows: list[str] = [_text(16, 28, f"Cases received in {year}", size=18)]
    top = 60
    for table in tables:
        more = " (a case may count in several rows)" if table.several else ""
        rows.append(_text(16, top, f"{table.title}: {_shown(table.total)} in all{more}", size=14))
        top += 12
        widest = max([count or 0 for _, count in table.cells] + [1])
        for row, count in table.cells:
            width = 260 * (count or 0) // widest
            rows.append(f'<rect x="270" y="{top}" width="{width}" height="14" fill="#35586c"/>')
            rows.append(_text(16, top + 12, _fitting(titles.get(row, row)), size=12))
            rows.append(_text(278 + width, top + 12, _shown(count), size=12))
            top += 20
        top += 28
    body = "".join(rows)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="640" height="{top}" '
        f'font-family="sans-serif" fill="#1b1b1b" role="img">'
        f'<rect width="640" height="{top}" fill="#fff"/>{body}</svg>\n'
    ).encode()


def counted(title: str, counts: Mapping[str, int], total: int, *, several: bool = False) -> Table:
    """Return a table of counts, suppressed; where all are hidden it does not name its rows."""
    shown, shown_total = suppress(counts, total=total)
    cells = tuple((row, shown[row]) for row in sorted(shown))
    if cells and all(count is None for _, count in cells):
        cells = ((EVERY, None),)  # five rows and a total of five would say one each
    return Table(title=title, total=shown_total, cells=cells, several=several)


def _count(rows: Iterable[tuple[str, ...]]) -> Counter[str]:
    return Counter(one for row in rows for one in row or (NONE,))


def _acknowledged(case: CaseRecord) -> str:
    if case.acknowledged is None:
        return _NEVER
    days = (case.acknowledged - case.received).days
    return next((words for most, words in _DAYS if days <= most), _LATER)


def _fitting(words: str) -> str:
    return words if len(words) <= _ROW_CHARS else f"{words[: _ROW_CHARS - 1].rstrip()}…"


def _shown(count: int | None) -> str:
    return HIDDEN if count is None else str(count)


def _text(x: int, y: int, words: str, *, size: int) -> str:
    escaped = words.replace("&", "&amp;").replace("<", "&lt;")
    return f'<text x="{x}" y="{y}" font-size="{size}">{escaped}</text>'
