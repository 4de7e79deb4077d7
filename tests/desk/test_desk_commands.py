"""The daily round by commands alone, as a counselor types it."""

import hashlib
import json
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from relayside import NOW, PASSPHRASE, Counselor, FakeRelay, answer, open_page

from protocol.derivation import ReporterKeys
from sotto.cli import main

HOSTILE = "\x1b]0;owned\x07\x1b[31mred [bold]no[/bold] :warning: \u202eesrever <script>"

pytestmark = pytest.mark.usefixtures("passphrases_derived_once_to_save_time")


@dataclass
class Machine:
    """The air-gapped machine: a folder, and a command line."""

    folder: Path

    def sotto(self, *words: object, says: str | None = None, exits: int = 0) -> Result:
        args = ["desk", str(words[0]), "--data", str(self.folder / "desk")]
        args += ["--passphrase-file", str(self.folder / "passphrase"), *map(str, words[1:])]
        result = CliRunner().invoke(main, args, input=says)
        assert result.exit_code == exits, result.output
        assert "Traceback" not in result.output
        return result

    def read_json(self, *words: object) -> object:
        return json.loads(self.sotto(*words).stdout)


@pytest.fixture
def machine(
    tmp_path: Path, anna: Counselor, relay: FakeRelay, monkeypatch: pytest.MonkeyPatch
) -> Machine:
    """Give a machine with keys and a passphrase on it, whose clock stands still."""

    def standing() -> datetime:
        return NOW

    monkeypatch.setattr("sotto.commands.desk._now", standing)
    (tmp_path / "passphrase").write_text(PASSPHRASE + "\n")
    (tmp_path / "key.asc").write_bytes(anna.armored)
    (tmp_path / "relay.asc").write_bytes(relay.secret_key.certificate)
    return Machine(tmp_path)


@pytest.fixture
def made(machine: Machine) -> Machine:
    folder = machine.folder
    machine.sotto("init", "--key", folder / "key.asc", "--relay", folder / "relay.asc")
    return machine


def test_the_daily_round_from_init_to_dispatch(
    machine: Machine, relay: FakeRelay, anna: Counselor, reporter: ReporterKeys
) -> None:
    folder = machine.folder
    said = machine.sotto("init", "--key", folder / "key.asc", "--relay", folder / "relay.asc")
    spoken = relay.secret_key.fingerprint
    assert " ".join(spoken[i : i + 4] for i in range(0, 40, 4)) in said.stdout

    files = {"صورة.jpg": b"\xff\xd8picture", "../../evil.sh": b"rm"}
    bundle = relay.cut(folder / "bundle.zip", [relay.send(reporter, files=files), relay.cover()])
    assert "every envelope is whole" in machine.sotto("verify", bundle).stdout
    assert "report of 2026-11-20 opens case" in machine.sotto("import", bundle).stdout

    listed = machine.read_json("list", "--json")
    assert isinstance(listed, list) and len(listed) == 1
    assert (listed[0]["kind"], listed[0]["received"]) == ("report", "2026-11-20")
    case = listed[0]["case"]
    shown = machine.read_json("show", case, "--json")
    assert isinstance(shown, dict)
    assert shown["answers"][0]["value"] == "slowly"
    assert shown["messages"][0]["text"] == "Something happened."
    assert [one["name"] for one in shown["attachments"]] == ["صورة.jpg", "evil.sh"]

    machine.sotto("extract", case, "--out", folder / "out")
    extracted = {one.name: one.read_bytes() for one in (folder / "out").rglob("*") if one.is_file()}
    assert extracted["001-صورة.jpg"] == b"\xff\xd8picture"
    assert "Something happened." in extracted["report.txt"].decode()
    digests = {hashlib.sha256(one).hexdigest() for one in extracted.values()}
    assert {one["sha256"] for one in shown["attachments"]} <= digests
    assert not (folder / "evil.sh").exists()

    (folder / "reply.txt").write_text("Thank you, we read it.")
    machine.sotto("reply", case, "--text-file", folder / "reply.txt")
    machine.sotto("reply", case, "--text-file", "-", says="No, wait.")
    assert "Reply 2 is taken back" in machine.sotto("reply", case, "--undo").stdout
    assert "reply 1" in machine.sotto("export", "--out", folder / "d", "--preview").stdout
    assert not (folder / "d").exists()
    said = machine.sotto("export", "--out", folder / "d")
    assert f"New in case {case}: reply 1." in said.stdout
    assert "Held back: 2" in said.stdout
    page = open_page(relay.read_dispatch(folder / "d", anna), reporter)
    assert [one.text for one in page.replies] == ["Thank you, we read it."]
    assert "dispatch 1" in machine.sotto("show", case).stdout


def test_nothing_that_a_reporter_wrote_reaches_the_terminal_raw(
    made: Machine, relay: FakeRelay, reporter: ReporterKeys
) -> None:
    report = relay.report(
        reporter, text=HOSTILE, answers=(answer("how", HOSTILE),), track=HOSTILE, language=HOSTILE
    )
    sealed = relay.send(reporter, report, files={"a\u202egpj.exe": b"x"})
    bundle = relay.cut(made.folder / "b", [sealed], warnings=(HOSTILE,))
    output = made.sotto("import", bundle).output
    listed = made.read_json("list", "--json")
    assert isinstance(listed, list)
    case = listed[0]["case"]
    output += made.sotto("list").output + made.sotto("show", case).output
    output += made.sotto("show", case, "--json").stdout
    assert not {"\x1b", "\x07", "\u202e"} & set(output)
    assert "‹U+001B›" in output and "‹U+202E›" in output
    assert "[bold]no[/bold] :warning:" in output and "<script>" in output
    shown = made.read_json("show", case, "--json")
    assert isinstance(shown, dict) and shown["messages"][0]["text"] == HOSTILE


def test_a_list_without_cases_says_what_to_do(made: Machine) -> None:
    assert "sotto desk import" in made.sotto("list").stdout
    assert made.read_json("list", "--json") == []


def test_backup_and_restore_by_command(
    made: Machine, relay: FakeRelay, reporter: ReporterKeys
) -> None:
    folder = made.folder
    made.sotto("import", relay.cut(folder / "b", [relay.send(reporter)]))
    assert "1 new files" in made.sotto("backup", "--out", folder / "copy").stdout
    assert "may forget: 1" in made.sotto("export", "--out", folder / "d").stdout
    again = Machine(folder / "elsewhere")
    again.folder.mkdir()
    (again.folder / "passphrase").write_text(PASSPHRASE)
    again.sotto("restore", "--from", folder / "copy")
    assert again.read_json("list", "--json") == made.read_json("list", "--json")


@pytest.mark.parametrize(
    ("words", "exits", "sentence"),
    [
        pytest.param(["show", "0000-0000"], 1, "no case of that name", id="unknown case"),
        pytest.param(["show", "%s\x1b"], 1, "no case of that name", id="garbage for a case"),
        pytest.param(["import", "absent"], 1, "cannot be opened", id="no such bundle"),
        pytest.param(["import", "relay.asc"], 1, "sotto: ", id="not a bundle"),
        pytest.param(["verify", "relay.asc"], 1, "sotto: ", id="not a bundle to verify"),
        pytest.param(["export", "--out", "d"], 1, "import a bundle", id="export too early"),
        pytest.param(["reply", "X"], 2, "--text-file", id="reply without text"),
        pytest.param(["reply"], 2, "CASE", id="reply without case"),
        pytest.param(
            ["reply", "X", "--text-file", "latin"], 1, "save it as UTF-8", id="text in no UTF-8"
        ),
        pytest.param(
            ["restore", "--from", "none"], 1, "no copy of a desk", id="restore of nothing"
        ),
        pytest.param(["nonsense"], 2, "No such command", id="no such command"),
    ],
)
def test_what_is_refused_says_why_in_one_sentence(
    made: Machine, monkeypatch: pytest.MonkeyPatch, words: list[str], exits: int, sentence: str
) -> None:
    monkeypatch.chdir(made.folder)
    (made.folder / "latin").write_bytes("Grüße".encode("latin-1"))
    result = made.sotto(*words, exits=exits)
    assert sentence in result.stderr


def test_a_wrong_passphrase_is_refused_by_every_command(made: Machine) -> None:
    (made.folder / "passphrase").write_text("wrong")
    for words in (["list"], ["show", "x"], ["import", "x"], ["export", "--out", "x"]):
        assert made.sotto(*words, exits=1).stderr.startswith("sotto: ")


def test_without_a_passphrase_file_the_passphrase_is_asked_for(made: Machine) -> None:
    args = ["desk", "list", "--json", "--data", str(made.folder / "desk")]
    result = CliRunner().invoke(main, args, input=PASSPHRASE + "\n")
    assert (result.exit_code, json.loads(result.stdout)) == (0, [])
    assert "Passphrase" in result.stderr and PASSPHRASE not in result.output


def test_a_damaged_bundle_is_verified_with_exit_code_1(
    made: Machine, relay: FakeRelay, reporter: ReporterKeys
) -> None:
    sent = relay.send(reporter)
    bundle = relay.cut(made.folder / "b", [sent], drop=[sent.id])
    assert sent.id.hex()[:8] in made.sotto("verify", bundle, exits=1).stderr


def test_figures_where_no_folder_can_be_made_are_refused_in_one_sentence(made: Machine) -> None:
    refused = made.sotto("stats", "2026", "--out", made.folder / "key.asc" / "figures", exits=1)
    assert refused.stderr.startswith("sotto: The folder cannot be made there")
