"""The main job through a real Tor network: Firefox without JavaScript, both onion services."""

import re
import secrets
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.browser.firefox import Firefox
from tests.browser.marionette import BrowserError, NoSuchElementError
from tests.journeys.demonstration import Demonstration, run_demonstration
from tests.journeys.people import Counselor

pytestmark = [pytest.mark.slow, pytest.mark.tor, pytest.mark.browser]

SHOTS = Path(__file__).resolve().parents[2] / "build" / "screenshots" / "onion"
FILE_BYTES = 20_000_000


class Rehearsal:
    """A demonstration that is published on a private Tor network."""

    def __init__(self, demonstration: Demonstration) -> None:
        self.demonstration = demonstration
        told = _wait_for_addresses(demonstration.log)
        self.reporter, self.courier = re.findall(r"(http://[a-z2-7]{56}\.onion)/", told)
        self.socks_port = int(re.findall(r"SOCKS\s+127\.0\.0\.1:(\d+)", told)[0])


def _wait_for_addresses(log: Path) -> str:
    deadline = time.monotonic() + 180
    while "SOCKS" not in (told := log.read_text()):
        assert "Not on Tor" not in told, told
        assert time.monotonic() < deadline, told
        time.sleep(0.2)
    return told


@pytest.fixture(scope="module")
def rehearsal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rehearsal]:
    # A short path: Tor's sockets below it may have 107 bytes.
    with run_demonstration(tmp_path_factory.mktemp("r") / "d", "--rehearse") as demonstration:
        yield Rehearsal(demonstration)


@pytest.fixture(scope="module")
def firefox(rehearsal: Rehearsal) -> Iterator[Firefox]:
    with Firefox(socks_port=rehearsal.socks_port) as browser:
        browser.resize(1280, 1000)
        yield browser


def send_and_wait(firefox: Firefox, name: str) -> None:
    """Send, and look into the frame until it says that all is stored."""
    firefox.click("Send")
    deadline = time.monotonic() + 120
    seen = ""
    while "Sent and locked" not in seen:
        assert time.monotonic() < deadline, seen
        with suppress(BrowserError, NoSuchElementError), firefox.inside("iframe.progress"):
            seen = firefox.text
        if "%" in seen:
            firefox.screenshot(SHOTS / f"{name}-under-way.png")
        time.sleep(0.5)
    firefox.screenshot(SHOTS / f"{name}-sent.png")


@pytest.mark.claim("C6")
def test_report_with_a_large_file_is_answered_through_two_onion_services(
    rehearsal: Rehearsal, firefox: Firefox, tmp_path: Path
) -> None:
    demonstration = rehearsal.demonstration
    file = tmp_path / "recording.bin"
    file.write_bytes(secrets.token_bytes(FILE_BYTES))
    firefox.goto(rehearsal.reporter + "/")
    firefox.screenshot(SHOTS / "1-landing.png")
    firefox.click("Write a report")
    words = firefox.texts_of("#receipt b")
    firefox.type("#text", "Sent through the onion.")
    firefox.choose_files("#attachments", [file])
    send_and_wait(firefox, "2-report")

    counselor = Counselor(tmp_path / "desk", key=demonstration.key, relay=demonstration.certificate)
    firefox.goto(rehearsal.courier + "/")
    firefox.screenshot(SHOTS / "3-courier.png")
    counselor.imports(firefox.download("Take the bundle", seconds=120))
    (case,) = counselor.lists()
    shown = counselor.shows(case["case"])
    assert [one["size"] for one in shown["attachments"]] == [FILE_BYTES]
    counselor.replies(case["case"], "We heard it.")
    firefox.choose_files("#dispatch", [counselor.exports(tmp_path / "dispatch.sotto")])
    firefox.click("Bring the dispatch")
    assert "Accepted" in firefox.text

    firefox.goto(rehearsal.reporter + "/en/receipt")
    firefox.type("#words", " ".join(words))
    firefox.click("Open my mailbox")
    firefox.screenshot(SHOTS / "4-mailbox.png")
    assert "We heard it." in firefox.text
