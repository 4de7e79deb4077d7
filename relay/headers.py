"""Give every page its strict headers and a padded size, and refuse to set a cookie.

Set by the application, not by a web server's configuration that an operator may forget.
One call, `protect(app)`, covers every answer of a Flask application, errors included; a
view says what kind of page it makes with `present`. Claims C2 (sizes) and C6 of
docs/THREAT_MODEL.md.
"""

from collections.abc import Iterable
from enum import Enum, auto
from typing import TYPE_CHECKING

from flask import Flask, Response, g

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

PAGE_MULTIPLE_BYTES = 8 * 1024  # so that someone who counts bytes on the wire learns little

_DIRECTIVES = (
    "default-src 'none'",
    "style-src 'self'",
    "img-src 'self' data:",
    "form-action 'self'",
    "frame-src 'self'",  # without it Firefox silently never sends a form into a frame
    "base-uri 'none'",
)
_FEATURES = (
    "accelerometer",
    "autoplay",
    "camera",
    "clipboard-read",
    "clipboard-write",
    "display-capture",
    "encrypted-media",
    "fullscreen",
    "geolocation",
    "gyroscope",
    "hid",
    "idle-detection",
    "magnetometer",
    "microphone",
    "midi",
    "payment",
    "picture-in-picture",
    "publickey-credentials-get",
    "screen-wake-lock",
    "serial",
    "usb",
    "web-share",
    "xr-spatial-tracking",
)
_FIXED = {
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Embedder-Policy": "require-corp",
    "Permissions-Policy": ", ".join(f"{feature}=()" for feature in _FEATURES),
    "X-DNS-Prefetch-Control": "off",
    "X-Robots-Tag": "noindex, nofollow, noarchive",
}


class PageKind(Enum):
    """What a page is, which decides who may keep a copy of it."""

    FORM = auto()
    REPLY = auto()
    DOWNLOAD = auto()
    STATIC = auto()


_CACHE_CONTROL = {
    PageKind.FORM: "no-cache, private",  # no-store would empty the form on Back
    PageKind.REPLY: "no-store",
    PageKind.DOWNLOAD: "no-cache, private",  # the only kind with an ETag: bundles resume
    PageKind.STATIC: "public, max-age=86400",
}


def present(kind: PageKind, *, framed: bool = False) -> None:
    """Say, inside a view, what kind of page this request is answered with.

    Args:
        kind: decides about caching; without this call a page is a form page.
        framed: shown in a frame of our own pages (the progress of an upload).
    """
    g.page_kind = kind
    g.page_framed = framed


def protect(app: Flask) -> None:
    """Make an application set strict headers on everything and a cookie on nothing.

    Call it once, before other `after_request` functions are registered, so that it runs
    after them; it also wraps `app.wsgi_app`, through which every answer must go.
    """
    app.after_request(_harden)
    inner = app.wsgi_app

    def without_cookies(
        environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        def checked(status: str, headers: list[tuple[str, str]], exc_info=None, /):  # type: ignore[no-untyped-def]  # PEP 3333 has two return shapes
            if any(name.lower() == "set-cookie" for name, _ in headers):
                raise AssertionError("A page tried to set a cookie; this site has none.")
            if exc_info is not None:
                return start_response(status, headers, exc_info)
            return start_response(status, headers)

        return inner(environ, checked)

    app.wsgi_app = without_cookies  # type: ignore[method-assign]  # Flask's documented way


def _harden(response: Response) -> Response:
    kind = g.get("page_kind", PageKind.FORM)
    framed = g.get("page_framed", False)
    ancestors = "frame-ancestors 'self'" if framed else "frame-ancestors 'none'"
    response.headers.update(_FIXED)
    response.headers["Content-Security-Policy"] = "; ".join((*_DIRECTIVES, ancestors))
    response.headers["X-Frame-Options"] = "SAMEORIGIN" if framed else "DENY"
    response.headers["Cache-Control"] = _CACHE_CONTROL[kind]
    for name in ("Vary", "Last-Modified", "Expires", "Date", "Server"):
        response.headers.pop(name, None)
    if kind is not PageKind.DOWNLOAD:
        response.headers.pop("ETag", None)
    if response.mimetype == "text/html":
        response.direct_passthrough = False
        response.set_data(pad_page(response.get_data()))
    return response


def pad_page(page: bytes) -> bytes:
    """Fill a page up to a multiple of 8 KiB with an HTML comment at its end.

    The filler is the same everywhere and not random, so a page that is compressed,
    cached or compared tells nothing by it. A page that has its size by chance gets none.
    """
    gap = -len(page) % PAGE_MULTIPLE_BYTES
    if gap == 0:
        return page
    opening, closing = b"<!--", b"-->"
    if gap < len(opening) + len(closing):
        gap += PAGE_MULTIPLE_BYTES
    return page + opening + b" " * (gap - len(opening) - len(closing)) + closing
