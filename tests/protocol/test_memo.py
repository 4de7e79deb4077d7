import json
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from days import days
from hypothesis import given
from hypothesis import strategies as st
from vector_files import outcome_of, vectors_of

from protocol.errors import AuthenticityError, CapacityError, FormatError
from protocol.memo import MEMO_BYTES, Memo, open_memo, random_memo, seal_memo
from protocol.names import MemoKey, RecipientName
from protocol.report import Kind

KEY = MemoKey(bytes(range(32)))
MEMO = Memo(
    kind=Kind.REPORT,
    readers=(RecipientName("counselor-1"), RecipientName("counselor-2")),
    left_out=(RecipientName("head"),),
    not_asked=(RecipientName("office"),),
    track="complaint",
    language="ar",
    day=date(2026, 11, 22),
)
names = st.lists(
    st.from_regex("[a-z0-9-]{1,32}", fullmatch=True).map(RecipientName), max_size=8
).map(tuple)
lines = st.text(st.characters(codec="utf-8"), max_size=40)
memos = st.builds(
    Memo,
    kind=st.sampled_from([kind for kind in Kind if kind is not Kind.COVER]),
    readers=names,
    left_out=names,
    not_asked=names,
    track=lines,
    language=lines,
    day=days,
)


@pytest.mark.parametrize("vector", vectors_of("memo"))
def test_memo_vector_opens_or_is_refused_as_it_says(vector: dict[str, Any]) -> None:
    sealed, key = bytes.fromhex(vector["sealed"]), MemoKey(bytes.fromhex(vector["key"]))
    assert outcome_of(lambda: open_memo(sealed, key)) == vector["expect"]
    if vector["expect"] == "success":
        memo, said = open_memo(sealed, key), json.loads(vector["document"])
        assert {**said, "day": date.fromisoformat(said["day"])} == {
            "kind": memo.kind,
            "readers": list(memo.readers),
            "left_out": list(memo.left_out),
            "not_asked": list(memo.not_asked),
            "track": memo.track,
            "language": memo.language,
            "day": memo.day,
        }


@given(memos)
def test_memo_sealed_and_opened_is_the_same(memo: Memo) -> None:
    try:
        sealed = seal_memo(memo, KEY)
    except CapacityError:
        people = (*memo.readers, *memo.left_out, *memo.not_asked)
        assert sum(map(len, (*people, memo.track, memo.language))) > 200
        return
    assert len(sealed) == MEMO_BYTES
    assert open_memo(sealed, KEY) == memo


@pytest.mark.claim("C2")
def test_memo_and_its_random_stand_in_have_one_size_and_open_for_no_other_key() -> None:
    assert len(seal_memo(MEMO, KEY)) == len(random_memo()) == 1_024
    for sealed in (seal_memo(MEMO, KEY), random_memo()):
        with pytest.raises(AuthenticityError):
            open_memo(sealed, MemoKey(bytes(32)))


@pytest.mark.claim("C2")
def test_memo_sealed_twice_shares_no_part_with_itself() -> None:
    one, other = seal_memo(MEMO, KEY), seal_memo(MEMO, KEY)
    same = sum(a == b for a, b in zip(one, other, strict=True))
    assert same < 30  # 1,024 / 256 = 4 are equal by chance


def test_memo_holds_a_team_of_the_usual_size_and_says_when_names_do_not_fit() -> None:
    def team(size: int, name_chars: int) -> Memo:
        members = tuple(RecipientName(f"{at:0{name_chars}}") for at in range(size))
        return replace(MEMO, readers=members)

    assert open_memo(seal_memo(team(50, 12), KEY), KEY) == team(50, 12)
    assert open_memo(seal_memo(team(20, 32), KEY), KEY) == team(20, 32)
    with pytest.raises(CapacityError):
        seal_memo(team(40, 32), KEY)


@pytest.mark.parametrize(
    "memo",
    [
        replace(MEMO, readers=(RecipientName("../head"),)),
        replace(MEMO, left_out=(RecipientName(""),)),
        replace(MEMO, track="x" * 201),
        replace(MEMO, language="\ud800"),
    ],
    ids=["a path as name", "an empty name", "a track too long", "half a surrogate pair"],
)
def test_memo_that_no_reader_would_take_is_not_written(memo: Memo) -> None:
    with pytest.raises(FormatError):
        seal_memo(memo, KEY)


@given(st.binary(max_size=1_100) | st.binary(min_size=1_024, max_size=1_024))
def test_any_bytes_raise_only_the_documented_errors(sealed: bytes) -> None:
    assert outcome_of(lambda: open_memo(sealed, KEY)) in ("FormatError", "AuthenticityError")
