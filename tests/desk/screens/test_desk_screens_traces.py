"""What the desk in the browser leaves on this machine: nothing readable, not for a moment."""

import os
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import pytest
from deskbrowser import DeskBrowser
from werkzeug.serving import BaseWSGIServer

from desk.files import StagedFile
from desk.screens import serving

CONSENTS = {
    "consents": ["pass-on", "name", "account", "documents"],
    "in-person": "yes",
    "how": "At noon.",
}


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Path, bytes]]:
    """Note every file that the desk writes, and what is in it."""
    noted: list[tuple[Path, bytes]] = []
    write = StagedFile.write

    def noting(staged: StagedFile, parts: Iterable[bytes]) -> int:
        content = b"".join(parts)
        noted.append((staged._path, content))
        return write(staged, [content])

    monkeypatch.setattr(StagedFile, "write", noting)
    return noted


@pytest.mark.clause("P25")
@pytest.mark.clause("P38")
def test_case_to_print_goes_to_the_browser_without_lying_on_the_disk(
    browser: DeskBrowser, case: str, written: list[tuple[Path, bytes]]
) -> None:
    browser.send(f"/case/{case}/do/consent", CONSENTS)
    browser.send(f"/case/{case}/do/outside", {"to": "The court", "reason": "It asks."})
    assert "Something happened" in browser.answer.get_data(as_text=True)
    assert browser.answer.headers["Content-Disposition"].startswith("attachment")
    assert written == []


def test_case_to_print_lies_in_the_folder_that_was_asked_for_and_in_no_other(
    browser: DeskBrowser, case: str, tmp_path: Path, written: list[tuple[Path, bytes]]
) -> None:
    (tmp_path / "stick").mkdir()
    browser.send(f"/case/{case}/do/consent", CONSENTS)
    fields = {"to": "The court", "reason": "It asks.", "folder": str(tmp_path / "stick")}
    browser.send(f"/case/{case}/do/outside", fields)
    assert [place.parent for place, _ in written] == [tmp_path / "stick"]
    assert b"Something happened" in written[0][1]


def test_title_of_a_file_shown_as_text_tells_its_name_to_no_history(
    browser: DeskBrowser, case: str
) -> None:
    browser.goto(f"/case/{case}/file/1/1/text")
    title = browser.source.partition("<title>")[2].partition("</title>")[0]
    assert "notes.txt" in browser.text
    assert "notes" not in title


def test_fields_for_longer_words_ask_the_browser_not_to_write_them_down(
    browser: DeskBrowser, case: str
) -> None:
    for page in (f"/case/{case}/do/note", f"/case/{case}/reply/"):
        browser.goto(page)
        (field,) = [part for part in browser.source.split("<") if part.startswith("textarea")]
        assert 'autocomplete="off"' in field


@pytest.mark.parametrize("place", ["~nobody-here/x", "a\0b"])
@pytest.mark.parametrize(
    ("page", "field"),
    [
        ("/import", "path"),
        ("/backup", "folder"),
        ("/case/{}/do/export", "out"),
        ("/case/{}/do/record", "out"),
        ("/dispatch", "folder"),
    ],
)
def test_place_that_is_none_is_refused_with_a_sentence(
    browser: DeskBrowser, case: str, page: str, field: str, place: str
) -> None:
    browser.send(page.format(case), {field: place, "why": "x", "serial": "1"})
    assert browser.status == 400
    assert "Type the place in full" in browser.text


# --- the browser that is started --------------------------------------------------------------


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give an empty folder of programs; what is started from it notes how."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    return folder


def start(folder: Path, monkeypatch: pytest.MonkeyPatch, *, browser: bool = True) -> list[str]:
    """Open a desk that is closed at once; return what it said when its browser has ended."""
    said: list[str] = []
    spawn = os.posix_spawn

    def awaited(*arguments: object, **named: object) -> int:
        os.waitpid(process := spawn(*arguments, **named), 0)  # type: ignore[arg-type]  # passed on
        return process

    monkeypatch.setattr(os, "posix_spawn", awaited)
    monkeypatch.setattr(BaseWSGIServer, "serve_forever", BaseWSGIServer.server_close)
    serving.open_desk(folder, port=0, idle_seconds=60, browser=browser, say=said.append)
    return said


@pytest.mark.parametrize(
    ("name", "option"), [("firefox-esr", "--private-window"), ("chromium", "--incognito")]
)
def test_browser_is_started_with_a_private_window_and_no_other(
    *,
    folder: Path,
    programs: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    option: str,
) -> None:
    noted = tmp_path / "noted"
    program = programs / name
    program.write_text(f'#!/bin/sh\necho "$@" > {noted}\n')
    program.chmod(0o755)
    said = start(folder, monkeypatch)
    assert noted.read_text().split() == [option, said[0].split()[-1]]
    assert not any("private window" in one for one in said)


@pytest.mark.parametrize("browser", [True, False])
def test_without_a_browser_that_has_private_windows_none_is_started_and_it_is_said(
    folder: Path, programs: Path, monkeypatch: pytest.MonkeyPatch, *, browser: bool
) -> None:
    (programs / "x-www-browser").symlink_to("/bin/false")
    assert any("private window" in one for one in start(folder, monkeypatch, browser=browser))


def test_command_of_the_desk_leaves_no_core_behind(tmp_path: Path) -> None:
    asks = (
        "import resource; from sotto.cli import main\n"
        f"try: main(['desk', 'list', '--data', {str(tmp_path)!r}])\n"
        "except SystemExit: print(resource.getrlimit(resource.RLIMIT_CORE))"
    )
    done = subprocess.run([sys.executable, "-c", asks], capture_output=True, text=True, check=True)
    assert done.stdout == "(0, 0)\n"
