"""A new key that follows the counselor's: brought, made, or left with gpg."""

from flask import Blueprint, url_for

from desk.casework.errors import ProcedureError
from desk.desk import spoken_fingerprint
from desk.gpgkey import find_gpg_key
from desk.screens.delivery import file_octets
from desk.screens.forms import Answer, Field, Form, Kind, Option, Task, Typed, perform
from desk.screens.newkey import key_fields, make_key
from desk.screens.session import now, session, vault
from desk.succession import propose_successor, withdraw_successor
from desk.unlocking import SECRET_KEY_LIMIT_BYTES, asks_passphrase
from keys.certificate import read_fingerprint

pages = Blueprint("succession", __name__, url_prefix="/settings/successor")

_WAYS = (
    Option("make", "Make one here", "With a name and a passphrase, below."),
    Option("bring", "Bring one", "As a file, with its passphrase below."),
    Option("gpg", "Leave it with gpg", "By its fingerprint, below."),
)


@pages.route("/", methods=["GET", "POST"])
def propose() -> Answer:
    """Let a new key follow."""
    current = Field(name="former", label="Passphrase of your present key", kind=Kind.PASSWORD)
    form = Form(
        title="A new key",
        lead=(
            "Your next dispatches bring its certificate to the relay, signed with your present "
            "key. That one signs, and opens this desk, until a bundle lists the new one.",
            "Both are kept in the vault, so that nothing that is sealed to either is lost.",
        ),
        fields=(
            Field(name="way", label="The new key", kind=Kind.ONE, options=_WAYS),
            *key_fields(),
            Field(name="key", label="The file, if you bring one", kind=Kind.FILE),
            Field(name="fingerprint", label="The fingerprint, if gpg keeps it"),
            *((current,) if asks_passphrase(session().directory) else ()),
        ),
        button="Let it follow",
        back=url_for("settings.settings"),
    )
    return perform(Task(form=form, do=_propose))


@pages.route("/withdraw", methods=["GET", "POST"])
def withdraw() -> Answer:
    """Take back what no dispatch has carried yet."""

    def do(typed: Typed) -> str:
        withdraw_successor(vault())
        return "Taken back: your key stays as it is."

    form = Form(
        title="Take the new key back",
        lead=("Possible until a dispatch has carried its certificate.",),
        fields=(),
        button="Take it back",
        back=url_for("settings.settings"),
        danger=True,
    )
    return perform(Task(form=form, do=do))


def _propose(typed: Typed) -> str:
    file, passphrase = _new_key(typed)
    fingerprint = propose_successor(
        vault(),
        key_file=file,
        passphrase=passphrase,
        former_passphrase=typed.one("former"),
        now=now(),
    )
    return (
        f"The new key is {spoken_fingerprint(fingerprint)}. Say it to the operator and your "
        "colleagues by voice. Make a second copy now, then write a dispatch."
    )


def _new_key(typed: Typed) -> tuple[bytes, str]:
    way = typed.one("way")
    if way == "make":
        return make_key(typed)[0], typed.one("passphrase")
    if way == "bring":
        return file_octets(typed, "key", SECRET_KEY_LIMIT_BYTES), typed.one("passphrase")
    if way == "gpg":
        key = find_gpg_key(read_fingerprint(typed.one("fingerprint")), now=now())
        return key.certificate, ""
    raise ProcedureError("Choose where the new key comes from.")
