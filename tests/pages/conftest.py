"""Every page of three demonstrations, fetched once, and looked at once."""

import re
from collections.abc import Sequence
from pathlib import Path

import pytest

from templates import STYLE
from tests.journeys.demonstration import run_demonstration
from tests.pages.collection import (
    Page,
    languages,
    pages_of_a_case,
    pages_of_a_closed_relay,
    pages_of_the_courier,
    pages_to_read,
)
from tests.pages.tools import BUILD, CONTROL, install, look_at, missing_programs

LOOKED_AT = ("en", "ar")  # a script from each side; the other languages share their templates
# What looks the same with another policy, or from right to left, is looked at once.
SAME_ELSEWHERE = re.compile(
    "^(ddp|ifes)-(ar|en-(receipt|safety|documents|no-such-page|catalogue))"
    "|^generic-ar-documents"
    "|^case-ar-(progress|.*-(again|empty|sent|expired|unreadable|without-rung))"
)
# A frame inside a page has no first heading of its own, and the one that tells progress must
# refresh itself, for want of JavaScript; whoever switches that off finds a link beside it.
NOT_FOR_FRAMES = ("meta-refresh", "page-has-heading-one")
# Pale by a style that the headers forbid, a picture from elsewhere, a box without a label that
# is too small to touch, and a line wider than any window.
BROKEN = """<!doctype html><title>Broken</title><link rel="stylesheet" href="/style.css">
<p style="color: #ccc">Pale</p><img src="/elsewhere.png"><input type="checkbox">
<hr width="3000">"""


@pytest.fixture(scope="session")
def pages(tmp_path_factory: pytest.TempPathFactory) -> list[Page]:
    folder = tmp_path_factory.mktemp("pages")
    found: list[Page] = []
    for policy in ("generic", "ddp", "ifes"):
        with run_demonstration(folder / policy, "--policy", policy) as running:
            shown = languages(running)
            for language in shown:
                found += pages_to_read(running, policy, language)
            if policy == "generic":
                for language in LOOKED_AT:
                    if language in shown:
                        found += pages_of_a_case(running, language, folder)
                found += pages_of_the_courier(running, folder)
            if policy == "ifes":
                found += pages_of_a_closed_relay(running)
    return found


@pytest.fixture(scope="session")
def tools() -> None:
    if missing := missing_programs():
        pytest.skip(f"not installed: {', '.join(missing)}")
    install()


@pytest.fixture(scope="session")
def files(pages: Sequence[Page], tools: None) -> dict[str, Path]:
    """The pages as files, by name."""
    folder = BUILD / "html"
    folder.mkdir(exist_ok=True)
    for old in folder.iterdir():
        old.unlink()
    for page in pages:
        (folder / f"{page.name}.html").write_bytes(page.answer.body)
    return {page.name: folder / f"{page.name}.html" for page in pages}


@pytest.fixture(scope="session")
def seen(pages: Sequence[Page], files: dict[str, Path]) -> list[dict[str, str]]:
    """What Chromium and axe-core found."""
    style = BUILD / "style.css"
    style.write_text(STYLE, encoding="utf-8")
    plan = [
        {
            "name": page.name,
            "url": page.url,
            "file": str(files[page.name]),
            "headers": dict(page.answer.headers),
            "without": NOT_FOR_FRAMES if "-progress-" in page.name else (),
        }
        for page in pages
        if page.language in LOOKED_AT and not SAME_ELSEWHERE.search(page.name)
    ]
    broken = BUILD / "broken.html"
    broken.write_text(BROKEN, encoding="utf-8")
    plan.append(plan[0] | {"name": CONTROL, "file": str(broken)})
    origins = {"/".join(page.url.split("/")[:3]) for page in pages}
    sheets = {f"{origin}/style.css": style for origin in origins}
    frame = next(one for one in plan if one["name"] == "case-en-progress-waiting")
    return look_at(plan, sheets, frame)
