import hashlib
from contextlib import suppress
from dataclasses import replace
from datetime import date
from typing import Any
from zlib import crc32

import pytest
from archives import archive_in
from days import days
from hypothesis import given
from hypothesis import strategies as st
from vector_files import outcome_of, vectors_of

from protocol import limits
from protocol.bundle import (
    BundleEnvelope,
    BundleHead,
    BundleReader,
    RecipientCertificate,
    bundle_frame,
    bundle_order,
    read_bundle_head,
)
from protocol.errors import AuthenticityError, FormatError
from protocol.names import EnvelopeId, Fingerprint, RecipientName, RelayId

NAME = RecipientName("counselor-1")
CONTENTS = [b"some text", b"a much longer text " * 50, b"other text"]
ENVELOPES = tuple(
    BundleEnvelope(
        id=EnvelopeId(bytes([at]) * 16), size_bytes=len(data), sha256=hashlib.sha256(data).digest()
    )
    for at, data in enumerate(CONTENTS)
)
DATA = dict(zip((one.id for one in ENVELOPES), CONTENTS, strict=True))
HEAD = BundleHead(
    relay=RelayId("0B" * 20),
    cut=7,
    day=date(2026, 11, 22),
    envelopes=tuple(sorted(ENVELOPES, key=bundle_order)),
    serials={NAME: 3},
    certificates=(RecipientCertificate(NAME, Fingerprint("A1" * 20), b"\x99\x01"),),
    policy="generic",
    policy_version="1",
    warnings=("The disk is nearly full.",),
)
fingerprints = st.from_regex("[0-9A-F]{40}", fullmatch=True).map(Fingerprint)
recipients = st.from_regex("[a-z0-9-]{1,32}", fullmatch=True).map(RecipientName)
lines = st.text(st.characters(codec="utf-8"), max_size=50)
envelopes = st.builds(
    BundleEnvelope,
    id=st.binary(min_size=16, max_size=16).map(EnvelopeId),
    size_bytes=st.integers(1, limits.ARCHIVE_BYTES),
    sha256=st.binary(min_size=32, max_size=32),
)
heads = st.builds(
    BundleHead,
    relay=fingerprints.map(RelayId),
    cut=st.integers(0, 2**53 - 1),
    day=days,
    envelopes=st.lists(envelopes, max_size=5, unique_by=lambda one: one.id).map(
        lambda found: tuple(sorted(found, key=bundle_order))
    ),
    serials=st.dictionaries(recipients, st.integers(0, 2**53 - 1), max_size=4),
    certificates=st.lists(
        st.builds(RecipientCertificate, recipients, fingerprints, st.binary(min_size=1)),
        max_size=3,
        unique_by=lambda one: one.recipient,
    ).map(tuple),
    policy=lines,
    policy_version=lines,
    warnings=st.lists(lines, max_size=3).map(tuple),
)


def bundle_of(head: BundleHead, contents: dict[EnvelopeId, bytes]) -> bytes:
    document = head.encode()
    parts = [document, b"signature", *(contents[one.id] for one in head.envelopes)]
    listed = [(one, crc32(contents[one.id])) for one in head.envelopes]
    frame = bundle_frame(document, b"signature", listed)
    laid = b"".join(h + part for h, part in zip(frame.headers, parts, strict=True))
    assert len(laid + frame.tail) == frame.total_bytes
    return laid + frame.tail


@pytest.mark.parametrize("vector", vectors_of("bundle", kind="head"))
def test_head_vector_is_read_or_refused_as_it_says(vector: dict[str, Any]) -> None:
    document = vector["document"].encode()
    assert outcome_of(lambda: read_bundle_head(document)) == vector["expect"]
    if vector["expect"] == "success":
        assert read_bundle_head(document).encode() == document


@pytest.mark.parametrize("vector", vectors_of("bundle", kind="bundle"))
def test_bundle_vector_is_read_or_refused_as_it_says(vector: dict[str, Any]) -> None:
    def read() -> list[str]:
        bundle = BundleReader(archive_in(bytes.fromhex(vector["archive"])))
        for one in bundle.head.envelopes:
            if one.id not in bundle.missing:
                assert b"".join(bundle.read(one))
        return [envelope.hex() for envelope in bundle.missing]

    assert outcome_of(read) == vector["expect"]
    if vector["expect"] == "success":
        assert read() == vector["missing"]


@given(heads)
def test_head_encoded_and_read_is_the_same(head: BundleHead) -> None:
    assert read_bundle_head(head.encode()) == head


def test_head_encodes_the_same_in_whatever_order_envelopes_were_found() -> None:
    # The order in which they came must not travel.
    mixed = replace(HEAD, envelopes=tuple(reversed(HEAD.envelopes)))
    assert mixed.encode() == HEAD.encode()


def test_bundle_laid_out_and_read_gives_every_envelope_small_ones_first() -> None:
    bundle = BundleReader(archive_in(bundle_of(HEAD, DATA)))
    assert bundle.head == HEAD
    assert bundle.head_bytes == HEAD.encode()
    assert bundle.signature == b"signature"
    assert bundle.missing == ()
    sizes = [one.size_bytes for one in bundle.head.envelopes]
    assert sizes == sorted(sizes)
    for one in bundle.head.envelopes:
        assert b"".join(bundle.read(one)) == DATA[one.id]


def test_bundle_of_one_cut_has_the_same_bytes_each_time() -> None:
    assert bundle_of(HEAD, DATA) == bundle_of(HEAD, DATA)


@pytest.mark.claim("C7")
def test_bundle_is_opened_by_an_ordinary_unzip() -> None:
    from io import BytesIO
    from zipfile import ZipFile

    with ZipFile(BytesIO(bundle_of(HEAD, DATA))) as bundle:
        assert bundle.testzip() is None
        assert bundle.namelist()[:2] == ["bundle.json", "bundle.json.asc"]
        for one in ENVELOPES:
            assert bundle.read(f"envelopes/{one.id.hex()}.pgp") == DATA[one.id]


def test_bundle_with_an_envelope_exchanged_is_told_at_its_end() -> None:
    first = HEAD.envelopes[0]
    forged = DATA | {first.id: bytes(first.size_bytes)}
    bundle = BundleReader(archive_in(bundle_of(HEAD, forged)))
    with pytest.raises(AuthenticityError):
        list(bundle.read(first))


def test_frame_of_other_envelopes_than_the_head_lists_is_not_made() -> None:
    listed = [(one, 0) for one in HEAD.envelopes]
    for wrong in (listed[:-1], listed[::-1], [*listed, listed[0]]):
        with pytest.raises(FormatError):
            bundle_frame(HEAD.encode(), b"signature", wrong)


@pytest.mark.parametrize(
    "head",
    [
        replace(HEAD, relay=RelayId("0b" * 20)),
        replace(HEAD, envelopes=(ENVELOPES[0], ENVELOPES[0])),
        replace(HEAD, cut=-1),
        replace(HEAD, warnings=("x" * 2_001,)),
        replace(HEAD, serials={RecipientName("../x"): 1}),
        replace(HEAD, certificates=HEAD.certificates * 2),
    ],
    ids=[
        "a relay in small letters",
        "an envelope twice",
        "a cut below zero",
        "a warning too long",
        "a path as name",
        "two certificates of one recipient",
    ],
)
def test_head_that_no_reader_would_take_is_not_written(head: BundleHead) -> None:
    with pytest.raises(FormatError):
        head.encode()


@given(st.binary(max_size=300))
def test_any_bytes_raise_only_the_documented_errors(data: bytes) -> None:
    assert outcome_of(lambda: read_bundle_head(data)) == "FormatError"
    assert outcome_of(lambda: BundleReader(archive_in(data))) == "FormatError"


@given(st.data())
def test_head_with_any_one_octet_changed_is_another_head_or_refused(data: st.DataObject) -> None:
    document = HEAD.encode()
    at = data.draw(st.integers(0, len(document) - 1))
    octet = data.draw(st.integers(0, 255).filter(lambda value: value != document[at]))
    changed = document[:at] + bytes([octet]) + document[at + 1 :]
    with suppress(FormatError):
        assert read_bundle_head(changed) != HEAD
