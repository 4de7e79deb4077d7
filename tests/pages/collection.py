"""Fetch every page that a person can meet, by living through what leads to it."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.journeys.demonstration import Demonstration
from tests.journeys.people import Counselor, Courier, Reporter, run_command
from tests.journeys.web import Answer, Web

EVERYBODY = ("counselor-1", "counselor-2", "head")
TEXT = "The stores were empty before the audit.\nI saw it myself, twice."
REPLY = "Thank you for writing.\n\nWho had the key to the stores in the first week of May?"


@dataclass(frozen=True)
class Page:
    """A page as it was answered."""

    name: str
    url: str
    answer: Answer
    language: str = "en"


def languages(running: Demonstration) -> list[str]:
    """Return the languages that the policy of a demonstration shows."""
    shown: list[str] = json.loads(Web(running.reporter).get("/metadata.json").text)["languages"]
    return shown


def pages_to_read(running: Demonstration, prefix: str, language: str) -> Iterator[Page]:
    """Yield what GET alone leads to: found by following every link of the site."""
    web = Web(running.reporter)
    waiting, seen = [f"/{language}/", f"/{language}/no-such-page"], set()
    while waiting:
        path = waiting.pop(0)
        if path in seen or not path.startswith(f"/{language}/") or path.endswith("/report"):
            continue
        seen.add(path)
        answer = web.get(path)
        yield Page(f"{prefix}-{language}{_name(path)}", web.base + path, answer, language)
        waiting += _links(answer.text)


def pages_of_a_case(running: Demonstration, language: str, folder: Path) -> Iterator[Page]:
    """Yield what a report leads to: mistakes, confirmation, an answered mailbox, its errors."""
    reporter = Reporter(running.reporter, language)
    counselor = Counselor(folder / f"desk-{language}", key=running.key, relay=running.certificate)
    courier = Courier(running.courier)

    def page(name: str, path: str, answer: Answer) -> Page:
        return Page(
            f"case-{language}-{name}", f"{running.reporter}/{language}/{path}", answer, language
        )

    def progress(state: str) -> Page:
        path = f"progress/{reporter._form['form']}"
        return page(f"progress-{state}", path, reporter.web.get(f"/{language}/{path}"))

    reporter.opens_the_form()
    yield progress("waiting")
    yield page("report-without-reader", "report", reporter.sends(TEXT, to=()))
    yield progress("refused")
    yield page("report-empty", "report", reporter.sends("", to=EVERYBODY))
    yield page("sent", "report", reporter.sends(TEXT, to=EVERYBODY))
    yield progress("sent")
    yield page("sent-again", "report", reporter.sends(TEXT, to=EVERYBODY))
    wrong = " ".join(["abacus"] * 9)
    yield page("receipt-wrong", "receipt", reporter.opens_the_mailbox(wrong))
    yield page("receipt-unreadable", "receipt", reporter.opens_the_mailbox("q " * 9))
    yield page("mailbox-empty", "receipt", reporter.opens_the_mailbox())
    answer_everything(courier, counselor, folder, REPLY)
    mailbox = reporter.opens_the_mailbox()
    assert "Who had the key" in mailbox.text
    yield page("mailbox-reply", "receipt", mailbox)
    asked = reporter.acts(mailbox, "message", [("text", TEXT)])
    yield page("mailbox-without-reader", "mailbox/message", asked)
    told = [("text", TEXT), ("recipients", "counselor-1")]
    yield page("mailbox-sent", "mailbox/message", reporter.acts(mailbox, "message", told))
    yield page("mailbox-replace", "mailbox/replace", reporter.acts(mailbox, "replace", []))
    asked = reporter.acts(mailbox, "escalate", [])
    yield page("mailbox-without-rung", "mailbox/escalate", asked)
    stale = reporter.web.post(f"/{language}/mailbox/message", [("token", "x"), ("text", TEXT)])
    yield page("receipt-expired", "mailbox/message", stale)


def answer_everything(courier: Courier, counselor: Counselor, folder: Path, text: str) -> Answer:
    """Carry, read and answer all that lies at the relay; return the courier's last page."""
    counselor.imports(courier.takes_a_bundle(folder / "bundle.zip"))
    for case in counselor.lists():
        counselor.replies(case["case"], text)
    return courier.brings(counselor.exports(folder / "dispatch"))


def pages_of_the_courier(running: Demonstration, folder: Path) -> Iterator[Page]:
    """Yield the courier's pages: before, refused, accepted; and the guide at the desk."""
    courier = Courier(running.courier)
    url = running.courier + "/"
    yield Page("courier-home", url, courier.web.get("/"))
    nothing = folder / "nothing"
    nothing.write_bytes(b"no dispatch")
    yield Page("courier-refused", url, courier.brings(nothing))
    counselor = Counselor(folder / "desk-courier", key=running.key, relay=running.certificate)
    counselor.imports(courier.takes_a_bundle(folder / "bundle.zip"))
    yield Page("courier-accepted", url, courier.brings(counselor.exports(folder / "dispatch")))
    yield Page("desk-home", running.desk + "/", Web(running.desk).get("/"))


def pages_of_a_closed_relay(running: Demonstration) -> Iterator[Page]:
    """Yield what a relay says that nobody can read for any more."""
    reporter = Reporter(running.reporter)
    reporter.opens_the_form()
    for name in EVERYBODY:
        run_command("keys", "retire", name, "--data", str(running.data))
    url = f"{running.reporter}/en/report"
    yield Page("closed-form", url, reporter.web.get("/en/report"))
    yield Page("closed-with-text", url, reporter.sends(TEXT, to=EVERYBODY))


def _links(page: str) -> list[str]:
    parts = page.split('href="')[1:]
    return [part.partition('"')[0].partition("#")[0] for part in parts]


def _name(path: str) -> str:
    name = path.partition("/")[2].partition("/")[2] or "home"
    return "-" + name.replace("/", "-").replace("?", "-").replace("=", "-")
