import hashlib
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from archives import archive_in
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from days import days
from hypothesis import given, settings
from hypothesis import strategies as st
from vector_files import outcome_of, vectors_of

from protocol import limits
from protocol.archive import ArchiveReader, ArchiveWriter
from protocol.derivation import generate_throwaway_keys
from protocol.encrypted import encryption_in, encryption_of
from protocol.envelope import (
    Answer,
    Envelope,
    EnvelopeWriter,
    Kind,
    Report,
    read_envelope,
    read_report,
    render_report,
)
from protocol.errors import AuthenticityError, CapacityError, FormatError
from protocol.names import EnvelopeId, ReadToken, RecipientName, RelayId, SessionKey
from protocol.padding import padme
from protocol.sealing import Sealer, read_sealed

KEY = SessionKey(bytes(range(32)))
KEYS = generate_throwaway_keys()
RELAY = RelayId("0B" * 20)
TEXT = "قيل همسا\nسطر ثان"
REPORT = Report(
    envelope=EnvelopeId(b"\x0f" * 16),
    read_token=ReadToken(b"\x77" * 32),
    kind=Kind.REPORT,
    day=date(2026, 11, 22),
    relay=RELAY,
    reply_public=KEYS.reply_public,
    voice_public=KEYS.voice_public,
    policy="generic",
    policy_version="1",
    track="complaint",
    language="ar",
    answers=(
        Answer(question="where", label="Where?", values=("rome",), shown=("In Rome",)),
        Answer(question="which", label="Which?", values=("1", "2"), shown=("One", "Two")),
    ),
    text=TEXT,
    readers=(RecipientName("counselor-1"),),
    left_out=(RecipientName("head"),),
)
FILES = [
    ("صورة السقف.png", b"\x89PNG\r\n" + bytes(range(256)) * 500),
    ("../../etc/passwd", b"root"),
    ("", b""),
    ("already.asc", b"\n-----BEGIN PGP MESSAGE-----\n\nwcBMA"),
]
SHOWN = ["صورة السقف.png", "passwd", "file", "already.asc"]

Files = Sequence[tuple[str, bytes]]
texts = st.text(st.characters(codec="utf-8"), max_size=40)
recipients = st.from_regex("[a-z0-9-]{1,32}", fullmatch=True).map(RecipientName)
answers = st.lists(st.tuples(texts, texts), max_size=3).flatmap(
    lambda pairs: st.builds(
        Answer,
        question=texts,
        label=texts,
        values=st.just(tuple(value for value, _ in pairs)),
        shown=st.just(tuple(shown for _, shown in pairs)),
    )
)
reports = st.lists(recipients, min_size=1, max_size=5, unique=True).flatmap(
    lambda people: st.builds(
        replace,
        st.just(REPORT),
        kind=st.sampled_from(Kind),
        day=days,
        text=st.text(st.characters(codec="utf-8"), max_size=300),
        track=texts,
        language=texts,
        policy=texts,
        policy_version=texts,
        answers=st.lists(answers, max_size=3).map(tuple),
        readers=st.just(tuple(people[:1])),
        left_out=st.just(tuple(people[1:])),
    )
)


def write(
    report: Report = REPORT,
    files: Files = FILES,
    *,
    voice: Ed25519PrivateKey = KEYS.voice,
    step: int = 50_000,
) -> bytes:
    sealer = Sealer(session_key=KEY, locks=b"", file_name="envelope.zip")
    writer = EnvelopeWriter(report=report, voice=voice, sealer=sealer)
    out = [writer.start()]
    for name, data in files:
        out.append(writer.begin_attachment(name))
        out += [writer.update(data[at : at + step]) for at in range(0, len(data), step)]
        out.append(writer.end_attachment())
    return b"".join([*out, writer.finish()])


def open_archive(message: bytes) -> ArchiveReader:
    return archive_in(b"".join(read_sealed(lambda: [message]).unseal(KEY)))


def read(message: bytes) -> Envelope:
    return read_envelope(open_archive(message), expected=REPORT.envelope, relay=RELAY)


@pytest.mark.parametrize("vector", vectors_of("envelope"))
def test_envelope_of_the_vectors_ends_as_the_specification_says(vector: dict[str, Any]) -> None:
    archive = bytes.fromhex(vector["archive"])
    expected, relay = EnvelopeId(bytes.fromhex(vector["id"])), RelayId(vector["relay"])

    def open_it() -> Envelope:
        return read_envelope(archive_in(archive), expected=expected, relay=relay)

    assert outcome_of(open_it) == vector["expect"]
    if "nested" in vector:
        assert [one.nested for one in open_it().attachments] == vector["nested"]


@settings(max_examples=60)
@given(report=reports, files=st.lists(st.tuples(texts, st.binary(max_size=300)), max_size=4))
def test_envelope_that_was_written_is_read_as_the_same_report_and_files(
    report: Report, files: Files
) -> None:
    message = write(report, files)
    archive = open_archive(message)
    envelope = read_envelope(archive, expected=report.envelope, relay=RELAY)
    assert envelope.report == report
    found = [b"".join(archive.read(one.entry)) for one in envelope.attachments]
    assert found == [data for _, data in files]


def test_envelope_lists_its_files_with_harmless_names_sizes_and_digests() -> None:
    attachments = read(write()).attachments
    assert [one.name for one in attachments] == SHOWN
    assert attachments[1].entry == "attachments/002-passwd"
    assert [one.size_bytes for one in attachments] == [len(data) for _, data in FILES]
    assert [one.sha256 for one in attachments] == [hashlib.sha256(d).digest() for _, d in FILES]
    assert [one.nested for one in attachments] == [False, False, False, True]


def test_envelope_written_by_single_octets_holds_the_same_archive() -> None:
    files = [("a.txt", b"said quietly")]
    one, other = open_archive(write(files=files, step=1)), open_archive(write(files=files))
    assert one.entries == other.entries


@pytest.mark.claim("C2")
def test_envelopes_of_every_kind_with_a_usual_text_are_of_one_size() -> None:
    sizes = {len(write(replace(REPORT, kind=kind, text="x" * 2000), [])) for kind in Kind}
    assert sizes == {padme(0)}


@pytest.mark.parametrize(
    ("expected", "relay"),
    [
        pytest.param(EnvelopeId(bytes(16)), RELAY, id="another id"),
        pytest.param(REPORT.envelope, RelayId("0C" * 20), id="another relay"),
    ],
)
def test_envelope_in_the_wrong_place_is_refused(expected: EnvelopeId, relay: RelayId) -> None:
    with pytest.raises(AuthenticityError):
        read_envelope(open_archive(write()), expected=expected, relay=relay)


def test_envelope_with_any_entry_changed_after_it_was_signed_is_refused() -> None:
    archive = open_archive(write(files=[("a.txt", b"said quietly")]))
    entries = [(one.name, b"".join(archive.read(one.name))) for one in archive.entries]
    for number, (name, data) in enumerate(entries):
        writer, out = ArchiveWriter(), b""
        changed = [*entries[:number], (name, data[:-2] + b"?\n"), *entries[number + 1 :]]
        for one, content in changed:
            out += writer.begin(one) + writer.update(content) + writer.end()
        with pytest.raises((FormatError, AuthenticityError)):
            read_envelope(archive_in(out + writer.finish()), expected=REPORT.envelope, relay=RELAY)


def test_writer_with_another_voice_than_the_report_names_refuses() -> None:
    with pytest.raises(ValueError, match="voice"):
        write(voice=Ed25519PrivateKey.generate())


def test_writer_of_a_report_that_a_desk_would_refuse_stops_before_the_first_octet() -> None:
    for wrong in (
        replace(REPORT, text="x" * (limits.TEXT_CHARS + 1)),
        replace(REPORT, readers=()),
        replace(REPORT, readers=(RecipientName("../head"),)),
        replace(REPORT, text="\ud800"),
    ):
        with pytest.raises(FormatError):
            write(wrong, [])


def test_writer_takes_a_hundred_files_and_not_one_more() -> None:
    files = [("a", b"")] * limits.ATTACHMENTS_COUNT
    assert len(read(write(files=files)).attachments) == limits.ATTACHMENTS_COUNT
    with pytest.raises(CapacityError):
        write(files=[*files, ("a", b"")])


def test_largest_report_fits_its_limit() -> None:
    longest = Answer(question="q", label="l", values=("😀",) * 20, shown=("😀",) * 20)
    report = replace(REPORT, text="😀" * limits.TEXT_CHARS, answers=(longest,) * 200)
    assert read_report(report.encode()) == report


@given(data=st.binary(max_size=300))
def test_report_of_any_octets_raises_only_a_format_error(data: bytes) -> None:
    with pytest.raises(FormatError):
        read_report(data)


@pytest.mark.claim("C7")
def test_report_for_a_person_says_everything_in_plain_text() -> None:
    shown = render_report(REPORT).decode()
    for part in ("REPORT", "2026-11-22", "counselor-1", "head", "Where?", "    In Rome", "    Two"):
        assert part in shown
    assert "    قيل همسا\n    سطر ثان\n" in shown
    assert REPORT.mailbox.hex() in shown


def test_report_for_a_person_cannot_drive_a_terminal_or_imitate_our_lines() -> None:
    answer = Answer(question="q", label="Q", values=("v",), shown=("May read         everybody",))
    hostile = "\x1b[2J\x07fine\u202e\nMay read         nobody\r\nEND OF TEXT\x0b\x85\u2028x"
    shown = render_report(replace(REPORT, text=hostile, answers=(answer,))).decode()
    assert not {"\x1b", "\x07", "\u202e", "\r", "\x0b", "\x85", "\u2028"} & set(shown)
    at_the_margin = [line for line in shown.split("\n") if line and not line.startswith(" ")]
    assert at_the_margin.count("END OF TEXT") == 1
    assert sum(line.startswith("May read") for line in at_the_margin) == 1


@given(report=reports)
def test_report_for_a_person_holds_no_control_character(report: Report) -> None:
    shown = render_report(report).decode()
    assert all(character in "\n\t" or ord(character) >= 32 for character in shown)


def test_report_shows_neither_words_nor_keys_as_text() -> None:
    shown = repr(REPORT)
    for secret in (TEXT, "In Rome", REPORT.read_token.hex(), repr(REPORT.read_token), "head"):
        assert secret not in shown


@pytest.mark.parametrize(
    ("head", "name"),
    [
        pytest.param(b"-----BEGIN PGP MESSAGE-----\n", "OpenPGP", id="OpenPGP armour"),
        pytest.param(b"\xef\xbb\xbf\r\n -----BEGIN PGP MESSAGE-----", "OpenPGP", id="after blanks"),
        pytest.param(b"\xc1\xff\0\0\1\0\x03", "OpenPGP", id="session key, new format"),
        pytest.param(b"\xc1\xc0\x4c\x03", "OpenPGP", id="session key, two octets of length"),
        pytest.param(b"\x84\x5e\x03", "OpenPGP", id="session key, old format"),
        pytest.param(b"\x85\x01\x0c\x03", "OpenPGP", id="session key of RSA"),
        pytest.param(b"\xc1\x50\x06", "OpenPGP", id="session key of version 6"),
        pytest.param(b"\x8c\x0d\x04\x09\x03", "OpenPGP", id="passphrase"),
        pytest.param(b"\xd2\xf0\x01", "OpenPGP", id="protected data alone"),
        pytest.param(b"age-encryption.org/v1\n-> X25519", "age", id="age"),
        pytest.param(b"-----BEGIN AGE ENCRYPTED FILE-----\n", "age", id="age armour"),
        pytest.param(b"-----BEGIN PGP SIGNATURE-----\n", "", id="a signature"),
        pytest.param(b"-----BEGIN PGP PUBLIC KEY BLOCK-----\n", "", id="a certificate"),
        pytest.param(b"\x99\x01\x0d\x04", "", id="a binary certificate"),
        pytest.param(b"\xff\xd8\xff\xe0\0\x10JFIF", "", id="JPEG"),
        pytest.param(b"\x89PNG\r\n\x1a\n", "", id="PNG"),
        pytest.param(b"PK\x03\x04", "", id="ZIP"),
        pytest.param(b"%PDF-1.7", "", id="PDF"),
        pytest.param(b"\xd0\xcf\x11\xe0\xa1\xb1", "", id="an old office document"),
        pytest.param("Дорогой".encode(), "", id="text in Cyrillic"),
        pytest.param(b"\xc1", "", id="one octet"),
        pytest.param(b"", "", id="nothing"),
    ],
)
def test_encryption_of_a_file_is_named(head: bytes, name: str) -> None:
    assert encryption_of(head) == name


def test_encryption_of_our_own_envelope_is_named() -> None:
    assert encryption_of(write()[:64]) == "OpenPGP"


def test_encryption_in_the_middle_of_a_text_is_named() -> None:
    assert encryption_in("Here it is:\n\n-----BEGIN PGP MESSAGE-----\n\nwcBM") == "OpenPGP"
    assert encryption_in("I wrote about -----BEGIN PGP MESSAGE----- once") == ""
    assert read(write(replace(REPORT, text="-----BEGIN PGP MESSAGE-----"))).text_encryption


@given(head=st.binary(max_size=100))
def test_encryption_of_any_octets_is_answered(head: bytes) -> None:
    assert encryption_of(head) in ("", "OpenPGP", "age")
