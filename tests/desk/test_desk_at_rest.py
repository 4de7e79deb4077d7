"""Nothing readable lies on the desk's disk: raw files are searched in every encoding."""

import base64
from collections.abc import Iterator
from pathlib import Path

import pytest
from relayside import DAY, NOW, PASSPHRASE, Counselor, FakeRelay, answer

from desk.backup import back_up
from desk.exporting import export_dispatch
from desk.importing import import_bundle
from desk.records import CaseRecord
from desk.replies import queue_reply
from desk.showing import case_view
from desk.unlocking import open_vault
from desk.vault import Vault
from protocol.derivation import ReporterKeys

CANARIES = {
    "text": "canaryTextQuail7731",
    "answer": "canaryAnswerHeron4410",
    "file name": "canaryNameStork9026",
    "file": "canaryFileCrane5518",
    "reply": "canaryReplyEgret6642",
    "outcome": "canaryOutcomeIbis2307",
    "track": "canaryTrackSwift8195",
}


def _spellings(word: str) -> Iterator[bytes]:
    plain = word.encode()
    for octets in (plain, word.encode("utf-16-le"), word.encode("utf-16-be")):
        yield octets
        yield octets.hex().encode()
        yield octets.hex().upper().encode()
        for shift in range(3):  # base64 at each alignment, without the borders
            yield base64.b64encode(bytes(shift) + octets)[4:-4]


def _found(folder: Path, words: dict[str, str]) -> set[str]:
    """Search names and raw octets of everything below a folder."""
    octets = b"\0".join(
        str(path).encode() + b"\0" + (path.read_bytes() if path.is_file() else b"")
        for path in folder.rglob("*")
    )
    return {what for what, word in words.items() if any(one in octets for one in _spellings(word))}


@pytest.fixture
def round_made(
    desk: Vault,
    relay: FakeRelay,
    reporter: ReporterKeys,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Vault:
    """Make a full round with a canary in every place, and TMPDIR beside the desk."""
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    monkeypatch.setenv("TMPDIR", str(temporary))
    report = relay.report(
        reporter,
        text=CANARIES["text"],
        track=CANARIES["track"],
        answers=(answer("how", CANARIES["answer"]),),
    )
    files = {CANARIES["file name"]: (CANARIES["file"] * 9_000).encode()}
    sent = [relay.send(reporter, report, files=files), relay.cover()]
    import_bundle(desk, relay.cut(tmp_path / "bundle", sent), now=NOW)
    (case,) = desk.all(CaseRecord)
    case_view(desk, case, today=DAY)
    queue_reply(desk, case, CANARIES["reply"], today=DAY)
    (case,) = desk.all(CaseRecord)
    with desk.changes():
        desk.put(case.model_copy(update={"outcome": CANARIES["outcome"]}))
    return desk


def _identifiers(desk: Vault, relay: FakeRelay, anna: Counselor) -> dict[str, str]:
    (case,) = desk.all(CaseRecord)
    return {
        "case name": case.name,
        "mailbox": case.mailbox.hex(),
        "passphrase": PASSPHRASE,
        "relay": relay.id,
        "policy": "policy_version",
        "counselor": f'"counselor":"{anna.name}"',
    }


@pytest.mark.clause("P25")
def test_nothing_readable_lies_in_the_folder_unlocked_or_locked_or_on_the_copy(
    round_made: Vault, relay: FakeRelay, anna: Counselor, tmp_path: Path
) -> None:
    words = CANARIES | _identifiers(round_made, relay, anna)
    mailbox = bytes.fromhex(words["mailbox"])
    back_up(round_made, tmp_path / "copy", now=NOW)
    export_dispatch(round_made, tmp_path / "out", now=NOW)
    for folder in (round_made.directory, tmp_path / "copy", tmp_path / "tmp"):
        assert _found(folder, words) == set()
    round_made.close()
    assert _found(round_made.directory, words) == set()
    for path in round_made.directory.rglob("*"):
        assert path.is_dir() or mailbox not in path.read_bytes()
    assert list((tmp_path / "tmp").iterdir()) == []


@pytest.mark.parametrize("what", CANARIES)
def test_the_search_finds_what_is_there(tmp_path: Path, what: str) -> None:
    word = CANARIES[what]
    for number, octets in enumerate(_spellings(word)):
        place = tmp_path / what.replace(" ", "-") / str(number)
        place.mkdir(parents=True)
        (place / "file").write_bytes(b"\x00\xff" * 100 + octets + b"\xff")
        assert _found(place, CANARIES) == {what}


def test_everything_is_there_for_her_who_unlocks(round_made: Vault) -> None:
    round_made.close()
    with open_vault(round_made.directory, PASSPHRASE) as again:
        (case,) = again.all(CaseRecord)
        view = case_view(again, case, today=DAY)
    shown = str(view)
    assert all(CANARIES[what] in shown for what in CANARIES if what != "file")
