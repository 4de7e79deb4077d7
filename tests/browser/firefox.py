"""Drive Debian's Firefox as a person with Tor Browser at Safest uses it: JavaScript off.

Marionette is Firefox's own remote control: JSON over a loopback socket, each message with
its length before it. A hundred lines of it are enough here; a package would bring its own
process handling, and no geckodriver is needed. The profile lies in a temporary folder and
goes with the browser, and nothing but the pages under test is asked for.
"""

import base64
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tests.browser.marionette import BrowserError, Marionette, NoSuchElementError
from tests.browser.profile import user_js

START_SECONDS = 60
TAB, ENTER, SPACE = "\ue004", "\ue007", " "
_ELEMENT = "element-6066-11e4-a52e-4f735466cecf"  # WebDriver's name for a reference
_PASSING = (BrowserError, NoSuchElementError)  # while one page takes the place of another


@dataclass(frozen=True, kw_only=True)
class Focused:
    """What has the focus, described as far as a journey needs it."""

    tag: str
    text: str
    id: str
    name: str
    ticked: bool


class Firefox:
    """One headless window; a context manager that leaves no process and no profile behind."""

    def __init__(self, *, socks_port: int | None = None) -> None:
        """Start the browser.

        Args:
            socks_port: of a Tor client on this machine; then names are resolved behind it,
                and .onion addresses are allowed.
        """
        self._profile = Path(tempfile.mkdtemp(prefix="firefox-"))
        self.downloads = self._profile / "downloads"
        self.downloads.mkdir()
        preferences = user_js(self.downloads, socks_port)
        (self._profile / "user.js").write_text(preferences, encoding="utf-8")
        self._process = subprocess.Popen(
            ["firefox-esr", "--headless", "--marionette", "--profile", str(self._profile)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=os.environ | {"LC_ALL": "C.UTF-8"},  # else it finds no file with such a name
        )
        try:
            self._remote = Marionette(self._port())
            self._ask("WebDriver:NewSession", strictFileInteractability=True)
            self._ask("WebDriver:SetTimeouts", pageLoad=240_000)
        except BaseException:
            self._end()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.quit()

    # Going somewhere.

    def goto(self, url: str) -> None:
        """Open an address and wait until it is loaded."""
        self._ask("WebDriver:Navigate", url=url)

    def back(self) -> None:
        """Press Back."""
        self._ask("WebDriver:Back")

    @property
    def url(self) -> str:
        """The address that the window shows."""
        return str(self._value("WebDriver:GetCurrentURL"))

    def wait_for_address(self, ending: str, seconds: float = 60) -> None:
        """Wait until the window shows an address that ends so."""
        deadline = time.monotonic() + seconds
        while not self.url.endswith(ending):
            assert time.monotonic() < deadline, f"{self.url} does not end in {ending}"
            time.sleep(0.1)

    @property
    def title(self) -> str:
        """The title of the window."""
        return str(self._value("WebDriver:GetTitle"))

    # Reading.

    @property
    def text(self) -> str:
        """What can be read on the page: nothing that is hidden or closed."""
        return self.text_of("body")

    @property
    def source(self) -> str:
        """The document as the browser holds it."""
        return str(self._value("WebDriver:GetPageSource"))

    def text_of(self, css: str) -> str:
        """Return what can be read in the first element of a kind."""
        return str(self._value("WebDriver:GetElementText", id=self._find(css)))

    def texts_of(self, css: str) -> list[str]:
        """Return what can be read in each element of a kind."""
        return [str(self._value("WebDriver:GetElementText", id=one)) for one in self._all(css)]

    def value_of(self, css: str) -> str:
        """Return what stands in a field."""
        answer = self._value("WebDriver:GetElementProperty", id=self._find(css), name="value")
        return str(answer)

    def has(self, css: str) -> bool:
        """Return whether the page holds an element of a kind."""
        return bool(self._all(css))

    # Acting.

    def click(self, target: str) -> None:
        """Click on what has this text (link, button, heading of a fold, label), or on a CSS match.

        A page that this leads to is loaded when the call returns.
        """
        self._ask("WebDriver:ElementClick", id=self._find_shown(target))

    def enter(self, target: str) -> None:
        """Press Enter on a link or button: in a frame, which a click would miss out of sight."""
        self._ask("WebDriver:ElementSendKeys", id=self._find_shown(target), text=ENTER)

    def type(self, css: str, text: str) -> None:
        """Type into a field, after what stands there."""
        self._ask("WebDriver:ElementSendKeys", id=self._find(css), text=text)

    def clear(self, css: str) -> None:
        """Empty a field."""
        self._ask("WebDriver:ElementClear", id=self._find(css))

    def choose_files(self, css: str, paths: Sequence[Path]) -> None:
        """Choose files, as the file dialogue does."""
        names = "\n".join(str(path.resolve()) for path in paths)
        self._ask("WebDriver:ElementSendKeys", id=self._find(css), text=names)

    @contextmanager
    def inside(self, css: str) -> Iterator[None]:
        """Read and act inside a frame of the page."""
        self._ask("WebDriver:SwitchToFrame", element={_ELEMENT: self._find(css)})
        try:
            yield
        finally:
            self._ask("WebDriver:SwitchToFrame", id=None)

    def wait_for(self, words: str, *, frame: str = "", seconds: float = 60) -> None:
        """Wait until the page, or a frame of it, reads these words."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            with suppress(*_PASSING):  # a page that is just being replaced
                with self.inside(frame) if frame else nullcontext():
                    text = self.text
                if words in text:
                    return
            time.sleep(0.1)
        raise AssertionError(f"the page never read: {words}")

    def download(self, target: str, seconds: float = 60) -> Path:
        """Click on something that is saved as a file, and wait until it is whole."""
        before = set(self.downloads.iterdir())
        self.click(target)
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            new = set(self.downloads.iterdir()) - before
            if len(new) == 1 and (path := new.pop()).suffix != ".part" and path.stat().st_size:
                return path
            time.sleep(0.1)
        raise AssertionError("nothing was saved")

    def press(self, keys: str) -> None:
        """Press keys, one after the other, wherever the focus is; wait for what they lead to."""
        before = self._page()
        steps = [{"type": kind, "value": key} for key in keys for kind in ("keyDown", "keyUp")]
        self._ask(
            "WebDriver:PerformActions",
            actions=[{"type": "key", "id": "keyboard", "actions": steps}],
        )
        if keys.endswith(ENTER):
            self._wait_for_change(before)

    def focused(self) -> Focused:
        """Return what has the focus now."""
        element = self._value("WebDriver:GetActiveElement")[_ELEMENT]

        def attribute(name: str) -> str:
            return str(self._value("WebDriver:GetElementAttribute", id=element, name=name) or "")

        return Focused(
            tag=str(self._value("WebDriver:GetElementTagName", id=element)).lower(),
            text=str(self._value("WebDriver:GetElementText", id=element)),
            id=attribute("id"),
            name=attribute("name"),
            ticked=bool(self._value("WebDriver:IsElementSelected", id=element)),
        )

    # Looking.

    def resize(self, width: int, height: int) -> None:
        """Change the size of the window, in CSS pixels."""
        self._ask("WebDriver:SetWindowRect", width=width, height=height)

    def screenshot(self, path: Path) -> None:
        """Save a picture of the whole page."""
        path.parent.mkdir(parents=True, exist_ok=True)
        shot = self._value("WebDriver:TakeScreenshot", full=True, hash=False)
        path.write_bytes(base64.b64decode(shot))

    def quit(self) -> None:
        """End the browser and remove its profile; without the first step it takes ten seconds."""
        with suppress(*_PASSING, OSError):
            self._ask("WebDriver:DeleteSession")
        self._remote.close()
        self._end()

    def _end(self) -> None:
        self._process.terminate()
        try:
            self._process.wait(15)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        shutil.rmtree(self._profile, ignore_errors=True)

    # The remote control itself.

    def _port(self) -> int:
        """Wait for the file in which Firefox says where it listens."""
        told = self._profile / "MarionetteActivePort"
        deadline = time.monotonic() + START_SECONDS
        while not (told.exists() and told.read_text().strip()):
            assert self._process.poll() is None, "Firefox ended by itself"
            assert time.monotonic() < deadline, "Firefox did not start"
            time.sleep(0.05)
        return int(told.read_text())

    def _ask(self, command: str, **parameters: object) -> Any:
        return self._remote.ask(command, **parameters)

    def _value(self, command: str, **parameters: object) -> Any:
        return self._ask(command, **parameters)["value"]

    def _all(self, css: str) -> list[str]:
        found = self._ask("WebDriver:FindElements", using="css selector", value=css)
        return [one[_ELEMENT] for one in found]

    def _find(self, css: str) -> str:
        element: str = self._value("WebDriver:FindElement", using="css selector", value=css)[
            _ELEMENT
        ]
        return element

    def _find_shown(self, target: str) -> str:
        """Find by the words that a person reads, else by CSS."""
        quoted = f'"{target}"'  # XPath knows no escapes
        if '"' not in target:
            path = (
                "//*[self::a or self::button or self::summary or self::label]"
                f"[normalize-space(.)={quoted} or (self::label and"
                f" starts-with(normalize-space(.), {quoted}))]"
            )
            for one in self._ask("WebDriver:FindElements", using="xpath", value=path):
                shown = self._value("WebDriver:IsElementDisplayed", id=one[_ELEMENT])
                if shown:
                    return str(one[_ELEMENT])
        try:
            return self._find(target)
        except BrowserError:  # words are no selector
            raise NoSuchElementError(f"nothing on the page reads {target}") from None

    def _page(self) -> str:
        """Return a reference to the document, which changes when another one is loaded."""
        return self._find("html")

    def _wait_for_change(self, before: str) -> None:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            with suppress(*_PASSING):
                if self._page() != before and self.has("main"):
                    return
            time.sleep(0.05)
        raise AssertionError("the key led nowhere")
