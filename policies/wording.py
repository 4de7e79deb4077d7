"""Says in plain words what is wrong with a value of a policy.

The checker's readers are not programmers: no type names, no traces; what is
wrong, and what to write instead.
"""

import re
from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any

from pydantic import BaseModel

from policies.texts import (
    Labels,
    Lines,
    MarkdownFile,
    Words,
    part_model,
    table_model,
    toml_name,
)

# What to write for a field, shown when its value is wrong or missing.
EXAMPLES: Mapping[str, str] = {
    "acknowledge-days": "14",
    "feedback-days": "90",
    "retention-days": "730",
    "window-days": "183",
    "read-every-days": "3",
    "effective": "2026-11-22",
    "first": "2026-12-24",
    "last": "2027-01-02",
    "language": '"en"',
    "languages": '["en", "fr"]',
    "signatures": "2",
    "signatures-when-alone": "1",
    "others": "1",
    "sign-within-days": "3",
    "version": '"1.0"',
    "recipients": '["counselor-1"]',
    "channels": '["this-site"]',
    "categories": '["fraud"]',
    "rungs": '["head"]',
    "options": '["yes", "no"]',
    "belongs": '"organisation"',
    "group": '"what"',
}
_DIGITS = re.compile(r"\d+")
_LINE = "Write a line like"
_LANGUAGE_FIELDS = {"language", "languages", "reviewed"}


def example(field: str) -> str:
    """A line that would be right for this field."""
    return f"{field} = {EXAMPLES.get(field, '…')}"


def nearest(word: str, known: list[str], likeness: float = 0.6) -> str:
    """Suggest the known word that was probably meant, or list them all.

    Who wrote counselor-1 did not mean counselor-2: a name that differs in its number alone
    is somebody else's.
    """
    close = get_close_matches(word, known, n=1, cutoff=likeness)
    if close and _DIGITS.sub("", close[0]) != _DIGITS.sub("", word):
        return f"Write «{close[0]}» instead."
    return f"Write one of: {', '.join(known)}." if known else "Take this line out."


def plain_error(error: Mapping[str, Any], model: type[BaseModel]) -> tuple[str, str]:
    """Put one pydantic error into plain words.

    Args:
        error: one of `ValidationError.errors()`.
        model: the model of the whole policy.

    Returns:
        What is wrong, and what to write instead.
    """
    path = [str(step) for step in error["loc"]]
    field = next((step for step in reversed(path) if not step.isdigit()), "")
    place = f"«{'.'.join(path)}»"
    kind, context = str(error["type"]), error.get("ctx", {})
    if kind == "extra_forbidden":
        return (
            f"{place} is nothing that a policy knows.",
            nearest(field, known_fields(model, path)) + _about_unknown(field),
        )
    if kind == "missing":
        if len(path) == 1 and path[0] not in EXAMPLES:
            return f"The part «{path[0]}» is missing.", "Copy it from policies/generic/policy.toml."
        return f"{place} is missing.", f"{_LINE} «{example(field)}»."
    return _wrong_value(kind, place, field, context)


def _wrong_value(kind: str, place: str, field: str, context: Mapping[str, Any]) -> tuple[str, str]:
    """Word a value of the wrong kind: each rule is a kind of error and its two sentences."""
    right = f"{_LINE} «{example(field)}»"
    bound = context.get("ge", context.get("le"))
    word = "at least" if "ge" in context else "at most"
    expected = str(context.get("expected", "")).replace("'", "").replace(" or ", ", ")
    not_a_number = (f"{place} is not a whole number.", f"{right}, without quotes.")
    not_a_choice = (
        f"{place} has a value that a policy does not know.",
        f"Write one of: {expected}.",
    )
    not_a_name = (
        (f"{place} is not a language code.", "Write a code such as en, fr, ar or zh-Hans.")
        if _LANGUAGE_FIELDS.intersection(place[1:-1].split("."))
        else (f"{place} is not a name.", "Use small letters a-z, digits and single hyphens.")
    )
    not_a_part = (
        f"{place} is not a part of its own.",
        f"Begin it with a line «[{place[1:-1]}]».",
    )
    empty = (f"{place} is empty.", f"Name at least one. {right}.")
    out_of_range = (f"{place} must be {word} {bound}.", f"{right}.")
    not_a_list = (f"{place} is not a list.", f"Use square brackets. {right}.")
    wordings = {
        "int_type": not_a_number,
        "greater_than_equal": out_of_range,
        "less_than_equal": out_of_range,
        "bool_type": (f"{place} is neither true nor false.", f"Write «{field} = true» or false."),
        "literal_error": not_a_choice,
        "enum": not_a_choice,
        "string_pattern_mismatch": not_a_name,
        "too_short": empty,
        "string_too_short": empty,
        "mapping_type": not_a_part,
        "model_type": not_a_part,
        "tuple_type": not_a_list,
    }
    if kind.startswith("date"):
        return f"{place} is not a date.", f"{right}: year-month-day, without quotes."
    return wordings.get(kind, (f"{place} has a value of the wrong kind.", f"{right}."))


def _about_unknown(field: str) -> str:
    if field in {"required", "optional", "mandatory"}:
        return " No question may be required: answering is the reporter's choice."
    return ""


def known_fields(model: type[BaseModel], path: list[str]) -> list[str]:
    """Names that may stand in policy.toml where `path` ends; texts are not among them."""
    current: type[BaseModel] | None = model
    steps = iter(path[:-1])
    for step in steps:
        if current is None:
            return []
        field = next(
            (f for n, f in current.model_fields.items() if (f.alias or toml_name(n)) == step), None
        )
        if field is None:
            return []
        inside_table = table_model(field.annotation)
        if inside_table is not None:
            next(steps, None)
        current = inside_table or part_model(field.annotation)
    if current is None:
        return []
    texts = (Words, Lines, Labels, MarkdownFile)
    names = {
        field.alias or toml_name(name)
        for name, field in current.model_fields.items()
        if not any(isinstance(mark, texts) for mark in field.metadata)
    }
    return sorted(names - {"id", "shown-in"} if path[:-1] else names - {"shown-in"})
