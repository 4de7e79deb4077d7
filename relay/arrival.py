"""Notice when somebody comes another way than by Tor Browser, and warn on every page.

A web-to-onion proxy reads everything, and another browser tells who its owner is. What
the request itself says is all we look at; nothing of it is kept.
"""

from werkzeug.datastructures import Headers

from relay.languages import _

PROXY_HEADERS = (
    "X-Forwarded-For",
    "X-Forwarded-Host",
    "X-Tor2Web",
    "X-Real-IP",
    "Via",
    "Forwarded",
)
LOOPBACK = ("127.0.0.1", "localhost", "[::1]")


def arrival_warning(host: str, headers: Headers) -> str:
    """Return a sentence for whoever came an unsafe way, or an empty text.

    Args:
        host: of the request, with or without its port.
        headers: of the request.
    """
    name = host.rpartition(":")[0] if host.rpartition(":")[2].isdigit() else host
    if name not in LOOPBACK and (
        not name.endswith(".onion") or any(header in headers for header in PROXY_HEADERS)
    ):
        return _(
            "Stop: you came through a website that stands between you and us and can read "
            "everything. Close this page, and open the .onion address in Tor Browser."
        )
    if not _is_firefox(headers.get("User-Agent", "")):
        return _(
            "This does not look like Tor Browser. Other browsers tell who you are. "
            "Close this page, and open it in Tor Browser."
        )
    return ""


def _is_firefox(agent: str) -> bool:
    """Say whether it may be Tor Browser, which calls itself Firefox and nothing else."""
    return "Gecko/" in agent and "Firefox/" in agent and "Seamonkey" not in agent
