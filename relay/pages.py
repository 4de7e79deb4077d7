"""The pages that ask nothing: welcome, procedure, safety, keys, published documents."""

from datetime import UTC, date, datetime, timedelta

from flask import Blueprint, Response, abort, g, make_response, redirect, request
from flask.typing import ResponseReturnValue

from keys.certificate import Certificate
from policies.parts import Channel, Track
from protocol.canonical import encode_json
from protocol.errors import KeyMaterialError
from protocol.names import RecipientName
from relay.headers import PageKind, present
from relay.languages import preferred_language
from relay.parts import parts
from relay.rendering import page, policy, track_of
from templates import STYLE

blueprint = Blueprint("pages", __name__, url_prefix="/<lang>")
root = Blueprint("root", __name__)


@root.get("/")
def choose_language() -> ResponseReturnValue:
    """Send a visitor to the pages in a language they read, or in the first one."""
    return redirect(f"/{preferred_language(parts().policies)}/", 303)


@root.get("/style.css")
def style() -> Response:
    """Serve the one stylesheet."""
    present(PageKind.STATIC)
    response = make_response(STYLE)
    response.mimetype = "text/css"
    return response


@root.get("/keys/<fingerprint>.asc")
def key(fingerprint: str) -> Response:
    """Serve the certificate of a reader, or of the relay, by its full fingerprint."""
    present(PageKind.STATIC)
    known: dict[str, str] = {
        certificate.fingerprint: certificate.armored
        for _, certificate in parts().roster.valid(parts().clock())
    }
    known[parts().deployment.relay_id] = parts().deployment.relay_key.certificate.decode("ascii")
    armored = known.get(fingerprint.upper())
    return _text(armored, "application/pgp-keys") if armored else abort(404)


@root.get("/.well-known/security.txt")
def security_txt() -> Response:
    """Say how to report a flaw of this site (RFC 9116)."""
    present(PageKind.STATIC)
    month = parts().today().replace(day=1)
    expires = datetime(month.year, month.month, 1, tzinfo=UTC) + timedelta(days=180)
    lines = [
        f"Contact: {parts().settings.security_contact}",
        f"Expires: {expires:%Y-%m-%dT%H:%M:%SZ}",
        f"Preferred-Languages: {', '.join(parts().policies)}",
    ]
    return _text("\n".join(lines) + "\n", "text/plain")


@root.get("/metadata.json")
def metadata() -> Response:
    """Describe this relay to programs: who reads, what is accepted, which policy holds."""
    present(PageKind.STATIC)
    settings = parts().settings
    rules = next(iter(parts().policies.values()))
    described = {
        "relay": parts().deployment.relay_id,
        "policy": rules.id,
        "policy_version": rules.version,
        "languages": list(parts().policies),
        "text_chars": settings.text_chars,
        "attachments_bytes": settings.attachments_bytes,
        "recipients": {
            name: certificate.fingerprint
            for name, certificate in parts().roster.valid(parts().clock())
        },
    }
    return _text(encode_json(described).decode("utf-8"), "application/json")


@blueprint.get("/mailbox/<action>")
def lead_to_receipt(action: str) -> ResponseReturnValue:
    """Ask for the words where the address of a mailbox's form is opened as a page."""
    return redirect(f"/{g.lang}/receipt", 303)


@blueprint.get("/")
def home() -> Response:
    """Greet: what this is, the ways to report, what to do in danger."""
    return page("home", notices=_notices(parts().today()))


@blueprint.get("/sent")
def what_happens_now() -> Response:
    """Say what follows a report: the answer to the form itself lies in a hidden frame."""
    track = track_of(request.args.get("track", ""))
    return page("sent", days=track.acknowledge_days, notices=_notices(parts().today()))


@blueprint.get("/procedure")
def procedure() -> Response:
    """Say what happens with a report: tracks, clocks, rungs, rights, documents."""
    return page("procedure", tracks=[(t, _channels(t)) for t in policy().tracks.values()])


@blueprint.get("/safety")
def safety() -> Response:
    """Say how to stay safe, and what nobody here can protect from."""
    return page("safety", readers=_certificates())


@blueprint.get("/documents/<document>")
def published(document: str) -> Response:
    """Show a published text of the organisation."""
    found = policy().documents.get(document)
    return page("document", document=found) if found else abort(404)


@blueprint.get("/events/<event>")
def guidelines(event: str) -> Response:
    """Show the guidelines of one event."""
    found = policy().events.get(event)
    return page("event", event=found) if found else abort(404)


@blueprint.get("/catalogue/<catalogue>")
def browse(catalogue: str) -> Response:
    """Show the kinds of conduct with their definitions."""
    found = policy().catalogues.get(catalogue)
    if found is None:
        return abort(404)
    return page(
        "catalogue",
        catalogue=found,
        categories=[policy().categories[name] for name in found.categories],
    )


def _certificates() -> tuple[tuple[RecipientName, Certificate], ...]:
    """Return the keys to encrypt to; none where the site is closed, which other pages say."""
    try:
        return parts().roster.valid(parts().clock())
    except KeyMaterialError:
        return ()


def _notices(today: date) -> list[str]:
    """Return what counselors published, and the policy's holidays that hold today."""
    holidays = [holiday.notice for holiday in policy().holidays_on(today)]
    published = [notice for _, notice in parts().store.notices()]
    return holidays + [one.text for one in published if one.language == g.lang]


def _channels(track: Track) -> list[Channel]:
    return [policy().channels[channel] for channel in track.channels]


def _text(body: str, mimetype: str) -> Response:
    response = make_response(body)
    response.mimetype = mimetype
    return response
