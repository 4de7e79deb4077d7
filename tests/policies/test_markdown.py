"""Whatever a policy's folder holds, a page runs nothing and loads nothing."""

from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.markdown import render
from policies.texts import Page

SAFE_TAGS = frozenset(
    {"a", "blockquote", "br", "code", "em", "h1", "h2", "h3", "h4", "hr", "li", "ol", "p", "pre"}
    | {"strong", "table", "tbody", "td", "th", "thead", "tr", "ul"}
)


class Inspector(HTMLParser):
    """Collects what a browser would see: tags, attributes, link targets."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[tuple[str, str]] = set()
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {(name, value or "") for name, value in attrs}

    @property
    def links(self) -> set[str]:
        return {value for name, value in self.attributes if name == "href"}


HOSTILE = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "![x](https://example.org/pixel.png)",
    "![x](javascript:alert(1))",
    "[x](javascript:alert(1))",
    "[x](JaVaScRiPt:alert(1))",
    "[x](&#106;avascript:alert(1))",
    "[x](java\tscript:alert(1))",
    "[x](data:text/html;base64,PHNjcmlwdD4=)",
    "[x](vbscript:msgbox)",
    "[x](file:///etc/passwd)",
    "[x](//example.org)",
    "[x](ftp://example.org)",
    "<javascript:alert(1)>",
    '[x](https://example.org "onmouseover=alert(1)")',
    '[x](https://example.org" onclick="alert(1))',
    "[x]: javascript:alert(1)\n\n[x]",
    "<style>*{display:none}</style>",
    "<iframe src=https://example.org></iframe>",
    "<form action=https://example.org><input></form>",
    "<svg onload=alert(1)>",
    "<!-- --><base href=https://example.org>",
    "```html\n<script>alert(1)</script>\n```",
    "`<script>`",
    "| a |\n|---|\n| <b onclick=x> |",
    "<a href='https://example.org' target=_blank onclick=x>x</a>",
]


def assert_harmless(html: str) -> None:
    seen = Inspector(html)
    assert seen.tags <= SAFE_TAGS
    assert {name for name, _ in seen.attributes} <= {"href", "rel", "title", "start"}
    for link in seen.links:
        assert link.startswith(("https://", "http://", "mailto:", "/", "#"))
        assert not link.startswith("//")


@pytest.mark.parametrize("source", HOSTILE)
def test_render_hostile_markdown_gives_nothing_that_runs_or_loads(source: str) -> None:
    assert_harmless(render(source))


@given(
    st.lists(
        st.one_of(st.sampled_from(HOSTILE), st.text(max_size=20), st.sampled_from("[]()<>!`*\n")),
        max_size=8,
    ).map("".join)
)
def test_render_any_mixture_gives_nothing_that_runs_or_loads(source: str) -> None:
    assert_harmless(render(source))


@pytest.mark.parametrize(
    "target",
    [
        "https://example.org",
        "http://example.org",
        "http://abcdefghijklmnop.onion/en/",
        "mailto:a@example.org",
        "/en/safety",
        "#rights",
    ],
)
def test_render_honest_link_stays_a_link_without_referrer(target: str) -> None:
    seen = Inspector(render(f"[here]({target})"))
    assert seen.links == {target}
    assert ("rel", "noreferrer") in seen.attributes


def test_render_emphasis_lists_and_headings_keep_their_shape() -> None:
    html = render("## Title\n\n- one\n- **two**\n")
    assert html == "<h2>Title</h2>\n<ul>\n<li>one</li>\n<li><strong>two</strong></li>\n</ul>\n"


def test_page_in_a_template_is_not_escaped_again() -> None:
    assert Page("**yes**").__html__() == "<p><strong>yes</strong></p>\n"


def test_page_without_words_counts_as_empty() -> None:
    assert not Page(" \n")
    assert Page("x")
