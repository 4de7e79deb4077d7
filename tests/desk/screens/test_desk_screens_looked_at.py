"""Every page of the desk: valid, legible to machines and people, strict, and narrow enough."""

from collections.abc import Sequence
from pathlib import Path

import pytest
from deskbrowser import DeskBrowser
from livedin import Seen, fill, pages
from relayside import FakeRelay

from templates import FOLDER as TEMPLATES
from templates import STYLE, squeeze
from tests.pages.tools import BUILD, check_html, install, look_at, missing_programs

pytestmark = [pytest.mark.slow, pytest.mark.browser]

SITE = "http://127.0.0.1:8082"


@pytest.fixture
def seen(browser: DeskBrowser, relay: FakeRelay, tmp_path: Path) -> list[Seen]:
    case = fill(browser, relay, tmp_path)
    fresh = DeskBrowser(tmp_path / "none")
    first = []
    for path in ("/first/", "/first/make", "/first/bring", "/first/restore", "/first/gpg"):
        fresh.goto(path)
        name = f"first-{path.strip('/').split('/')[-1]}"
        first.append(Seen(name, path, fresh.source, dict(fresh.answer.headers)))
    return [*first, *pages(browser, case, tmp_path)]


def test_pages_of_the_desk_are_valid_and_legible_and_fit_a_narrow_screen(
    seen: Sequence[Seen],
) -> None:
    if missing := missing_programs():
        pytest.skip(f"not installed: {', '.join(missing)}")
    install()
    folder = BUILD / "desk"
    folder.mkdir(parents=True, exist_ok=True)
    for page in seen:
        (folder / f"{page.name}.html").write_text(page.source, encoding="utf-8")
    files = {page.name: folder / f"{page.name}.html" for page in seen}
    style = folder / "style.css"
    style.write_text(STYLE + squeeze((TEMPLATES / "desk.css").read_text()), encoding="utf-8")
    plan = [
        {
            "name": f"desk-{page.name}",
            "url": SITE + page.path,
            "file": str(files[page.name]),
            "headers": page.headers | {"Refresh": ""},
            "without": (),
        }
        for page in seen
    ]
    served = {f"{SITE}/style.css": style, f"{SITE}/figures/2026.svg": style}
    found = look_at(plan, served, plan[0])
    assert [
        f"{one['page']} {one['kind']} ({one.get('view')}): {one['told']}" for one in found
    ] == []
    assert check_html(files.values()) == []
