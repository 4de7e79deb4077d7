"""The vault opens for her key alone, keeps all or nothing, and notices every change."""

import resource
import secrets
import signal
import sqlite3
import stat
from pathlib import Path

import pytest
from relayside import MADE, NOW, PASSPHRASE, Counselor, FakeRelay, make_desk

from desk.desk import create_desk, read_desk
from desk.records import EnvelopeRecord, EnvelopeState
from desk.unlocking import open_vault
from desk.vault import Vault
from keys.secretkey import generate_secret_key
from protocol.errors import AuthenticityError, KeyMaterialError, StorageError
from protocol.names import EnvelopeId
from protocol.padding import padme


def _envelope(reason: str = "") -> EnvelopeRecord:
    return EnvelopeRecord(
        id=EnvelopeId(secrets.token_bytes(16)),
        size_bytes=1,
        sha256=bytes(range(224, 256)),
        state=EnvelopeState.REFUSED,
        reason=reason,
    )


def test_a_document_comes_back_after_locking_and_unlocking(desk: Vault) -> None:
    record = _envelope("ünïcode")
    with desk.changes():
        desk.put(record)
    desk.close()
    with open_vault(desk.directory, PASSPHRASE) as again:
        assert again.get(EnvelopeRecord, record.id.hex()) == record
        assert list(again.all(EnvelopeRecord)) == [record]
        assert again.get(EnvelopeRecord, "other") is None


def test_a_change_that_fails_half_way_leaves_nothing(desk: Vault) -> None:
    record = _envelope()
    with pytest.raises(RuntimeError), desk.changes():
        desk.put(record)
        raise RuntimeError
    assert desk.get(EnvelopeRecord, record.id.hex()) is None


def test_a_removed_document_is_gone(desk: Vault) -> None:
    record = _envelope()
    with desk.changes():
        desk.put(record)
    with desk.changes():
        desk.remove(EnvelopeRecord, record.id.hex())
    assert list(desk.all(EnvelopeRecord)) == []


@pytest.mark.parametrize("length", [0, 1, 300, 508 - 200, 5_000])
def test_documents_are_padded_to_powers_of_two(desk: Vault, length: int) -> None:
    with desk.changes():
        desk.put(_envelope("x" * length))
    with sqlite3.connect(desk.directory / "vault.sqlite") as database:
        sizes = [len(row[0]) - 12 - 16 for row in database.execute("SELECT sealed FROM document")]
    database.close()
    assert len(sizes) == 2
    assert all(size >= 512 and size & (size - 1) == 0 for size in sizes)


def test_a_document_moved_to_another_name_is_noticed(desk: Vault) -> None:
    first, second = _envelope(), _envelope()
    with desk.changes():
        desk.put(first)
        desk.put(second)
    with sqlite3.connect(desk.directory / "vault.sqlite") as database:
        # Of one kind, which either would be read as: the desk's own record has another shelf.
        rows = database.execute(
            "SELECT name, sealed FROM document WHERE shelf ="
            " (SELECT shelf FROM document GROUP BY shelf HAVING count(*) = 2)"
        ).fetchall()
        assert len(rows) == 2
        for (name, _), (_, sealed) in zip(rows, rows[1:] + rows[:1], strict=True):
            database.execute("UPDATE document SET sealed = ? WHERE name = ?", (sealed, name))
    database.close()
    with pytest.raises(AuthenticityError, match="restore the last backup"):
        list(desk.all(EnvelopeRecord))


def test_one_flipped_bit_in_a_document_is_noticed(desk: Vault) -> None:
    with sqlite3.connect(desk.directory / "vault.sqlite") as database:
        ((sealed,),) = database.execute("SELECT sealed FROM document").fetchall()
        changed = sealed[:-1] + bytes([sealed[-1] ^ 1])
        database.execute("UPDATE document SET sealed = ?", (changed,))
    database.close()
    with pytest.raises(AuthenticityError):
        read_desk(desk)


def test_a_wrong_passphrase_opens_nothing(desk: Vault) -> None:
    with pytest.raises(KeyMaterialError):
        open_vault(desk.directory, "wrong")


def test_another_counselors_key_does_not_open_the_vault(desk: Vault, berta: Counselor) -> None:
    (desk.directory / "key.asc").write_bytes(berta.armored)
    with pytest.raises(AuthenticityError, match="does not open its vault"):
        open_vault(desk.directory, PASSPHRASE)


@pytest.mark.parametrize("passphrase", ["", "anything"])
def test_an_unprotected_secret_key_is_refused(
    tmp_path: Path, relay: FakeRelay, passphrase: str
) -> None:
    naked = generate_secret_key(user_id="x", passphrase=None, created=MADE, expires=None)
    (tmp_path / "key").write_bytes(naked)
    (tmp_path / "relay").write_bytes(relay.secret_key.certificate)
    with pytest.raises(KeyMaterialError, match="passphrase"):
        create_desk(
            tmp_path / "desk",
            key_path=tmp_path / "key",
            relay_path=tmp_path / "relay",
            passphrase=passphrase,
            now=NOW,
        )
    assert not (tmp_path / "desk").exists()


def test_a_folder_in_use_is_never_made_a_desk(
    tmp_path: Path, anna: Counselor, relay: FakeRelay
) -> None:
    (tmp_path / "desk").mkdir()
    (tmp_path / "desk" / "thesis.odt").write_text("mine")
    with pytest.raises(StorageError, match="not empty"):
        make_desk(tmp_path, anna, relay)
    assert [one.name for one in (tmp_path / "desk").iterdir()] == ["thesis.odt"]


def test_a_desk_that_the_disk_refused_at_first_is_made_in_the_same_folder_afterwards(
    tmp_path: Path, anna: Counselor, relay: FakeRelay
) -> None:
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, limits[1]))
    try:
        with pytest.raises(StorageError):
            make_desk(tmp_path, anna, relay)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, ignored)
    assert not (tmp_path / "desk").exists()
    make_desk(tmp_path, anna, relay).close()


def test_an_empty_passphrase_asks_for_the_passphrase_and_not_for_another_key(
    tmp_path: Path, anna: Counselor, relay: FakeRelay
) -> None:
    make_desk(tmp_path, anna, relay).close()
    with pytest.raises(KeyMaterialError, match="give its passphrase"):
        open_vault(tmp_path / "desk", "")


def test_a_folder_without_a_desk_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="sotto desk init"):
        open_vault(tmp_path, PASSPHRASE)


def test_a_folder_that_others_may_enter_is_closed_to_them_before_it_is_a_desk(
    tmp_path: Path, anna: Counselor, relay: FakeRelay
) -> None:
    (tmp_path / "desk").mkdir()
    (tmp_path / "desk").chmod(0o755)
    make_desk(tmp_path, anna, relay).close()
    assert stat.S_IMODE((tmp_path / "desk").stat().st_mode) == 0o700


def test_only_the_owner_may_read_any_file_of_the_desk(desk: Vault) -> None:
    with desk.objects.writer() as writer:
        writer.write(b"x")
        writer.commit()
    for path in [desk.directory, *desk.directory.rglob("*")]:
        allowed = 0o700 if path.is_dir() else 0o600
        assert stat.S_IMODE(path.stat().st_mode) == allowed, path.name


def test_an_object_is_readable_at_any_place_and_padded_to_its_class(desk: Vault) -> None:
    content = secrets.token_bytes(200_001)
    with desk.objects.writer() as writer:
        writer.write(content[:70_000])
        writer.write(content[70_000:])
        ref = writer.commit()
    assert ref.size_bytes == len(content)
    with desk.objects.reader(ref) as read_at:
        assert read_at(65_530, 100_000) == content[65_530:165_530]
        assert read_at(len(content), 10) == bytes(10)
    sealed = (desk.directory / "objects" / ref.name).stat().st_size
    assert padme(len(content)) < sealed < padme(len(content)) + 16 * 4 + 64


def test_an_object_that_was_not_committed_leaves_no_file(desk: Vault) -> None:
    with pytest.raises(RuntimeError), desk.objects.writer() as writer:
        writer.write(b"half")
        raise RuntimeError
    assert desk.objects.names() == set()


@pytest.mark.parametrize("damage", ["cut", "flip", "swap"])
def test_a_damaged_object_is_refused(desk: Vault, damage: str) -> None:
    with desk.objects.writer() as writer:
        writer.write(secrets.token_bytes(150_000))
        ref = writer.commit()
    path = desk.directory / "objects" / ref.name
    sealed = bytearray(path.read_bytes())
    if damage == "cut":
        del sealed[-1:]
    elif damage == "flip":
        sealed[70_000] ^= 1
    else:
        size = 65_536 + 16
        head = len(sealed) % size if len(sealed) % size < 64 else 16
        first, second = sealed[head : head + size], sealed[head + size : head + 2 * size]
        sealed[head : head + 2 * size] = second + first
    path.write_bytes(sealed)
    with pytest.raises(AuthenticityError), desk.objects.reader(ref) as read_at:
        read_at(0, 150_000)
