"""The courier's site: take a bundle, bring a dispatch.

Reached only through Tor's client authorisation; it has no passwords and no accounts.
What it hands out is sealed and signed, what it takes is checked whole, so a courier who
peeks or cheats gains nothing. docs/PROTOCOL.md, Bundle and Dispatch.
"""

from dataclasses import dataclass
from http import HTTPStatus

from flask import Blueprint, Response, redirect, render_template, request
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import HTTPException, RequestedRangeNotSatisfiable
from werkzeug.http import parse_range_header

from protocol.errors import CapacityError, FormatError, SottoError, StorageError
from relay.acceptance import DISPATCH_BYTES, accept_dispatch
from relay.cut import Bundle, cut_if_due, open_bundle
from relay.headers import PageKind, present
from relay.intake import FormLimits, read_form
from relay.parts import parts
from templates import STYLE

blueprint = Blueprint("courier", __name__)


@blueprint.get("/")
def home() -> Response:
    """Show what there is to take, and where to bring what comes back."""
    return _page(bundle=_current())


@blueprint.get("/style.css")
def style() -> Response:
    """Serve the one stylesheet."""
    present(PageKind.STATIC)
    return Response(STYLE, mimetype="text/css")


@blueprint.get("/bundle")
def find_bundle() -> ResponseReturnValue:
    """Lead to the address of the current cut, which stays the same while it is carried."""
    bundle = _current()
    if bundle is None:
        return _page(bundle=None, refusal="There is no bundle yet.", status=404)
    return redirect(f"/bundle/{bundle.number}", 303)


@blueprint.get("/bundle/<int:number>")
def take_bundle(number: int) -> Response:
    """Hand out the bundle of a cut, or a range of it, so that a download can resume."""
    present(PageKind.DOWNLOAD)
    bundle = open_bundle(parts().store)
    if bundle is None or bundle.number != number:
        return _page(
            bundle=_current(), refusal="There is a newer bundle; take that one.", status=410
        )
    span = _requested_span(bundle)
    response = Response(bundle.read(span.start, span.stop), mimetype="application/zip")
    response.status_code = 206 if span.partial else 200
    response.content_length = span.stop - span.start
    response.headers["Accept-Ranges"] = "bytes"
    response.headers["ETag"] = f'"cut-{bundle.number}"'
    response.headers["Content-Disposition"] = f'attachment; filename="bundle-{bundle.number}.zip"'
    if span.partial:
        last = max(span.start, span.stop - 1)
        response.headers["Content-Range"] = f"bytes {span.start}-{last}/{bundle.total_bytes}"
    return response


@blueprint.post("/dispatch")
def bring_dispatch() -> Response:
    """Take a dispatch; it is applied whole or refused with a sentence."""
    limits = FormLimits(files=1, files_bytes=DISPATCH_BYTES, text_bytes=1024, fields=4)
    form = read_form(request.stream, request.content_type, request.content_length, limits)
    for part in form.files():
        accepted = accept_dispatch(
            parts().store,
            parts().deployment.relay_key,
            part.chunks,
            parts().clock(),
            folder=parts().deployment.data,
        )
        sentence = f"Accepted: dispatch {accepted.serial} of {accepted.recipient}."
        return _page(bundle=_current(), accepted=sentence)
    raise FormatError("No dispatch was chosen; choose the file from the stick.")


def refused(error: SottoError) -> Response:
    """Answer a refusal with its sentence; nothing was changed."""
    status = 503 if isinstance(error, StorageError) else 400
    if isinstance(error, CapacityError):
        status = 413
    return _page(bundle=_shown_beside(), refusal=_sentence(str(error)), status=status)


def show_way(error: HTTPException) -> Response:
    """Answer an address that is none, or none to look at, with the one page that there is."""
    foreign = error.code == HTTPStatus.FORBIDDEN
    refusal = "This was sent from another site." if foreign else "There is no such page."
    return _page(bundle=_shown_beside(), refusal=refusal, status=error.code or HTTPStatus.NOT_FOUND)


def _shown_beside() -> Bundle | None:
    """Return the bundle that a page of refusal shows; none where the store is what fails."""
    try:
        return _current()
    except SottoError:
        return None


def _sentence(message: str) -> str:
    """Begin with a capital and end with a full stop, as a page does and a log does not."""
    return message[:1].upper() + message[1:].rstrip(".") + "."


@dataclass(frozen=True, kw_only=True)
class _Span:
    start: int
    stop: int
    partial: bool


def _requested_span(bundle: Bundle) -> _Span:
    """Read the Range header; anything unusual gets the whole, as RFC 9110 allows."""
    whole = _Span(start=0, stop=bundle.total_bytes, partial=False)
    if request.headers.get("If-Range", f'"cut-{bundle.number}"') != f'"cut-{bundle.number}"':
        return whole
    asked = parse_range_header(request.headers.get("Range"))
    if asked is None or asked.units != "bytes" or len(asked.ranges) != 1:
        return whole
    span = asked.range_for_length(bundle.total_bytes)
    if span is None and asked.ranges[0][0] < -bundle.total_bytes:
        return whole  # the last so many bytes, and more of them than there are
    if span is None:
        raise RequestedRangeNotSatisfiable(bundle.total_bytes)
    return _Span(start=span[0], stop=span[1], partial=True)


def _current() -> Bundle | None:
    """Return the current bundle; the demonstration cuts one whenever something changed."""
    relay = parts().deployment
    if relay.settings.demo:
        cut_if_due(relay.store, relay.settings, relay.relay_key, parts().clock(), folder=relay.data)
    return open_bundle(relay.store)


def _page(
    *, bundle: Bundle | None, accepted: str = "", refusal: str = "", status: int = 200
) -> Response:
    body = render_template(
        "courier/home.html",
        bundle=bundle,
        accepted=accepted,
        refusal=refusal,
        relay_id=parts().deployment.relay_id,
        demo=parts().settings.demo,
    )
    return Response(body, status=status)
