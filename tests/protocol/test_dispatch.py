import hashlib
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from archives import archive_in
from days import days
from hypothesis import given
from hypothesis import strategies as st
from vector_files import outcome_of, vectors_of

from protocol import limits
from protocol.archive import ArchiveWriter
from protocol.dispatch import (
    Acknowledgement,
    DispatchHead,
    DispatchReader,
    Notice,
    SlotDigest,
    encode_dispatch,
    read_dispatch_head,
)
from protocol.errors import FormatError
from protocol.names import EnvelopeId, MailboxId, RecipientName, RelayId
from protocol.replypage import seal_empty_slots

SLOTS = [(MailboxId(bytes([at]) * 16), bytes([at]) * limits.SLOT_BYTES) for at in (1, 2, 3)]
HEAD = DispatchHead(
    relay=RelayId("0B" * 20),
    counselor=RecipientName("counselor-1"),
    serial=4,
    day=date(2026, 11, 22),
    acknowledgements=(
        Acknowledgement(envelope=EnvelopeId(b"\1" * 16), token=b"\2" * 32),
        Acknowledgement(envelope=EnvelopeId(b"\3" * 16), token=b"\4" * 32),
    ),
    slots=tuple(SlotDigest(mailbox, hashlib.sha256(slot).digest()) for mailbox, slot in SLOTS),
    notices=(Notice(language="en", text="Nobody reads from 24 December to 2 January."),),
    successor=None,
)
ids = st.binary(min_size=16, max_size=16)
tokens = st.binary(min_size=32, max_size=32)
lines = st.text(st.characters(codec="utf-8"), max_size=50)
heads = st.builds(
    DispatchHead,
    relay=st.from_regex("[0-9A-F]{40}", fullmatch=True).map(RelayId),
    counselor=st.from_regex("[a-z0-9-]{1,32}", fullmatch=True).map(RecipientName),
    serial=st.integers(1, 2**53 - 1),
    day=days,
    acknowledgements=st.dictionaries(ids, tokens, max_size=5).map(
        lambda found: tuple(
            Acknowledgement(envelope=EnvelopeId(one), token=found[one]) for one in sorted(found)
        )
    ),
    slots=st.dictionaries(ids, tokens, max_size=5).map(
        lambda found: tuple(SlotDigest(MailboxId(one), found[one]) for one in sorted(found))
    ),
    notices=st.lists(st.builds(Notice, language=lines, text=lines, kind=lines), max_size=3).map(
        tuple
    ),
    successor=st.none() | st.binary(min_size=1, max_size=100),
)


def archive_of_vector(entries: list[tuple[str, str | int]]) -> bytes:
    """Write the entries of a vector: text, or the octet that a slot repeats."""
    writer, written = ArchiveWriter(), b""
    for name, content in entries:
        data = (
            content.encode() if isinstance(content, str) else bytes([content]) * limits.SLOT_BYTES
        )
        written += writer.begin(name) + writer.update(data) + writer.end()
    return written + writer.finish()


def dispatch_of(head: DispatchHead, slots: list[tuple[MailboxId, bytes]]) -> bytes:
    return b"".join(encode_dispatch(head.encode(), b"signature", slots))


@pytest.mark.parametrize("vector", vectors_of("dispatch", kind="head"))
def test_head_vector_is_read_or_refused_as_it_says(vector: dict[str, Any]) -> None:
    document = vector["document"].encode()
    assert outcome_of(lambda: read_dispatch_head(document)) == vector["expect"]
    if vector["expect"] == "success":
        assert read_dispatch_head(document).encode() == document


@pytest.mark.parametrize("vector", vectors_of("dispatch", kind="dispatch"))
def test_dispatch_vector_is_read_or_refused_as_it_says(
    vector: dict[str, Any],
) -> None:
    archive = archive_of_vector(vector["entries"])
    assert hashlib.sha256(archive).hexdigest() == vector["archive_sha256"]
    assert outcome_of(lambda: list(DispatchReader(archive_in(archive)).slots())) == vector["expect"]


@given(heads)
def test_head_encoded_and_read_is_the_same(head: DispatchHead) -> None:
    assert read_dispatch_head(head.encode()) == head


@pytest.mark.claim("C2")
def test_head_encodes_the_same_in_whatever_order_the_desk_keeps_its_cases() -> None:
    mixed = replace(HEAD, slots=HEAD.slots[::-1], acknowledgements=HEAD.acknowledgements[::-1])
    assert mixed.encode() == HEAD.encode()


def test_dispatch_written_and_read_gives_every_slot() -> None:
    dispatch = DispatchReader(archive_in(dispatch_of(HEAD, SLOTS)))
    assert dispatch.head == HEAD
    assert dispatch.head_bytes == HEAD.encode()
    assert dispatch.signature == b"signature"
    assert list(dispatch.slots()) == SLOTS


def test_dispatch_of_no_mailboxes_is_read() -> None:
    head = replace(HEAD, slots=(), acknowledgements=(), notices=())
    assert list(DispatchReader(archive_in(dispatch_of(head, []))).slots()) == []


def test_dispatch_of_1500_mailboxes_is_written_and_read_within_seconds() -> None:
    sealed = sorted(
        (MailboxId(hashlib.sha256(slot).digest()[:16]), slot) for slot in seal_empty_slots(1_500)
    )
    listed = tuple(SlotDigest(box, hashlib.sha256(slot).digest()) for box, slot in sealed)
    dispatch = DispatchReader(archive_in(dispatch_of(replace(HEAD, slots=listed), sealed)))
    assert sum(1 for _ in dispatch.slots()) == 1_500


@pytest.mark.claim("C4")
@pytest.mark.parametrize(
    "slots",
    [
        SLOTS[:-1],
        SLOTS[::-1],
        [*SLOTS, (MailboxId(b"\4" * 16), SLOTS[0][1])],
        [(SLOTS[0][0], SLOTS[1][1]), *SLOTS[1:]],
        [(SLOTS[0][0], b"short"), *SLOTS[1:]],
    ],
    ids=["one missing", "another order", "one too many", "contents exchanged", "one too short"],
)
def test_dispatch_of_other_slots_than_the_head_lists_is_not_written(
    slots: list[tuple[MailboxId, bytes]],
) -> None:
    with pytest.raises(FormatError):
        dispatch_of(HEAD, slots)


@pytest.mark.parametrize(
    "head",
    [
        replace(HEAD, slots=HEAD.slots * 2),
        replace(HEAD, acknowledgements=HEAD.acknowledgements * 2),
        replace(HEAD, serial=0),
        replace(HEAD, counselor=RecipientName("Head of department")),
        replace(HEAD, relay=RelayId("relay")),
        replace(HEAD, notices=(Notice(language="en", text="x" * 2_001),)),
        replace(HEAD, successor=bytes(limits.CERTIFICATE_BYTES + 1)),
    ],
    ids=[
        "a mailbox twice",
        "an envelope acknowledged twice",
        "serial zero",
        "a name with capitals and spaces",
        "a relay that is no fingerprint",
        "a notice too long",
        "a successor too long",
    ],
)
def test_head_that_no_reader_would_take_is_not_written(head: DispatchHead) -> None:
    with pytest.raises(FormatError):
        head.encode()


@given(st.binary(max_size=300))
def test_any_bytes_raise_only_the_documented_errors(data: bytes) -> None:
    assert outcome_of(lambda: read_dispatch_head(data)) == "FormatError"
    assert outcome_of(lambda: DispatchReader(archive_in(data))) == "FormatError"


@given(st.data())
def test_dispatch_with_any_one_octet_changed_is_refused(data: st.DataObject) -> None:
    archive = dispatch_of(HEAD, SLOTS)
    at = data.draw(st.integers(0, len(archive) - 1))
    octet = data.draw(st.integers(1, 255))
    changed = archive[:at] + bytes([archive[at] ^ octet]) + archive[at + 1 :]
    assert outcome_of(lambda: list(DispatchReader(archive_in(changed)).slots())) == "FormatError"
