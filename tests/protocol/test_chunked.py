import base64
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from vector_files import outcome_of, vectors_of

from protocol.chunked import CHUNK, ChunkedReader, ChunkedWriter
from protocol.errors import AuthenticityError, FormatError, SottoError

KEY = bytes(range(32))
SEALED_CHUNK = CHUNK + 16
lengths = st.sampled_from([0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK, 3 * CHUNK + 7])


def seal(plain: bytes, step: int = 1 << 20) -> bytes:
    writer = ChunkedWriter(KEY)
    pieces = [writer.update(plain[at : at + step]) for at in range(0, len(plain), step)]
    return b"".join([*pieces, writer.finish()])


def reader_of(container: bytes, key: bytes = KEY) -> ChunkedReader:
    return ChunkedReader(key, lambda at, count: container[at : at + count], len(container))


def pattern(length: int) -> bytes:
    return bytes(at % 251 for at in range(length))


@pytest.mark.parametrize("vector", vectors_of("chunked"))
def test_container_of_the_vectors_ends_as_the_specification_says(vector: dict[str, Any]) -> None:
    container = base64.b64decode(vector["container"])
    key = bytes.fromhex(vector["key"])

    def read_all() -> None:
        reader = reader_of(container, key)
        assert reader.read_at(0, reader.plain_bytes) == b"a" * vector["plain_bytes"]

    assert outcome_of(read_all) == vector["expect"]


@settings(max_examples=40)
@given(length=lengths, offset=st.integers(0, 4 * CHUNK), count=st.integers(0, 4 * CHUNK))
def test_container_read_at_any_place_gives_what_was_written_there(
    length: int, offset: int, count: int
) -> None:
    plain = pattern(length)
    reader = reader_of(seal(plain))
    assert reader.plain_bytes == length
    assert reader.read_at(offset, count) == plain[offset : offset + count]


@settings(max_examples=20)
@given(length=st.integers(0, 300))
def test_container_written_by_single_octets_reads_like_one_written_at_once(length: int) -> None:
    plain = pattern(length)
    assert reader_of(seal(plain, step=1)).read_at(0, length) == plain


def test_container_cut_at_any_chunk_is_refused_before_it_is_read() -> None:
    container = seal(pattern(3 * CHUNK + 5))
    for chunks in range(1, 4):
        with pytest.raises(AuthenticityError):
            reader_of(container[: 16 + chunks * SEALED_CHUNK])


def test_container_with_two_chunks_exchanged_is_refused_where_it_is_read() -> None:
    container = seal(pattern(3 * CHUNK))
    first, second = container[16 : 16 + SEALED_CHUNK], container[16 + SEALED_CHUNK :][:SEALED_CHUNK]
    exchanged = container[:16] + second + first + container[16 + 2 * SEALED_CHUNK :]
    reader = reader_of(exchanged)
    assert reader.read_at(2 * CHUNK, 10) == pattern(3 * CHUNK)[2 * CHUNK :][:10]
    with pytest.raises(AuthenticityError):
        reader.read_at(0, 1)


def test_container_with_a_chunk_of_another_one_under_the_same_key_is_refused() -> None:
    one, other = seal(pattern(2 * CHUNK)), seal(pattern(2 * CHUNK))
    mixed = one[: 16 + SEALED_CHUNK] + other[16 + SEALED_CHUNK :]
    with pytest.raises(AuthenticityError):
        reader_of(mixed)


@given(container=st.binary(max_size=200))
def test_container_of_any_octets_raises_only_documented_errors(container: bytes) -> None:
    with pytest.raises((FormatError, AuthenticityError)):
        reader_of(container)


@settings(max_examples=60)
@given(at=st.integers(0, 131), bit=st.integers(0, 7))
def test_container_with_any_bit_turned_gives_nothing(at: int, bit: int) -> None:
    container = bytearray(seal(b"a" * 100))
    container[at] ^= 1 << bit
    with pytest.raises(SottoError):
        reader_of(bytes(container))


def test_container_is_different_each_time_it_is_written() -> None:
    assert seal(b"same") != seal(b"same")


def test_writer_that_has_finished_takes_no_more() -> None:
    writer = ChunkedWriter(KEY)
    writer.finish()
    with pytest.raises(ValueError, match="finished"):
        writer.update(b"more")
    with pytest.raises(ValueError, match="finished"):
        writer.finish()
