"""Files of a case: described, handed out as they came or cleaned, never opened as they are.

Text is shown on request, as text and nothing else. A picture is drawn anew from its pixels,
blurred until somebody asks for more (decision 0017).
"""

import hashlib
from base64 import b64encode
from collections.abc import Iterator
from pathlib import PurePath

from flask import Blueprint, Response, abort, render_template, request, send_file

from desk.cases import find_case, read_thread
from desk.cleaning import FILE_BYTES as CLEANED_BYTES
from desk.cleaning import can_clean, clean
from desk.pictures import BLURRED_SIDE, LONGEST_SIDE, redraw
from desk.pictures import FILE_BYTES as PICTURE_BYTES
from desk.records import AttachmentRecord, EnvelopeRecord, ObjectRef
from desk.screens.session import vault
from desk.vault import Vault
from protocol.archive import ArchiveReader
from protocol.errors import AuthenticityError, StorageError
from protocol.filenames import safe_name

TEXT_LIMIT_BYTES = 256 * 1024
_TEXT_ENDINGS = frozenset({".txt", ".csv", ".md", ".log", ".json"})
_PICTURE_ENDINGS = frozenset({".jpg", ".jpeg", ".png", ".gif", ".webp"})

pages = Blueprint("attachments", __name__, url_prefix="/case/<name>/file/<int:item>/<int:number>")


@pages.get("/")
def original(name: str, item: int, number: int) -> Response:
    """Hand out a file as it came, after its digest was checked from end to end."""
    file, content = _find(vault(), name, item, number)
    _check(vault(), content, file)
    response = Response(_pieces(vault(), content, file), mimetype="application/octet-stream")
    response.content_length = file.size_bytes
    saved_as = safe_name(file.name)
    response.headers.set("Content-Disposition", "attachment", filename=saved_as)
    return response


@pages.get("/cleaned")
def cleaned(name: str, item: int, number: int) -> Response:
    """Hand out a file without its metadata, where mat2 is installed."""
    file, content = _find(vault(), name, item, number)
    if not may_be_cleaned(file):
        abort(404)
    _check(vault(), content, file)
    saved = clean(_pieces(vault(), content, file), file.name)
    return send_file(
        saved,
        mimetype="application/octet-stream",
        as_attachment=True,
        download_name=f"cleaned-{safe_name(file.name)}",
    )


@pages.get("/picture")
def picture(name: str, item: int, number: int) -> str:
    """Show a picture so blurred that it tells what it is of and no face; clearly if asked."""
    file, content = _find(vault(), name, item, number)
    if not is_picture(file):
        abort(404)
    _check(vault(), content, file)
    clearly = "clearly" in request.args
    png = redraw(_pieces(vault(), content, file), longest=LONGEST_SIDE if clearly else BLURRED_SIDE)
    return render_template(
        "desk/picture.html",
        case=name,
        file=file,
        clearly=clearly,
        # In the page itself: a picture that has an address could be asked for by another page.
        source=f"data:image/png;base64,{b64encode(png).decode()}",
        side=LONGEST_SIDE,
    )


@pages.get("/text")
def text(name: str, item: int, number: int) -> str:
    """Show a small text file, every invisible character made visible."""
    file, content = _find(vault(), name, item, number)
    if not may_be_shown(file):
        abort(404)
    _check(vault(), content, file)
    data = b"".join(_pieces(vault(), content, file))
    return render_template(
        "desk/text.html", case=name, file=file, text=data.decode("utf-8", errors="replace")
    )


def may_be_shown(file: AttachmentRecord) -> bool:
    """Tell whether a file calls itself a text, is small, and is not encrypted already."""
    ending = PurePath(file.name).suffix.lower()
    return ending in _TEXT_ENDINGS and file.size_bytes <= TEXT_LIMIT_BYTES and not file.nested


def is_picture(file: AttachmentRecord) -> bool:
    """Tell whether a file calls itself a picture that can be drawn anew."""
    ending = PurePath(file.name).suffix.lower()
    return ending in _PICTURE_ENDINGS and file.size_bytes <= PICTURE_BYTES and not file.nested


def may_be_cleaned(file: AttachmentRecord) -> bool:
    """Tell whether to offer a file without its metadata; what is encrypted has none to reach."""
    return can_clean() and file.size_bytes <= CLEANED_BYTES and not file.nested


def type_of(file: AttachmentRecord) -> str:
    """Say what a file calls itself; what it is, nobody has looked."""
    ending = PurePath(file.name).suffix.lower().removeprefix(".")
    return f"calls itself {ending}" if ending else "has no ending"


def _find(opened: Vault, name: str, item: int, number: int) -> tuple[AttachmentRecord, ObjectRef]:
    thread = list(read_thread(opened, find_case(opened, name)))
    if not 1 <= item <= len(thread) or not 1 <= number <= len(thread[item - 1].reading.attachments):
        abort(404)
    one = thread[item - 1]
    record = opened.get(EnvelopeRecord, one.item.envelope.hex())
    if record is None or record.content is None:
        raise StorageError("A part of this case is gone from the vault; restore the backup.")
    return one.reading.attachments[number - 1], record.content


def _check(opened: Vault, content: ObjectRef, file: AttachmentRecord) -> None:
    digest = hashlib.sha256()
    for piece in _pieces(opened, content, file):
        digest.update(piece)
    if digest.digest() != file.sha256:
        raise AuthenticityError("A file is not what was imported; restore the last backup.")


def _pieces(opened: Vault, content: ObjectRef, file: AttachmentRecord) -> Iterator[bytes]:
    """Read from the objects alone: they stay readable when the request's vault is closed."""
    with opened.objects.reader(content) as read_at:
        yield from ArchiveReader(read_at, content.size_bytes).read(file.entry)
