"""The vectors of one format, as cases for pytest: the name is the id, one failure in each."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from protocol.errors import SottoError

VECTORS = Path(__file__).parents[1] / "vectors"


def vectors_of(name: str, *, kind: str | None = None) -> list[Any]:
    """Load the vectors of a format, or those of one kind."""
    found = json.loads((VECTORS / f"{name}.json").read_text("utf-8"))
    chosen = [one for one in found if kind is None or one["kind"] == kind]
    assert chosen, "a format without vectors proves nothing"
    return [pytest.param(one, id=one["name"]) for one in chosen]


def outcome_of(act: Callable[[], object]) -> str:
    """Return "success" or the name of the error class that was raised."""
    try:
        act()
    except SottoError as error:
        return type(error).__name__
    return "success"
