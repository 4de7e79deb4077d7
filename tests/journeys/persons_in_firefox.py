"""A reporter and a counselor who do everything in one real Firefox, JavaScript off."""

import re
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.browser.firefox import Firefox
from tests.journeys.demonstration import Demonstration
from tests.journeys.people import COMMAND, Courier

SHOTS = Path(__file__).resolve().parents[2] / "build" / "screenshots" / "firefox"
PROGRESS = "iframe.progress"


class ReporterInFirefox:
    """Someone with a browser and a sheet of paper."""

    def __init__(self, firefox: Firefox, demonstration: Demonstration, track: str) -> None:
        self.firefox, self._site, self._track = firefox, demonstration.reporter, track
        self.paper: list[str] = []

    def opens_the_form(self) -> None:
        self.firefox.goto(self._site + "/")
        self.firefox.click(f"a[href$='track={self._track}']")
        self.paper = self.firefox.texts_of("#receipt b")
        assert len(self.paper) == 9

    def writes(self, text: str) -> None:
        self.firefox.type("#text", text)

    def opens(self, part: str) -> None:
        """Open a folded part of the page."""
        self.firefox.click(part)

    def ticks(self, name: str, value: str) -> None:
        self.firefox.click(f"input[name={name}][value={value}]")

    def adds(self, files: Sequence[Path]) -> None:
        self.firefox.choose_files("#attachments", files)

    def sends(self) -> None:
        self.firefox.click("Send")
        self.firefox.wait_for("Sent and locked", frame=PROGRESS)

    def opens_the_mailbox(self) -> str:
        """Type the nine words; return what stands on the page."""
        self.firefox.goto(f"{self._site}/en/receipt")
        self.firefox.type("#words", " ".join(self.paper))
        self.firefox.click("Open my mailbox")
        return self.firefox.text


@contextmanager
def opened_desk(folder: Path) -> Iterator[str]:
    """Run `sotto desk open` as a person does; yield the address that it says."""
    command = [*COMMAND, "desk", "open", "--no-browser", "--data", str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as running:
        try:
            assert running.stdout is not None
            yield running.stdout.readline().split()[-1]
        finally:
            running.terminate()


class DeskInFirefox:
    """A counselor at her desk: that of the demonstration, or one that `sotto desk open` opened."""

    def __init__(self, firefox: Firefox, site: str, courier: Courier) -> None:
        self.firefox, self._site, self._courier = firefox, site, courier
        self.case = ""

    def goes_there(self) -> None:
        """Open the desk; a one-time address leads to the one that lasts."""
        self.firefox.goto(self._site)
        self._site = self.firefox.url.partition("/unlock")[0]

    def unlocks(self) -> None:
        self.goes_there()
        self.firefox.type("#passphrase", "demo")
        self.firefox.click("Unlock")

    def locks(self) -> None:
        self.firefox.click("Lock")
        assert "The desk is locked" in self.firefox.text

    def imports(self, bundle: Path) -> str:
        """Take a bundle from the stick; return what the desk says, and remember a new case."""
        self.firefox.click("Import")
        self.firefox.choose_files("#file", [bundle])
        self.firefox.click("form[enctype] button")
        self.firefox.wait_for("What the bundle brought")  # a large one tells first how far it is
        told = self.firefox.text
        if found := re.search(r"opens case ([0-9A-Z-]+)", told):
            self.case = found[1]
        return told

    def looks_at_the_case(self) -> str:
        self.firefox.click("Inbox")
        self.firefox.click(self.case)
        return self.firefox.text

    def looks_at_the_case_of(self, other: "DeskInFirefox") -> str:
        """Open the case that another desk calls by the same name."""
        self.case = other.case
        return self.looks_at_the_case()

    def starts(self, task: str) -> None:
        """Open the page of a task, from the page of the case."""
        self.looks_at_the_case()
        self.firefox.click(task)

    def chooses(self, name: str, value: str) -> None:
        self.firefox.click(f"input[name={name}][value={value}]")

    def answers_from(self, ready_text: str, **filled: str) -> str:
        """Fill in a ready text, look at the preview and queue it; return the text."""
        self.starts("Write a reply")
        self.firefox.click(ready_text)
        text = self.firefox.value_of("#text")
        for name, words in filled.items():
            assert f"{{{name}}}" in text
            text = text.replace(f"{{{name}}}", words)
        self.firefox.clear("#text")
        self.firefox.type("#text", text.strip())
        self.firefox.click("Show it as the reporter will see it")
        shown = self.firefox.texts_of(".preview p.quiet + .typed")
        self.firefox.click("Queue it as shown")
        assert "waits for the next dispatch" in self.firefox.text
        return shown[-1]

    def sends_the_dispatch(self) -> None:
        """Write the next dispatch; the courier brings it to the relay."""
        self.firefox.click("Dispatch")
        dispatch = self.firefox.download("form[method=post] button:not(.plain)")
        assert "Accepted" in self._courier.brings(dispatch).text

    def confirms(self, name: str, fingerprint: str) -> None:
        """Type a colleague's fingerprint as she reads it out on the telephone."""
        self.firefox.click("Colleagues")
        self.firefox.click(f"a[href$='/confirm/{name}']")
        self.firefox.type("#spoken", fingerprint)
        self.firefox.click("Confirm")
        assert f"The fingerprint of {name} is confirmed." in self.firefox.text

    def takes(self, file: Path) -> str:
        """Take a colleague's file from the stick; return what the desk says."""
        self.firefox.click("Colleagues")
        self.firefox.click("Take a colleague's file")
        self.firefox.choose_files("#file", [file])
        self.firefox.click("Take it")
        return self.firefox.text

    def reads_out_her_fingerprint(self) -> str:
        self.firefox.click("Settings")
        return self.firefox.texts_of(".facts code")[1]
