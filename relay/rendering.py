"""Draw a page of the reporter's site: the context that every page has."""

from flask import Response, g, make_response, render_template, request

from policies.parts import Track
from policies.schema import Policy
from protocol.receipt import dice_number
from relay.arrival import arrival_warning
from relay.languages import day_words, direction, language_name
from relay.parts import parts


def policy() -> Policy:
    """Return the policy in the language of the page."""
    return parts().policies[g.lang]


def track_of(track_id: str) -> Track:
    """Return the track of this id, or the first one: a form never fails for it."""
    tracks = policy().tracks
    return tracks.get(track_id) or next(iter(tracks.values()))


def page(template: str, status: int = 200, **context: object) -> Response:
    """Draw a template of templates/reporter/ with what all pages need.

    Args:
        template: its name without folder and ending.
        status: errors have pages too; a body is never empty, else a browser shows none.
    """
    body = render_template(
        f"reporter/{template}.html",
        lang=g.lang,
        direction=direction(g.lang),
        here=_here(),
        languages=[(code, language_name(code)) for code in parts().policies],
        policy=policy(),
        demo=parts().settings.demo,
        dice_number=dice_number,
        day_words=day_words,
        warning=arrival_warning(request.host, request.headers),
        **context,
    )
    return make_response(body, status)


def _here() -> str | None:
    """Return the page's address behind its language; None for an answer to a form."""
    path = request.path.removeprefix(f"/{g.lang}/")
    return path if request.method == "GET" and path != request.path else None


def closed_page(heading: str, sentence: str, status: int, kept: str = "") -> Response:
    """Say that something could not be done, and give back what was typed."""
    return page("closed", status, heading=heading, sentence=sentence, kept=kept)


def size_words(size_bytes: int) -> str:
    """Return a size as people read it, rounded down: `500 MB`."""
    return f"{size_bytes // 1024**2} MB"
