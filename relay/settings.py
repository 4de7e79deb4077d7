"""The operator's settings: `relay.toml`, read strictly, with a default for everything.

Refuses an unknown name and a value of another kind: a misspelt limit that is
silently ignored is a limit that does not exist.
"""

import tomllib
from dataclasses import dataclass, fields
from pathlib import Path

from babel import Locale, UnknownLocaleError

from protocol.errors import FormatError
from protocol.limits import ATTACHMENTS_COUNT, TEXT_CHARS

MEBIBYTE = 1024 * 1024
_MOST_BYTES = 2**60
_MOST_MONTHS = 1200  # a month is a number of the database, and a day of the calendar


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What an operator decides about a relay.

    Attributes:
        security_contact: where flaws of the site are reported, a mailto: or https: address.
        languages: of the pages, the first is where `/` leads.
        policy: name of a shipped policy, or the path of a folder.
        database: a SQLAlchemy URL, or empty for SQLite in the data folder.
        text_chars: of one report or follow-up.
        attachments_bytes: of all files of one envelope together.
        attachments_count: files in one envelope.
        daily_attachment_budget_bytes: of all files that all reporters send in a day.
        text_reserve_bytes: of the disk, kept free of attachments for text.
        cover_mean: cover envelopes per cut, mean of a Poisson distribution (FACTS, Cover).
        cut_hours: UTC, when bundles are cut; 0 is always among them.
        demo: cut whenever a bundle is asked for and something has changed.
        retention_months: how long a content waits once somebody has proven to read it.
        expiry_months: after how many months a row goes, and the receipt opens nothing.
        unlisted_months: after how many months that no desk lists it a mailbox goes.
    """

    security_contact: str = "mailto:security@example.org"
    languages: tuple[str, ...] = ("en",)
    policy: str = "generic"
    database: str = ""
    text_chars: int = 100_000
    attachments_bytes: int = 500 * MEBIBYTE
    attachments_count: int = 100
    daily_attachment_budget_bytes: int = 5 * 1024 * MEBIBYTE
    text_reserve_bytes: int = 1024 * MEBIBYTE
    cover_mean: float = 4.0
    cut_hours: tuple[int, ...] = (0, 6, 12, 18)
    demo: bool = False
    retention_months: int = 12
    expiry_months: int = 24
    unlisted_months: int = 12

    def leaving_expiry(self, month: int) -> int:
        """Return the expiry (a Month) up to which a proven content is old enough to leave.

        A row holds its expiry alone; the one period of all rows gives its age.
        """
        return month + self.expiry_months - self.retention_months

    def encode(self) -> str:
        """Return the text of `relay.toml`; `read_settings` is the inverse."""
        lines = ["# The settings of this relay. Restart it after a change.\n"]
        lines += [f"{one.name} = {_toml(getattr(self, one.name))}\n" for one in fields(self)]
        return "".join(lines)


def read_settings(text: str) -> Settings:
    """Read the text of `relay.toml`.

    Raises:
        FormatError: not TOML, an unknown name, or a value out of range.
    """
    try:
        found = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise FormatError("relay.toml is not valid TOML; correct it and start again.") from error
    defaults = {one.name: one.default for one in fields(Settings)}
    values: dict[str, object] = {}
    for name, value in found.items():
        if name not in defaults:
            raise FormatError("relay.toml has a setting that does not exist; check its spelling.")
        values[name] = _typed(name, value, defaults[name])
    settings = Settings(**values)  # type: ignore[arg-type]  # _typed compared each with its default
    _check_ranges(settings)
    return settings


def load_settings(path: Path) -> Settings:
    """Read `relay.toml` from the disk.

    Raises:
        FormatError: it is not there or not right.
    """
    try:
        return read_settings(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise FormatError("relay.toml cannot be read; run `sotto relay init` first.") from error


def _toml(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, tuple):
        return "[" + ", ".join(map(_toml, value)) + "]"
    if isinstance(value, str):
        escaped = value.replace("\\", "\\\\").replace('"', '\\"')
        return f'"{escaped}"'
    return str(value)


def _typed(name: str, value: object, default: object) -> object:
    """Return a value of the kind that its default has; TOML has lists where we have tuples."""
    if isinstance(default, tuple):
        if (
            isinstance(value, list)
            and value
            and all(type(one) is type(default[0]) for one in value)
        ):
            return tuple(value)
    elif type(value) is type(default):
        return value
    elif isinstance(default, float) and type(value) is int:
        return float(value)
    raise FormatError(f"The setting {name} in relay.toml has a value of the wrong kind.")


def _is_language(code: str) -> bool:
    """Tell whether pages can be written in it: with one that is none no page could be made."""
    try:
        Locale.parse(code, sep="-")
    except (UnknownLocaleError, ValueError):
        return False
    return True


def _check_ranges(settings: Settings) -> None:
    hours = settings.cut_hours
    rules = {
        "cut_hours": all(0 <= hour <= 23 for hour in hours)
        and list(hours) == sorted(set(hours))
        and hours[0] == 0,
        "languages": all(map(_is_language, settings.languages))
        and len(set(settings.languages)) == len(settings.languages),
        "cover_mean": 0 <= settings.cover_mean <= 100,
        "text_chars": 1_000 <= settings.text_chars <= TEXT_CHARS,
        "attachments_bytes": 0 <= settings.attachments_bytes <= 4 * 1024 * MEBIBYTE - MEBIBYTE,
        "attachments_count": 0 <= settings.attachments_count <= ATTACHMENTS_COUNT,
        "daily_attachment_budget_bytes": 0 <= settings.daily_attachment_budget_bytes <= _MOST_BYTES,
        "text_reserve_bytes": 0 <= settings.text_reserve_bytes <= _MOST_BYTES,
        "retention_months": 1 <= settings.retention_months <= settings.expiry_months,
        "expiry_months": settings.expiry_months <= _MOST_MONTHS,
        "unlisted_months": 1 <= settings.unlisted_months <= _MOST_MONTHS,
    }
    for name, holds in rules.items():
        if not holds:
            raise FormatError(f"The setting {name} in relay.toml is out of range.")
