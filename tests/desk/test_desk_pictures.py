"""A stranger's picture: decoded where nothing can happen, drawn anew, its metadata gone."""

import io
import struct
import subprocess
import sys
import zlib
from pathlib import Path

import pytest
from PIL import Image

from desk import pictures
from desk.pictures import BLURRED_SIDE, LONGEST_SIDE, redraw
from protocol.errors import FormatError

CANARY = "Canary-of-a-place"
DESCRIPTION, ORIENTATION, ON_ITS_SIDE = 0x010E, 0x0112, 6


def taken(kind: str, *, mode: str = "RGB", size: tuple[int, int] = (400, 300)) -> bytes:
    """Return a picture as a camera writes it: with words in it, and lying on its side."""
    exif = Image.Exif()
    exif[DESCRIPTION], exif[ORIENTATION] = CANARY, ON_ITS_SIDE
    out = io.BytesIO()
    Image.new(mode, size, "teal" if mode == "RGB" else 0).save(out, kind, exif=exif)
    return out.getvalue()


def declared(width: int, height: int) -> bytes:
    """Return a PNG that says it is huge and holds next to nothing."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    parts = ((b"IHDR", header), (b"IDAT", zlib.compress(b"\0" * 1000)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in parts
    )


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "GIF", "WEBP"])
def test_a_picture_is_drawn_upright_with_nothing_of_the_file_in_it(kind: str) -> None:
    drawn = redraw([taken(kind)], longest=LONGEST_SIDE)
    seen = Image.open(io.BytesIO(drawn))
    upright = (400, 300) if kind == "GIF" else (300, 400)  # a GIF has no orientation
    assert (seen.format, seen.mode, seen.size) == ("PNG", "RGB", upright)
    assert CANARY.encode() not in drawn
    assert set(seen.info) == set()


def test_a_picture_is_so_small_when_blurred_that_it_shows_no_face() -> None:
    drawn = redraw([taken("JPEG", size=(4000, 3000))], longest=BLURRED_SIDE)
    assert Image.open(io.BytesIO(drawn)).size == (18, 24)


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"\xff\xd8\xff\xe0 no picture", id="only its first octets"),
        pytest.param(taken("JPEG", size=(2000, 2000))[:2000], id="cut short"),
        pytest.param(declared(60_000, 60_000), id="a bomb of pixels"),
        pytest.param(declared(4_000, 4_000), id="less than it says"),
        pytest.param(b"<svg xmlns='http://www.w3.org/2000/svg'/>", id="another kind"),
    ],
)
def test_what_is_no_picture_is_refused_with_a_sentence(content: bytes) -> None:
    with pytest.raises(FormatError, match="cannot be shown"):
        redraw([content], longest=LONGEST_SIDE)


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param("b''", id="nothing"),
        pytest.param("b'2 2\\n' + bytes(11)", id="too few pixels"),
        pytest.param("b'2 2\\n' + bytes(13)", id="too many pixels"),
        pytest.param("b'9999 9999\\n'", id="larger than asked for"),
        pytest.param("b'0 5\\n'", id="no width"),
        pytest.param("b'-1 -1\\n' + bytes(3)", id="less than nothing"),
        pytest.param("b'x' * (64 << 20)", id="no end"),
    ],
)
def test_a_decoder_that_was_taken_over_cannot_make_the_desk_believe_nonsense(
    answer: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    taken_over = tmp_path / "python"
    script = f"import sys\nsys.stdin.buffer.read()\nsys.stdout.buffer.write({answer})\n"
    taken_over.write_text(f"#!{sys.executable}\n{script}")
    taken_over.chmod(0o700)
    monkeypatch.setattr(pictures.sys, "executable", str(taken_over))
    with pytest.raises(FormatError):
        redraw([taken("PNG")], longest=8)


ATTEMPTS = """
import ctypes, mmap, os, socket, sys
from desk.confinement import confine
if sys.argv[1] == "confined":
    confine()
def attempt(name, act):
    try:
        act()
    except OSError:
        return
    os.write(1, name.encode() + b" ")
def executable():
    mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC).close()
attempt("reads", lambda: os.open("/etc/passwd", os.O_RDONLY))
attempt("writes", lambda: os.open(sys.argv[2], os.O_WRONLY | os.O_CREAT))
attempt("lists", lambda: os.listdir("/"))
attempt("connects", lambda: socket.socket())
attempt("kills", lambda: os.kill(os.getppid(), 0))
attempt("runs", lambda: os.posix_spawn("/bin/true", ["true"], {}))
attempt("executes", executable)
bytes(1 << 20)
os.write(1, b"answers")
os._exit(0)
"""


@pytest.mark.parametrize(
    ("state", "can"),
    [
        ("confined", "answers"),
        ("free", "reads writes lists connects kills runs executes answers"),
    ],
)
def test_a_confined_process_can_compute_and_answer_and_nothing_else(
    state: str, can: str, tmp_path: Path
) -> None:
    command = [sys.executable, "-c", ATTEMPTS, state, str(tmp_path / "out")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.stdout, done.returncode) == (can, 0), done.stderr
    assert (tmp_path / "out").exists() is (state == "free")
