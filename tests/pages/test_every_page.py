"""Every page: valid, legible to machines and people, small, strict, and saying nothing by its size.

The pages are fetched once from running demonstrations of the three policies; the checks
share one start of Chromium and one of the HTML checker.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path

import pytest

from relay.headers import PAGE_MULTIPLE_BYTES
from templates import STYLE
from tests.pages.collection import Page
from tests.pages.tools import CONTROL, check_html

pytestmark = [pytest.mark.slow, pytest.mark.browser]

PAGE_AND_STYLE_BYTES = 30 * 1024
TWO_BYTES_A_LETTER = ("ar", "fa", "ru", "uk")
STRICT = {
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
FORBIDDEN = ("Set-Cookie", "Date", "Server", "Last-Modified", "ETag", "Vary")


def told(found: Iterable[dict[str, str]], kind: str) -> list[str]:
    """Return what was found of one kind on pages of ours, one line each."""
    found = [one for one in found if one["page"] != CONTROL]
    return [
        f"{one['page']} ({one.get('view')}): {one['told']}" for one in found if one["kind"] == kind
    ]


def test_pages_collected_by_living_through_them_are_all_there(pages: Sequence[Page]) -> None:
    names = " ".join(page.name for page in pages)
    for part in (
        *("generic-en-home", "ddp-en-report-track", "generic-en-receipt", "generic-en-procedure"),
        *(
            "generic-en-safety",
            "en-documents",
            "ddp-en-catalogue",
            "ifes-en-events",
            "no-such-page",
        ),
        *("case-en-sent", "case-en-mailbox-reply", "courier-accepted", "desk-home", "closed-form"),
    ):
        assert part in names


def test_page_that_breaks_every_rule_is_found_to_break_each(seen: list[dict[str, str]]) -> None:
    kinds = {one["kind"] for one in seen if one["page"] == CONTROL}
    assert kinds == {"axe", "overflow", "target", "request", "console"}


def test_pages_read_by_the_html_checker_are_valid(files: dict[str, Path]) -> None:
    assert check_html(files.values()) == []


@pytest.mark.claim("C6")
def test_pages_read_by_axe_light_and_dark_wide_and_narrow_break_no_rule(
    seen: list[dict[str, str]],
) -> None:
    assert told(seen, "axe") == []


def test_pages_320_pixels_wide_or_at_200_percent_never_scroll_sideways(
    seen: list[dict[str, str]],
) -> None:
    assert told(seen, "overflow") == []


def test_controls_of_every_page_are_44_pixels_high(seen: list[dict[str, str]]) -> None:
    assert told(seen, "target") == []


def test_pages_opened_in_a_browser_ask_for_nothing_but_the_stylesheet(
    seen: list[dict[str, str]],
) -> None:
    assert told(seen, "request") + told(seen, "console") == []


def test_pages_of_every_kind_have_strict_headers_and_set_no_cookie(pages: Sequence[Page]) -> None:
    for page in pages:
        headers = page.answer.headers
        assert {name: headers.get(name) for name in STRICT} == STRICT, page.name
        assert headers["Content-Security-Policy"].startswith("default-src 'none'"), page.name
        assert headers["Cache-Control"] in ("no-store", "no-cache, private"), page.name
        assert not [name for name in FORBIDDEN if name in headers], page.name


@pytest.mark.claim("C2")
def test_pages_that_cross_a_network_are_padded_to_eight_kibibytes(pages: Sequence[Page]) -> None:
    crossing = [page for page in pages if not page.name.startswith("desk-")]
    assert [one.name for one in crossing if len(one.answer.body) % PAGE_MULTIPLE_BYTES] == []


def test_pages_in_english_with_their_stylesheet_stay_within_30_kibibytes(
    pages: Sequence[Page],
) -> None:
    assert over_the_limit(page for page in pages if page.language == "en") == {}


def test_only_forms_in_scripts_of_two_bytes_a_letter_are_larger_by_one_padding_step(
    pages: Sequence[Page],
) -> None:
    """Docs say so: the same form in Persian, Russian or Ukrainian has twice the bytes."""
    larger = over_the_limit(pages)
    heavy = {page.name for page in pages if page.language in TWO_BYTES_A_LETTER}
    assert set(larger) <= heavy
    assert max(larger.values(), default=0) <= PAGE_AND_STYLE_BYTES + PAGE_MULTIPLE_BYTES


def over_the_limit(pages: Iterable[Page]) -> dict[str, int]:
    sizes = {page.name: len(page.answer.body) + len(STYLE.encode()) for page in pages}
    return {name: size for name, size in sizes.items() if size > PAGE_AND_STYLE_BYTES}
