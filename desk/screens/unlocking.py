"""Unlock with the passphrase, lock, and keep what was typed when the desk locked itself."""

from collections.abc import Iterator

from flask import Blueprint, redirect, render_template, request, url_for

from desk.screens.forms import Answer
from desk.screens.gate import TOKEN_FIELD
from desk.screens.session import session
from desk.unlocking import asks_passphrase
from protocol.errors import SottoError

PASSPHRASE = "passphrase-of-the-desk"  # noqa: S105 - the name of a field, in no other form

pages = Blueprint("unlocking", __name__)


@pages.route("/unlock", methods=["GET", "POST"])
def unlock() -> Answer:
    """Ask for the passphrase; then go where somebody wanted to go."""
    following = _within(request.values.get("next", ""))
    if request.method == "GET":
        return _page(following=following)
    try:
        session().unlock(request.form.get(PASSPHRASE, ""))
    except SottoError as refusal:
        return _page(following=following, problem=str(refusal)), 400
    return redirect(request.script_root + following, code=303)


@pages.post("/lock")
def lock() -> Answer:
    """Forget the key."""
    session().lock()
    return redirect(url_for("unlocking.unlock"), code=303)


def locked() -> Answer | None:
    """Answer a request that came while the desk was locked.

    What somebody typed before the desk locked itself comes back with the passphrase: it
    stands in the page as it stood before, and nowhere else.

    Returns:
        A page; None when the passphrase came with the request and was right.
    """
    if request.method == "GET":
        return redirect(url_for("unlocking.unlock", next=request.full_path.rstrip("?")), code=303)
    if PASSPHRASE not in request.form:
        return _page(kept=list(_typed()), action=request.script_root + request.path), 403
    try:
        session().unlock(request.form[PASSPHRASE])
    except SottoError as refusal:
        action = request.script_root + request.path
        return _page(kept=list(_typed()), action=action, problem=str(refusal)), 400
    return None


def _page(
    *,
    following: str = "/",
    kept: list[tuple[str, str]] | None = None,
    action: str = "",
    problem: str = "",
) -> str:
    return render_template(
        "desk/unlock.html",
        following=following,
        kept=kept or [],
        action=action or url_for("unlocking.unlock"),
        problem=problem,
        field=PASSPHRASE,
        files_lost=any(request.files.values()),
        asks=asks_passphrase(session().directory),
    )


def _typed() -> Iterator[tuple[str, str]]:
    for name, value in request.form.items(multi=True):
        if name not in (PASSPHRASE, TOKEN_FIELD):
            yield name, value


def _within(path: str) -> str:
    """Return a path of this desk; another address would lead out of it."""
    return path if path.startswith("/") and not path.startswith(("//", "/\\")) else "/"
