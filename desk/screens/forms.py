"""Forms as values: what a page asks for, what was typed, and what is done with it.

Nearly everything a counselor does is one form, one act and one sentence afterwards. A
refusal shows the form again with the sentence on top and everything that was typed.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum

from flask import redirect, render_template, request
from werkzeug.datastructures import FileStorage
from werkzeug.wrappers import Response as AnyResponse

from desk.casework.errors import ProcedureError
from desk.screens.headers import stay
from desk.screens.session import tell
from protocol.errors import SottoError

Answer = str | AnyResponse | tuple[str, int]


class Kind(StrEnum):
    """How a field is filled in."""

    TEXT = "text"
    LONG = "long"
    PASSWORD = "password"  # noqa: S105 - a kind of field
    DATE = "date"
    ONE = "one"
    SEVERAL = "several"
    TICK = "tick"
    FILE = "file"
    FILES = "files"


@dataclass(frozen=True)
class Option:
    """One choice: its value, what a person reads, and a word of explanation."""

    value: str
    label: str
    hint: str = ""


@dataclass(frozen=True, kw_only=True)
class Field:
    """One thing that is asked for; `value` is what stands there at first."""

    name: str
    label: str
    kind: Kind = Kind.TEXT
    hint: str = ""
    options: Sequence[Option] = ()
    value: Sequence[str] = ()

    @property
    def is_file(self) -> bool:
        """Whether the form must be sent as multipart."""
        return self.kind in (Kind.FILE, Kind.FILES)


@dataclass(frozen=True, kw_only=True)
class Form:
    """A page with one form.

    Attributes:
        lead: sentences above the fields.
        button: what happens, as a verb.
        danger: it cannot be undone.
        back: where «Back» leads.
        facts: label and value of what is decided upon, shown above the fields.
        also: name and label of further buttons.
        notice: a sentence to be seen before anything else.
        stop: why it cannot be done now; then nothing is asked.
        case: the case that it is about, if it is about one.
    """

    title: str
    fields: Sequence[Field]
    button: str
    back: str
    lead: Sequence[str] = ()
    danger: bool = False
    facts: Sequence[tuple[str, str]] = ()
    also: Sequence[tuple[str, str]] = ()
    notice: str = ""
    stop: str = ""
    case: str = ""


class Typed:
    """What was typed into a form."""

    def one(self, name: str) -> str:
        """Return a text, empty if there is none."""
        return request.form.get(name, "")

    def several(self, name: str) -> tuple[str, ...]:
        """Return all values that were ticked."""
        return tuple(request.form.getlist(name))

    def tick(self, name: str) -> bool:
        """Tell whether a box was ticked."""
        return bool(self.one(name))

    def day(self, name: str) -> date:
        """Return a day.

        Raises:
            ProcedureError: none that the calendar has.
        """
        try:
            return date.fromisoformat(self.one(name))
        except ValueError:
            raise ProcedureError("Write the day as year-month-day, as 2026-03-31.") from None

    def files(self, name: str) -> list[FileStorage]:
        """Return the files that were chosen."""
        return [one for one in request.files.getlist(name) if one.filename]


@dataclass(frozen=True, kw_only=True)
class Task:
    """A form and what is done with it.

    Attributes:
        do: returns the sentence for the next page, or an answer of its own.
        then: the page that follows a sentence.
    """

    form: Form
    do: Callable[[Typed], str | AnyResponse]
    then: str = ""


def perform(task: Task) -> Answer:
    """Show a form, or do what was filled in; a refusal shows it again with what was typed."""
    if request.method == "GET":
        return show(task.form)
    try:
        done = task.do(Typed())
    except SottoError as refusal:
        return show(_as_typed(task.form), problem=str(refusal)), 400
    if isinstance(done, str):
        tell(done)
        return redirect(task.then or task.form.back, code=303)
    return done


def show(form: Form, *, problem: str = "") -> str:
    """Render a form."""
    stay()
    return render_template(
        "desk/form.html",
        form=form,
        problem=problem,
        multipart=any(one.is_file for one in form.fields),
    )


def _as_typed(form: Form) -> Form:
    fields = [
        one
        if one.is_file or one.kind is Kind.PASSWORD
        else replace(one, value=tuple(request.form.getlist(one.name)))
        for one in form.fields
    ]
    return replace(form, fields=fields)
