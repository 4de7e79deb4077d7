from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from vector_files import vectors_of

from protocol.padding import padme

sizes = st.integers(0, 2**33)


@pytest.mark.parametrize("vector", vectors_of("padding"))
def test_size_class_of_the_vectors_is_what_the_specification_says(vector: dict[str, Any]) -> None:
    assert padme(vector["size"]) == vector["class"]


@given(size=sizes)
def test_size_class_holds_the_size_and_is_its_own_class(size: int) -> None:
    assert size <= padme(size) == padme(padme(size))


@given(size=sizes, more=st.integers(0, 2**20))
def test_size_class_never_shrinks_when_the_size_grows(size: int, more: int) -> None:
    assert padme(size) <= padme(size + more)


@given(size=st.integers(16 * 1024, 2**33))
def test_size_class_costs_at_most_a_sixteenth_above_the_floor(size: int) -> None:
    assert padme(size) - size <= size / 16


@pytest.mark.claim("C2")
def test_size_classes_up_to_four_gibibytes_are_few() -> None:
    classes, size = 0, 1
    while size < 2**32:
        size = padme(size) + 1
        classes += 1
    assert classes <= 600
