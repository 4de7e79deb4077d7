import base64
import os
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from vector_files import outcome_of, vectors_of

from protocol import limits
from protocol.blocks import LEAST_PADDING_BYTES, make_padding, read_blocks
from protocol.errors import AuthenticityError, CapacityError, FormatError, SottoError
from protocol.names import SessionKey
from protocol.octets import OctetReader
from protocol.padding import padme
from protocol.parts import PartWriter, body_bytes, full_parts, packet_bytes, read_parts
from protocol.sealing import Sealer, read_sealed

KEY = SessionKey(bytes(range(32)))
PART = limits.PART_BYTES
# Around everything that has a border: parts, blocks, the floor, and the classes above it.
BORDERS = [0, 1, 15_900, 16_000, 16 * 1024, PART - 1, PART, PART + 1, 2 * PART, 3 * PART, 200_000]


def lock_of(length: int) -> bytes:
    """A lock of nobody, for which any length can be chosen."""
    number = length - 6 - 1 - 8 - 1 - 2
    body = b"\x03" + b"\x01" * 8 + b"\x01" + (number * 8).to_bytes(2, "big") + b"\xff" * number
    return b"\xc1\xff" + len(body).to_bytes(4, "big") + body


def seal(content: bytes, *, locks: bytes = b"", step: int = PART) -> bytes:
    sealer = Sealer(session_key=KEY, locks=locks, file_name="envelope.zip")
    pieces = [sealer.update(content[at : at + step]) for at in range(0, len(content), step)]
    return b"".join([*pieces, sealer.finish()])


def unseal(message: bytes, *, key: SessionKey = KEY, step: int = 1 << 20) -> bytes:
    def source() -> Iterator[bytes]:
        return (message[at : at + step] for at in range(0, len(message), step))

    return b"".join(read_sealed(source).unseal(key))


def pattern(length: int) -> bytes:
    return (bytes(range(251)) * (length // 251 + 1))[:length]


@pytest.mark.parametrize("vector", vectors_of("sealing"))
def test_message_of_the_vectors_ends_as_the_specification_says(vector: dict[str, Any]) -> None:
    message = base64.b64decode(vector["message"])
    key = SessionKey(bytes.fromhex(vector["session_key"]))
    assert outcome_of(lambda: unseal(message, key=key)) == vector["expect"]


@pytest.mark.parametrize(
    "vector", [v for v in vectors_of("sealing") if v.values[0]["expect"] == "success"]
)
def test_message_of_the_vectors_holds_its_content_and_locks(vector: dict[str, Any]) -> None:
    message = base64.b64decode(vector["message"])
    assert unseal(message) == base64.b64decode(vector["content"])
    locks = read_sealed(lambda: [message]).locks
    assert len(locks) == vector["locks"]
    assert message.startswith(b"".join(locks))


@pytest.mark.claim("C2")
@settings(max_examples=150)
@given(
    length=st.sampled_from(BORDERS).flatmap(lambda b: st.integers(max(0, b - 300), b + 300)),
    lock_bytes=st.sampled_from([0, 300, 2041, 2042]),
    step=st.sampled_from([1000, PART, PART + 1, 300_000]),
)
def test_message_of_any_length_is_a_size_class_and_opens_again(
    length: int, lock_bytes: int, step: int
) -> None:
    content = pattern(length)
    message = seal(content, locks=lock_of(lock_bytes) if lock_bytes else b"", step=step)
    assert len(message) == padme(len(message))
    assert unseal(message, step=step) == content


@pytest.mark.claim("C2")
def test_message_at_every_border_of_two_size_classes_steps_from_one_to_the_next() -> None:
    sizes = [len(seal(b"x" * length)) for length in range(16_000, 17_600)]
    assert set(sizes) == {16_384, 17_408, 18_432}
    assert sizes == sorted(sizes)


def test_message_with_a_last_part_that_is_full_or_empty_opens_again() -> None:
    found = set()
    for lock_bytes in range(2030, 2050):  # 67,584 is the class that these reach
        message = seal(pattern(64_500), locks=lock_of(lock_bytes))
        assert unseal(message) == pattern(64_500)
        last = (len(message) - lock_bytes - 6) % (PART + 1)
        found.add(last)
    assert {0, PART} <= found


@given(length=st.integers(6, 10 * PART))
def test_packet_of_every_length_has_one_body_that_fits(length: int) -> None:
    body = body_bytes(length)
    assert body + full_parts(length) + 6 == length
    assert packet_bytes(body) <= length


@settings(max_examples=30)
@given(
    length=st.sampled_from([7, PART, PART + 6, PART + 7, 2 * PART + 7]).flatmap(
        lambda n: st.integers(max(6, n - 3), n + 3)
    )
)
def test_packet_of_a_wanted_length_is_written_and_read_back(length: int) -> None:
    body, out = pattern(body_bytes(length)), bytearray()
    writer = PartWriter(b"\xcb", sink=out.extend)
    writer.write(body)
    writer.finish(full_parts=full_parts(length))
    assert len(out) == length
    reader = OctetReader([bytes(out)])
    assert b"".join(read_parts(reader, b"\xcb")) == body
    assert reader.up_to(1) == b""


@given(count=st.integers(LEAST_PADDING_BYTES, 3 * PART))
def test_padding_of_every_length_is_made_and_recognised(count: int) -> None:
    padding = b"".join(make_padding(count))
    assert len(padding) == count
    assert list(read_blocks(OctetReader([padding]))) == []


@settings(max_examples=100)
@given(at=st.integers(0, 16_383), bit=st.integers(0, 7))
def test_message_with_any_bit_turned_gives_not_one_octet(at: int, bit: int) -> None:
    message = bytearray(seal(b"said quietly"))
    message[at] ^= 1 << bit
    given_out = []
    with pytest.raises((FormatError, AuthenticityError)):
        given_out.extend(read_sealed(lambda: [bytes(message)]).unseal(KEY))
    assert not given_out


@settings(max_examples=60)
@given(length=st.integers(0, 16_383))
def test_message_cut_anywhere_gives_not_one_octet(length: int) -> None:
    message = seal(b"said quietly")[:length]
    with pytest.raises(SottoError):
        unseal(message)


@given(message=st.binary(max_size=300))
def test_message_of_any_octets_raises_only_documented_errors(message: bytes) -> None:
    with pytest.raises((FormatError, AuthenticityError)):
        unseal(message)


@settings(max_examples=20)
@given(junk=st.binary(max_size=300))
def test_message_with_any_octets_after_a_good_head_raises_only_documented_errors(
    junk: bytes,
) -> None:
    message = seal(b"said quietly")[:40] + junk
    with pytest.raises((FormatError, AuthenticityError)):
        unseal(message)


def test_message_read_by_single_octets_opens_like_one_read_at_once() -> None:
    message = seal(b"said quietly", locks=lock_of(300))
    assert unseal(message, step=1) == unseal(message) == b"said quietly"


def test_message_that_changes_between_the_two_passes_is_refused_before_its_part_comes_out() -> None:
    content = pattern(5 * PART)
    good = seal(content)
    changed = good[: 4 * PART] + bytes([good[4 * PART] ^ 1]) + good[4 * PART + 1 :]
    versions = iter([good, good, changed])
    out = []
    with pytest.raises(AuthenticityError, match="changed while it was read"):
        out.extend(read_sealed(lambda: [next(versions)]).unseal(KEY))
    assert content.startswith(b"".join(out))
    assert len(b"".join(out)) < 4 * PART


def test_message_that_shrinks_between_the_two_passes_is_refused() -> None:
    long, short = seal(pattern(5 * PART)), seal(pattern(PART))
    versions = iter([long, long, short])
    with pytest.raises(SottoError):
        b"".join(read_sealed(lambda: [next(versions)]).unseal(KEY))


def test_message_with_too_many_locks_is_refused() -> None:
    with pytest.raises(FormatError):
        read_sealed(lambda: [seal(b"", locks=lock_of(30) * (limits.LOCKS_COUNT + 1))])


def test_sealer_gives_another_ciphertext_each_time() -> None:
    assert seal(b"same") != seal(b"same")


def test_sealer_that_has_finished_takes_no_more() -> None:
    sealer = Sealer(session_key=KEY, locks=b"", file_name="x")
    sealer.finish()
    with pytest.raises(ValueError, match="finished"):
        sealer.update(b"more")
    with pytest.raises(ValueError, match="finished"):
        sealer.finish()


def test_sealer_of_more_than_an_archive_may_hold_refuses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "SEALED_BYTES", 1000)
    sealer = Sealer(session_key=KEY, locks=b"", file_name="x")
    with pytest.raises(CapacityError):
        sealer.update(bytes(1001))


@pytest.mark.parametrize(("key", "name"), [(bytes(31), "x"), (bytes(32), "x" * 256)])
def test_sealer_with_a_key_or_name_of_wrong_length_refuses(key: bytes, name: str) -> None:
    with pytest.raises(FormatError):
        Sealer(session_key=SessionKey(key), locks=b"", file_name=name)


@pytest.mark.claim("C5")
def test_sealing_and_unsealing_keep_memory_constant(tmp_path: Path) -> None:
    path, piece, count = tmp_path / "sealed", os.urandom(PART), 800

    def source() -> Iterator[bytes]:
        with path.open("rb") as sealed:
            while part := sealed.read(PART):
                yield part

    tracemalloc.start()
    try:
        sealer = Sealer(session_key=KEY, locks=b"", file_name="x")
        with path.open("wb") as out:
            for _ in range(count):
                out.write(sealer.update(piece))
            for rest in sealer.finish_in_pieces():
                out.write(rest)
        assert sum(map(len, read_sealed(source).unseal(KEY))) == count * PART
        peak_bytes = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak_bytes < 4 * limits.MIB  # of 50 MiB
