"""Who may speak to the desk: this machine's browser, with the address that it was given.

Loopback is shared with every program and every page in the browser. So: the name in `Host`
must be loopback's own (a name that a stranger rebound to 127.0.0.1 is not), every path
begins with a secret of this process, a POST must come from our own pages and carry the
form token. Decision 0013.
"""

import hmac
from collections.abc import Iterable
from threading import Lock
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from flask import Flask, abort, request

from desk.screens.session import session

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

LOOPBACK = frozenset({"127.0.0.1", "localhost", "[::1]"})
TOKEN_FIELD = "form-token"  # noqa: S105 - the name of a field


class SecretAddress:
    """Answer only below a secret path, which a one-time address leads to.

    The one-time address stands in the browser's command line, which every user of the
    machine can read; it is worth nothing once it was used. The other never leaves the browser.
    """

    def __init__(self, *, app: "WSGIApplication", once: str, lasting: str) -> None:
        self._app = app
        self._once: str | None = once
        self._lasting = lasting
        self._lock = Lock()

    def __call__(
        self, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        first, slash, rest = environ.get("PATH_INFO", "").removeprefix("/").partition("/")
        if slash and _equal(first, self._lasting):
            environ["SCRIPT_NAME"] = f"/{first}"
            environ["PATH_INFO"] = f"/{rest}"
            return self._app(environ, start_response)
        if self._take(first):
            start_response("303 See Other", [("Location", f"/{self._lasting}/"), *_PLAIN])
            return [b""]
        start_response("404 Not Found", [*_PLAIN, ("Content-Type", "text/plain; charset=utf-8")])
        return [
            b"Nothing answers here. If the desk is not open in another tab of yours, "
            b"somebody else used its address: stop it and start it again.\n"
        ]

    def _take(self, given: str) -> bool:
        with self._lock:
            if self._once is None or not _equal(given, self._once):
                return False
            self._once = None
            return True


_PLAIN = [("Cache-Control", "no-store"), ("Referrer-Policy", "no-referrer")]


def guard(app: Flask) -> None:
    """Refuse, before anything else, what does not come from this machine's own pages."""
    app.before_request(_check)


def _check() -> None:
    if not _is_loopback(request.host):
        abort(403)
    if request.method in ("GET", "HEAD"):
        return
    origin = request.headers.get("Origin")
    if origin in (None, "null"):
        # `null` is what a browser says under no-referrer; then it says where it comes from here.
        if request.headers.get("Sec-Fetch-Site", "same-origin") != "same-origin":
            abort(403)
    elif urlsplit(origin).netloc != request.host:
        abort(403)
    if not _equal(request.form.get(TOKEN_FIELD, ""), session().form_token):
        abort(403)


def _is_loopback(host: str) -> bool:
    name, _, port = host.rpartition(":")
    return (name if name and port.isdigit() else host) in LOOPBACK


def _equal(given: str, wanted: str) -> bool:
    return hmac.compare_digest(given.encode("utf-8", "surrogateescape"), wanted.encode())
