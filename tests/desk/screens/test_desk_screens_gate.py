"""Who may speak to the desk, when it locks, and what its pages carry."""

import re
import sqlite3
import time
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path

import pytest
from deskbrowser import DeskBrowser
from relayside import PASSPHRASE, FakeRelay
from werkzeug.test import Client

from desk.importing import import_bundle
from desk.screens.app import create_app
from desk.screens.gate import SecretAddress
from desk.screens.serving import prepare
from desk.screens.session import IDLE_SECONDS

LOCAL = {"Origin": "http://127.0.0.1:8082"}
OUR_FORM = {"form-token": ""}


@pytest.mark.parametrize(
    "host", ["desk.example", "desk.example:8082", "127.0.0.1.example", "10.0.0.1", "[::2]:80"]
)
def test_request_under_another_name_than_loopback_is_refused(
    browser: DeskBrowser, host: str
) -> None:
    browser.goto("/", headers={"Host": host})
    assert browser.status == 403


@pytest.mark.parametrize("host", ["127.0.0.1:8082", "localhost:8082", "localhost", "[::1]:8082"])
def test_request_under_a_name_of_loopback_is_answered(browser: DeskBrowser, host: str) -> None:
    browser.goto("/", headers={"Host": host})
    assert browser.status == 200


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param({"Origin": "http://evil.example"}, id="another site"),
        pytest.param({"Origin": "http://127.0.0.1:9999"}, id="another port of this machine"),
        pytest.param({"Origin": "null", "Sec-Fetch-Site": "cross-site"}, id="hides its origin"),
        pytest.param({"Sec-Fetch-Site": "same-site"}, id="says only that it is near"),
    ],
)
def test_form_from_another_page_is_refused_and_nothing_is_done(
    browser: DeskBrowser, headers: dict[str, str]
) -> None:
    browser.send("/lock", headers=headers)
    assert browser.status == 403
    browser.goto("/")
    assert "Inbox" in browser.text


def test_form_without_its_token_is_refused(browser: DeskBrowser) -> None:
    browser.send("/lock", {"form-token": "guessed"})
    assert browser.status == 403


def test_one_time_address_works_once_and_leads_to_the_lasting_one(folder: Path) -> None:
    app = create_app(folder)
    client = Client(SecretAddress(app=app, once="once", lasting="lasting"))
    first = client.get("/once/", base_url="http://127.0.0.1:1")
    assert (first.status_code, first.headers["Location"]) == (303, "/lasting/")
    assert client.get("/once/", base_url="http://127.0.0.1:1").status_code == 404
    page = client.get("/lasting/unlock", base_url="http://127.0.0.1:1")
    assert page.status_code == 200
    assert set(re.findall(r'(?:href|action)="(/[^"]*)"', page.get_data(as_text=True))) == {
        "/lasting/",
        "/lasting/style.css",
        "/lasting/unlock",
    }


@pytest.mark.parametrize("path", ["/", "/lasting", "/wrong/", "/unlock", "/lastin\u00e9/"])
def test_path_without_the_secret_finds_nothing(folder: Path, path: str) -> None:
    client = Client(SecretAddress(app=create_app(folder), once="once", lasting="lasting"))
    assert client.get(path, base_url="http://127.0.0.1:1").status_code == 404


def test_wrong_passphrase_unlocks_nothing(folder: Path) -> None:
    browser = DeskBrowser(folder)
    assert "try again" in browser.unlock("wrong")
    browser.goto("/settings/")
    assert "The desk is locked" in browser.text


def test_desk_unlocked_goes_where_it_was_asked_to_and_nowhere_outside(folder: Path) -> None:
    browser = DeskBrowser(folder)
    for wanted, shown in (("/settings/", "Keys and settings"), ("//evil.example", "Inbox")):
        browser.send("/unlock", {"passphrase-of-the-desk": "correct horse", "next": wanted})
        assert shown in browser.text


def test_desk_left_alone_locks_itself_and_forgets_the_key(browser: DeskBrowser) -> None:
    browser.clock.seconds += IDLE_SECONDS - 1
    assert "Inbox" in browser.goto("/")
    browser.clock.seconds += IDLE_SECONDS + 1
    assert "The desk is locked" in browser.goto("/")
    session = browser.app.extensions["sotto-desk"]
    assert "SecretKey" not in repr(vars(session))


def test_page_left_open_leads_to_the_lock_by_itself(browser: DeskBrowser) -> None:
    browser.goto("/")
    assert browser.answer.headers["Refresh"] == f"{IDLE_SECONDS + 1}; url=/unlock"


@pytest.mark.parametrize("page", ["do/note", "do/outcome", "do/propose", "reply/"])
def test_page_on_which_somebody_writes_stays_when_the_desk_locks_itself(
    browser: DeskBrowser, case: str, page: str
) -> None:
    browser.goto(f"/case/{case}/{page}")
    assert browser.status == 200
    assert "Refresh" not in browser.answer.headers


def test_desk_that_nobody_asks_for_anything_forgets_the_key_all_the_same(folder: Path) -> None:
    server, _ = prepare(folder, port=0, idle_seconds=600)
    with closing(server.socket):
        session = server.app._app.extensions["sotto-desk"]
        session.unlock(PASSPHRASE)
        server.service_actions()
        assert session._key is not None
        session._monotonic = lambda: time.monotonic() + 601
        server.service_actions()
        assert session._key is None


def test_desk_does_not_lock_itself_while_it_works_for_her(
    browser: DeskBrowser, bundle: Path, relay: FakeRelay, monkeypatch: pytest.MonkeyPatch
) -> None:
    def takes_long(*arguments: object, **named: object) -> object:
        browser.clock.seconds += 10 * IDLE_SECONDS
        assert browser.app.extensions["sotto-desk"].is_unlocked
        return import_bundle(*arguments, **named)  # type: ignore[arg-type]  # passed on

    monkeypatch.setattr("desk.screens.importing.import_bundle", takes_long)
    browser.send("/import", {"path": str(relay.cut(bundle, [relay.cover()]))})
    assert "Nothing new for you." in browser.text
    browser.clock.seconds += IDLE_SECONDS - 1
    assert "Inbox" in browser.goto("/")
    browser.clock.seconds += IDLE_SECONDS + 1
    assert "The desk is locked" in browser.goto("/")


def test_desk_that_is_locked_forgets_what_it_had_to_say_and_what_it_had_weighed(
    browser: DeskBrowser, case: str
) -> None:
    browser.goto("/")
    session = browser.app.extensions["sotto-desk"]
    session.notices.append(f"Case {case} is opened.")
    assert case in repr(vars(session)["_weighed"])
    session.lock()
    assert case not in repr(vars(session))
    assert session.notices == []


def test_desk_locked_by_hand_shows_nothing_more(browser: DeskBrowser, case: str) -> None:
    browser.send("/lock")
    assert "The desk is locked" in browser.goto(f"/case/{case}")
    assert "Something happened" not in browser.source


def test_reply_typed_while_the_desk_locked_itself_is_not_lost(
    browser: DeskBrowser, case: str
) -> None:
    browser.clock.seconds += IDLE_SECONDS + 1
    typed = "A long answer,\r\nwritten for an hour. <b>"
    browser.send(f"/case/{case}/reply/", {"text": typed})
    assert browser.status == 403
    assert "is kept in this page" in browser.text
    browser.send(
        f"/case/{case}/reply/",
        {"text": typed, "passphrase-of-the-desk": "wrong"},
    )
    assert "written for an hour. &lt;b&gt;" in browser.source
    browser.send(f"/case/{case}/reply/", {"text": typed, "passphrase-of-the-desk": "correct horse"})
    assert "Exactly as the reporter will see it A" not in browser.text
    assert "written for an hour." in browser.text
    assert browser.status == 200


def test_pages_of_the_desk_are_strict_and_kept_by_no_browser(
    browser: DeskBrowser, case: str
) -> None:
    for path in ("/", f"/case/{case}", "/style.css", "/nowhere", f"/case/{case}/file/1/1/"):
        browser.goto(path)
        headers = browser.answer.headers
        assert headers["Cache-Control"] == "no-store", path
        assert headers["Content-Security-Policy"].startswith("default-src 'none'"), path
        assert headers["X-Content-Type-Options"] == "nosniff", path
        assert headers["Referrer-Policy"] == "no-referrer", path
        assert "Set-Cookie" not in headers, path


def test_pages_of_the_desk_run_no_script_and_ask_nobody_else(
    browser: DeskBrowser, case: str
) -> None:
    browser.goto(f"/case/{case}")
    assert "<script" not in browser.source
    assert not re.findall(r'(?:src|href|action)="(?:https?:)?//', browser.source)


def test_two_requests_at_once_each_open_the_vault_in_their_own_thread(
    browser: DeskBrowser, case: str
) -> None:
    from concurrent.futures import ThreadPoolExecutor

    def ask(number: int) -> Iterable[int]:
        client = browser.app.test_client()
        token = browser.app.extensions["sotto-desk"].form_token
        yield client.get("/", base_url="http://127.0.0.1:8082").status_code
        yield client.post(
            f"/case/{case}/do/note",
            data={"form-token": token, "text": f"Note {number}."},
            base_url="http://127.0.0.1:8082",
            headers=LOCAL,
        ).status_code

    with ThreadPoolExecutor(4) as threads:
        found = [tuple(one) for one in threads.map(lambda n: list(ask(n)), range(8))]
    assert set(found) == {(200, 303)}
    browser.goto(f"/case/{case}")
    assert all(f"Note {number}." in browser.text for number in range(8))


def test_locked_desk_in_the_browser_leaves_nothing_readable_on_the_disk(
    browser: DeskBrowser, case: str, folder: Path
) -> None:
    browser.send(f"/case/{case}/do/note", {"text": "A note nobody may find."})
    browser.send(f"/case/{case}/reply/", {"text": "A reply nobody may find."})
    browser.send("/lock")
    on_disk = b"".join(one.read_bytes() for one in folder.rglob("*") if one.is_file())
    for secret in (b"Something happened", b"nobody may find", case.encode()):
        assert secret not in on_disk
    assert sqlite3.connect(folder / "vault.sqlite").execute("PRAGMA integrity_check").fetchone()
