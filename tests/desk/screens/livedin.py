"""A desk on which something happened, so that every page has something to show."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace

from deskbrowser import SITE, DeskBrowser
from relayside import FakeRelay, answer
from test_desk_pictures import taken

from protocol.derivation import generate_throwaway_keys

HOSTILE = (
    "<script>alert(1)</script> <img src=x onerror=alert(2)>\n"
    "مرحبا \u202etxt.exe\u202c and {{ 7 * 7 }}\x07"
)
LONG = "Averylongwordwithoutanyspaceinit" * 8


@dataclass(frozen=True)
class Seen:
    """A page as the desk answered it."""

    name: str
    path: str
    source: str
    headers: dict[str, str]


def fill(browser: DeskBrowser, relay: FakeRelay, stick: Path) -> str:
    """Import an urgent case of the IFES procedure with files; return its name."""
    reporter, stranger = generate_throwaway_keys(), generate_throwaway_keys()
    ifes = {"policy": "ifes", "policy_version": "1.0", "track": "incident"}
    report = relay.report(
        reporter,
        **ifes,
        text=f"He waited for me at the door.\n{HOSTILE}\n{LONG}",
        answers=(
            answer("danger", "yes"),
            answer("wishes", "Talk to nobody <b>before</b> Friday."),
            answer("standing", "affected"),
            answer("consents", "pass-on"),
        ),
        readers=("anna", "berta"),
        left_out=("head",),
    )
    files = {
        "notes.txt": b"It was noon.\n",
        f"{LONG}.jpg": b"\xff\xd8",
        "nested.pgp": b"-----BEGIN PGP MESSAGE-----\n",
        "photo.png": taken("PNG"),
    }
    later = relay.follow_up(reporter, **ifes, text="He came again.", readers=("anna", "berta"))
    other = relay.report(stranger, text="Something else.")
    relay.cut(
        stick / "bundle.zip",
        [
            relay.send(reporter, report, files=files),
            relay.send(reporter, later),
            relay.send(stranger, other),
            relay.cover(),
        ],
    )
    browser.send("/import", {"path": str(stick / "bundle.zip")})
    browser.goto("/")
    return names_on(browser.source)[0]


def pages(browser: DeskBrowser, case: str, stick: Path) -> Iterator[Seen]:
    """Live through a day and yield each page that a counselor meets."""

    def seen(name: str, path: str = "") -> Seen:
        return Seen(name, path or "/", browser.source, dict(browser.answer.headers))

    browser.goto("/unlock")
    yield seen("unlock")
    browser.goto("/import")
    yield seen("import", "/import")
    browser.send("/import", {"path": str(stick / "bundle.zip")})
    yield seen("imported-again", "/import")
    browser.send("/import", {"path": "/nowhere"})
    yield seen("import-refused", "/import")
    session = browser.app.extensions["sotto-desk"]
    session.importing = SimpleNamespace(
        done=1 << 20, total=1 << 22, is_running_after=lambda seconds: True
    )
    answer = browser.app.test_client().get("/import/progress", base_url=SITE)
    yield Seen("importing", "/import/progress", answer.get_data(as_text=True), dict(answer.headers))
    session.importing = None
    act = f"/case/{case}/do"
    browser.send(f"{act}/duty", {"duty": "support", "note": "Asked; she has somebody."})
    browser.send(f"{act}/risk", {"risk": "high", "reason": "He knows where she lives."})
    browser.send(f"{act}/note", {"text": HOSTILE})
    browser.send(f"{act}/answer", {"text": "He says that he was elsewhere."})
    browser.send(
        f"{act}/propose",
        {
            "action": "revoke-access",
            "target": "login <x>",
            "reason": HOSTILE,
            "ground": "threat",
            "harm": "Few.",
        },
    )
    proposal = re.search(r'/proposal/([0-9a-f]+)"', browser.source)
    browser.send(f"/case/{case}/reply/", {"text": "Thank you.\nAre you safe now?"})
    yield seen("reply-previewed", f"/case/{case}/reply/")
    queue(browser, case, "Thank you.\nAre you safe now?")
    yield seen("case", f"/case/{case}")
    browser.send(f"/case/{case}/reply/", {"text": "", "template": "acknowledgement"})
    yield seen("reply", f"/case/{case}/reply/")
    for task in (
        "duty",
        "risk",
        "note",
        "told",
        "answer",
        "consent",
        "window",
        "assess",
        "status",
        "outcome",
        "close",
        "conflict",
        "copy",
        "hand-over",
        "agreement",
        "merge",
        "propose",
        "hold",
        "delete",
        "export",
        "record",
        "outside",
    ):
        browser.goto(f"{act}/{task}")
        yield seen(f"task-{task}", f"{act}/{task}")
    browser.send(f"{act}/outcome", {"reasons": "kept"})
    yield seen("task-refused", f"{act}/outcome")
    for name in ("picture", "picture?clearly=yes"):
        browser.goto(f"/case/{case}/file/1/4/{name}")
        yield seen(name.replace("?", "-").partition("=")[0], f"/case/{case}/file/1/4/{name}")
    browser.goto(f"/case/{case}/file/1/1/text")
    yield seen("text", f"/case/{case}/file/1/1/text")
    browser.goto(f"/case/{case}/record/")
    yield seen("record", f"/case/{case}/record/")
    if proposal:
        browser.goto(f"/proposal/{proposal[1]}")
        yield seen("proposal", f"/proposal/{proposal[1]}")
    for name in (
        "dispatch",
        "backup",
        "new",
        "colleagues/",
        "colleagues/take",
        "colleagues/confirm/berta",
        "settings/",
        "settings/paper",
        "settings/policy",
        "settings/rehearse/copy",
        "settings/rehearse/paper",
        "settings/successor/",
        "settings/successor/withdraw",
        "new/concern",
        "figures/",
        "no-such-page",
    ):
        browser.goto(f"/{name}")
        yield seen(name.strip("/").replace("/", "-"), f"/{name}")
    other = next(one for one in names_on(browser.goto("/") and browser.source) if one != case)
    browser.send(f"/case/{other}/do/delete", {"ground": "spam", "reason": "Advertising."})
    gone = re.search(r'/proposal/([0-9a-f]+)"', browser.source)
    if gone:
        browser.goto(f"/proposal/{gone[1]}/delete")
        yield seen("delete", f"/proposal/{gone[1]}/delete")
        browser.send(f"/proposal/{gone[1]}/delete", {"name": other})
        browser.goto(f"/case/{other}/record/")
        yield seen("record-of-a-deleted-case", f"/case/{other}/record/")
    browser.clock.now += timedelta(days=40)
    browser.goto("/")
    yield seen("inbox", "/")
    browser.goto("/?closed=1")
    yield seen("inbox-closed", "/?closed=1")


def names_on(source: str) -> list[str]:
    """Return the cases that a page leads to, each once, in its order."""
    return list(dict.fromkeys(re.findall(r"/case/([0-9A-Z-]+)", source)))


def queue(browser: DeskBrowser, case: str, text: str) -> str:
    """Queue a reply after its preview, as a person does; return the page that follows."""
    path = f"/case/{case}/reply/"
    browser.send(path, {"text": text})
    previewed = re.search(r'name="previewed" value="([0-9a-f]+)"', browser.source)
    assert previewed, browser.text
    return browser.send(path, {"text": text, "previewed": previewed[1], "queue": "yes"})
