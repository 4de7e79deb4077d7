"""Importing beside the pages: how far it is, what stops it, what it leaves behind."""

from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path
from threading import Event

import pytest
from deskbrowser import SITE, DeskBrowser
from relayside import FakeRelay

from desk.importing import ImportReport, import_bundle
from desk.screens import importing
from protocol.derivation import ReporterKeys, generate_throwaway_keys


class Gate:
    """Lets an import wait before its first envelope until a test has looked."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.reached, self.opened = Event(), Event()
        monkeypatch.setattr(importing, "import_bundle", self._import)
        monkeypatch.setattr(importing, "PATIENCE_SECONDS", 0.0)

    def _import(
        self, *given: object, progress: Callable[[int, int], None], **named: object
    ) -> ImportReport:
        def slowly(done: int, total: int) -> None:
            progress(done, total)
            if done and not self.opened.is_set():
                self.reached.set()
                assert self.opened.wait(60)
                progress(done, total)

        return import_bundle(*given, progress=slowly, **named)  # type: ignore[arg-type]


@pytest.fixture
def gate(monkeypatch: pytest.MonkeyPatch) -> Iterator[Gate]:
    made = Gate(monkeypatch)
    yield made
    made.opened.set()


@pytest.fixture
def two_reports(relay: FakeRelay, bundle: Path, reporter: ReporterKeys) -> Path:
    return relay.cut(bundle, [relay.send(reporter), relay.send(generate_throwaway_keys())])


def begin(browser: DeskBrowser, bundle: Path) -> None:
    """Send the form and do not follow where it leads."""
    token = browser.app.extensions["sotto-desk"].form_token
    answer = browser.app.test_client().post(
        "/import",
        data={"form-token": token, "path": str(bundle)},
        base_url=SITE,
        headers={"Origin": SITE},
    )
    assert answer.headers["Location"] == "/import/progress"


def test_page_of_a_running_import_says_how_far_it_is_and_asks_again_by_itself(
    browser: DeskBrowser, gate: Gate, two_reports: Path
) -> None:
    begin(browser, two_reports)
    assert gate.reached.wait(60)
    answer = browser.app.test_client().get("/import/progress", base_url=SITE)
    page = answer.get_data(as_text=True)
    total = browser.app.extensions["sotto-desk"].importing.total
    assert answer.headers["Refresh"] == "1; url=/import/progress"
    assert f'<progress id="progress" max="{total}" value="{total // 2}">' in page
    again = browser.app.test_client().get("/import", base_url=SITE)
    assert again.headers["Location"] == "/import/progress"
    gate.opened.set()
    assert browser.goto("/import/progress").count("opens case") == 2
    assert "Refresh" in browser.answer.headers  # to the lock, after idle, as every page
    assert "/progress" not in browser.answer.headers["Refresh"]


def test_desk_locked_during_an_import_stops_it_and_a_second_import_brings_the_rest(
    browser: DeskBrowser, gate: Gate, two_reports: Path
) -> None:
    begin(browser, two_reports)
    assert gate.reached.wait(60)
    running = browser.app.extensions["sotto-desk"].importing
    browser.send("/lock")
    gate.opened.set()
    assert not running.is_running_after(60)
    assert "stopped" in str(running.failure)
    assert running.report is None
    browser.unlock()
    assert "Import a bundle" in browser.goto("/import/progress")  # nothing is shown of it
    told = browser.send("/import", {"path": str(two_reports)})
    assert told.count("opens case") == 1
    assert browser.goto("/").count("left to acknowledge") == 2


def test_bundle_that_the_browser_hands_over_is_imported_and_leaves_no_copy(
    browser: DeskBrowser, two_reports: Path, folder: Path
) -> None:
    upload = {"file": (BytesIO(two_reports.read_bytes()), "bundle.zip")}
    assert browser.send("/import", upload).count("opens case") == 2
    assert not list(folder.glob(".*"))


def test_import_that_fails_by_a_bug_is_no_refusal(
    browser: DeskBrowser, two_reports: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object, **__: object) -> None:
        raise LookupError("a bug")

    monkeypatch.setattr(importing, "import_bundle", fails)
    with pytest.raises(LookupError, match="a bug"):
        browser.send("/import", {"path": str(two_reports)})
