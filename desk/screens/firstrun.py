"""The first run: make a key or bring one, make the desk, print the key on paper.

Also the way back from a second copy. Nothing is written before the relay's certificate and
the key are both there and fit together.
"""

import tempfile
from collections.abc import Mapping
from pathlib import Path

from flask import Blueprint, redirect, render_template, request, url_for

from desk.backup import restore
from desk.desk import create_gpg_desk, make_desk
from desk.screens.delivery import file_octets, place_of
from desk.screens.forms import Answer, Field, Form, Kind, Task, Typed, perform, show
from desk.screens.newkey import key_fields, make_key
from desk.screens.passphrase import judge, propose_passphrase
from desk.screens.session import now, session
from desk.unlocking import LOCK_FILE, SECRET_KEY_LIMIT_BYTES
from keys.certificate import read_fingerprint
from protocol import limits

pages = Blueprint("firstrun", __name__, url_prefix="/first")

_RELAY = Field(
    name="relay",
    label="The relay's certificate",
    kind=Kind.FILE,
    hint="A file such as relay.asc, from the operator. You compare its fingerprint by voice next.",
)
_PASSPHRASE = Field(name="passphrase", label="Passphrase", kind=Kind.PASSWORD)


def lead() -> Answer:
    """Lead to the first page."""
    return redirect(url_for("firstrun.choose"), code=303)


@pages.before_request
def _only_once() -> Answer | None:
    if (session().directory / LOCK_FILE).exists():
        return redirect(url_for("inbox.inbox"), code=303)
    return None


@pages.get("/")
def choose() -> str:
    """Say what there is to choose from."""
    return render_template("desk/first.html")


@pages.route("/make", methods=["GET", "POST"])
def make() -> Answer:
    """Make a new key and a desk with it."""
    judged = ""
    if request.method == "POST" and "judge" in request.form:
        judged = judge(request.form.get("passphrase", "")).sentence
        return show(_making(judged, value=request.form)), 200
    return perform(Task(form=_making(judged), do=_make, then=url_for("settings.settings")))


@pages.route("/bring", methods=["GET", "POST"])
def bring() -> Answer:
    """Make a desk with a key that she has."""
    form = Form(
        title="Bring your key",
        lead=("Export it with its passphrase: gpg --export-secret-keys --armor FINGERPRINT.",),
        fields=(
            Field(name="key", label="Your secret key", kind=Kind.FILE),
            _PASSPHRASE,
            _RELAY,
        ),
        button="Make the desk",
        back=url_for("firstrun.choose"),
    )
    return perform(Task(form=form, do=_bring, then=url_for("settings.settings")))


@pages.route("/gpg", methods=["GET", "POST"])
def gpg() -> Answer:
    """Make a desk for a key that gpg keeps."""
    form = Form(
        title="Leave the key with gpg",
        lead=(
            "The desk then holds no secret key, and no copy of it does.",
            "Connect your card now if you use one; gpg asks for its PIN while the desk is made.",
        ),
        fields=(
            Field(name="fingerprint", label="The whole fingerprint of your key"),
            _RELAY,
        ),
        button="Make the desk",
        back=url_for("firstrun.choose"),
    )
    return perform(Task(form=form, do=_with_gpg, then=url_for("settings.settings")))


@pages.route("/restore", methods=["GET", "POST"], endpoint="restore")
def restore_copy() -> Answer:
    """Make the desk again from a second copy."""
    form = Form(
        title="Restore a second copy",
        lead=(
            "The restored desk exports nothing until it has imported a bundle: the copy may be "
            "older than your last dispatch.",
        ),
        fields=(
            Field(name="source", label="Folder of the copy", hint="As /media/second/desk."),
            _PASSPHRASE,
        ),
        button="Restore",
        back=url_for("firstrun.choose"),
    )
    return perform(Task(form=form, do=_restore, then=url_for("inbox.inbox")))


def _making(judged: str, value: Mapping[str, str] | None = None) -> Form:
    return Form(
        title="Make a key",
        lead=(
            "The key is made on this machine and never leaves it but on your stick and on paper.",
            f"A passphrase you could take: {_proposed()} (six words drawn by chance, "
            "62 bits). Write it on paper now; nobody can restore it.",
        ),
        notice=judged,
        fields=(*key_fields(value), _RELAY),
        button="Make key and desk",
        also=(("judge", "How strong is it?"),),
        back=url_for("firstrun.choose"),
    )


def _proposed() -> str:
    """Propose one passphrase as long as the page is open: it may be on her paper already."""
    kept = session()
    kept.proposed = kept.proposed or propose_passphrase()
    return kept.proposed


def _make(typed: Typed) -> str:
    relay = file_octets(typed, "relay", limits.CERTIFICATE_BYTES)
    armored, strength = make_key(typed)
    _found(armored, relay, typed.one("passphrase"))
    return f"Key and desk are made. {strength}"


def _bring(typed: Typed) -> str:
    armored = file_octets(typed, "key", SECRET_KEY_LIMIT_BYTES)
    relay = file_octets(typed, "relay", limits.CERTIFICATE_BYTES)
    _found(armored, relay, typed.one("passphrase"))
    return "The desk is made."


def _with_gpg(typed: Typed) -> str:
    fingerprint = read_fingerprint(typed.one("fingerprint"))
    relay = file_octets(typed, "relay", limits.CERTIFICATE_BYTES)
    with tempfile.NamedTemporaryFile() as certificate:  # public; read again from where it lies
        certificate.write(relay)
        certificate.flush()
        with create_gpg_desk(
            session().directory,
            fingerprint=fingerprint,
            relay_path=Path(certificate.name),
            now=now(),
        ) as vault:
            session().keep(vault.secret_key)
    return "The desk is made; gpg keeps the key."


def _found(armored: bytes, relay: bytes, passphrase: str) -> None:
    with make_desk(
        session().directory,
        armored=armored,
        relay_certificate=relay,
        passphrase=passphrase,
        now=now(),
    ) as vault:
        session().keep(vault.secret_key)
        session().proposed = ""


def _restore(typed: Typed) -> str:
    with restore(
        place_of(typed, "source"), session().directory, passphrase=typed.one("passphrase")
    ) as vault:
        session().keep(vault.secret_key)
    return "The desk is restored. Import the newest bundle before you export."
