"""The same round without a browser: two counselors, two folders, a stick between them."""

from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from relayside import PASSPHRASE
from twodesks import Desk, Office, affected, new_reporter

from desk.cases import find_case
from desk.casework.said import own_reports
from desk.casework.work import read_file
from protocol.derivation import ReporterKeys
from protocol.errors import SottoError
from sotto.commands.desk_case import group


class Terminal:
    """One counselor's terminal; her desk is locked between two commands."""

    def __init__(self, desk: Desk, folder: Path) -> None:
        self._data = desk.vault.directory
        self._passphrase = folder / "passphrase"
        self._passphrase.write_text(PASSPHRASE + "\n")
        self.name = desk.name
        self.fingerprint = desk.counselor.secret_key.fingerprint

    def types(self, *words: object, saying: str = "") -> Result:
        command, *rest = map(str, words)
        options = ["--data", str(self._data), "--passphrase-file", str(self._passphrase)]
        done = CliRunner().invoke(group, [command, *options, *rest], input=saying)
        if done.exception and not isinstance(done.exception, SystemExit):
            assert isinstance(done.exception, SottoError), done.exc_info
        return done

    def gets(self, *words: object, saying: str = "") -> str:
        done = self.types(*words, saying=saying)
        assert done.exit_code == 0, (done.output, done.exception)
        return done.output


@pytest.fixture
def terminals(
    *,
    first: Desk,
    second: Desk,
    office: Office,
    reporter: ReporterKeys,
    tmp_path: Path,
    passphrases_derived_once_to_save_time: None,
) -> tuple[Terminal, Terminal]:
    office.writes(reporter, *affected("pass-on"), text="Rude in the chat.")
    made = []
    for desk in (first, second):
        desk.imports()
        made.append(Terminal(desk, tmp_path))
    one, two = made
    one.gets("confirm", two.name, two.fingerprint)
    two.gets("confirm", one.name, one.fingerprint)
    return one, two


@pytest.mark.clause("P22")
@pytest.mark.clause("P26")
def test_an_action_is_agreed_and_carried_out_by_commands_alone(
    terminals: tuple[Terminal, Terminal], first: Desk, reporter: ReporterKeys, tmp_path: Path
) -> None:
    one, two = terminals
    case = first.case(reporter).name
    proposed = one.gets(
        "propose",
        "--target",
        "login rude",
        "--ground",
        "threat",
        "--harm",
        "loses contact",
        case,
        "revoke-access",
        saying="Threatens a speaker.",
    )
    assert "1 more must agree" in proposed
    proposal = proposed[:8]
    refused = one.types("done", proposal, saying="Did it anyway.")
    assert "1 more must agree" in str(refused.exception)
    request, answer = tmp_path / "request", tmp_path / "answer"
    one.gets("ask", "--to", two.name, "--out", request, proposal)
    assert "login rude" in two.gets("asked", request)
    assert "waits for your answer" in two.gets("pending")
    two.gets("answer", "--agree", "--out", answer, proposal, saying="Saw it myself.")
    assert "may be carried out" in one.gets("answered", answer)
    assert "carried out on" in one.gets("done", proposal, saying="Revoked at noon.")
    assert "every link and signature is whole" in one.gets("verify", case)


@pytest.mark.clause("P35")
def test_a_case_is_deleted_by_commands_after_two_signatures_and_its_record_still_verifies(
    terminals: tuple[Terminal, Terminal], first: Desk, reporter: ReporterKeys, tmp_path: Path
) -> None:
    one, two = terminals
    case = first.case(reporter).name
    proposal = one.gets("delete", "--ground", "request", case, saying="Asked for.")[:8]
    request, answer = tmp_path / "request", tmp_path / "answer"
    one.gets("ask", "--to", two.name, "--out", request, proposal)
    two.gets("asked", request)
    two.gets("answer", "--agree", "--out", answer, proposal, saying="Yes.")
    one.gets("answered", answer)
    kept = one.types("deleted", proposal, saying="n\n")
    assert kept.exit_code == 1
    assert first.has(reporter)
    one.gets("deleted", proposal, saying="y\n")
    assert not first.has(reporter)
    assert "(taken out)" in one.gets("verify", case)


def test_the_daily_commands_write_what_they_are_told_and_refuse_with_a_sentence(
    terminals: tuple[Terminal, Terminal], first: Desk, reporter: ReporterKeys, tmp_path: Path
) -> None:
    one, two = terminals
    case = first.case(reporter).name
    one.gets("duty", case, "support", saying="Called.")
    one.gets("note", "--shared", case, saying="For both.")
    one.gets("risk", case, "some", saying="Same team.")
    one.gets("hold", case, saying="Court.")
    one.gets("hold", "--release", case, saying="Over.")
    assert "acknowledgement" in one.gets("ready", case)
    assert "{next_steps}" in one.gets("ready", case, "acknowledgement")
    one.gets("status", case, "looking", saying="Asked the host.")
    one.gets("reported", case, saying="He denies it.")
    one.gets("told", case, saying="On the telephone, at noon.")
    one.gets("consent", "--in-person", case, "account", saying="At the door.")
    tell = tmp_path / "tell"
    tell.write_text("They were warned.")
    one.gets("decide", "--outcome", "warning", "--tell", tell, case, saying="Twice.")
    assert first.case(reporter).outcome == "They were warned."
    assert "Consents: account" in one.gets("top", case)
    copy = tmp_path / "copy"
    one.gets("share", "--to", two.name, "--out", copy, case)
    assert case in two.gets("received", copy)
    one.gets("export", "--out", tmp_path / "page", case, saying="Committee.")
    assert (tmp_path / "page" / "case.html").exists()
    one.gets("record", "--out", tmp_path / "record", case)
    one.gets("figures", "--out", tmp_path / "figures", "2026")
    assert (tmp_path / "figures" / "figures.csv").read_bytes().startswith(b"year,")
    one.gets("policy", "ddp")
    scan = tmp_path / "scan.txt"
    scan.write_bytes(b"The letter itself.")
    answers = (
        "--answer",
        "standing=affected",
        "--answer",
        "support=talk",
        "--answer",
        "support=legal",
    )
    more = ("--category", "bullying", "--consent", "name", "--file", scan)
    paper = ("enter", "--way", "paper", "--track", "complaint", *answers, *more)
    entered = one.gets(*paper, saying="A letter.").removeprefix("Case ").strip(" .\n")
    (came,) = own_reports(first.vault, find_case(first.vault, entered))
    assert [one.values for one in came.answers][1] == ("talk", "legal")
    assert "Consents: name" in one.gets("top", entered)
    handed = ("outside", "--to", "Police", "--out", tmp_path / "out.html", case)
    refused = one.types(*handed, saying="Summons.")
    assert "has not consented" in str(refused.exception)
    assert not (tmp_path / "out.html").exists()
    one.gets("close", case, saying="Done.")
    assert read_file(first.vault, first.case(reporter)).closed_on is not None
    assert "satisfied" in first.case(reporter).replies[-1].text


@pytest.mark.clause("P16")
def test_somebody_left_out_is_let_in_by_the_letter_that_says_so(
    terminals: tuple[Terminal, Terminal], first: Desk, office: Office
) -> None:
    one, two = terminals
    reporter = new_reporter()
    office.writes(reporter, left_out=[two.name])
    office.writes(reporter, left_out=[two.name], later=True, text="Berta may know.")
    first.imports()
    case = first.case(reporter).name
    refused = one.types("let-in", case, two.name, saying="She says so.")
    assert "Name the letter" in str(refused.exception)
    one.gets("let-in", "--letter", "2", case, two.name, saying="She says so.")
    assert "Left out: nobody" in one.gets("top", case)


@pytest.mark.clause("P4")
def test_a_ready_text_that_the_procedure_lacks_is_refused_and_a_reason_ends_with_its_words(
    terminals: tuple[Terminal, Terminal], first: Desk, office: Office
) -> None:
    one, _two = terminals
    reporter = new_reporter()
    office.writes(reporter)
    first.imports()
    case = first.case(reporter).name
    refused = one.types("ready", case, "acknowledgment", saying="")
    assert "no such ready text" in str(refused.exception)
    one.gets("status", case, "looking", saying="We look.\n")
    assert "We look.\n" in one.gets("verify", case)
