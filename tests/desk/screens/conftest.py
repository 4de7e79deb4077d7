"""An unlocked desk in a browser, with one report on it."""

import shutil
from pathlib import Path

import pytest
from deskbrowser import DeskBrowser
from relayside import Counselor, FakeRelay, make_desk
from twobrowsers import Counter

from protocol.derivation import ReporterKeys


@pytest.fixture
def folder(tmp_path: Path, empty_desk: Path) -> Path:
    shutil.copytree(empty_desk, tmp_path / "desk")
    return tmp_path / "desk"


@pytest.fixture
def browser(folder: Path, passphrases_derived_once_to_save_time: None) -> DeskBrowser:
    opened = DeskBrowser(folder)
    opened.unlock()
    return opened


@pytest.fixture
def case(browser: DeskBrowser, relay: FakeRelay, reporter: ReporterKeys, bundle: Path) -> str:
    """Import a bundle with one report, and return the name of its case."""
    relay.cut(bundle, [relay.send(reporter, files={"notes.txt": b"It was noon.\n"}), relay.cover()])
    browser.send("/import", {"path": str(bundle)})
    return browser.link("To the inbox") and name_in(browser)


@pytest.fixture
def counter(browser: DeskBrowser, relay: FakeRelay, berta: Counselor, tmp_path: Path) -> Counter:
    place = tmp_path / "berta"
    place.mkdir()
    make_desk(place, berta, relay).close()
    other = DeskBrowser(place / "desk")
    other.unlock()
    stick = tmp_path / "stick"
    stick.mkdir()
    return Counter(relay, browser, other, stick)


def name_in(browser: DeskBrowser) -> str:
    import re

    found = re.search(r"/case/([0-9A-Z-]+)", browser.source)
    assert found is not None
    return found[1]
