"""What a counselor does in a case: one page, one form, one entry of the record each."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace

from flask import Blueprint, abort, url_for

from desk.cases import find_case
from desk.casework.clocks import Window, event_window
from desk.casework.leftout import left_out
from desk.casework.rules import policy_of
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
    "With others": sharing.TASKS,
    "Act and keep": keeping.TASKS,
    "Take out": leaving.TASKS,
}
_AFTER_CONFLICT = frozenset({"hand-over", "note", "copy", "record"})
# Offered only where there is something to do; the address works all the same, and the rule decides.
_WHERE: Mapping[str, Callable[[Vault, CaseRecord], bool]] = {
    "window": lambda vault, case: event_window(vault, case) in (Window.DECIDE, Window.DECIDED),
    "assess": lambda vault, case: policy_of(vault, case).assessment is not None,
    "propose": lambda vault, case: bool(policy_of(vault, case).actions),
    "agreement": lambda vault, case: bool(left_out(vault, case)),
}


@pages.route("/<name>/do/<task>", methods=["GET", "POST"])
def do(name: str, task: str) -> Answer:
    """Show the form of a task, or do it."""
    opened = vault()
    case = find_case(opened, name)
    found = [tasks[task] for tasks in _GROUPS.values() if task in tasks]
    if not found:
        abort(404)
    _, build = found[0]
    made = build(opened, case)
    return perform(replace(made, form=replace(made.form, case=case.name)))


def links_of(opened: Vault, case: CaseRecord) -> Mapping[str, list[Link]]:
    """Return what can be done in a case, grouped; after a conflict only what is left to do."""
    return {group: list(_links(opened, case, tasks)) for group, tasks in _GROUPS.items()}


def _links(
    opened: Vault, case: CaseRecord, tasks: Mapping[str, tuple[str, Builder]]
) -> Iterator[Link]:
    conflict = read_file(opened, case).conflict
    for task, (title, _) in tasks.items():
        is_needed = _WHERE.get(task, _everywhere)(opened, case)
        if is_needed and (not conflict or task in _AFTER_CONFLICT):
            yield Link(title, url_for("tasks.do", name=case.name, task=task))


def _everywhere(vault: Vault, case: CaseRecord) -> bool:
    return True
