"""What a counselor does in a case: one page, one form, one entry of the record each."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from flask import Blueprint, abort, url_for

from desk.cases import find_case
from desk.casework.work import read_file
from desk.records import CaseRecord
from desk.screens import deciding, handling, keeping, leaving, sharing
from desk.screens.forms import Answer, Task, perform
from desk.screens.session import vault
from desk.vault import Vault

pages = Blueprint("tasks", __name__, url_prefix="/case")

Builder = Callable[[Vault, CaseRecord], Task]


@dataclass(frozen=True)
class Link:
    """A task as the case page offers it."""

    title: str
    address: str


_GROUPS: Mapping[str, Mapping[str, tuple[str, Builder]]] = {
    "Care": handling.TASKS,
    "Decide": deciding.TASKS,
    "Others": sharing.TASKS,
    "Keep": keeping.TASKS,
    "Take along": leaving.TASKS,
}
_AFTER_CONFLICT = frozenset({"hand-over", "note", "copy", "record"})


@pages.route("/<name>/do/<task>", methods=["GET", "POST"])
def do(name: str, task: str) -> Answer:
    """Show the form of a task, or do it."""
    opened = vault()
    case = find_case(opened, name)
    found = [tasks[task] for tasks in _GROUPS.values() if task in tasks]
    if not found:
        abort(404)
    _, build = found[0]
    return perform(build(opened, case))


def links_of(opened: Vault, case: CaseRecord) -> Mapping[str, list[Link]]:
    """Return what can be done in a case, grouped; after a conflict only what is left to do."""
    return {group: list(_links(opened, case, tasks)) for group, tasks in _GROUPS.items()}


def _links(
    opened: Vault, case: CaseRecord, tasks: Mapping[str, tuple[str, Builder]]
) -> Iterator[Link]:
    conflict = read_file(opened, case).conflict
    for task, (title, _) in tasks.items():
        if not conflict or task in _AFTER_CONFLICT:
            yield Link(title, url_for("tasks.do", name=case.name, task=task))
