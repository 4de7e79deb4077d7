"""The pages of relay and desk, and their one stylesheet, as package data."""

import hashlib
import re
from pathlib import Path

FOLDER = Path(__file__).parent


def squeeze(stylesheet: str) -> str:
    """Take comments and blanks out of a stylesheet: a page with it is to stay small over Tor."""
    bare = re.sub(r"/\*.*?\*/|\s+", lambda found: " " * found[0].isspace(), stylesheet, flags=re.S)
    bare = re.sub(r" ?([{};,>]) ?", r"\1", bare).replace(": ", ":").replace(";}", "}")
    return bare.strip() + "\n"


STYLE = squeeze(FOLDER.joinpath("style.css").read_text(encoding="utf-8"))
# Browsers keep the stylesheet for a day; a changed one has another address.
STYLE_URL = f"/style.css?{hashlib.sha256(STYLE.encode()).hexdigest()[:8]}"
