import base64
import json
from dataclasses import replace
from datetime import date
from itertools import islice
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PublicKey
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, MLKEM768X25519PublicKey, Suite
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from days import days
from hypothesis import given
from hypothesis import strategies as st
from vector_files import outcome_of, vectors_of
from xwing import open_base

from protocol.derivation import derive_reporter_keys, generate_throwaway_keys, mailbox_id
from protocol.errors import AuthenticityError, CapacityError, FormatError
from protocol.names import MailboxId, ReceiptRoot, RecipientName
from protocol.replypage import (
    PAGE_BYTES,
    SLOT_BYTES,
    Reply,
    ReplyPage,
    open_slot,
    read_reply_page,
    seal_empty_slot,
    seal_empty_slots,
    seal_reply_page,
)

ROOT = ReceiptRoot(bytes(range(32)))
KEYS = derive_reporter_keys(ROOT)
PAGE = ReplyPage(
    mailbox=KEYS.mailbox_id,
    recipient=RecipientName("counselor-1"),
    day=date(2026, 11, 22),
    status="open",
    acknowledge_by=date(2026, 12, 6),
    feedback_by=None,
    replies=(Reply(number=1, day=date(2026, 11, 22), text="نشكرك. When was it?"),),
)
texts = st.text(st.characters(codec="utf-8"), max_size=100)
pages = st.builds(
    ReplyPage,
    mailbox=st.just(KEYS.mailbox_id),
    recipient=st.from_regex("[a-z0-9-]{1,32}", fullmatch=True).map(RecipientName),
    day=days,
    status=texts,
    acknowledge_by=st.none() | days,
    feedback_by=st.none() | days,
    replies=st.lists(
        st.builds(Reply, number=st.integers(1, 2**53 - 1), day=days, text=texts),
        max_size=4,
    ).map(tuple),
    outcome=texts,
)


@pytest.mark.parametrize("vector", vectors_of("replypage", kind="page"))
def test_page_vector_is_read_or_refused_as_it_says(vector: dict[str, Any]) -> None:
    plain = bytes.fromhex(vector["plaintext_without_zeros"]).ljust(vector["size_bytes"], b"\0")
    assert outcome_of(lambda: read_reply_page(plain)) == vector["expect"]
    if vector["expect"] == "success":
        assert read_reply_page(plain).encode() == plain
        assert (
            read_reply_page(plain).replies[0].text
            == (json.loads(vector["document"])["replies"][0]["text"])
        )


@pytest.mark.parametrize("vector", vectors_of("replypage", kind="slot"))
def test_slot_vector_opens_or_is_refused_as_it_says(vector: dict[str, Any]) -> None:
    keys = derive_reporter_keys(ReceiptRoot(bytes.fromhex(vector["root"])))
    slot = base64.b64decode(vector["slot"])
    assert outcome_of(lambda: open_slot(slot, keys)) == vector["expect"]
    if vector["expect"] == "success":
        assert (
            open_slot(slot, keys)
            .encode()
            .startswith(
                len(vector["document"].encode()).to_bytes(4, "big") + vector["document"].encode()
            )
        )


def test_slot_opens_by_x_wing_and_hpke_written_out_from_their_specifications() -> None:
    slot = seal_reply_page(PAGE, KEYS.reply_public)
    seed = HKDF(hashes.SHA256(), 32, None, b"sotto/1 reply key").derive(ROOT)
    assert open_base(seed, slot, b"sotto/1 reply" + KEYS.mailbox_id) == PAGE.encode()


@given(pages)
def test_page_sealed_and_opened_is_the_same(page: ReplyPage) -> None:
    assert read_reply_page(page.encode()) == page
    slot = seal_reply_page(page, KEYS.reply_public)
    assert len(slot) == SLOT_BYTES
    assert open_slot(slot, KEYS) == page


@pytest.mark.claim("C2")
def test_every_slot_has_one_size_whether_long_short_or_empty() -> None:
    long = replace(PAGE, replies=tuple(replace(PAGE.replies[0], number=n) for n in range(1, 150)))
    none = replace(PAGE, replies=())
    slots = [seal_reply_page(page, KEYS.reply_public) for page in (PAGE, long, none)]
    slots += [seal_empty_slot(), *seal_empty_slots(3)]
    assert {len(slot) for slot in slots} == {17_520}
    assert len({slot[:1_120] for slot in slots}) == len(slots)


@pytest.mark.claim("C2")
def test_empty_slots_look_like_sealed_pages_in_every_statistic_of_the_encapsulation() -> None:
    # Random octets would fail this: the last octet of a point of Curve25519 is below 128.
    points = [slot[1_088:1_120] for slot in islice(seal_empty_slots(200), 200)]
    real = [seal_reply_page(PAGE, KEYS.reply_public)[1_088:1_120] for _ in range(200)]
    assert max(point[31] for point in points) < 128
    assert max(point[31] for point in real) < 128


def test_empty_slot_opens_for_nobody() -> None:
    for slot in (seal_empty_slot(), *seal_empty_slots(2)):
        with pytest.raises(AuthenticityError):
            open_slot(slot, KEYS)


@pytest.mark.claim("C4")
def test_page_cannot_be_put_under_another_mailbox() -> None:
    stranger = generate_throwaway_keys()
    with pytest.raises(AuthenticityError):
        seal_reply_page(PAGE, stranger.reply_public)
    with pytest.raises(AuthenticityError):
        open_slot(seal_reply_page(PAGE, KEYS.reply_public), stranger)


@pytest.mark.claim("C4")
def test_page_of_another_mailbox_sealed_to_this_key_is_refused() -> None:
    foreign = replace(PAGE, mailbox=MailboxId(bytes(16))).encode()
    public = MLKEM768X25519PublicKey(
        MLKEM768PublicKey.from_public_bytes(KEYS.reply_public[:1_184]),
        X25519PublicKey.from_public_bytes(KEYS.reply_public[1_184:]),
    )
    suite = Suite(KEM.MLKEM768_X25519, KDF.HKDF_SHA256, AEAD.CHACHA20_POLY1305)
    slot = suite.encrypt(foreign, public, info=b"sotto/1 reply" + KEYS.mailbox_id)
    with pytest.raises(AuthenticityError):
        open_slot(slot, KEYS)


def test_replies_that_do_not_fit_are_refused_with_the_page_untouched() -> None:
    with pytest.raises(CapacityError):
        replace(PAGE, outcome="x" * PAGE_BYTES).encode()
    fits = replace(PAGE, outcome="x" * 16_000)
    assert len(fits.encode()) == PAGE_BYTES


@pytest.mark.parametrize(
    "page",
    [
        replace(PAGE, recipient=RecipientName("Head")),
        replace(PAGE, status="x" * 201),
        replace(PAGE, mailbox=MailboxId(b"short")),
        replace(PAGE, replies=(replace(PAGE.replies[0], number=0),)),
    ],
    ids=["a name in capitals", "a status too long", "an id too short", "reply number zero"],
)
def test_page_that_no_reader_would_take_is_not_written(page: ReplyPage) -> None:
    with pytest.raises(FormatError):
        page.encode()


@pytest.mark.parametrize(
    "reply_public",
    [
        b"",
        KEYS.reply_public[:-1],
        KEYS.reply_public + b"\0",
        b"\xff" * 1_216,
        KEYS.reply_public[:1_184] + bytes(32),
    ],
    ids=["nothing", "short", "long", "coefficients too large", "point of low order"],
)
def test_key_that_is_no_reply_key_is_refused(reply_public: bytes) -> None:
    page = replace(PAGE, mailbox=mailbox_id(reply_public))
    with pytest.raises(FormatError):
        seal_reply_page(page, reply_public)


@given(st.binary(max_size=200), st.integers(0, 2**32 - 1))
def test_any_bytes_raise_only_the_documented_errors(data: bytes, length: int) -> None:
    padded = (length.to_bytes(4, "big") + data).ljust(PAGE_BYTES, b"\0")
    for plain in (data, padded, data.ljust(PAGE_BYTES, b"\0")):
        with pytest.raises(FormatError):
            read_reply_page(plain)
    with pytest.raises(FormatError):
        open_slot(data, KEYS)
    with pytest.raises(AuthenticityError):
        open_slot(data.ljust(SLOT_BYTES, b"\1"), KEYS)
