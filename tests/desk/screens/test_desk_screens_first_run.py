"""The first run in the browser: a key made or brought, on paper, and the way back."""

import base64
import io
import math
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from http.client import HTTPConnection
from pathlib import Path

import pytest
from deskbrowser import DeskBrowser
from relayside import NOW, PASSPHRASE, Counselor, FakeRelay, make_desk

from desk.backup import back_up
from desk.screens.passphrase import GOOD_BITS, judge, propose_passphrase
from keys.certificate import read_certificate
from protocol.words import words

STRONG = " ".join(words()[100:700:100])


def file(data: bytes, name: str) -> tuple[io.BytesIO, str]:
    return io.BytesIO(data), name


@pytest.fixture
def fresh(tmp_path: Path) -> DeskBrowser:
    return DeskBrowser(tmp_path / "new")


def test_folder_without_a_desk_leads_to_the_first_page(fresh: DeskBrowser) -> None:
    assert "Make a desk" in fresh.goto("/")


def test_key_made_in_the_browser_makes_a_desk_and_shows_both_fingerprints(
    fresh: DeskBrowser, relay: FakeRelay
) -> None:
    made = {"name": "Counselor", "passphrase": STRONG, "again": STRONG}
    relay_file = file(relay.secret_key.certificate, "relay.asc")
    text = fresh.send("/first/make", {**made, "relay": relay_file})
    assert "Key and desk are made. About 62 bits." in text
    assert re.sub(" ", "", text).count(relay.secret_key.fingerprint) == 1
    assert re.search(r"Your key expires \d+ November 2028", text)
    fresh.goto("/settings/certificate")
    certificate = read_certificate(fresh.answer.data)
    assert certificate.user_ids == ("Counselor",)
    fresh.send("/lock")
    assert "Inbox" in fresh.unlock(STRONG)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        pytest.param({"again": "other"}, "not the same", id="typed differently"),
        pytest.param({"passphrase": "secret", "again": "secret"}, "Weak", id="weak"),
        pytest.param({"name": " "}, "what shall stand in the key", id="no name"),
        pytest.param({"relay": ""}, "Choose the file first", id="no certificate"),
    ],
)
def test_key_asked_for_with_something_missing_is_not_made(
    fresh: DeskBrowser,
    relay: FakeRelay,
    tmp_path: Path,
    changes: dict[str, str],
    sentence: str,
) -> None:
    made = {
        "name": "Counselor",
        "passphrase": STRONG,
        "again": STRONG,
        "relay": file(relay.secret_key.certificate, "relay.asc"),
    }
    assert sentence in fresh.send("/first/make", {**made, **changes})
    assert fresh.status == 400
    assert not (tmp_path / "new").exists()


def test_passphrase_is_judged_before_a_key_is_made(fresh: DeskBrowser, tmp_path: Path) -> None:
    text = fresh.send("/first/make", {"passphrase": "correct horse", "judge": "yes"})
    assert "bits. Weak" in text
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize(
    ("passphrase", "enough"),
    [
        ("", False),
        ("password", False),
        ("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", False),
        ("11111111111111111111111", False),
        ("radar radar radar radar radar radar", False),
        (STRONG, True),
        ("x7Q!m2#Lp9@vK4$wT8zR", True),
        ("the harvest was late because nobody mended our eastern fence", True),
    ],
)
def test_passphrase_judged_cautiously_is_enough_only_when_long(
    passphrase: str, enough: bool
) -> None:
    assert judge(passphrase).is_enough is enough


def test_passphrase_proposed_is_drawn_anew_and_strong() -> None:
    proposed = {propose_passphrase() for _ in range(500)}
    assert len(proposed) == 500
    assert all(len(set(one.split())) == 6 for one in proposed)
    assert all(judge(one).bits >= GOOD_BITS for one in proposed)


def test_every_word_of_the_list_counts_as_one_word() -> None:
    assert {judge(word).bits for word in words()} == {math.log2(len(words()))}


def test_key_brought_as_a_file_makes_a_desk(
    fresh: DeskBrowser, relay: FakeRelay, anna: Counselor
) -> None:
    text = fresh.send(
        "/first/bring",
        {
            "key": file(anna.armored, "mine.asc"),
            "passphrase": PASSPHRASE,
            "relay": file(relay.secret_key.certificate, "relay.asc"),
        },
    )
    assert "The desk is made." in text
    assert fresh.goto("/first/make").startswith("Inbox")


def test_key_brought_with_a_wrong_passphrase_makes_nothing(
    fresh: DeskBrowser, relay: FakeRelay, anna: Counselor, tmp_path: Path
) -> None:
    text = fresh.send(
        "/first/bring",
        {
            "key": file(anna.armored, "mine.asc"),
            "passphrase": "wrong",
            "relay": file(relay.secret_key.certificate, "relay.asc"),
        },
    )
    assert "try again" in text
    assert not (tmp_path / "new").exists()


def test_key_on_paper_is_whole_in_text_and_in_codes_and_still_protected(
    browser: DeskBrowser, folder: Path, tmp_path: Path
) -> None:
    browser.goto("/settings/paper")
    key = (folder / "key.asc").read_text()
    assert "".join(key.split()) in "".join(browser.text.split())
    codes = re.findall(r'src="data:image/png;base64,([^"]+)"', browser.source)
    assert codes
    assert all(base64.b64decode(one).startswith(b"\x89PNG") for one in codes)


def gpg(*arguments: str) -> str:
    done = subprocess.run(
        ["gpg", "--batch", "--passphrase", "", *arguments],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    return done.stdout


@pytest.fixture
def key_in_gpg(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A key without a passphrase in a gpg of its own; its fingerprint."""
    home = tempfile.mkdtemp(prefix="gnupg-")
    monkeypatch.setenv("GNUPGHOME", home)
    gpg("--quick-generate-key", "Counselor", "ed25519", "cert,sign", "never")
    fingerprint = re.findall(r"fpr:+([0-9A-F]{40}):", gpg("--with-colons", "--list-keys"))[0]
    gpg("--quick-add-key", fingerprint, "cv25519", "encr", "never")
    yield str(fingerprint)
    subprocess.run(["gpgconf", "--kill", "gpg-agent"], check=True, timeout=60)
    shutil.rmtree(home, ignore_errors=True)


@pytest.mark.slow
def test_key_left_with_gpg_makes_a_desk_that_asks_no_passphrase_and_prints_no_key(
    fresh: DeskBrowser, relay: FakeRelay, key_in_gpg: str, tmp_path: Path
) -> None:
    fresh.clock.now = datetime.now(UTC)
    relay_file = file(relay.secret_key.certificate, "relay.asc")
    text = fresh.send("/first/gpg", {"fingerprint": key_in_gpg, "relay": relay_file})
    assert "gpg keeps the key" in text
    assert b"PRIVATE" not in (tmp_path / "new" / "key.asc").read_bytes()
    assert "no secret of it to print" in fresh.goto("/settings/paper")
    fresh.send("/lock")
    assert "gpg keeps your key. It asks" in fresh.text
    assert 'type="password"' not in fresh.source
    assert "Inbox" in fresh.unlock("")


def test_desk_restored_from_its_copy_shows_its_cases(
    browser: DeskBrowser, case: str, fresh: DeskBrowser, tmp_path: Path
) -> None:
    browser.send("/backup", {"folder": str(tmp_path / "second")})
    text = fresh.send(
        "/first/restore", {"source": str(tmp_path / "second"), "passphrase": PASSPHRASE}
    )
    assert "The desk is restored." in text
    assert case in text
    assert "import the newest bundle first" in fresh.goto("/dispatch")


def test_passphrase_that_is_proposed_stays_until_the_desk_is_made(fresh: DeskBrowser) -> None:
    proposed = re.findall(r"could take: ([a-z -]+) \(", fresh.goto("/first/make"))
    judged = fresh.send("/first/make", {"passphrase": "short", "judge": "yes"})
    assert "About 8 bits. Weak" in judged
    assert re.findall(r"could take: ([a-z -]+) \(", judged) == proposed


def test_second_copy_is_rehearsed_by_restoring_it_beside_the_desk(
    browser: DeskBrowser, case: str, folder: Path, tmp_path: Path
) -> None:
    assert "Last rehearsed: never" in browser.goto("/settings/")
    second = str(tmp_path / "second")
    browser.send("/backup", {"folder": second})
    before = sorted(folder.iterdir())
    wrong = browser.send("/settings/rehearse/copy", {"folder": second, "passphrase": "wrong"})
    assert "try again" in wrong
    right = {"folder": second, "passphrase": PASSPHRASE}
    assert "1 case was there" in browser.send("/settings/rehearse/copy", right)
    assert "Last rehearsed: 20 November 2026" in browser.text
    assert sorted(folder.iterdir()) == before
    damaged = next((tmp_path / "second" / "objects").iterdir())
    damaged.write_bytes(damaged.read_bytes()[:-1] + b"x")
    assert "way back works" not in browser.send("/settings/rehearse/copy", right)
    assert browser.status == 400


def test_copy_of_another_desk_is_no_way_back(
    browser: DeskBrowser, berta: Counselor, relay: FakeRelay, tmp_path: Path
) -> None:
    (tmp_path / "hers").mkdir()
    with make_desk(tmp_path / "hers", berta, relay) as other:
        back_up(other, tmp_path / "copy", now=NOW)
    text = browser.send(
        "/settings/rehearse/copy", {"folder": str(tmp_path / "copy"), "passphrase": PASSPHRASE}
    )
    assert "copy of another desk" in text


def test_key_typed_from_paper_is_rehearsed_without_touching_the_desk(
    browser: DeskBrowser, anna: Counselor, berta: Counselor
) -> None:
    typed = "\r\n".join(f"  {line} " for line in anna.armored.decode().splitlines())
    right = {"key": typed, "passphrase": PASSPHRASE}
    assert "and is yours" in browser.send("/settings/rehearse/paper", right)
    wrong = browser.send("/settings/rehearse/paper", {**right, "passphrase": "wrong"})
    assert "try again" in wrong
    hers = berta.armored.decode()
    assert "not one of this desk" in browser.send(
        "/settings/rehearse/paper", {**right, "key": hers}
    )
    browser.send("/settings/rehearse/paper", {**right, "key": typed.replace("A", "B", 3)})
    assert browser.status == 400
    assert "Traceback" not in browser.source


def test_desk_opened_by_its_command_answers_at_its_one_time_address(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "sotto", "desk", "open", "--no-browser", "--data"]
    with subprocess.Popen(
        [*command, str(tmp_path / "desk")], stdout=subprocess.PIPE, text=True
    ) as running:
        try:
            assert running.stdout is not None
            address = running.stdout.readline().split()[-1]
            assert re.fullmatch(r"http://127\.0\.0\.1:\d+/[\w-]{43}/", address)
            host, once = address.removeprefix("http://").split("/", 1)
            status, lasting, _ = ask(host, f"/{once}")
            assert (status, lasting != f"/{once}") == (303, True)
            assert "Make a desk" in ask(host, f"{lasting}first/")[2]
            assert ask(host, f"/{once}")[0] == 404
            port = host.split(":")[1]
            second = subprocess.run(
                [*command, str(tmp_path / "other"), "--port", port],
                capture_output=True,
                text=True,
                timeout=60,
                check=False,
            )
            assert (second.returncode, second.stdout) == (1, "")
            assert second.stderr.startswith("sotto: This port is taken")
            running.send_signal(signal.SIGINT)
            assert running.wait(20) == 0
            assert running.stdout.read().endswith("The desk is closed.\n")
        finally:
            running.kill()


def ask(host: str, path: str) -> tuple[int, str, str]:
    """Return status, `Location` and text of one answer."""
    connection = HTTPConnection(host, timeout=20)
    connection.request("GET", path)
    answer = connection.getresponse()
    found = answer.status, answer.headers.get("Location", ""), answer.read().decode()
    connection.close()
    return found


def test_new_key_made_in_the_browser_follows_and_can_be_taken_back_until_it_crossed(
    browser: DeskBrowser, case: str, relay: FakeRelay, anna: Counselor, tmp_path: Path
) -> None:
    new = {"way": "make", "name": "Anna", "passphrase": STRONG, "again": STRONG}
    assert "try again" in browser.send("/settings/successor/", {**new, "former": "wrong"})
    assert "The new key is" in browser.send("/settings/successor/", {**new, "former": PASSPHRASE})
    assert "Your key that shall follow" in browser.text
    assert "Taken back" in browser.send("/settings/successor/withdraw")
    browser.send("/settings/successor/", {**new, "former": PASSPHRASE})
    browser.send("/dispatch", {"serial": "1", "folder": str(tmp_path)})
    reader = relay.read_dispatch(tmp_path / "dispatch.sotto", anna)
    assert reader.head.successor is not None
    assert "may have reached the relay" in browser.send("/settings/successor/withdraw")
