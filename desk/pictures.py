"""Show a stranger's picture: decoded by a confined program, drawn anew from bare pixels.

Nothing of the file reaches the browser: not its headers, not its metadata, not a byte that
its maker chose but the colours. The decoder runs in a process of its own that can do nothing
(`confinement`), and what it answers is counted before it is believed. Decision 0017.
"""

import struct
import subprocess
import sys
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from threading import Timer

from desk.confinement import PROCESSOR_SECONDS
from protocol.errors import FormatError

LONGEST_SIDE = 1280  # pixels; enough to read a letter that was photographed
BLURRED_SIDE = 24  # pixels; shapes and colours, no face
FILE_BYTES = 40 << 20
_HEAD_BYTES = 16
_REFUSED = (
    "This picture cannot be shown: it is damaged, very large, or of a kind that this desk does "
    "not decode. Save it, and look at it on a machine that can be lost."
)


def redraw(content: Iterable[bytes], *, longest: int) -> bytes:
    """Decode a picture elsewhere and draw it anew.

    Args:
        content: of the file, at most `FILE_BYTES`.
        longest: side of the result, in pixels.

    Returns:
        A PNG with nothing in it but pixels.

    Raises:
        FormatError: the decoder made nothing of it.
    """
    with _decoder(longest) as child:
        assert child.stdin is not None  # noqa: S101 - both are pipes, as asked for
        assert child.stdout is not None  # noqa: S101 - as above
        with suppress(BrokenPipeError):
            for piece in content:
                child.stdin.write(piece)
            child.stdin.close()
        answer = child.stdout.read(_HEAD_BYTES + 3 * longest * longest + 1)
    return _drawn(answer, longest)


@contextmanager
def _decoder(longest: int) -> Iterator[subprocess.Popen[bytes]]:
    command = [sys.executable, "-I", "-m", "desk.picturechild", str(longest)]
    with subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={},
    ) as child:
        # The limit on processor time does not count waiting.
        clock = Timer(3 * PROCESSOR_SECONDS, child.kill)
        clock.start()
        try:
            yield child
        finally:
            clock.cancel()
            child.kill()


def _drawn(answer: bytes, longest: int) -> bytes:
    head, _, pixels = answer.partition(b"\n")
    words = head.split(b" ")
    if len(head) >= _HEAD_BYTES or len(words) != 2 or not all(one.isdigit() for one in words):
        raise FormatError(_REFUSED)
    width, height = (int(one) for one in words)
    if not (0 < width <= longest and 0 < height <= longest):
        raise FormatError(_REFUSED)
    if len(pixels) != 3 * width * height:
        raise FormatError(_REFUSED)
    return _png(width, height, pixels)


def _png(width: int, height: int, pixels: bytes) -> bytes:
    """Write 8-bit RGB as PNG (ISO/IEC 15948): no filter, one chunk of data."""
    line = 3 * width
    lines = b"".join(b"\0" + pixels[at : at + line] for at in range(0, len(pixels), line))
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        (_chunk(b"IHDR", header), _chunk(b"IDAT", zlib.compress(lines, 1)), _chunk(b"IEND", b""))
    )


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
