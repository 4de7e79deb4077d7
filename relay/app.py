"""Wire the two sites of a relay: one for reporters, one for couriers.

Two applications that share their parts and nothing else; each answers on a socket of
its own, so that no address of one leads into the other.
"""

import os
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

from flask import Flask, Response, abort, g, request

import templates
from policies.loader import load_policy, shipped
from protocol.errors import SottoError
from relay import courier, mailbox, pages, replacement, report, upload
from relay.budget import Budget
from relay.circuit import Circuits
from relay.deployment import Deployment
from relay.formkey import FormKey
from relay.gate import Gate
from relay.headers import protect
from relay.languages import _, use_languages
from relay.parts import Parts
from relay.refusals import explain
from relay.rendering import closed_page
from relay.roster import Roster


class _QuietFlask(Flask):
    """An application that logs where a page broke, and not its address, which people type."""

    def log_exception(self, exc_info: Any) -> None:
        """Write the class of the error and its places, as the formatter leaves them."""
        self.logger.error("A page could not be made.", exc_info=exc_info)


def assemble(deployment: Deployment, *, circuits: Circuits, clock: Callable[[], datetime]) -> Parts:
    """Gather the parts of one relay from its opened data folder.

    Args:
        deployment: opened for serving.
        circuits: the limits per circuit, shared with the worker that counts requests.
        clock: returns the current time, UTC.

    Raises:
        FormatError: the policy cannot be used.
    """
    settings = deployment.settings
    directory = policy_folder(settings.policy)
    policies = {code: load_policy(directory, code) for code in settings.languages}
    rules = next(iter(policies.values()))
    deployment.store.set_policy(rules.id, rules.version)
    return Parts(
        deployment=deployment,
        policies=policies,
        roster=Roster(store=deployment.store),
        gate=Gate(slots=os.cpu_count() or 1, waiting=40, waiting_per_circuit=40),
        form_key=FormKey(),
        budget=Budget(
            folder=deployment.data,
            daily_bytes=settings.daily_attachment_budget_bytes,
            text_reserve_bytes=settings.text_reserve_bytes,
            today=lambda: clock().date(),
        ),
        circuits=circuits,
        clock=clock,
    )


def policy_folder(policy: str) -> Path:
    """Return the folder of a policy: a shipped one by its name, another by its whole path.

    Raises:
        FormatError: no policy of this name is shipped.
    """
    return Path(policy) if Path(policy).is_absolute() else shipped(policy)


def create_reporter_app(parts: Parts) -> Flask:
    """Make the site that reporters see.

    Args:
        parts: of this relay; the policy in each language that is shown.
    """
    app = _bare_app(parts)
    use_languages(app, parts.policies)
    app.register_blueprint(pages.root)
    for views in (pages, report, upload, mailbox, replacement):
        app.register_blueprint(views.blueprint)
    app.register_error_handler(403, _not_found)
    app.register_error_handler(404, _not_found)
    app.register_error_handler(405, _not_found)
    app.register_error_handler(SottoError, _refused)
    return app


def create_courier_app(parts: Parts) -> Flask:
    """Make the site that couriers see, behind Tor's client authorisation."""
    app = _bare_app(parts)
    app.register_blueprint(courier.blueprint)
    for status in (403, 404, 405):
        app.register_error_handler(status, courier.show_way)
    app.register_error_handler(SottoError, courier.refused)
    return app


def _bare_app(parts: Parts) -> Flask:
    app = _QuietFlask(__name__, static_folder=None, template_folder=templates.FOLDER)
    app.jinja_env.trim_blocks = True
    app.jinja_env.lstrip_blocks = True
    app.jinja_env.globals["style_url"] = templates.STYLE_URL
    app.config["MAX_CONTENT_LENGTH"] = None  # bodies are read by relay.intake, which counts
    app.extensions["sotto"] = parts
    app.before_request(_require_own_page)
    protect(app)
    return app


def _require_own_page() -> None:
    """Refuse what a page of somebody else posts in a visitor's name.

    It could bring an issued receipt whose words its maker knows; the form would come back
    with them, under the right address. Browsers tell where a post comes from; a page of ours
    gives no referrer, so its origin may be `null`.
    """
    own = ("null", request.host)
    origin = request.headers.get("Origin", "null").rpartition("://")[2]
    site = request.headers.get("Sec-Fetch-Site", "same-origin")
    if request.method == "POST" and (origin not in own or site not in ("same-origin", "none")):
        abort(403)


def _not_found(error: Exception) -> Response:
    return closed_page(_("There is no such page"), _("Start again from the first page."), 404)


def _refused(error: SottoError) -> Response:
    """Answer what no view has answered, with what was typed where a view had read it."""
    refusal = explain(error)
    return closed_page(refusal.heading, refusal.sentence, refusal.status, g.get("kept", ""))
