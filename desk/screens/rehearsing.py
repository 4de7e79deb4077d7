"""Rehearse the way back: a copy that is restored for a moment, a key that is read from paper."""

from pathlib import Path

from flask import Blueprint, url_for

from desk.backup import note_rehearsal, rehearse
from desk.casework.errors import ProcedureError
from desk.keyring import own_fingerprints
from desk.screens.forms import Answer, Field, Form, Kind, Task, Typed, perform
from desk.screens.session import now, session, vault
from desk.unlocking import asks_passphrase, open_protected

pages = Blueprint("rehearsing", __name__, url_prefix="/settings/rehearse")

_PASSPHRASE = Field(
    name="passphrase",
    label="Passphrase",
    kind=Kind.PASSWORD,
    hint="From the place where you keep it, not from memory.",
)


@pages.route("/copy", methods=["GET", "POST"])
def copy() -> Answer:
    """Restore a second copy beside the desk, look at all of it, and remove it again."""
    asks = asks_passphrase(session().directory)
    form = Form(
        title="Rehearse the second copy",
        lead=(
            "The copy is restored beside this desk, opened and read to its end, and removed again.",
        ),
        fields=(
            Field(name="folder", label="Folder of the copy", hint="As /media/second/desk."),
            *((_PASSPHRASE,) if asks else ()),
        ),
        button="Restore it for a moment",
        back=url_for("settings.settings"),
    )
    return perform(Task(form=form, do=_restore))


@pages.route("/paper", methods=["GET", "POST"])
def paper() -> Answer:
    """Open the key as it came back from paper."""
    form = Form(
        title="Rehearse the key from paper",
        lead=(
            "Read the codes one after the other into the field, or type what stands on the paper.",
        ),
        fields=(
            Field(name="key", label="The key, as it stands on the paper", kind=Kind.LONG),
            _PASSPHRASE,
        ),
        button="Open it",
        back=url_for("settings.settings"),
    )
    return perform(Task(form=form, do=_read))


def _restore(typed: Typed) -> str:
    folder = typed.one("folder").strip()
    if not folder:
        raise ProcedureError("Type the folder of the second copy.")
    found = rehearse(
        vault(), Path(folder).expanduser(), passphrase=typed.one("passphrase"), now=now()
    )
    lacks = f" {found.missing} came later: bring the copy up to date." if found.missing else ""
    there = "1 case was" if found.cases == 1 else f"{found.cases} cases were"
    return f"The way back works: {there} there and could be read.{lacks}"


def _read(typed: Typed) -> str:
    text = "\n".join(line.strip() for line in typed.one("key").strip().splitlines())
    key = open_protected(text.encode("ascii", "replace"), typed.one("passphrase"))
    if key.fingerprint not in own_fingerprints(vault()):
        raise ProcedureError("This is a key, and it opens, but it is not one of this desk.")
    note_rehearsal(vault(), now=now())
    return "The way back works: the key from paper opens with this passphrase, and is yours."
