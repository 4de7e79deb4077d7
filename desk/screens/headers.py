"""Strict headers on every page of the desk, and nothing kept by the browser.

The desk may not know the relay, so it has its own small set. Everything on these pages is
in confidence, so everything is `no-store`: a browser's cache lies on a disk.
"""

from flask import Flask, Response, g

_POLICY = "; ".join(
    (
        "default-src 'none'",
        "style-src 'self'",
        "img-src 'self' data:",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)
# What was handed out as a file may be anything a stranger made: it gets no origin at all.
_FILE_POLICY = "default-src 'none'; sandbox; frame-ancestors 'none'"
_FIXED = {
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Embedder-Policy": "require-corp",
    "Permissions-Policy": "camera=(), display-capture=(), geolocation=(), microphone=()",
    "X-DNS-Prefetch-Control": "off",
    "Cache-Control": "no-store",
}


def protect(app: Flask) -> None:
    """Set the headers on every answer of an application, errors included."""
    app.after_request(_harden)


def blank_after(seconds: int, address: str) -> None:
    """Let the browser leave the page when the desk has locked itself meanwhile.

    A page with a place to write stays: what was typed would go with it.
    """
    g.refresh = f"{seconds}; url={address}"


def _harden(response: Response) -> Response:
    is_page = response.mimetype in ("text/html", "text/css")
    response.headers.update(_FIXED)
    response.headers["Content-Security-Policy"] = _POLICY if is_page else _FILE_POLICY
    if response.mimetype == "text/html" and "refresh" in g and not _is_written_on(response):
        response.headers["Refresh"] = g.refresh
    return response


def _is_written_on(page: Response) -> bool:
    return b"<textarea" in page.get_data()
