"""The record of a case, read entry by entry; nothing is shown that does not verify (P35)."""

from flask import Blueprint, render_template

from desk.casework.verifying import read_record
from desk.desk import read_desk, spoken_fingerprint
from desk.screens.session import vault

pages = Blueprint("record", __name__, url_prefix="/case/<name>/record")


@pages.get("/")
def show(name: str) -> str:
    """Show every entry."""
    return render_template(
        "desk/record.html",
        case=name,
        entries=read_record(vault(), name),
        fingerprint=spoken_fingerprint(read_desk(vault()).fingerprint),
    )
