"""The language of a page: it stands in the path, never in a cookie."""

from collections.abc import Iterable
from datetime import date
from pathlib import Path

from babel import Locale, UnknownLocaleError
from flask import Flask, abort, g, request
from flask_babel import Babel, gettext

import templates
from policies.days import written_day

TRANSLATIONS = Path(templates.__file__).parent.parent / "locale"


def use_languages(app: Flask, shown: Iterable[str]) -> None:
    """Read the language from the path of each request and refuse those not shown.

    Args:
        app: its blueprints have the prefix `/<lang>`.
        shown: language codes of the policy, such as `en` or `ar`.
    """
    codes = tuple(shown)
    app.config["BABEL_TRANSLATION_DIRECTORIES"] = str(TRANSLATIONS)
    Babel(app, locale_selector=lambda: Locale.parse(g.get("lang", codes[0]), sep="-"))

    @app.url_value_preprocessor
    def take_language(endpoint: str | None, values: dict[str, object] | None) -> None:
        named = values.pop("lang", None) if values else None
        # An address that leads nowhere has no values; its page speaks the visitor's language too.
        wanted = named or request.path.split("/")[1]
        g.lang = wanted if wanted in codes else codes[0]
        if named and named not in codes:
            abort(404)


def _(text: str, **values: object) -> str:
    """Return a text of the interface in the language of the page; the one door to gettext."""
    return str(gettext(text, **values))


def day_words(day: date) -> str:
    """Return a day as people write it in the language of the page, as `4 décembre 2026`."""
    return written_day(day, str(g.lang))


def preferred_language(shown: Iterable[str]) -> str:
    """Choose the language to greet with; Tor Browser asks for English unless told."""
    codes = list(shown)
    return request.accept_languages.best_match(codes) or codes[0]


def language_name(code: str) -> str:
    """Return a language's name in itself, such as `العربية`, else in English, as `Aymara`."""
    if code == "id":
        return "Bahasa Indonesia"  # the list of names has the country's
    try:
        name = Locale.parse(code, sep="-").display_name
    except (UnknownLocaleError, ValueError):
        name = Locale("en").languages.get(code.partition("-")[0])
    name = name or code
    return name[:1].upper() + name[1:]


def direction(code: str) -> str:
    """Return `rtl` or `ltr`, for the attribute `dir`."""
    return Locale.parse(code, sep="-").text_direction
