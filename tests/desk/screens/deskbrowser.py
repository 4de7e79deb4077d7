"""A browser without JavaScript, as far as tests need one: it fills in the forms it was shown."""

import html
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from io import BytesIO
from pathlib import Path

from flask import Flask
from relayside import NOW, PASSPHRASE
from werkzeug.test import TestResponse

from desk.screens.app import create_app

SITE = "http://127.0.0.1:8082"
Fields = Mapping[str, str | Sequence[str] | tuple[BytesIO, str]]


class Clock:
    """The machine's clock and the seconds that pass, moved by tests."""

    def __init__(self) -> None:
        self.now: datetime = NOW
        self.seconds = 1000.0


class DeskBrowser:
    """One window on one desk."""

    def __init__(self, folder: Path) -> None:
        self.clock = Clock()
        self.app: Flask = create_app(
            folder, clock=lambda: self.clock.now, monotonic=lambda: self.clock.seconds
        )
        self.app.testing = True
        self._client = self.app.test_client()
        self.answer: TestResponse

    @property
    def status(self) -> int:
        return self.answer.status_code

    @property
    def source(self) -> str:
        return self.answer.get_data(as_text=True)

    @property
    def text(self) -> str:
        """What stands on the page, tags and blanks aside."""
        main = re.sub(r"(?s)^.*<main[^>]*>|</main>.*$", "", self.source)
        return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", main)).split())

    def goto(self, path: str, **options: object) -> str:
        self.answer = self._client.get(path, base_url=SITE, buffered=True, **options)  # type: ignore[arg-type]  # headers by name
        return self._follow()

    def send(self, path: str, fields: Fields | None = None, **options: object) -> str:
        """Post a form of ours, with its token and from its origin; `fields` may be wrong."""
        token = self.app.extensions["sotto-desk"].form_token
        data = {"form-token": token, **(fields or {})}
        headers = {"Origin": SITE}
        self.answer = self._client.post(
            path,
            data=data,
            base_url=SITE,
            buffered=True,
            **{"headers": headers, **options},  # type: ignore[arg-type]  # as above
        )
        return self._follow()

    def unlock(self, passphrase: str = PASSPHRASE) -> str:
        return self.send("/unlock", {"passphrase-of-the-desk": passphrase})

    def link(self, words: str) -> str:
        """Return where a link leads that reads so."""
        for address, inner in re.findall(r'<a[^>]* href="([^"]+)"[^>]*>(.*?)</a>', self.source):
            if html.unescape(re.sub(r"<[^>]+>", "", inner)).strip() == words:
                return html.unescape(address)
        raise AssertionError(f"no link reads {words}")

    def _follow(self) -> str:
        while self.answer.status_code == 303 or "/progress" in self.answer.headers.get(
            "Refresh", ""
        ):
            self.answer = self._client.get(
                self.answer.headers.get("Location", self.answer.request.path),
                base_url=SITE,
                buffered=True,
            )
        return self.text if self.answer.mimetype == "text/html" else ""
