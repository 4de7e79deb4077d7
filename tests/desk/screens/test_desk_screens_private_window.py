"""The window that the desk opens in a real Firefox writes nothing of the desk down."""

import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Thread
from typing import Any

import pytest

from desk.screens.browsing import open_privately
from desk.screens.serving import prepare
from tests.browser.profile import user_js

pytestmark = [pytest.mark.slow, pytest.mark.browser]

TITLE = b"Make a desk"  # of the page to which a folder without a desk leads
WRITES_SECONDS = 20  # Firefox writes its session down every fifteen
PATIENCE_SECONDS = 120


@pytest.fixture
def profile(tmp_path: Path) -> Path:
    """Give a profile as people have it: without private windows unless they are asked for."""
    folder = tmp_path / "profile"
    (folder / "downloads").mkdir(parents=True)
    preference = '"browser.privatebrowsing.autostart", '
    everyday = user_js(folder / "downloads", None)
    (folder / "user.js").write_text(everyday.replace(f"{preference}true", f"{preference}false"))
    return folder


@contextmanager
def served(folder: Path) -> Iterator[tuple[str, Event]]:
    """Serve a desk; give its one-time address, and what is set when a browser shows a page."""
    server, address = prepare(folder, port=0, idle_seconds=600)
    gate: Any = server.app
    shown = Event()

    def noting(environ: Any, start_response: Any) -> Any:
        if environ["PATH_INFO"].endswith("/style.css"):
            shown.set()
        return gate(environ, start_response)

    server.app = noting
    Thread(target=server.serve_forever, daemon=True).start()
    yield address, shown
    server.shutdown()


@contextmanager
def firefox(tmp_path: Path, profile: Path, monkeypatch: pytest.MonkeyPatch, words: str) -> Any:
    """Put a Firefox with that profile where the desk finds one, and end it afterwards.

    Args:
        words: what it takes of what it is given: all, or the address alone.
    """
    process, program = tmp_path / "process", tmp_path / "bin" / "firefox-esr"
    program.parent.mkdir()
    program.write_text(
        f"#!/bin/sh\nPATH={os.environ['PATH']}\nexport MOZ_HEADLESS=1\necho $$ > {process}\n"
        f"exec firefox-esr --profile {profile} {words}\n"
    )
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(program.parent))
    yield
    os.kill(pid := int(process.read_text()), signal.SIGKILL)
    os.waitpid(pid, 0)


def tells(profile: Path) -> bool:
    return any(TITLE in one.read_bytes() for one in profile.rglob("*") if one.is_file())


def test_private_window_of_the_desk_writes_no_page_down(
    tmp_path: Path, profile: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with (
        served(tmp_path / "desk") as (address, shown),
        firefox(tmp_path, profile, monkeypatch, '"$@"'),
    ):
        assert open_privately(address)
        assert shown.wait(PATIENCE_SECONDS)
        time.sleep(WRITES_SECONDS)
        assert not tells(profile)
    assert not tells(profile)


def test_any_other_window_writes_down_what_the_search_looks_for(
    tmp_path: Path, profile: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with (
        served(tmp_path / "desk") as (address, shown),
        firefox(tmp_path, profile, monkeypatch, '"$2"'),
    ):
        assert open_privately(address)
        assert shown.wait(PATIENCE_SECONDS)
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not tells(profile):
            assert time.monotonic() < deadline, "nothing was written down"
            time.sleep(1)
