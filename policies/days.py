"""Days in words, the same in the relay's pages, in ready texts and at the desk."""

import re
from datetime import date

from babel import Locale, UnknownLocaleError
from babel.dates import format_date

_AS_WRITTEN = {"en": "en-GB"}  # day, month, year, as on all our pages


def written_day(day: date, language: str) -> str:
    """Write a day as people write it in a language: in digits alone its order is a guess.

    Within a text that runs from right to left, digits and hyphens would even change places.

    Args:
        day: any.
        language: a code such as `fr`; in one that is unknown, digits have to do.
    """
    try:
        locale = Locale.parse(_AS_WRITTEN.get(language, language), sep="-")
    except (ValueError, UnknownLocaleError):
        return day.isoformat()
    written = str(format_date(day, format="long", locale=locale))
    # The sign for «year» ends in a point, and so does the sentence.
    return re.sub(r"\s[гр]\.$", "", written)
