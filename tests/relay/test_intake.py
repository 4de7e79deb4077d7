"""The streaming form parser: what browsers send is read, everything else is refused."""

import io
import tracemalloc

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from protocol.errors import CapacityError, FormatError
from relay import multipart
from relay.intake import FormLimits, drain, read_form

BOUNDARY = "----geckoformboundary8a1f"
TYPE = f"multipart/form-data; boundary={BOUNDARY}"
LIMITS = FormLimits(files_bytes=100_000, text_bytes=50_000, fields=5, files=3)


def text_part(name: str, value: str | bytes) -> bytes:
    raw = value.encode() if isinstance(value, str) else value
    return (
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n'.encode()
        + raw
        + b"\r\n"
    )


def file_part(file: str, content: bytes, name: str = "attachments") -> bytes:
    head = (
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"; filename="{file}"\r\n'
        "Content-Type: application/octet-stream\r\n\r\n"
    )
    return head.encode() + content + b"\r\n"


END = f"--{BOUNDARY}--\r\n".encode()


class Dripping:
    """A connection that hands over at most `size` bytes at a time."""

    def __init__(self, body: bytes, size: int) -> None:
        self._body, self._size = io.BytesIO(body), size

    def read(self, size: int, /) -> bytes:
        return self._body.read(min(size, self._size))


class Synthetic:
    """A body of any length that is never in memory as a whole."""

    def __init__(self, head: bytes, middle_bytes: int, tail: bytes) -> None:
        self._head, self._left, self._tail = io.BytesIO(head), middle_bytes, io.BytesIO(tail)
        self._piece = bytes(range(256)) * 256
        self.length = len(head) + middle_bytes + len(tail)
        self.given = 0

    def read(self, size: int, /) -> bytes:
        piece = self._head.read(size)
        if not piece and self._left:
            piece = self._piece[: min(size, self._left)]
            self._left -= len(piece)
        piece = piece or self._tail.read(size)
        self.given += len(piece)
        return piece


def everything(body: bytes, *, limits: FormLimits = LIMITS, drip: int = 1 << 20) -> object:
    form = read_form(Dripping(body, drip), TYPE, len(body), limits)
    return dict(form.fields), [(part.name, b"".join(part.chunks)) for part in form.files()]


def test_form_as_a_browser_sends_it_gives_text_then_files() -> None:
    body = (
        text_part("text", "Guten Tag\r\n\r\n--\r\nمرحبا")
        + text_part("recipients", "anna")
        + text_part("recipients", "bert")
        + file_part("صورة.jpg", b"\xff\xd8\r\n--not the boundary\r\n")
        + file_part("empty.txt", b"")
        + END
    )
    form = read_form(io.BytesIO(body), TYPE, len(body), LIMITS)
    assert form.get("text") == "Guten Tag\r\n\r\n--\r\nمرحبا"
    assert form.all("recipients") == ("anna", "bert")
    assert (form.get("absent"), form.all("absent")) == ("", ())
    assert [(name, b"".join(chunks)) for name, chunks in form.files()] == [
        ("صورة.jpg", b"\xff\xd8\r\n--not the boundary\r\n"),
        ("empty.txt", b""),
    ]
    assert form.remaining_bytes == 0


@pytest.mark.parametrize(
    ("sent", "read"),
    [
        pytest.param("naïve – 日本語 👁.pdf", "naïve – 日本語 👁.pdf", id="any script"),
        pytest.param("a%22b%22.txt", 'a"b".txt', id="quotes as browsers escape them"),
        pytest.param("a%0D%0Ab.txt", "a\r\nb.txt", id="line breaks as browsers escape them"),
        pytest.param("100%.txt", "100%.txt", id="a percent sign of its own"),
        pytest.param("back\\slash\\", "back\\slash\\", id="backslashes, also the last one"),
        pytest.param("C:\\Users\\me\\file.txt", "file.txt", id="path of another system"),
        pytest.param("folder/sub/file.txt", "file.txt", id="folder upload"),
        pytest.param("../../etc/passwd", "passwd", id="traversal"),
        pytest.param("a; name=b.txt", "a; name=b.txt", id="semicolon"),
    ],
)
def test_file_name_as_sent_is_read_without_its_path(sent: str, read: str) -> None:
    body = file_part(sent, b"x") + END
    assert everything(body) == ({}, [(read, b"x")])


def test_file_name_in_the_extended_notation_is_read() -> None:
    body = file_part("?\"; filename*=UTF-8''r%C3%A9sum%C3%A9.pdf", b"x").replace(b'.pdf"', b".pdf")
    assert everything(body + END) == ({}, [("résumé.pdf", b"x")])


def test_file_input_left_empty_is_no_file() -> None:
    body = text_part("text", "x") + file_part("", b"") + file_part("a", b"1") + END
    assert everything(body) == ({"text": ("x",)}, [("a", b"1")])


def test_form_without_parts_is_an_empty_form() -> None:
    assert everything(END) == ({}, [])


def test_file_that_nobody_read_is_read_past() -> None:
    body = file_part("a", b"1" * 70_000) + file_part("b", b"2") + END
    form = read_form(io.BytesIO(body), TYPE, len(body), LIMITS)
    assert [name for name, _ in form.files()] == ["a", "b"]


LONG_HEADER = b"X-Pad: " + b"a" * 5_000 + b"\r\n"


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(text_part("a", "1"), id="no end"),
        pytest.param(text_part("a", "1")[:-9] + END, id="part cut short"),
        pytest.param(b"hello " + text_part("a", "1") + END, id="something before"),
        pytest.param(text_part("a", "1") + END + b"GET / HTTP/1.1", id="something behind"),
        pytest.param(text_part("a", "1") + END + b" " * 200, id="much blank behind"),
        pytest.param(file_part("f", b"x") + text_part("a", "1") + END, id="text behind files"),
        pytest.param(text_part("", "1") + END, id="field without a name"),
        pytest.param(text_part("n" * 101, "1") + END, id="long field name"),
        pytest.param(b"".join(text_part(f"f{n}", "") for n in range(6)) + END, id="many fields"),
        pytest.param(
            b"".join(file_part("", b"") for _ in range(30)) + END, id="many empty file inputs"
        ),
        pytest.param(
            text_part("a", "1").replace(b"\r\n\r\n", b"\r\n" + LONG_HEADER + b"\r\n") + END,
            id="long part header",
        ),
        pytest.param(f"--{BOUNDARY}\r\n".encode() + b"a" * 5_000, id="endless part header"),
        pytest.param(
            text_part("a", "1").replace(b"Content-Disposition", b"Content-Elsewhere") + END,
            id="no disposition",
        ),
        pytest.param(text_part("a", b"\xff\xfe") + END, id="text that is not UTF-8"),
        pytest.param(file_part("f", b"x").replace(b'"f"', b'"\xff"') + END, id="name not UTF-8"),
        pytest.param(b"a=1&b=2", id="urlencoded text"),
        pytest.param(b"", id="nothing"),
    ],
)
def test_body_that_no_browser_sends_is_refused(body: bytes) -> None:
    with pytest.raises(FormatError):
        everything(body)


@pytest.mark.parametrize(
    "content_type",
    [
        None,
        "",
        "application/x-www-form-urlencoded",
        "text/plain",
        "multipart/mixed; boundary=x",
        "multipart/form-data",
        "multipart/form-data; boundary=",
        "multipart/form-data; boundary=" + "x" * 71,
        "multipart/form-data; boundary=ä",
    ],
)
def test_form_of_another_type_is_refused_unread(content_type: str | None) -> None:
    stream = Synthetic(b"", 1_000, b"")
    with pytest.raises(FormatError):
        read_form(stream, content_type, 1_000, LIMITS)
    assert stream.given == 0


@pytest.mark.parametrize("length", [None, -1])
def test_form_without_a_length_is_refused_unread(length: int | None) -> None:
    stream = Synthetic(END, 0, b"")
    with pytest.raises(FormatError):
        read_form(stream, TYPE, length, LIMITS)
    assert stream.given == 0


def test_body_shorter_than_announced_is_refused_though_its_parts_are_whole() -> None:
    body = text_part("a", "1") + END
    with pytest.raises(FormatError):
        read_form(io.BytesIO(body), TYPE, len(body) + 1, LIMITS)


def test_body_is_never_read_beyond_its_length() -> None:
    body = text_part("a", "1") + END
    stream = io.BytesIO(body + b"POST /next")
    read_form(stream, TYPE, len(body), LIMITS)
    assert stream.read() == b"POST /next"


def test_connection_that_breaks_is_a_format_error() -> None:
    class Broken:
        def read(self, size: int, /) -> bytes:
            raise ConnectionResetError

    with pytest.raises(FormatError):
        read_form(Broken(), TYPE, 100, LIMITS)
    assert drain(Broken(), 100) is False


def test_text_beyond_every_bound_is_a_capacity_error_read_only_so_far() -> None:
    stream = Synthetic(
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="t"\r\n\r\n'.encode(),
        10_000_000,
        b"\r\n" + END,
    )
    with pytest.raises(CapacityError):
        read_form(stream, TYPE, stream.length, LIMITS)
    assert stream.given < 200_000


def test_text_bound_counts_all_fields_together() -> None:
    body = text_part("a", "x" * 30_000) + text_part("b", "x" * 30_000) + END
    with pytest.raises(CapacityError):
        everything(body)


@pytest.mark.claim("C5")
def test_upload_announced_too_large_keeps_the_text_and_reads_no_file() -> None:
    head = text_part("text", "what I saw") + file_part("big.bin", b"")[:-2]
    stream = Synthetic(head, 600_000_000, b"\r\n" + END)
    form = read_form(stream, TYPE, stream.length, LIMITS)
    assert form.get("text") == "what I saw"
    with pytest.raises(CapacityError):
        next(iter(form.files()))
    assert stream.given < 100_000


def test_upload_somewhat_too_large_is_told_while_reading_and_can_be_drained() -> None:
    body = text_part("text", "kept") + file_part("a", b"1" * 100_001) + END
    stream = io.BytesIO(body)
    form = read_form(stream, TYPE, len(body), LIMITS)
    with pytest.raises(CapacityError):
        for part in form.files():
            for _ in part.chunks:
                pass
    assert form.get("text") == "kept"
    assert drain(stream, 200_000) is True


def test_upload_of_exactly_the_limit_is_taken() -> None:
    body = file_part("a", b"1" * 40_000) + file_part("b", b"2" * 60_000) + END
    assert everything(body) == ({}, [("a", b"1" * 40_000), ("b", b"2" * 60_000)])


def test_upload_of_too_many_files_is_a_capacity_error() -> None:
    body = b"".join(file_part(f"f{n}", b"x") for n in range(4)) + END
    with pytest.raises(CapacityError):
        everything(body)


@pytest.mark.parametrize(("size", "whole"), [(100, True), (101, False)])
def test_drain_reports_whether_it_reached_the_end(size: int, whole: bool) -> None:
    assert drain(io.BytesIO(b"x" * size), 100) is whole


@pytest.mark.claim("C5")
def test_upload_of_200_megabytes_is_read_in_constant_memory() -> None:
    size = 200_000_000
    limits = FormLimits(files_bytes=size)
    stream = Synthetic(file_part("big.bin", b"")[:-2], size, b"\r\n" + END)
    tracemalloc.start()
    try:
        form = read_form(stream, TYPE, stream.length, limits)
        read = sum(len(chunk) for part in form.files() for chunk in part.chunks)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert read == size
    assert peak < 2 * 1024 * 1024


names = st.text(
    st.characters(exclude_characters='"\r\n%/\\', codec="utf-8"), min_size=1, max_size=20
)
values = st.binary(max_size=300) | st.lists(
    st.sampled_from([b"\r", b"\n", b"--", BOUNDARY[:-1].encode(), b"\r\n--", b"x"])
).map(b"".join)
forms = st.tuples(
    st.lists(st.tuples(names, st.text(max_size=100)), max_size=4),
    st.lists(st.tuples(names, values), max_size=3),
)


@given(form=forms, block=st.integers(1, 200), drip=st.integers(1, 50))
@settings(max_examples=150)
def test_form_means_the_same_however_it_is_cut(
    form: tuple[list[tuple[str, str]], list[tuple[str, bytes]]], block: int, drip: int
) -> None:
    fields, files = form
    body = (
        b"".join(text_part(name, value) for name, value in fields)
        + b"".join(file_part(name, content) for name, content in files)
        + END
    )
    expected: dict[str, tuple[str, ...]] = {}
    for name, value in fields:
        expected[name] = (*expected.get(name, ()), value)
    limits = FormLimits(files_bytes=10_000)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(multipart, "BLOCK_BYTES", block)
        assert everything(body, limits=limits, drip=drip) == (expected, files)


@given(
    st.lists(
        st.binary(max_size=40)
        | st.sampled_from(
            [text_part("a", "1"), file_part("f", b"x"), END, f"--{BOUNDARY}".encode(), b"\r\n"]
        ),
        max_size=8,
    ).map(b"".join)
)
@settings(max_examples=400)
def test_any_bytes_raise_only_documented_errors_whole_and_byte_by_byte(body: bytes) -> None:
    outcomes = []
    for drip in (1 << 20, 1):
        try:
            outcomes.append(everything(body, drip=drip))
        except (FormatError, CapacityError) as error:
            outcomes.append((type(error), str(error)))
    assert outcomes[0] == outcomes[1]
