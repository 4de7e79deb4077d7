"""The program that decodes a picture: `python -m desk.picturechild LONGEST_SIDE`.

It reads the picture from its standard input, gives everything up (`confinement`), and only
then looks at it. What comes out are bare pixels: "WIDTH HEIGHT", a line end, and three
octets for each. The only door to Pillow; it never runs inside the desk's own process.
"""

import io
import os
import sys

from PIL import Image, ImageOps

from desk.confinement import confine
from protocol.errors import CapacityError

FORMATS = ("GIF", "JPEG", "PNG", "WEBP")
PIXELS = 64_000_000  # 192 MB as they are shown; larger cameras are rare, bombs are not
_ORIENTATION, _ON_ITS_SIDE = 0x0112, 6  # Exif 2.3


def main() -> None:
    """Decode one picture and end without any clearing up, which would need the system."""
    longest = int(sys.argv[1])
    data = sys.stdin.buffer.read()
    _rehearse()
    confine()
    shown = _decode(data, longest)
    out = memoryview(b"%d %d\n" % shown.size + shown.tobytes())
    while out:
        out = out[os.write(1, out) :]
    os._exit(0)


def _rehearse() -> None:
    """Decode pictures of our own: afterwards nothing can be loaded, not even a module."""
    for name in FORMATS:
        exif = Image.Exif()
        exif[_ORIENTATION] = _ON_ITS_SIDE
        for mode in ("P", "RGB"):
            ours = io.BytesIO()
            Image.new(mode if name in ("GIF", "PNG") else "RGB", (2, 1)).save(ours, name, exif=exif)
            _decode(ours.getvalue(), 1)


def _decode(data: bytes, longest: int) -> Image.Image:
    picture = Image.open(io.BytesIO(data), formats=FORMATS)
    if picture.width * picture.height > PIXELS:
        raise CapacityError("This picture has too many pixels.")
    picture.draft("RGB", (longest, longest))
    shown = ImageOps.exif_transpose(picture).convert("RGBA")
    shown.thumbnail((longest, longest))
    flat = Image.new("RGB", shown.size, "white")
    flat.paste(shown, mask=shown.getchannel("A"))
    return flat


if __name__ == "__main__":
    try:
        main()
    except BaseException:  # whatever it was, there is no picture
        os._exit(1)
