"""A second copy is whole, sealed, incremental, and makes a desk again."""

from pathlib import Path

import pytest
from relayside import DAY, NOW, PASSPHRASE, Counselor, FakeRelay

from desk.backup import back_up, restore
from desk.cases import read_thread
from desk.desk import read_desk
from desk.exporting import export_dispatch
from desk.extracting import extract_case
from desk.importing import import_bundle
from desk.records import CaseRecord, EnvelopeRecord, ReadingRecord
from desk.replies import queue_reply
from desk.vault import Vault
from protocol.derivation import ReporterKeys, generate_throwaway_keys
from protocol.errors import AuthenticityError, KeyMaterialError, StorageError

pytestmark = pytest.mark.usefixtures("passphrases_derived_once_to_save_time")


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    return tmp_path / "stick" / "copy"


@pytest.fixture
def filled(desk: Vault, relay: FakeRelay, reporter: ReporterKeys, tmp_path: Path) -> Vault:
    sent = relay.send(reporter, files={"proof.bin": bytes(range(256)) * 400})
    import_bundle(desk, relay.cut(tmp_path / "bundle", [sent]), now=NOW)
    (case,) = desk.all(CaseRecord)
    queue_reply(desk, case, "We read it.", today=DAY)
    return desk


def test_a_restored_desk_has_every_case_file_and_reply(
    filled: Vault, copy: Path, tmp_path: Path
) -> None:
    report = back_up(filled, copy, now=NOW)
    assert (report.copied, report.kept) == (1, 0)
    with restore(copy, tmp_path / "again", passphrase=PASSPHRASE) as again:
        (case,) = again.all(CaseRecord)
        assert [case] == list(filled.all(CaseRecord))
        assert [one.report.text for one in read_thread(again, case)] == ["Something happened."]
        files = extract_case(again, case, tmp_path / "out")
        assert files[-1].read_bytes() == bytes(range(256)) * 400


def test_a_file_that_is_not_what_was_imported_is_not_extracted(
    filled: Vault, tmp_path: Path
) -> None:
    (reading,) = list(filled.all(ReadingRecord))
    (file,) = reading.attachments
    with filled.changes():
        other = file.model_copy(update={"sha256": bytes(32)})
        filled.put(reading.model_copy(update={"attachments": (other,)}))
    with pytest.raises(AuthenticityError, match="not what was imported"):
        extract_case(filled, next(iter(filled.all(CaseRecord))), tmp_path / "out")
    assert not list((tmp_path / "out").rglob("*proof*"))


def test_a_second_backup_copies_only_what_is_new_and_drops_what_is_gone(
    filled: Vault, relay: FakeRelay, copy: Path, tmp_path: Path
) -> None:
    back_up(filled, copy, now=NOW)
    (copy / "objects" / ("0" * 32)).write_bytes(b"left over")
    sent = relay.send(generate_throwaway_keys())
    import_bundle(filled, relay.cut(tmp_path / "bundle", [sent], number=2), now=NOW)
    report = back_up(filled, copy, now=NOW)
    assert (report.copied, report.kept) == (1, 1)
    assert {one.name for one in (copy / "objects").iterdir()} == filled.objects.names()
    assert all(one.copied for one in filled.all(EnvelopeRecord))
    assert read_desk(filled).backup_day == DAY


def test_a_copy_that_reads_back_wrong_does_not_count(
    filled: Vault, copy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing_stick(path: Path) -> object:
        octets = bytearray(path.read_bytes())
        octets[len(octets) // 2] ^= 1
        yield bytes(octets)

    monkeypatch.setattr("desk.backup.read_parts", failing_stick)
    with pytest.raises((AuthenticityError, StorageError)):
        back_up(filled, copy, now=NOW)
    assert not any(one.copied for one in filled.all(EnvelopeRecord))


def test_a_restored_desk_exports_nothing_before_it_has_seen_the_newest_bundle(
    filled: Vault, relay: FakeRelay, anna: Counselor, copy: Path, tmp_path: Path
) -> None:
    back_up(filled, copy, now=NOW)
    dispatch = tmp_path / "dispatch"
    for _ in range(3):
        export_dispatch(filled, dispatch, now=NOW)
    relay.read_dispatch(dispatch, anna)
    with restore(copy, tmp_path / "again", passphrase=PASSPHRASE) as again:
        with pytest.raises(StorageError, match="restored from a backup"):
            export_dispatch(again, dispatch, now=NOW)
        told = import_bundle(again, relay.cut(tmp_path / "bundle", [], number=2), now=NOW)
        assert ["what waits here may have crossed" in one for one in told.told] == [True]
        assert export_dispatch(again, dispatch, now=NOW).serial == 4


@pytest.mark.parametrize("place", ["desk", "desk/inside", "."])
def test_a_copy_never_lies_in_the_desk_itself(filled: Vault, tmp_path: Path, place: str) -> None:
    with pytest.raises(StorageError, match="another disk"):
        back_up(filled, tmp_path / place, now=NOW)


def test_a_folder_with_something_else_in_it_is_not_overwritten(filled: Vault, copy: Path) -> None:
    copy.mkdir(parents=True)
    (copy / "thesis.odt").write_text("mine")
    with pytest.raises(StorageError, match="something other"):
        back_up(filled, copy, now=NOW)
    assert [one.name for one in copy.iterdir()] == ["thesis.odt"]


@pytest.mark.parametrize("damage", ["object gone", "object changed", "documents changed"])
def test_a_damaged_copy_is_refused_and_leaves_no_half_desk(
    filled: Vault, copy: Path, tmp_path: Path, damage: str
) -> None:
    back_up(filled, copy, now=NOW)
    (one,) = (copy / "objects").iterdir()
    if damage == "object gone":
        one.unlink()
    else:
        path = one if damage == "object changed" else copy / "vault.sqlite"
        octets = bytearray(path.read_bytes())
        for place in range(len(octets) // 2, len(octets), 50):
            octets[place] ^= 1
        path.write_bytes(octets)
    with pytest.raises((AuthenticityError, StorageError)):
        restore(copy, tmp_path / "again", passphrase=PASSPHRASE)
    assert not (tmp_path / "again").exists()
    assert list(tmp_path.glob(".*.part")) == []


def test_a_wrong_passphrase_restores_nothing(filled: Vault, copy: Path, tmp_path: Path) -> None:
    back_up(filled, copy, now=NOW)
    with pytest.raises(KeyMaterialError):
        restore(copy, tmp_path / "again", passphrase="wrong")
    assert not (tmp_path / "again").exists()


def test_a_desk_in_use_is_never_overwritten_by_a_restore(filled: Vault, copy: Path) -> None:
    back_up(filled, copy, now=NOW)
    with pytest.raises(StorageError, match="not empty"):
        restore(copy, filled.directory, passphrase=PASSPHRASE)
