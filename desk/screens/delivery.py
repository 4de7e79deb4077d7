"""Files from and to the stick: by their place there, or through the browser."""

import os
import tempfile
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

from flask import Response, send_file

from desk.files import write_whole
from desk.screens.forms import Field, Kind, Typed
from desk.screens.session import session
from protocol.errors import KeyMaterialError, StorageError

FOLDER_FIELD = Field(
    name="folder",
    label="Folder on the stick",
    hint="As /media/stick. Leave it empty to save the file with your browser instead.",
)


# Pages to which sealed files are handed that may be large: they go beside the vault.
SEALED_UPLOADS = frozenset({"importing.choose", "colleagues.take"})

FILE_FIELDS = (
    Field(name="file", label="Choose the file", kind=Kind.FILE),
    Field(
        name="path",
        label="Or where it lies on the stick",
        hint="As /media/stick/bundle.zip. Quicker for large files: nothing is copied.",
    ),
)


def file_of(typed: Typed) -> Path:
    """Return where the file lies that was chosen or named in `FILE_FIELDS`.

    A file that was chosen is gone with the request.

    Raises:
        StorageError: neither was done.
    """
    if typed.one("path").strip():
        return place_of(typed, "path")
    for one in typed.files("file"):
        one.stream.flush()
        return Path(str(one.stream.name))
    raise StorageError("Choose the file, or type where it lies.")


def place_of(typed: Typed, name: str) -> Path:
    """Return a place on this machine that was typed.

    Raises:
        StorageError: nothing was typed, or nothing that could be a place.
    """
    text = typed.one(name).strip()
    try:
        if text and "\0" not in text:
            return Path(text).expanduser()
    except RuntimeError:  # the home of nobody
        pass
    raise StorageError("Type the place in full, as /media/stick.")


def chosen_handle(typed: Typed) -> int:
    """Open what `file_of` finds, for reading beyond the request; the caller closes the handle.

    Raises:
        StorageError: nothing was chosen, or it cannot be opened.
    """
    try:
        return os.open(file_of(typed), os.O_RDONLY | os.O_CLOEXEC)
    except OSError as error:
        raise StorageError(f"The file cannot be opened: {error.strerror}.") from error


def file_octets(typed: Typed, name: str, limit_bytes: int) -> bytes:
    """Return a small file that was chosen; it stays in memory.

    Raises:
        KeyMaterialError: none was chosen, or one that is far too large for a key.
    """
    chosen = typed.files(name)
    if not chosen:
        raise KeyMaterialError("Choose the file first.")
    data = chosen[0].stream.read(limit_bytes + 1)
    if len(data) > limit_bytes:
        raise KeyMaterialError("This file is far too large; check which one you chose.")
    return data


def folder_of(typed: Typed, name: str = "folder") -> Path | None:
    """Return the folder that was typed, None for an empty field.

    Raises:
        StorageError: it is not there.
    """
    if not typed.one(name).strip():
        return None
    folder = place_of(typed, name)
    if not folder.is_dir():
        raise StorageError("There is no such folder; is the stick mounted?")
    return folder


def deliver(
    write: Callable[[Path], object], name: str, typed: Typed, *, done: str
) -> str | Response:
    """Let a sealed file be written, and bring it where it was asked for.

    Args:
        write: writes the file, which is sealed: it lies in the desk's folder for a moment.
        name: of the file.
        typed: with the field `folder`.
        done: the sentence that follows when it lies in a folder.
    """
    folder = folder_of(typed)
    if folder is not None:
        write(folder / name)
        return f"{done} It lies in the folder as {name}."
    # Beside the vault, where only the counselor may look, and without a name once it is open.
    with tempfile.TemporaryDirectory(dir=session().directory, prefix=".out-") as place:
        path = Path(place) / name
        write(path)
        handle = os.fdopen(os.open(path, os.O_RDONLY | os.O_CLOEXEC), "rb")
    return _saved(handle, name)


def deliver_unsealed(
    make: Callable[[], bytes], name: str, typed: Typed, *, done: str
) -> str | Response:
    """Bring what is not sealed where it was asked for; in the desk's folder it never lies.

    Args:
        make: gives the content.
        name: of the file.
        typed: with the field `folder`.
        done: the sentence that follows when it lies in a folder.
    """
    folder = folder_of(typed)
    content = make()
    if folder is None:
        return _saved(BytesIO(content), name)
    write_whole(folder / name, [content])
    return f"{done} It lies in the folder as {name}."


def _saved(content: BinaryIO, name: str) -> Response:
    """Let the browser save something, whatever it is."""
    return send_file(
        content, mimetype="application/octet-stream", as_attachment=True, download_name=name
    )
