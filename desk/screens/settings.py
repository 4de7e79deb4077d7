"""Keys and settings: fingerprints, the public certificate, the key on paper, the procedure."""

from collections.abc import Iterator

import segno
from flask import Blueprint, Response, render_template, url_for

from desk.casework.rules import choose_policy, chosen_policy, import_policy, known_policies
from desk.desk import read_desk, spoken_fingerprint
from desk.files import read_small
from desk.screens.delivery import place_of
from desk.screens.forms import Answer, Field, Form, Kind, Option, Task, Typed, perform
from desk.screens.session import now, session, vault
from desk.screens.words import day_words
from desk.succession import her_keys
from desk.unlocking import KEY_FILE, SECRET_KEY_LIMIT_BYTES, asks_passphrase
from keys.certificate import read_certificate, verify_certificate
from protocol.errors import KeyMaterialError

# A QR code of level M holds up to 2,331 octets (ISO/IEC 18004); smaller ones survive folding.
QR_BYTES = 900

pages = Blueprint("settings", __name__, url_prefix="/settings")


@pages.get("/")
def settings() -> str:
    """Show whose desk this is, and what belongs to it."""
    desk = read_desk(vault())
    own = read_certificate(vault().secret_key.certificate)
    return render_template(
        "desk/settings.html",
        desk=desk,
        own=own,
        expires=_expires(),
        keys=her_keys(vault()),
        spoken=spoken_fingerprint,
        policy=chosen_policy(vault()),
        idle_minutes=session().idle_seconds // 60,
        folder=session().directory,
        asks_passphrase=asks_passphrase(session().directory),
    )


@pages.get("/certificate")
def certificate() -> Response:
    """Hand out the public certificate, for the relay's operator."""
    key = vault().secret_key
    response = Response(key.certificate, mimetype="application/octet-stream")
    response.headers.set("Content-Disposition", "attachment", filename=f"{key.fingerprint}.asc")
    return response


@pages.get("/paper")
def paper() -> str:
    """Show the protected secret key for the printer: as text and as QR codes."""
    if not asks_passphrase(session().directory):
        raise KeyMaterialError("gpg keeps your key: this desk has no secret of it to print.")
    armored = read_small(
        session().directory / KEY_FILE, SECRET_KEY_LIMIT_BYTES, what="The secret key"
    ).decode("ascii")
    return render_template(
        "desk/paper.html",
        armored=armored,
        codes=list(_codes(armored)),
        fingerprint=spoken_fingerprint(vault().secret_key.fingerprint),
    )


@pages.route("/policy", methods=["GET", "POST"])
def policy() -> Answer:
    """Choose the procedure for manual reports and for cases whose own is not known here."""

    def do(typed: Typed) -> str:
        name = typed.one("policy")
        if typed.one("folder").strip():
            name = import_policy(vault(), place_of(typed, "folder")).id
        choose_policy(vault(), name)
        return f"The procedure of this desk is «{name}»."

    form = Form(
        title="The procedure of this desk",
        lead=(
            "A report names its own; this one counts where that is not known, and for reports "
            "that you enter yourself.",
        ),
        fields=(
            Field(
                name="policy",
                label="Known here",
                kind=Kind.ONE,
                options=[Option(one, one) for one in known_policies(vault())],
                value=(chosen_policy(vault()),),
            ),
            Field(
                name="folder",
                label="Or take another from a folder",
                hint="With policy.toml and texts/, as the operator has it.",
            ),
        ),
        button="Follow it",
        back=url_for("settings.settings"),
    )
    return perform(Task(form=form, do=do))


def _expires() -> str:
    try:
        key = vault().secret_key
        day = verify_certificate(key.certificate, pinned=key.fingerprint, now=now()).expires
    except KeyMaterialError as error:
        return str(error)
    return day_words(day) if day else "never"


def _codes(armored: str) -> Iterator[str]:
    for start in range(0, len(armored), QR_BYTES):
        piece = armored[start : start + QR_BYTES]
        yield segno.make_qr(piece, error="m", mode="byte").png_data_uri(scale=3, border=4)
