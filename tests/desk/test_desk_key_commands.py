"""Key succession as a counselor types it."""

from datetime import datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from relayside import MADE, NOW, PASSPHRASE, Counselor, FakeRelay

from keys.certificate import read_certificate
from keys.secretkey import generate_secret_key, read_secret_key
from sotto.cli import main

NEW = "seven new words nobody has said before tonight"
SOON = NOW + timedelta(days=20)


class Machine:
    """The air-gapped machine, with a desk and two sticks' worth of files."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.says(PASSPHRASE)

    def says(self, passphrase: str) -> None:
        (self.folder / "passphrase").write_text(passphrase + "\n")

    def sotto(self, *words: object, exits: int = 0) -> Result:
        args = ["desk", *map(str, words), "--data", str(self.folder / "desk")]
        args += ["--passphrase-file", str(self.folder / "passphrase")]
        result = CliRunner().invoke(main, args)
        assert result.exit_code == exits, result.output
        return result


@pytest.fixture
def machine(tmp_path: Path, relay: FakeRelay, monkeypatch: pytest.MonkeyPatch) -> Machine:
    """Give a desk whose key ends in twenty days, known to the relay as anna."""

    def standing() -> datetime:
        return NOW

    monkeypatch.setattr("sotto.commands.desk._now", standing)
    monkeypatch.setattr("sotto.commands.desk_key.now", standing)
    armored = generate_secret_key(user_id="anna", passphrase=PASSPHRASE, created=MADE, expires=SOON)
    ending = Counselor.of("anna", armored, read_secret_key(armored, PASSPHRASE))
    relay.counselors = [ending, *relay.counselors[1:]]
    (tmp_path / "key.asc").write_bytes(armored)
    (tmp_path / "relay.asc").write_bytes(relay.secret_key.certificate)
    (tmp_path / "new-passphrase").write_text(NEW + "\n")
    made = Machine(tmp_path)
    made.sotto("init", "--key", tmp_path / "key.asc", "--relay", tmp_path / "relay.asc")
    made.sotto("import", relay.cut(tmp_path / "bundle", []))
    return made


def test_a_key_is_made_carried_and_taken_over_by_commands(
    machine: Machine, relay: FakeRelay
) -> None:
    folder = machine.folder
    assert "your key ends in 20 days" in machine.sotto("list").stderr
    new = ("--new", folder / "new.asc", "--new-passphrase-file", folder / "new-passphrase")
    said = machine.sotto("key", "successor", "--generate", "Counselor", *new).stdout
    armored = (folder / "new.asc").read_bytes()
    hers = Counselor.of("anna", armored, read_secret_key(armored, NEW))
    fingerprint = hers.secret_key.fingerprint
    spoken = " ".join(fingerprint[i : i + 4] for i in range(0, 40, 4))
    assert f"To come  {spoken}" in said
    assert (folder / "new.asc").stat().st_mode & 0o777 == 0o600
    assert f"{spoken}  shall follow" in machine.sotto("key", "show").stdout
    machine.sotto("key", "successor", "--generate", "Counselor", *new, exits=1)

    exported = machine.sotto("export", "--out", folder / "dispatch")
    assert spoken in exported.stdout
    assert "export, so that its successor goes" in exported.stderr
    head = relay.read_dispatch(folder / "dispatch", relay.counselors[0]).head
    assert head.successor and read_certificate(head.successor).fingerprint == fingerprint
    machine.sotto("key", "successor", "--withdraw", exits=1)

    relay.counselors = [hers, *relay.counselors[1:]]
    said = machine.sotto("import", relay.cut(folder / "bundle", [], number=2)).stdout
    assert "lists your new key" in said.replace("\n", " ")
    machine.sotto("list", exits=1)
    machine.says(NEW)
    assert machine.sotto("list").stderr == ""
    assert f"{spoken}  signs" in machine.sotto("key", "show").stdout


def test_a_weak_passphrase_for_a_new_key_is_refused_and_nothing_is_written(
    machine: Machine,
) -> None:
    folder = machine.folder
    (folder / "new-passphrase").write_text("secret")
    new = ("--new", folder / "new.asc", "--new-passphrase-file", folder / "new-passphrase")
    machine.sotto("key", "successor", "--generate", "Counselor", *new, exits=1)
    assert not (folder / "new.asc").exists()


def test_a_proposal_is_withdrawn_and_the_new_key_has_to_be_named(machine: Machine) -> None:
    folder = machine.folder
    machine.sotto("key", "successor", exits=2)
    key = generate_secret_key(user_id="anna", passphrase=NEW, created=MADE, expires=None)
    (folder / "new.asc").write_bytes(key)
    new = ("--new", folder / "new.asc", "--new-passphrase-file", folder / "new-passphrase")
    machine.sotto("key", "successor", *new)
    assert "Taken back" in machine.sotto("key", "successor", "--withdraw").stdout
    assert "shall follow" not in machine.sotto("key", "show").stdout
