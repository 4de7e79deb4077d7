"""The record of a case: read, verified on the spot, and taken along as files."""

from collections.abc import Iterator, Mapping

from flask import Blueprint, Response, render_template

from desk.casework.record import record_files
from desk.casework.verifying import read_record
from desk.desk import read_desk, spoken_fingerprint
from desk.screens.session import vault
from protocol.archive import ArchiveWriter

pages = Blueprint("record", __name__, url_prefix="/case/<name>/record")


@pages.get("/")
def show(name: str) -> str:
    """Show every entry; nothing is shown that does not verify."""
    return render_template(
        "desk/record.html",
        case=name,
        entries=read_record(vault(), name),
        fingerprint=spoken_fingerprint(read_desk(vault()).fingerprint),
    )


@pages.get("/files")
def files(name: str) -> Response:
    """Hand out the record as it was signed, for sha256sum and gpg. Nothing is taken out."""
    read_record(vault(), name)
    response = Response(_archive(record_files(vault(), name)), mimetype="application/octet-stream")
    response.headers.set("Content-Disposition", "attachment", filename=f"{name}-record.zip")
    return response


def _archive(files: Mapping[str, bytes]) -> Iterator[bytes]:
    writer = ArchiveWriter()
    for name, data in files.items():
        yield writer.begin(name) + writer.update(data) + writer.end()
    yield writer.finish()
