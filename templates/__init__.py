"""The pages of relay and desk, and their one stylesheet, as package data."""

from pathlib import Path

FOLDER = Path(__file__).parent
STYLE = FOLDER.joinpath("style.css").read_text(encoding="utf-8")
