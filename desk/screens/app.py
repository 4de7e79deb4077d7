"""The desk's web application: gate, headers, session, pages."""

import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import IO

from flask import Flask, Request, render_template, request, url_for

import templates
from desk.legible import make_visible
from desk.screens import (
    agreeing,
    attachments,
    case,
    colleagues,
    dispatch,
    figures,
    firstrun,
    importing,
    inbox,
    manual,
    record,
    rehearsing,
    replies,
    settings,
    succession,
    tasks,
    unlocking,
)
from desk.screens.delivery import SEALED_UPLOADS
from desk.screens.forms import Answer
from desk.screens.gate import TOKEN_FIELD, guard
from desk.screens.headers import blank_after, protect
from desk.screens.session import IDLE_SECONDS, Session, close_vault, session
from desk.screens.words import clock_class, day_words, size_words
from desk.unlocking import LOCK_FILE
from protocol.errors import SottoError
from templates import FOLDER, STYLE, squeeze

FIELDS_BYTES = 4 << 20  # more than the longest text of a form
FILES_BYTES = 80 << 20  # what a form holds in memory; bundles go another way
_PAGES = (
    unlocking, firstrun, inbox, importing, case, attachments, tasks, agreeing, replies, record,
    dispatch, manual, colleagues, figures, settings, rehearsing, succession,
)  # fmt: skip


class DeskRequest(Request):
    """A request whose files never lie about in the clear.

    Werkzeug would put large ones into the system's temporary folder. A bundle is sealed and
    may be large: it goes beside the vault. Everything else is small and stays in memory.
    """

    max_form_memory_size = FIELDS_BYTES

    def _get_file_stream(
        self,
        total_content_length: int | None,
        content_type: str | None,
        filename: str | None = None,
        content_length: int | None = None,
    ) -> IO[bytes]:
        if self.endpoint in SEALED_UPLOADS:
            return tempfile.NamedTemporaryFile(dir=session().directory, prefix=".bundle-")
        return BytesIO()


def create_app(
    directory: Path,
    *,
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    monotonic: Callable[[], float] = time.monotonic,
    idle_seconds: int = IDLE_SECONDS,
    by_hand: str = "",
    demo: bool = False,
) -> Flask:
    """Make the application of one desk.

    Args:
        directory: of the desk; where there is none, the pages lead to one.
        clock: time of this machine, UTC.
        monotonic: for locking after idle.
        idle_seconds: until it locks itself.
        by_hand: address of the page that says how to do all this without the desk, if any.
        demo: every page says that this is a demonstration.
    """
    app = Flask(__name__, static_folder=None, template_folder=templates.FOLDER)
    app.request_class = DeskRequest
    app.config["MAX_CONTENT_LENGTH"] = FILES_BYTES
    app.extensions["sotto-desk"] = Session(
        directory=directory, clock=clock, monotonic=monotonic, idle_seconds=idle_seconds
    )
    app.before_request(_admit_bundle)
    guard(app)
    protect(app)
    _add_pages(app)
    _add_words(app)
    app.jinja_env.globals.update(by_hand=by_hand, demo=demo)
    return app


def _add_pages(app: Flask) -> None:
    app.before_request(_lead)
    app.teardown_request(close_vault)
    for one in _PAGES:
        app.register_blueprint(one.pages)
    app.add_url_rule("/style.css", endpoint="style", view_func=_style)
    app.register_error_handler(SottoError, _refused)
    for status in (400, 403, 404, 405, 413):
        app.register_error_handler(status, _lost)


def _add_words(app: Flask) -> None:
    app.jinja_env.filters.update(
        visible=make_visible,
        lines=lambda text: make_visible(text, lines=True),
        day=day_words,
        size=size_words,
        begun=lambda words: words[:1].upper() + words[1:],
    )
    app.jinja_env.globals.update(TOKEN_FIELD=TOKEN_FIELD, clock_class=clock_class)
    app.context_processor(_common)


def _common() -> dict[str, object]:
    kept = session()
    told, kept.notices = kept.notices, []
    return {
        "form_token": kept.form_token,
        "is_unlocked": kept.is_unlocked,
        "notices": told if kept.is_unlocked else (),
    }


def _admit_bundle() -> None:
    """Let a bundle be as large as it is; first of all, for the gate reads the form."""
    if request.endpoint in SEALED_UPLOADS:
        request.max_content_length = None


def _lead() -> Answer | None:
    """Lead to the first run where there is no desk, and to the lock where it is locked."""
    if request.endpoint in (None, "style") or request.blueprint in ("unlocking", "firstrun"):
        return None
    kept = session()
    if not (kept.directory / LOCK_FILE).exists():
        return firstrun.lead()
    if not kept.is_unlocked:
        return unlocking.locked()
    if request.method == "GET":
        blank_after(kept.idle_seconds + 1, url_for("unlocking.unlock"))
    return None


def _style() -> tuple[str, dict[str, str]]:
    own = squeeze(FOLDER.joinpath("desk.css").read_text(encoding="utf-8"))
    return STYLE + own, {"Content-Type": "text/css; charset=utf-8"}


def _refused(error: SottoError) -> tuple[str, int]:
    return render_template("desk/refused.html", sentence=str(error)), 400


def _lost(error: Exception) -> tuple[str, int]:
    status = getattr(error, "code", 400)
    sentences = {
        403: "This did not come from a page of this desk. Go to the inbox and try again.",
        404: "There is no such page or case on this desk.",
        413: "This is too large for a form. Type the path of the file instead.",
    }
    sentence = sentences.get(status, "The desk did not understand this. Go back and try again.")
    return render_template("desk/refused.html", sentence=sentence), status
