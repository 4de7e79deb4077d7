"""Which texts a policy needs, read off its models.

A policy file holds structure and ids; every word that a person reads lies in
`texts/<language>/`, so that a translation is one folder with the same keys. A
field of a model says by its annotation that it is a text, and the key follows
from where it stands: `[track.complaint]` with the field `title` is the text
`track.complaint.title`. Nothing else decides which texts exist.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, get_args, get_origin

from pydantic import BaseModel

from policies.markdown import render


@dataclass(frozen=True)
class Words:
    """A text in strings.toml of at most `most` characters, with these placeholders."""

    most: int
    optional: bool = False
    placeholders: tuple[str, ...] = ()


@dataclass(frozen=True)
class Lines:
    """A list of short texts in strings.toml, each of at most `most` characters."""

    most: int
    optional: bool = False


@dataclass(frozen=True)
class Labels:
    """One text for each id in the field `of`, each of at most `most` characters."""

    of: str
    most: int


@dataclass(frozen=True)
class MarkdownFile:
    """A longer text in a file of its own; `{id}` stands for the id of its entry."""

    name: str
    optional: bool = False


TextKind = Words | Lines | Labels | MarkdownFile


@dataclass(frozen=True)
class Page:
    """Markdown that becomes safe HTML wherever a template prints it."""

    source: str

    @property
    def html(self) -> str:
        """Sanitised HTML of this page."""
        return render(self.source)

    def __html__(self) -> str:
        """Let Jinja print the page without escaping it a second time."""
        return self.html

    def __bool__(self) -> bool:
        """Tell templates whether there is anything to show."""
        return bool(self.source.strip())


@dataclass(frozen=True)
class TextSlot:
    """One place of a policy that wants a text.

    Attributes:
        owner: path of the entry in the structure, `("track", "complaint")` or `()`.
        field: name of the text in the policy file's spelling, `for-whom`.
        kind: what text it is.
        labels: the ids that want a label, for `Labels` only.
    """

    owner: tuple[str, ...]
    field: str
    kind: TextKind
    labels: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        """The key in strings.toml, or the file's name for Markdown."""
        if isinstance(self.kind, MarkdownFile):
            return self.kind.name.format(id=self.owner[-1] if self.owner else "") + ".md"
        return ".".join((*self.owner, self.field))

    @property
    def keys(self) -> tuple[str, ...]:
        """All keys of strings.toml that this place uses; none for Markdown."""
        if isinstance(self.kind, MarkdownFile):
            return ()
        if isinstance(self.kind, Labels):
            return tuple(f"{self.key}.{label}" for label in self.labels)
        return (self.key,)


def toml_name(field: str) -> str:
    """Spell a field's name as the policy file does: `window_days` is `window-days`."""
    return field.replace("_", "-")


def text_slots(model: type[BaseModel], raw: Mapping[str, Any]) -> Iterator[TextSlot]:
    """List every text that a policy's structure asks for.

    Works on the structure before it is validated, so that one wrong number
    does not hide a missing translation.

    Args:
        model: the policy's model, or that of one of its entries.
        raw: what the policy file holds, as parsed from TOML.

    Yields:
        One place for each text, in the order of the models.
    """
    yield from _slots(model, raw, ())


def _slots(
    model: type[BaseModel], raw: Mapping[str, Any], owner: tuple[str, ...]
) -> Iterator[TextSlot]:
    for name, field in model.model_fields.items():
        spelled = field.alias or toml_name(name)
        for mark in field.metadata:
            if isinstance(mark, Labels):
                ids = raw.get(toml_name(mark.of), ())
                known = tuple(i for i in ids if isinstance(i, str)) if _is_list(ids) else ()
                yield TextSlot(owner, spelled, mark, known)
            elif isinstance(mark, Words | Lines | MarkdownFile):
                yield TextSlot(owner, spelled, mark)
        inner = raw.get(spelled)
        if not isinstance(inner, Mapping):
            continue
        if (entry_model := table_model(field.annotation)) is not None:
            for entry_id, entry in inner.items():
                if isinstance(entry, Mapping):
                    yield from _slots(entry_model, entry, (*owner, spelled, entry_id))
        elif (part := part_model(field.annotation)) is not None:
            yield from _slots(part, inner, (*owner, spelled))


def table_model(annotation: object) -> type[BaseModel] | None:
    """Tell which model the entries of a table have; None for a field that is no table."""
    arguments = get_args(annotation)
    if get_origin(annotation) is Mapping and len(arguments) == 2:
        return part_model(arguments[1])
    return None


def part_model(annotation: object) -> type[BaseModel] | None:
    """Tell the model of a field that holds one part, or perhaps none."""
    for candidate in (annotation, *get_args(annotation)):
        if isinstance(candidate, type) and issubclass(candidate, BaseModel):
            return candidate
    return None


def _is_list(value: object) -> bool:
    return isinstance(value, list | tuple)
