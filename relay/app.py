"""Wire the two sites of a relay: one for reporters, one for couriers.

Two applications that share their parts and nothing else; each answers on a socket of
its own, so that no address of one leads into the other.
"""

import time

from flask import Flask, Response, g, request

import templates
from protocol.errors import (
    CapacityError,
    FormatError,
    KeyMaterialError,
    SottoError,
    StorageError,
    UnknownReceiptError,
)
from relay import courier, mailbox, pages, report
from relay.circuit import circuit_of
from relay.headers import protect
from relay.languages import _, use_languages
from relay.parts import Parts, parts
from relay.rendering import closed_page

LONGEST_WAIT_SECONDS = 1.0


def create_reporter_app(parts: Parts) -> Flask:
    """Make the site that reporters see.

    Args:
        parts: of this relay; the policy in each language that is shown.
    """
    app = _bare_app(parts)
    use_languages(app, parts.policies)
    app.register_blueprint(pages.root)
    for views in (pages, report, mailbox):
        app.register_blueprint(views.blueprint)
    app.register_error_handler(404, _not_found)
    app.register_error_handler(405, _not_found)
    app.register_error_handler(SottoError, _refused)
    return app


def create_courier_app(parts: Parts) -> Flask:
    """Make the site that couriers see, behind Tor's client authorisation."""
    app = _bare_app(parts)
    app.register_blueprint(courier.blueprint)
    app.register_error_handler(SottoError, courier.refused)
    return app


def _bare_app(parts: Parts) -> Flask:
    app = Flask(__name__, static_folder=None, template_folder=templates.FOLDER)
    app.jinja_env.trim_blocks = True
    app.jinja_env.lstrip_blocks = True
    app.config["MAX_CONTENT_LENGTH"] = None  # bodies are read by relay.intake, which counts
    app.extensions["sotto"] = parts
    protect(app)
    app.before_request(_count_request)
    return app


def _count_request() -> None:
    """Slow a circuit that asks too much; beyond a moment refuse, for a wait holds a thread."""
    delay = parts().circuits.request(circuit_of(request.environ))
    if delay > LONGEST_WAIT_SECONDS:
        raise CapacityError("Too many requests came through one circuit; wait a minute.")
    time.sleep(delay)


def _not_found(error: Exception) -> Response:
    return closed_page(_("There is no such page"), _("Start again from the first page."), 404)


def _refused(error: SottoError) -> Response:
    """Answer what no view has answered, in words that say what to do.

    The form's text is not at hand here; views that hold it answer before this.
    """
    kept = g.get("typed_text", "")
    if isinstance(error, KeyMaterialError):
        sentence = _(
            "Nobody can read new reports at the moment, so none are taken. "
            "Come back later, or use another way."
        )
        return closed_page(_("Closed for now"), sentence, 503, kept)
    if isinstance(error, StorageError):
        sentence = _(
            "This server could not store it. Nothing was accepted. "
            "Keep your text and try again later."
        )
        return closed_page(_("Not sent"), sentence, 503, kept)
    if isinstance(error, CapacityError):
        sentence = _("It was too large, or too many people are here. Nothing was accepted.")
        return closed_page(_("Not sent"), sentence, 413, kept)
    if isinstance(error, UnknownReceiptError):
        return closed_page(_("No mailbox opens"), _("Enter your nine words once more."), 404, kept)
    if isinstance(error, FormatError):
        sentence = _("What arrived was not complete. Go back and send it again.")
        return closed_page(_("Not sent"), sentence, 400, kept)
    raise error
