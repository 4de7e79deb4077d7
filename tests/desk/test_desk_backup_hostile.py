"""A stick that was cut off, swapped or prepared, and work that goes on while it is written."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from relayside import NOW, PASSPHRASE, Counselor, FakeRelay

from desk import backup
from desk.backup import back_up, restore
from desk.importing import import_bundle
from desk.records import EnvelopeRecord
from desk.unlocking import open_with
from desk.vault import Vault
from protocol.derivation import ReporterKeys
from protocol.errors import AuthenticityError, StorageError

pytestmark = pytest.mark.usefixtures("passphrases_derived_once_to_save_time")


@pytest.fixture
def filled(desk: Vault, relay: FakeRelay, reporter: ReporterKeys, tmp_path: Path) -> Vault:
    sent = relay.send(reporter, files={"proof.bin": bytes(80_000)})
    import_bundle(desk, relay.cut(tmp_path / "bundle", [sent]), now=NOW)
    return desk


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    return tmp_path / "copy"


def only(desk: Vault) -> EnvelopeRecord:
    (envelope,) = desk.all(EnvelopeRecord)
    return envelope


def test_what_lies_there_from_a_backup_that_was_cut_off_is_read_back_before_it_counts(
    filled: Vault, copy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def pulled(*_: object) -> None:
        raise StorageError("The stick was pulled.")

    monkeypatch.setattr(backup, "_read_back", pulled)
    with pytest.raises(StorageError):
        back_up(filled, copy, now=NOW)
    monkeypatch.undo()
    (lying,) = (copy / "objects").iterdir()
    lying.write_bytes(lying.read_bytes()[:-1])
    with pytest.raises(AuthenticityError):
        back_up(filled, copy, now=NOW)
    assert not only(filled).copied


@pytest.mark.parametrize("left", [[".00ff.part"], [".00ff.part", "vault.pgp"]])
def test_a_first_backup_that_was_cut_off_is_gone_on_with_in_the_same_folder(
    filled: Vault, copy: Path, left: list[str]
) -> None:
    copy.mkdir()
    for name in left:
        (copy / name).write_bytes((filled.directory / "vault.pgp").read_bytes())
    assert back_up(filled, copy, now=NOW).copied == 1
    assert not (copy / ".00ff.part").exists()


@pytest.mark.parametrize("content", [True, False], ids=["filed anew", "deleted"])
def test_what_was_done_while_the_copy_was_made_is_not_undone_and_does_not_count_as_copied(
    filled: Vault, anna: Counselor, copy: Path, monkeypatch: pytest.MonkeyPatch, *, content: bool
) -> None:
    before = only(filled)
    assert before.content is not None
    later = before.content.model_copy(update={"name": "ab" * 16}) if content else None

    def meanwhile(*_: object) -> None:
        with open_with(filled.directory, anna.secret_key) as other, other.changes():
            other.put(before.model_copy(update={"content": later}))

    monkeypatch.setattr(backup, "_read_back", meanwhile)
    back_up(filled, copy, now=NOW)
    assert only(filled) == before.model_copy(update={"content": later})


def _to_a_folder_of_hers(desk: Vault, copy: Path) -> None:
    _lead_away(copy, desk.directory.parent / "papers")


def _to_the_desk_itself(desk: Vault, copy: Path) -> None:
    _lead_away(copy, desk.directory / "objects")


def _lead_away(copy: Path, target: Path) -> None:
    objects = copy / "objects"
    for one in objects.iterdir():
        one.unlink()
    objects.rmdir()
    objects.symlink_to(target)


@pytest.mark.parametrize("prepare", [_to_a_folder_of_hers, _to_the_desk_itself])
def test_a_stick_whose_folder_leads_elsewhere_is_refused_and_nothing_there_is_removed(
    filled: Vault, copy: Path, tmp_path: Path, prepare: Callable[[Vault, Path], None]
) -> None:
    back_up(filled, copy, now=NOW)
    with filled.changes():
        filled.put(only(filled).model_copy(update={"copied": False}))
    (tmp_path / "papers").mkdir()
    (tmp_path / "papers" / "will.odt").write_text("mine")
    prepare(filled, copy)
    with pytest.raises(StorageError, match="leads elsewhere"):
        back_up(filled, copy, now=NOW)
    assert (tmp_path / "papers" / "will.odt").read_text() == "mine"
    assert filled.objects.names() == {only(filled).content.name}  # type: ignore[union-attr]
    assert not only(filled).copied


def test_a_file_on_the_stick_that_only_leads_to_the_desks_own_is_copied_for_real(
    filled: Vault, copy: Path
) -> None:
    back_up(filled, copy, now=NOW)
    (lying,) = (copy / "objects").iterdir()
    lying.unlink()
    lying.symlink_to(filled.objects.path(lying.name))
    assert back_up(filled, copy, now=NOW).copied == 1
    assert not lying.is_symlink()


@pytest.mark.parametrize("what", ["link", "pipe", "folder"])
def test_a_copy_with_something_else_than_files_in_it_is_not_restored(
    filled: Vault, copy: Path, tmp_path: Path, what: str
) -> None:
    back_up(filled, copy, now=NOW)
    odd = copy / "objects" / ("0" * 32)
    make = {"link": lambda: odd.symlink_to("/dev/zero"), "pipe": lambda: os.mkfifo(odd)}
    make.get(what, odd.mkdir)()
    with pytest.raises(AuthenticityError, match="no backup"):
        restore(copy, tmp_path / "again", passphrase=PASSPHRASE)
    assert not (tmp_path / "again").exists()
