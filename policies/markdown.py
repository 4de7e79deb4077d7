"""Markdown from a policy's folder, as HTML that is safe to show.

The one door to bleach. Texts come from whoever edits the policy, perhaps in a
hurry: three layers, each enough alone. The parser knows no HTML and no images,
bleach lets only listed tags through, and the pages' content security policy
forbids the rest.
"""

from functools import lru_cache

import bleach
from markdown_it import MarkdownIt

_LISTS = {"dd", "dl", "dt", "li", "ol", "ul"}
_TABLES = {"table", "tbody", "td", "th", "thead", "tr"}
_PROSE = {"a", "blockquote", "br", "code", "em", "h1", "h2", "h3", "h4", "hr", "p", "pre", "strong"}
_TAGS = frozenset(_LISTS | _TABLES | _PROSE)
_ATTRIBUTES = {"a": ["href", "rel", "title"], "ol": ["start"]}
_SCHEMES = frozenset({"http", "https", "mailto"})  # an onion address is http


def is_safe_link(url: str) -> bool:
    """Whether a page may link there: out by http, https or mailto, or within this site."""
    target = url.strip().lower()
    if target.startswith(("/", "#")):
        return not target.startswith("//")
    scheme, colon, _ = target.partition(":")
    return bool(colon) and scheme in _SCHEMES


class _Parser(MarkdownIt):
    """CommonMark with tables; no HTML, no images, no typing aids, no odd links."""

    def __init__(self) -> None:
        super().__init__("js-default", {"html": False, "typographer": False})
        self.disable("image")

    def validateLink(self, url: str) -> bool:  # noqa: N802  # the library's name for this hook
        """Let the rule of this module decide which links are links."""
        return is_safe_link(url)


_PARSER = _Parser()


@lru_cache(maxsize=512)
def render(source: str) -> str:
    """Turn Markdown into safe HTML.

    Links that lead anywhere but to the web, an e-mail address or this site stay
    plain text; every link carries `rel="noreferrer"`, so that no other site
    learns where the reader came from.

    Args:
        source: Markdown, from a policy's folder.

    Returns:
        HTML without scripts, images, styles, forms or handlers.
    """
    tokens = _PARSER.parse(source)
    for token in tokens:
        for child in token.children or ():
            if child.type == "link_open":
                child.attrSet("rel", "noreferrer")
    html = _PARSER.renderer.render(tokens, _PARSER.options, {})
    return str(
        bleach.clean(html, tags=_TAGS, attributes=_ATTRIBUTES, protocols=_SCHEMES, strip=True)
    )
