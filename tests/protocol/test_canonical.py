import tracemalloc
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from vector_files import outcome_of, vectors_of

from protocol import limits
from protocol.canonical import Fields, encode_json, read_json
from protocol.errors import FormatError

texts = st.text(st.characters(codec="utf-8"), max_size=20)
integers = st.integers(-(2**53) + 1, 2**53 - 1)
values = st.recursive(
    st.none() | st.booleans() | integers | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=12,
)


@pytest.mark.parametrize("vector", vectors_of("canonical"))
def test_json_of_the_vectors_ends_as_the_specification_says(vector: dict[str, Any]) -> None:
    document = bytes.fromhex(vector["document"])
    assert outcome_of(lambda: read_json(document, vector["limit"])) == vector["expect"]


@given(value=values)
def test_json_that_was_encoded_is_read_as_the_same_value(value: object) -> None:
    try:
        document = encode_json(value)
    except FormatError:
        return  # nested too deeply
    assert read_json(document, len(document)) == value


@given(document=st.binary(max_size=60))
def test_json_from_any_octets_raises_only_a_format_error(document: bytes) -> None:
    try:
        value = read_json(document, 60)
    except FormatError:
        return
    assert encode_json(value) == document


@pytest.mark.claim("C5")
def test_json_of_more_values_than_any_document_has_is_refused_before_it_is_parsed() -> None:
    """A courier may bring 32 MiB of them, which were most of a gigabyte once parsed."""
    document = b"[" + b"[]," * (limits.JSON_SIGNS // 2) + b"[]]\n"
    tracemalloc.start()
    try:
        with pytest.raises(FormatError, match="more values"):
            read_json(document, limits.DISPATCH_HEAD_BYTES)
        assert tracemalloc.get_traced_memory()[1] < 100_000
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    "value", [1.0, b"octets", {1: "key"}, "\ud800", 2**53, {"a": {1, 2}}, [object()]]
)
def test_json_of_a_value_without_canonical_form_is_not_written(value: object) -> None:
    with pytest.raises(FormatError):
        encode_json(value)


@pytest.mark.parametrize(
    ("take", "member"),
    [
        pytest.param(lambda f: f.text("m"), 1, id="a number for a text"),
        pytest.param(lambda f: f.text("m", limit=2), "abc", id="a text too long"),
        pytest.param(lambda f: f.integer("m"), True, id="true for a number"),
        pytest.param(lambda f: f.integer("m"), -1, id="a number too small"),
        pytest.param(lambda f: f.integer("m", high=5), 6, id="a number too large"),
        pytest.param(lambda f: f.octets("m", 2), "ABCD", id="capital digits"),
        pytest.param(lambda f: f.octets("m", 2), "ab", id="octets too few"),
        pytest.param(lambda f: f.octets("m", 1), "zz", id="no digits"),
        pytest.param(lambda f: f.octets("m", 1), "a b", id="a space between digits"),
        pytest.param(lambda f: f.octets_or_none("m", 1), "aabb", id="octets above the limit"),
        pytest.param(lambda f: f.day("m"), "2026-02-30", id="a day that does not exist"),
        pytest.param(lambda f: f.day("m"), "20261122", id="a day without hyphens"),
        pytest.param(lambda f: f.day("m"), None, id="no day"),
        pytest.param(lambda f: f.day_or_none("m"), "today", id="a word for a day"),
        pytest.param(lambda f: f.texts("m", limit=2), ["a", 1], id="a number among texts"),
        pytest.param(lambda f: f.texts("m", limit=1), ["a", "b"], id="texts too many"),
        pytest.param(lambda f: f.texts("m", limit=1, chars=1), ["ab"], id="one text too long"),
        pytest.param(lambda f: f.items("m", limit=2), {}, id="an object for a list"),
        pytest.param(lambda f: list(f.each("m", limit=2)), [1], id="a number among objects"),
        pytest.param(lambda f: f.text("other"), "", id="a member missing"),
        pytest.param(lambda f: f.end(), "", id="a member too many"),
        pytest.param(lambda f: f.version(newest=1), 1, id="a version missing"),
    ],
)
def test_fields_of_the_wrong_type_are_refused(take: Any, member: object) -> None:
    with pytest.raises(FormatError):
        take(Fields({"m": member}, where="a test"))


def test_fields_of_a_newer_format_say_to_update() -> None:
    with pytest.raises(FormatError, match="update"):
        Fields({"format": 2}, where="a test").version(newest=1)


def test_fields_of_the_right_types_are_given_back() -> None:
    fields = Fields(
        {"d": "2026-11-22", "n": None, "o": "00ff", "t": ["a"], "format": 1}, where="a test"
    )
    assert fields.version(newest=1) == 1
    assert fields.day("d").isoformat() == "2026-11-22"
    assert fields.octets_or_none("n", 4) is None
    assert fields.octets_or_none("o", 4) == b"\x00\xff"
    assert fields.texts("t", limit=1) == ("a",)
    fields.end()
