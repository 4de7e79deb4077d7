"""Lists, cases and reports of what happened, for a terminal.

Everything that a reporter wrote goes through `make_visible` and into rich as text,
never as markup: a terminal shows it and obeys nothing in it.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from rich.console import Console
from rich.padding import Padding
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn
from rich.table import Table
from rich.text import Text

from desk.backup import BackupReport
from desk.desk import spoken_fingerprint
from desk.exporting import Crossing
from desk.importing import ImportReport
from desk.legible import make_visible
from desk.records import DeskRecord
from desk.showing import AttachmentView, CaseView, ListLine, MessageView

_DANGER = "bold red"
_QUIET = "dim"


def print_list(console: Console, lines: Sequence[ListLine]) -> None:
    """Print the list of cases, the most urgent first."""
    if not lines:
        console.print(Text("No cases. Bring a bundle: sotto desk import BUNDLE."))
        return
    table = Table(box=None, pad_edge=False)
    for title in ("Case", "First look at", "Waits for", "Received", "Status"):
        table.add_column(title, overflow="fold")
    for line in lines:
        reasons = [one for one in line["reasons"] if one != line["clock"]]
        reasons += ["new"] if line["waiting"] else []
        waits = line["clock"] if line["state"] == "open" else line["state"]
        table.add_row(
            Text(line["case"], style=_DANGER if line["urgent"] else ""),
            _plain("; ".join(reasons), _DANGER if line["urgent"] else ""),
            Text(waits, style=_DANGER if "overdue" in waits else ""),
            Text(line["received"]),
            _plain(line["status"] + (f", {line['queued']} to export" if line["queued"] else "")),
        )
    console.print(table)


def print_case(console: Console, view: CaseView) -> None:
    """Print a case: what is urgent on top, then the thread, then the files."""
    console.print(Text(f"Case {view['case']}", style="bold"))
    if view["urgent"]:
        console.print(Text("The reporter speaks of danger or asks for support.", _DANGER))
    console.print(Text(f"Received {view['received']}; {view['clock']}."))
    console.print(_pair("Kind", f"{view['kind']}, track {view['track']}, in {view['language']}"))
    console.print(_pair("Status", view["status"]))
    if view["outcome"]:
        console.print(_pair("Outcome", ""))
        console.print(_words(view["outcome"]))
    console.print(_pair("May read", ", ".join(view["readers"])))
    if view["left_out"]:
        left_out = ", ".join(view["left_out"])
        console.print(_pair("Left out by the reporter: tell them nothing", left_out, _DANGER))
    for number, message in enumerate(view["messages"], start=1):
        _print_message(console, number, message)
    _print_attachments(console, view["attachments"])


@contextmanager
def import_progress(console: Console) -> Iterator[Callable[[int, int], None]]:
    """Draw a bar while a bundle is imported, on a terminal only; it goes when the import ends."""
    columns = (TextColumn("Importing"), BarColumn(), DownloadColumn())
    with Progress(
        *columns, console=console, transient=True, disable=not console.is_terminal
    ) as bar:
        task = bar.add_task("")
        yield lambda done, total: bar.update(task, completed=done, total=total)


def print_import(console: Console, report: ImportReport) -> None:
    """Print what an import brought: what is wrong first."""
    for sentence in report.told:
        console.print(_plain(sentence, _DANGER))
    console.print(Text(f"Bundle of {report.day}, cut {report.cut}."))
    if not report.arrivals:
        console.print(Text("Nothing new for you."))
    for one in report.arrivals:
        place = f"opens case {one.case}" if one.opened_case else f"joins case {one.case}"
        line = f"{one.kind} of {one.day} {place}"
        if one.folded:
            line += "; it says the same again and was folded"
        console.print(_plain(f"{line}."))
        if not one.same_reporter:
            sentence = (
                f"It is not from the same reporter as case {one.case}: read it as a stranger's."
            )
            console.print(Text(sentence, _DANGER))
    for sentence in report.notes:
        console.print(_plain(sentence))


def print_crossing(console: Console, crossing: Crossing) -> None:
    """Print what a dispatch brings across the gap."""
    console.print(Text(f"Dispatch {crossing.serial}: pages for {crossing.pages} mailboxes."))
    if not crossing.replies:
        console.print(Text("No new reply."))
    for case, numbers in crossing.replies:
        replies = ", ".join(str(number) for number in numbers)
        console.print(Text(f"New in case {case}: reply {replies}."))
    for case, status, outcome in crossing.words:
        new = [f"status «{status}»"] if status else []
        new += [f"outcome «{outcome}»"] if outcome else []
        console.print(_plain(f"New on the page of case {case}: {'; '.join(new)}."))
    if crossing.successor:
        spoken = spoken_fingerprint(crossing.successor)
        console.print(Text(f"It brings your new certificate, signed with the old key: {spoken}."))
    console.print(Text(f"Envelopes that the relay may forget: {crossing.acknowledged}."))
    if crossing.held_back:
        console.print(
            Text(
                f"Held back: {crossing.held_back}, because no second copy holds them. The relay "
                "keeps them. Run sotto desk backup and export again, or export with "
                "--without-backup."
            )
        )


def print_backup(console: Console, report: BackupReport) -> None:
    """Print what a backup did."""
    console.print(
        Text(f"Copied and read back: {report.copied} new files; {report.kept} lay there already.")
    )
    if report.same_disk:
        console.print(
            Text(
                "The copy lies on the same disk as the desk and dies with it: use a stick.", _DANGER
            )
        )


def print_desk(console: Console, desk: DeskRecord) -> None:
    """Print whose a new desk is, and what to compare by voice."""
    console.print(Text("The desk is made. Compare by voice with the operator of the relay:"))
    console.print(Text(f"  relay  {spoken_fingerprint(desk.relay)}"))
    console.print(Text(f"  you    {spoken_fingerprint(desk.fingerprint)}"))
    console.print(Text("Next: sotto desk import BUNDLE."))


def _print_message(console: Console, number: int, message: MessageView) -> None:
    stranger = message["by"] == "not the same reporter"
    if message["by"] == "counselor":
        state = f"dispatch {message['serial']}" if message["serial"] else "not exported yet"
        head = f"reply {message['number']} of yours, {message['day']}, {state}"
    else:
        head = f"{message['kind']} of {message['day']}"
    if stranger:
        head += " — NOT FROM THE SAME REPORTER"
    if message["repeated"]:
        head += f" (sent {message['repeated'] + 1} times)"
    console.print()
    console.print(_plain(f"{number}. {head}", _DANGER if stranger else "bold"))
    for answer in message["answers"]:
        console.print(Text(f"   {make_visible(answer['label'])}", _QUIET))
        value = answer["value"]
        console.print(_words(value if isinstance(value, str) else "\n".join(value)))
    if message["text"]:
        if message["answers"]:
            console.print()
        console.print(_words(message["text"]))


def _print_attachments(console: Console, attachments: Sequence[AttachmentView]) -> None:
    if not attachments:
        return
    console.print()
    console.print(Text("Files (this desk opens none of them)", style="bold"))
    for one in attachments:
        console.print(_plain(f"{one['name']}  {one['size']:,} B, with item {one['item']}"))
        console.print(Text(f"   SHA-256 {one['sha256']}", style=_QUIET))
        if one["nested"]:
            sentence = one["warning"] or "It is encrypted already; the desk does not open it."
            console.print(Text(f"   {sentence}", _DANGER))


def _words(text: str) -> Padding:
    """Indent what a person wrote: a line at the margin is ours and cannot be imitated."""
    return Padding(Text(make_visible(text, lines=True)), (0, 0, 0, 6), expand=False)


def _pair(label: str, value: str, style: str = "") -> Text:
    return Text.assemble((f"{label}: ", _QUIET), (make_visible(value), style))


def _plain(text: str, style: str = "") -> Text:
    return Text(make_visible(text), style=style)
