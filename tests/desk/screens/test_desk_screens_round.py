"""The daily round in the browser: import, read, answer, what crosses, the second copy."""

import html
import io
import re
from pathlib import Path

import pytest
from deskbrowser import DeskBrowser
from livedin import HOSTILE, fill, queue
from relayside import NOW, Counselor, FakeRelay, open_page

from desk.cases import find_case
from desk.casework.handling import set_risk
from desk.casework.triage import triage
from desk.records import ReadingRecord
from desk.screens import inbox
from desk.unlocking import open_with
from protocol.derivation import ReporterKeys, generate_throwaway_keys
from protocol.dispatch import DispatchReader
from protocol.words import words as all_words


def test_bundle_chosen_in_the_browser_is_imported_and_left_nowhere(
    browser: DeskBrowser, relay: FakeRelay, reporter: ReporterKeys, bundle: Path, folder: Path
) -> None:
    relay.cut(bundle, [relay.send(reporter)])
    browser.send("/import", {"file": (io.BytesIO(bundle.read_bytes()), "bundle.zip")})
    assert "Report of 20 November 2026 opens case" in browser.text
    assert not list(folder.glob(".bundle-*"))


def test_bundle_named_by_its_place_on_the_stick_is_imported(
    browser: DeskBrowser, relay: FakeRelay, reporter: ReporterKeys, bundle: Path
) -> None:
    relay.cut(bundle, [relay.send(reporter)])
    assert "opens case" in browser.send("/import", {"path": str(bundle)})


def test_import_of_cover_and_of_what_leaves_her_out_says_nothing(
    browser: DeskBrowser, relay: FakeRelay, reporter: ReporterKeys, bundle: Path
) -> None:
    relay.cut(bundle, [relay.cover(), relay.send(reporter, blind=["anna"])])
    text = browser.send("/import", {"path": str(bundle)})
    assert "Nothing new for you." in text
    assert "cover" not in text.casefold()
    assert "No open case" in browser.goto("/")


def test_import_of_a_damaged_bundle_says_what_is_missing(
    browser: DeskBrowser, relay: FakeRelay, reporter: ReporterKeys, bundle: Path
) -> None:
    lost = relay.send(reporter)
    relay.cut(bundle, [lost, relay.cover()], drop=[lost.id])
    text = browser.send("/import", {"path": str(bundle)})
    assert f"Envelope {lost.id.hex()[:8]} was not taken: it is missing" in text


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        pytest.param(b"no bundle", "is not", id="something else"),
        pytest.param(b"", "", id="empty"),
    ],
)
def test_import_of_something_else_is_refused_with_a_sentence_and_the_form_again(
    browser: DeskBrowser, bundle: Path, content: bytes, sentence: str
) -> None:
    bundle.write_bytes(content)
    text = browser.send("/import", {"path": str(bundle)})
    assert browser.status == 400
    assert "Import a bundle" in text
    assert html.escape(str(bundle)) in browser.source  # what was typed is still there
    assert "Traceback" not in browser.source


def test_import_without_a_file_asks_for_one(browser: DeskBrowser) -> None:
    assert "Choose the file" in browser.send("/import")


@pytest.mark.clause("P32")
def test_inbox_with_danger_in_it_shows_that_first(
    browser: DeskBrowser, relay: FakeRelay, tmp_path: Path
) -> None:
    urgent = fill(browser, relay, tmp_path)
    browser.goto("/")
    assert re.findall(r"/case/([0-9A-Z-]+)", browser.source)[0] == urgent
    assert "says there is danger" in browser.text


@pytest.mark.clause("P4")
def test_inbox_after_two_weeks_counts_in_words_what_is_overdue(
    browser: DeskBrowser, case: str
) -> None:
    assert "14 days left to acknowledge" in browser.goto("/")
    browser.clock.now = browser.clock.now.replace(month=12, day=9)
    assert "5 days overdue to acknowledge" in browser.goto("/")


@pytest.mark.clause("P16")
@pytest.mark.clause("P24")
@pytest.mark.clause("P25")
def test_case_page_says_on_top_who_was_left_out_what_is_wished_and_what_is_agreed_to(
    browser: DeskBrowser, relay: FakeRelay, tmp_path: Path
) -> None:
    case = fill(browser, relay, tmp_path)
    text = browser.goto(f"/case/{case}")
    top = text[: text.index("Where it stands")]
    assert "Left out by the reporter:" in top
    assert "(head)" in top
    assert "Talk to nobody <b>before</b> Friday." in top
    assert "Not consented to My name may be said" in top


def test_case_page_with_hostile_words_shows_them_and_obeys_none(
    browser: DeskBrowser, relay: FakeRelay, tmp_path: Path
) -> None:
    case = fill(browser, relay, tmp_path)
    text = browser.goto(f"/case/{case}")
    assert "<script>alert(1)</script> <img src=x onerror=alert(2)>" in text
    assert "<script" not in browser.source
    assert "<img" not in browser.source
    assert "‹U+202E›txt.exe" in text
    assert "\u202e" not in browser.source
    assert "{{ 7 * 7 }}" in text


def test_case_page_with_a_strangers_letter_says_so_in_so_many_words(
    browser: DeskBrowser, relay: FakeRelay, reporter: ReporterKeys, bundle: Path
) -> None:
    stranger = generate_throwaway_keys()
    forged = relay.follow_up(reporter, voice_public=stranger.voice_public, text="Believe me.")
    relay.cut(bundle, [relay.send(reporter), relay.send(stranger, forged)])
    text = browser.send("/import", {"path": str(bundle)})
    assert "not from the same reporter" in text
    case = re.findall(r"/case/([0-9A-Z-]+)", browser.source)[0]
    assert "Not from the same reporter." in browser.goto(f"/case/{case}")


def test_attachment_is_listed_with_size_and_digest_and_saved_as_it_came(
    browser: DeskBrowser, case: str
) -> None:
    text = browser.goto(f"/case/{case}")
    assert "notes.txt calls itself txt, 13 bytes" in text
    assert "It was noon" not in text
    browser.goto(f"/case/{case}/file/1/1/")
    assert browser.answer.data == b"It was noon.\n"
    disposition = browser.answer.headers["Content-Disposition"]
    assert disposition.startswith("attachment; filename=")
    assert browser.answer.mimetype == "application/octet-stream"
    assert "sandbox" in browser.answer.headers["Content-Security-Policy"]


def test_text_file_is_shown_only_when_asked_for_and_as_text(
    browser: DeskBrowser, relay: FakeRelay, reporter: ReporterKeys, bundle: Path
) -> None:
    files = {"page.txt": HOSTILE.encode() + b"\xff", "page.html": b"<script>"}
    relay.cut(bundle, [relay.send(reporter, files=files)])
    browser.send("/import", {"path": str(bundle)})
    case = re.findall(r"/case/([0-9A-Z-]+)", browser.source)[0]
    shown = browser.goto(f"/case/{case}/file/1/1/text")
    assert "<script>alert(1)</script>" in shown
    assert "<script" not in browser.source
    assert "‹U+202E›" in shown
    browser.goto(f"/case/{case}/file/1/2/text")
    assert browser.status == 404


def test_text_that_is_encrypted_already_is_neither_offered_nor_shown(
    browser: DeskBrowser, relay: FakeRelay, reporter: ReporterKeys, bundle: Path
) -> None:
    files = {"letter.txt": b"-----BEGIN PGP MESSAGE-----\n\nwcBMA..."}
    relay.cut(bundle, [relay.send(reporter, files=files)])
    browser.send("/import", {"path": str(bundle)})
    case = re.findall(r"/case/([0-9A-Z-]+)", browser.source)[0]
    assert "Show the text" not in browser.goto(f"/case/{case}")
    browser.goto(f"/case/{case}/file/1/1/text")
    assert browser.status == 404


@pytest.mark.parametrize("page", ["", "text"])
def test_file_that_is_not_what_was_imported_is_not_handed_out(
    browser: DeskBrowser, case: str, folder: Path, anna: Counselor, page: str
) -> None:
    with open_with(folder, anna.secret_key) as desk, desk.changes():
        (reading,) = list(desk.all(ReadingRecord))
        (file,) = reading.attachments
        other = file.model_copy(update={"sha256": bytes(32)})
        desk.put(reading.model_copy(update={"attachments": (other,)}))
    text = browser.goto(f"/case/{case}/file/1/1/{page}")
    assert "not what was imported" in text
    assert b"It was noon" not in browser.answer.data


@pytest.mark.parametrize("place", ["0/1", "2/1", "1/0", "1/9"])
def test_file_that_is_not_there_is_not_found(browser: DeskBrowser, case: str, place: str) -> None:
    browser.goto(f"/case/{case}/file/{place}/")
    assert browser.status == 404


def test_reply_is_queued_only_as_it_was_previewed(browser: DeskBrowser, case: str) -> None:
    path = f"/case/{case}/reply/"
    browser.send(path, {"text": "First words."})
    previewed = re.search(r'name="previewed" value="([0-9a-f]+)"', browser.source)
    assert previewed is not None
    text = browser.send(path, {"text": "Other words.", "previewed": previewed[1], "queue": "yes"})
    assert "Exactly as the reporter will see it" in text
    assert "waits for the next dispatch" not in browser.goto(f"/case/{case}")


def test_reply_queued_can_be_taken_back_until_a_dispatch_carried_it(
    browser: DeskBrowser, case: str, tmp_path: Path
) -> None:
    assert "Reply 1 waits for the next dispatch" in queue(browser, case, "Too fast.")
    text = browser.send(f"/case/{case}/reply/undo")
    assert "taken back" in text
    assert "Too fast." in browser.source
    queue(browser, case, "Better.")
    browser.send("/dispatch", {"serial": "1", "folder": str(tmp_path)})
    assert "cannot be taken back" in browser.send(f"/case/{case}/reply/undo")


@pytest.mark.clause("P4")
def test_reply_begun_from_a_ready_text_in_the_reporters_language_must_be_filled_in(
    browser: DeskBrowser, relay: FakeRelay, reporter: ReporterKeys, bundle: Path
) -> None:
    spanish = relay.report(reporter, language="es", track="concern")
    relay.cut(bundle, [relay.send(reporter, spanish)])
    browser.send("/import", {"path": str(bundle)})
    case = re.findall(r"/case/([0-9A-Z-]+)", browser.source)[0]
    text = browser.send(f"/case/{case}/reply/", {"text": "", "template": "acknowledgement"})
    assert "The reporter wrote in Spanish" in text
    assert "Lo que pasa ahora: {next_steps}" in html.unescape(browser.source)
    path = f"/case/{case}/reply/"
    browser.send(path, {"text": "Lo que pasa ahora: {next_steps}"})
    previewed = re.search(r'name="previewed" value="([0-9a-f]+)"', browser.source)
    assert previewed is not None
    assert 'lang="es"' in browser.source
    told = browser.send(
        path,
        {"text": "Lo que pasa ahora: {next_steps}", "previewed": previewed[1], "queue": "yes"},
    )
    assert "Fill in what stands in braces first: next_steps" in told


def test_dispatch_is_shown_before_it_is_written_and_reaches_the_reporter(
    browser: DeskBrowser, case: str, relay: FakeRelay, anna: Counselor, reporter: ReporterKeys
) -> None:
    queue(browser, case, "I read it today.")
    text = browser.goto("/dispatch")
    assert "I read it today." in text
    assert "Held back: 2" in text
    browser.send("/dispatch", {"serial": "1"})
    assert browser.answer.headers["Content-Disposition"].endswith("dispatch.sotto")
    reader = read_saved(browser.answer.data, relay, anna)
    assert [one.text for one in open_page(reader, reporter).replies] == ["I read it today."]
    assert reader.head.acknowledgements == ()


def test_dispatch_written_into_the_folder_of_the_stick_lies_there(
    browser: DeskBrowser, case: str, relay: FakeRelay, anna: Counselor, tmp_path: Path
) -> None:
    text = browser.send("/dispatch", {"serial": "1", "folder": str(tmp_path), "waive": "yes"})
    assert "Dispatch 1 is written" in text
    reader = relay.read_dispatch(tmp_path / "dispatch.sotto", anna)
    assert len(reader.head.acknowledgements) == 2


def test_dispatch_changed_since_it_was_shown_is_shown_once_more(
    browser: DeskBrowser, case: str, tmp_path: Path
) -> None:
    browser.send("/dispatch", {"serial": "1", "folder": str(tmp_path)})
    assert "look at what crosses once more" in browser.send("/dispatch", {"serial": "1"})


def test_dispatch_to_a_folder_that_is_not_there_is_refused_and_counts_nothing(
    browser: DeskBrowser, case: str
) -> None:
    text = browser.send("/dispatch", {"serial": "1", "folder": "/no/stick"})
    assert "is the stick mounted?" in text
    assert "Write dispatch 1" in text


def test_dispatch_before_the_first_bundle_says_what_is_missing(browser: DeskBrowser) -> None:
    assert "import a bundle that lists your certificate" in browser.goto("/dispatch")


def test_second_copy_is_made_and_then_everything_is_acknowledged(
    browser: DeskBrowser, case: str, tmp_path: Path
) -> None:
    text = browser.send("/backup", {"folder": str(tmp_path / "second")})
    assert "Copied and read back: 1 new files" in text
    assert "dies with it: use a stick" in text
    assert "Envelopes that the relay may forget: 2" in text


def test_list_of_cases_is_weighed_once_and_anew_when_another_command_wrote(
    browser: DeskBrowser, case: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    weighed: list[bool] = []
    monkeypatch.setattr(
        inbox, "triage", lambda vault, **day: weighed.append(True) or triage(vault, **day)
    )
    browser.goto("/")
    browser.goto("/")
    assert len(weighed) == 1
    session = browser.app.extensions["sotto-desk"]
    with session.open_vault() as vault:
        set_risk(vault, find_case(vault, case), "high", "Heard today.", now=NOW)
    assert "high risk of harm" in browser.goto("/")


@pytest.fixture
def fresh_key_desk(tmp_path: Path, relay: FakeRelay) -> DeskBrowser:
    """A desk whose key was made in the browser, for two years."""
    fresh = DeskBrowser(tmp_path / "new")
    words = " ".join(all_words()[100:700:100])
    certificate = (io.BytesIO(relay.secret_key.certificate), "relay.asc")
    fresh.send(
        "/first/make",
        {"name": "Counselor", "passphrase": words, "again": words, "relay": certificate},
    )
    return fresh


def read_saved(data: bytes, relay: FakeRelay, anna: Counselor) -> DispatchReader:
    import tempfile

    with tempfile.TemporaryDirectory() as place:
        path = Path(place) / "dispatch.sotto"
        path.write_bytes(data)
        return relay.read_dispatch(path, anna)


def test_key_that_ends_soon_is_said_in_the_inbox(fresh_key_desk: DeskBrowser) -> None:
    assert "your key ends" not in fresh_key_desk.goto("/")
    fresh_key_desk.clock.now = fresh_key_desk.clock.now.replace(year=2028, month=10)
    assert "Soon: your key ends in 30 days" in fresh_key_desk.goto("/")
    fresh_key_desk.clock.now = fresh_key_desk.clock.now.replace(year=2029)
    assert "does not hold any more" in fresh_key_desk.goto("/")
