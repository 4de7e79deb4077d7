import io
import subprocess
import zipfile
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any
from zlib import crc32

import pytest
from archives import archive_in
from hypothesis import given
from hypothesis import strategies as st
from vector_files import outcome_of, vectors_of

from protocol import limits
from protocol.archive import ArchiveFrame, ArchiveReader, ArchiveWriter, StoredEntry
from protocol.errors import CapacityError, FormatError
from protocol.filenames import check_entry_name, safe_name

Entries = Sequence[tuple[str, bytes]]
SCRIPTS = [
    ("report.json", b"{}\n"),
    ("attachments/001-تقرير.pdf", b"%PDF"),
    ("attachments/002-報告書 é.txt", b""),
    ("attachments/003-😀 -rf.txt", bytes(70_000)),
]
names = st.text(st.characters(codec="utf-8"), min_size=1, max_size=30).map(safe_name)
entry_lists = st.lists(
    st.tuples(names, st.binary(max_size=400)), max_size=5, unique_by=lambda one: one[0].casefold()
)


def stream(entries: Entries, step: int = 1 << 20) -> bytes:
    writer, out = ArchiveWriter(), []
    for name, data in entries:
        out.append(writer.begin(name))
        out += [writer.update(data[at : at + step]) for at in range(0, len(data), step)]
        out.append(writer.end())
    return b"".join([*out, writer.finish()])


def frame(entries: Entries) -> bytes:
    framed = ArchiveFrame([StoredEntry(n, len(data), crc32(data)) for n, data in entries])
    pieces = [
        p for head, (_, data) in zip(framed.headers, entries, strict=True) for p in (head, data)
    ]
    archive = b"".join([*pieces, framed.tail])
    assert len(archive) == framed.total_bytes
    return archive


def contents(archive: bytes) -> list[tuple[str, bytes]]:
    reader = archive_in(archive)
    return [(entry.name, b"".join(reader.read(entry.name))) for entry in reader.entries]


@pytest.mark.parametrize("vector", vectors_of("archive"))
def test_archive_of_the_vectors_ends_as_the_specification_says(vector: dict[str, Any]) -> None:
    archive = bytes.fromhex(vector["archive"])
    assert outcome_of(lambda: contents(archive)) == vector["expect"]
    if vector["expect"] == "success":
        expected = [(name, bytes.fromhex(data)) for name, data in vector["entries"]]
        assert contents(archive) == expected
        assert archive in (stream(expected), frame(expected))


@given(entries=entry_lists, step=st.integers(1, 500))
def test_archive_streamed_or_framed_holds_what_was_written(entries: Entries, step: int) -> None:
    with suppress(FormatError):  # names that differ only by more than case folding
        assert contents(stream(entries, step)) == list(entries)
        assert contents(frame(entries)) == list(entries)


@given(archive=st.binary(max_size=200))
def test_archive_of_any_octets_raises_only_a_format_error(archive: bytes) -> None:
    with suppress(FormatError):
        contents(archive)


@given(data=st.data(), streamed=st.booleans())
def test_archive_with_any_octet_changed_is_refused(data: st.DataObject, streamed: bool) -> None:
    good = stream(SCRIPTS[:3]) if streamed else frame(SCRIPTS[:3])
    at, octet = data.draw(st.integers(0, len(good) - 1)), data.draw(st.integers(0, 255))
    changed = good[:at] + bytes([octet]) + good[at + 1 :]
    if changed != good:
        try:
            found = contents(changed)
        except FormatError:
            return
        # Only a changed name can still be an archive; it needs a change in two places.
        pytest.fail(f"an octet at {at} changed nothing: {found}")


@pytest.mark.claim("C7")
@pytest.mark.parametrize("write", [stream, frame])
def test_archive_is_unpacked_by_unzip_and_python_alike(write: Any, tmp_path: Path) -> None:
    path = tmp_path / "envelope.zip"
    path.write_bytes(write(SCRIPTS))
    tested = subprocess.run(["unzip", "-tqq", path], capture_output=True, check=False)
    assert (tested.returncode, tested.stdout, tested.stderr) == (0, b"", b"")
    subprocess.run(["unzip", "-qq", path, "-d", tmp_path / "out"], check=True)
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        assert [(i.filename, archive.read(i)) for i in archive.infolist()] == SCRIPTS
    for name, data in SCRIPTS:
        unpacked = tmp_path / "out" / name
        assert unpacked.read_bytes() == data
        assert unpacked.stat().st_mode & 0o777 == 0o600


@pytest.mark.claim("C2")
def test_archive_carries_no_time() -> None:
    with zipfile.ZipFile(io.BytesIO(stream(SCRIPTS))) as archive:
        assert {info.date_time for info in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}


def test_archive_of_ten_thousand_entries_is_refused_where_fewer_are_expected() -> None:
    archive = frame([(f"{number}", b"") for number in range(10_000)])
    with pytest.raises(FormatError, match="more entries"):
        ArchiveReader(lambda at, n: archive[at : at + n], len(archive), entries_limit=103)


def test_archive_whose_octets_end_early_is_refused() -> None:
    archive = frame(SCRIPTS)
    with pytest.raises(FormatError):
        ArchiveReader(lambda at, n: archive[at : at + n - 1], len(archive))


def test_entry_longer_than_expected_is_not_read() -> None:
    reader = archive_in(frame(SCRIPTS))
    assert reader.read_small("report.json", 3) == b"{}\n"
    with pytest.raises(FormatError):
        reader.read_small("report.json", 2)
    with pytest.raises(FormatError):
        reader.read_small("another.json", 100)


def test_writer_refuses_a_name_twice_and_a_name_that_leaves_its_folder() -> None:
    for wrong in ("REPORT.json", "../x"):
        writer = ArchiveWriter()
        writer.begin("report.json")
        writer.end()
        with pytest.raises(FormatError):
            writer.begin(wrong)


def test_writer_out_of_order_says_so() -> None:
    writer = ArchiveWriter()
    with pytest.raises(ValueError, match="begin"):
        writer.update(b"x")
    writer.begin("a")
    with pytest.raises(ValueError, match="end"):
        writer.begin("b")
    with pytest.raises(ValueError, match="end"):
        writer.finish()


def test_frame_of_more_than_four_gibibytes_is_refused() -> None:
    half = [StoredEntry(name, 2**31, 0) for name in ("a", "b", "c")]
    for entries in (half, half[:2], [StoredEntry("a", 2**40, 0)]):
        with pytest.raises(CapacityError):
            ArchiveFrame(entries)


def test_writer_refuses_more_than_four_gibibytes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "ARCHIVE_BYTES", 1000)
    writer = ArchiveWriter()
    writer.begin("a")
    with pytest.raises(CapacityError):
        writer.update(bytes(1001))


def test_frame_of_too_many_entries_is_refused() -> None:
    with pytest.raises(CapacityError):
        ArchiveFrame([StoredEntry(f"{n}", 0, 0) for n in range(limits.ARCHIVE_ENTRIES + 1)])


@pytest.mark.parametrize(
    ("original", "made"),
    [
        pytest.param("letter.pdf", "letter.pdf", id="an ordinary name"),
        pytest.param("تقرير سري.pdf", "تقرير سري.pdf", id="Arabic"),
        pytest.param("報告書.docx", "報告書.docx", id="Chinese"),
        pytest.param("e\u0301te\u0301.txt", "été.txt", id="decomposed letters"),
        pytest.param("..\\..\\boot.ini", "boot.ini", id="a path of Windows"),
        pytest.param("/etc/passwd", "passwd", id="an absolute path"),
        pytest.param("../../../x", "x", id="a way up"),
        pytest.param(".bashrc", "bashrc", id="a hidden file"),
        pytest.param("a\u202etxt.exe", "a_txt.exe", id="a reversed ending"),
        pytest.param("a\x1b[2J\n.txt", "a_[2J_.txt", id="terminal codes"),
        pytest.param('a<b>:"c|?*.txt', "a_b___c___.txt", id="what Windows refuses"),
        pytest.param("con.txt", "_con.txt", id="a device of Windows"),
        pytest.param("LPT¹", "_LPT¹", id="a device with a small digit"),
        pytest.param("name. . .", "name", id="dots and spaces at the end"),
        pytest.param("folder/", "file", id="a folder"),
        pytest.param("...", "file", id="dots only"),
        pytest.param("", "file", id="nothing"),
        pytest.param("\ud800.txt", "_.txt", id="half a surrogate pair"),
        pytest.param("\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645.txt",
                     "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645.txt", id="a Persian joiner"),
        pytest.param("x" * 200 + ".pdf", "x" * 116 + ".pdf", id="overlong"),
        pytest.param("é" * 100 + ".pdf", "é" * 58 + ".pdf", id="overlong in two octets each"),
        pytest.param("a." + "x" * 200, "a." + "x" * 118, id="an overlong ending"),
        pytest.param("😀" * 40, "😀" * 30, id="overlong in four octets each"),
    ],
)  # fmt: skip
def test_name_of_a_file_becomes_harmless_and_keeps_its_script(original: str, made: str) -> None:
    assert safe_name(original) == made


@given(original=st.text(max_size=200))
def test_name_of_any_file_is_allowed_short_and_stays_when_made_again(original: str) -> None:
    made = safe_name(original)
    assert len(check_entry_name(f"attachments/001-{made}")) <= 16 + limits.ATTACHMENT_NAME_BYTES
    assert "/" not in made
    assert safe_name(made) == made
