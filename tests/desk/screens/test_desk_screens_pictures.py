"""Pictures and cleaned files of a case: blurred first, drawn anew, offered where they can be."""

import io
import re
import shutil
from base64 import b64decode
from pathlib import Path

import pytest
from deskbrowser import DeskBrowser
from PIL import Image
from relayside import FakeRelay
from test_desk_pictures import CANARY, taken

from protocol.derivation import ReporterKeys

CLEARLY, BLURRED = "Show it clearly", "Blur it again"


@pytest.fixture
def files(browser: DeskBrowser, relay: FakeRelay, reporter: ReporterKeys, bundle: Path) -> str:
    """Import a report with files, and return the address before the number of a file."""
    sent = {
        "photo.jpg": taken("JPEG", size=(2000, 1000)),
        "broken.png": b"\x89PNG\r\n\x1a\n",
        "sealed.jpg": b"-----BEGIN PGP MESSAGE-----\n",
        "tool.exe": b"MZ",
    }
    relay.cut(bundle, [relay.send(reporter, files=sent)])
    browser.send("/import", {"path": str(bundle)})
    case = re.findall(r"/case/([0-9A-Z-]+)", browser.source)[0]
    browser.goto(f"/case/{case}")
    return f"/case/{case}/file/1"


def shown(browser: DeskBrowser) -> Image.Image:
    found = re.search(r'src="data:image/png;base64,([^"]+)"', browser.source)
    assert found is not None
    return Image.open(io.BytesIO(b64decode(found[1])))


def test_picture_is_blurred_until_somebody_asks_for_more(browser: DeskBrowser, files: str) -> None:
    assert browser.link("Look at it, blurred") == f"{files}/1/picture"
    assert "data:image" not in browser.source
    browser.goto(f"{files}/1/picture")
    assert shown(browser).size == (12, 24)
    assert browser.link(CLEARLY) == "?clearly=yes"
    browser.goto(f"{files}/1/picture?clearly=yes")
    assert shown(browser).size == (640, 1280)
    assert CANARY not in browser.source
    assert browser.link(BLURRED) == "?"


def test_picture_that_cannot_be_decoded_is_refused_with_a_sentence(
    browser: DeskBrowser, files: str
) -> None:
    assert "cannot be shown" in browser.goto(f"{files}/2/picture")
    assert browser.status == 400


@pytest.mark.parametrize("number", [3, 4], ids=["encrypted already", "no picture"])
def test_file_that_is_no_picture_or_sealed_is_not_decoded(
    browser: DeskBrowser, files: str, number: int
) -> None:
    assert browser.source.count("Look at it, blurred") == 2
    browser.goto(f"{files}/{number}/picture")
    assert browser.status == 404


def test_file_is_saved_without_its_metadata_where_that_can_be_done(
    browser: DeskBrowser, files: str
) -> None:
    assert browser.source.count("Save without metadata") == 3
    browser.goto(f"{files}/1/cleaned")
    assert browser.answer.headers["Content-Disposition"].endswith("cleaned-photo.jpg")
    assert browser.answer.data.startswith(b"\xff\xd8")
    assert CANARY.encode() not in browser.answer.data
    assert "mat2 could not clean this file" in browser.goto(f"{files}/4/cleaned")
    assert browser.status == 400


def test_machine_without_mat2_offers_no_cleaned_file(
    browser: DeskBrowser, files: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: None)
    browser.goto(files.rpartition("/file")[0])
    assert "Save without metadata" not in browser.source
    browser.goto(f"{files}/1/cleaned")
    assert browser.status == 404
