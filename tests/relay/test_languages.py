"""Every page speaks the language of its address, and leads to the same page in the others."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from office import make_office

from relay.languages import language_name

pytestmark = pytest.mark.claim("C6")


@pytest.fixture
def client(tmp_path: Path, cheap_argon2_never_in_production: None) -> Iterator[FlaskClient]:
    office = make_office(tmp_path / "data", languages=("en", "ar", "es"))
    yield office.visitor()
    office.parts.deployment.close()


@pytest.mark.parametrize(
    ("path", "lang", "direction"),
    [
        ("/ar/no-such-page", "ar", "rtl"),
        ("/ar/documents/none", "ar", "rtl"),
        ("/es/no/such/page", "es", "ltr"),
        ("/xx/report", "en", "ltr"),
        ("/nowhere/", "en", "ltr"),
    ],
)
def test_address_that_leads_nowhere_says_so_in_its_language(
    client: FlaskClient, path: str, lang: str, direction: str
) -> None:
    page = client.get(path)
    assert page.status_code == 404
    assert f'<html lang="{lang}" dir="{direction}">' in page.text
    assert ("There is no such page" in page.text) == (lang == "en")


@pytest.mark.parametrize("path", ["", "safety", "procedure", "catalogue/conduct", "sent"])
def test_language_is_changed_without_leaving_the_page(client: FlaskClient, path: str) -> None:
    assert f'href="/ar/{path}" lang="ar"' in client.get(f"/en/{path}").text
    assert client.get(f"/ar/{path}").status_code == 200


def test_languages_are_named_as_their_speakers_name_them() -> None:
    names = [language_name(code) for code in ("id", "fa", "zh-Hans", "pt")]
    assert names == ["Bahasa Indonesia", "فارسی", "中文 (简体)", "Português"]


@pytest.mark.parametrize(("code", "named"), [("ay", "Aymara"), ("quc", "Kʼicheʼ"), ("xx", "Xx")])
def test_language_that_has_no_pages_is_named_in_english(code: str, named: str) -> None:
    assert language_name(code) == named
