"""Two counselors with a browser each, and what they do in a case."""

import re
from pathlib import Path

from deskbrowser import DeskBrowser
from relayside import Counselor, FakeRelay, SealedEnvelope

from desk.desk import spoken_fingerprint

IFES = {"policy": "ifes", "policy_version": "1.0", "track": "incident"}


class Counter:
    """Two counselors with a browser each, a relay and one stick between them."""

    def __init__(
        self, relay: FakeRelay, anna: DeskBrowser, berta: DeskBrowser, stick: Path
    ) -> None:
        self.relay, self.anna, self.berta, self.stick = relay, anna, berta, stick
        self.sent: list[SealedEnvelope] = []

    def both_import(self) -> None:
        """Bring the same bundle to both desks."""
        bundle = self.stick / "bundle.zip"
        self.relay.cut(bundle, self.sent, number=len(self.sent))
        for one in (self.anna, self.berta):
            one.send("/import", {"path": str(bundle)})
            assert one.status == 200, one.text

    def both_confirm(self, anna: Counselor, berta: Counselor) -> None:
        """Let both read their fingerprints to each other."""
        for one, other in ((self.anna, berta), (self.berta, anna)):
            spoken = spoken_fingerprint(other.secret_key.fingerprint)
            told = one.send(f"/colleagues/confirm/{other.name}", {"spoken": spoken})
            assert "is confirmed" in told, told


def case_of(browser: DeskBrowser) -> str:
    browser.goto("/")
    return str(re.findall(r"/case/([0-9A-Z-]+)", browser.source)[0])


def do(browser: DeskBrowser, case: str, task: str, **fields: str | list[str]) -> str:
    """Fill in the form of a task and send it."""
    named = {name.replace("_", "-"): value for name, value in fields.items()}
    return browser.send(f"/case/{case}/do/{task}", named)
