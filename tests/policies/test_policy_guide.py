"""docs/POLICY.md names every key and every text that a policy can have."""

from pathlib import Path

import pytest
from pydantic import BaseModel

from policies.casework import TEMPLATE_PLACEHOLDERS
from policies.parts import Meaning, QuestionKind
from policies.schema import Policy
from policies.texts import MarkdownFile, part_model, table_model, toml_name

GUIDE = (Path(__file__).parents[2] / "docs/POLICY.md").read_text(encoding="utf-8")


def names_of(model: type[BaseModel], *, part: str = "") -> list[str]:
    """Everything that a reader of the guide must be able to look up."""
    names: list[str] = []
    for name, field in model.model_fields.items():
        spelled = field.alias or toml_name(name)
        pages = [mark.name for mark in field.metadata if isinstance(mark, MarkdownFile)]
        if spelled in {"id", "shown-in"} and part:
            continue
        if (entry := table_model(field.annotation)) is not None:
            names += [f"[{spelled}.…]", *names_of(entry, part=spelled)]
        elif (inner := part_model(field.annotation)) is not None:
            names += [f"[{spelled}]", *names_of(inner, part=spelled)]
        elif pages:
            names += [f"`{page.format(id='…')}.md`" for page in pages]
        elif spelled != "shown-in":
            names.append(f"`{spelled}`")
    return names


@pytest.mark.parametrize("name", sorted(set(names_of(Policy))))
def test_guide_explains_every_name_of_the_policy_file(name: str) -> None:
    assert name in GUIDE


@pytest.mark.parametrize("word", [*QuestionKind, *Meaning])
def test_guide_lists_every_kind_and_meaning_of_a_question(word: str) -> None:
    assert f"`{word}`" in GUIDE


@pytest.mark.parametrize("name", TEMPLATE_PLACEHOLDERS)
def test_guide_lists_every_placeholder(name: str) -> None:
    assert f"`{{{name}}}`" in GUIDE
