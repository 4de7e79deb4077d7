"""Backups: sealed by construction, verified whole, and a relay that goes on after one."""

import hashlib
import io
import os
import re
import shutil
import subprocess
import sys
import tarfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner

import sotto.volumes
from keys.secretkey import SecretKey, generate_secret_key, read_secret_key
from onion.address import create_addresses, read_addresses
from onion.places import Places
from protocol.bundle import read_bundle_head
from protocol.errors import (
    AuthenticityError,
    CapacityError,
    FormatError,
    KeyMaterialError,
    SottoError,
    StorageError,
)
from protocol.names import RecipientName, RelayId
from relay.cut import cut_now
from relay.deployment import init_deployment, open_deployment
from relay.lastbackup import read_backup_day
from relay.settings import Settings
from sotto.backup import make_backup
from sotto.cli import main
from sotto.manifest import BackedUp, Manifest, read_manifest
from sotto.restore import restore_backup
from sotto.volumes import VolumeWriter, read_volumes
from tests.counselor import MADE, NOW, Counselor, new_key
from tests.journeys.stock import stock_gpg

LATER = NOW + timedelta(days=40)


@pytest.fixture(scope="module")
def key() -> SecretKey:
    """The key kept off line."""
    return new_key("backup")


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    init_deployment(folder, now=NOW)
    create_addresses(Places(folder))
    opened = open_deployment(folder)
    Counselor.make("counselor-1").join(opened.store)
    cut_now(opened.store, opened.settings, opened.relay_key, NOW, folder=folder)
    opened.close()
    return folder


@pytest.fixture
def backup(data: Path, key: SecretKey, tmp_path: Path) -> Path:
    path = tmp_path / "stick" / "backup.pgp"
    path.parent.mkdir()
    make_backup(data, path, certificate=key.certificate, now=NOW)
    return path


def digests(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and "relay.sqlite" not in path.name and "run" not in path.parts
    }


def test_restored_relay_has_the_same_secrets_addresses_and_rows(
    data: Path, backup: Path, key: SecretKey, tmp_path: Path
) -> None:
    restored = tmp_path / "anew"
    restore_backup(backup, key=key, to=restored, now=LATER)
    assert digests(restored) == {k: v for k, v in digests(data).items() if k != "backup.day"}
    assert read_addresses(Places(restored)) == read_addresses(Places(data))
    assert (
        restored.stat().st_mode & 0o777,
        (restored / "secrets/salt").stat().st_mode & 0o777,
    ) == (
        0o700,
        0o600,
    )
    opened = open_deployment(restored)
    assert [one.name for one in opened.store.recipients()] == ["counselor-1"]
    opened.close()


def test_restored_relay_cuts_beyond_every_bundle_that_the_lost_one_can_have_cut(
    data: Path, backup: Path, key: SecretKey, tmp_path: Path
) -> None:
    lost = open_deployment(data)
    for _ in range(40):
        last = cut_now(lost.store, lost.settings, lost.relay_key, LATER, folder=data)
    lost.close()
    restore_backup(backup, key=key, to=tmp_path / "anew", now=LATER)
    opened = open_deployment(tmp_path / "anew")
    cut = opened.store.current_cut()
    assert cut is not None and cut.number > last.number + 40 * 24
    assert read_bundle_head(cut.head).cut == cut.number
    opened.close()


def test_relay_backed_up_before_its_first_bundle_also_goes_on_counting(
    tmp_path: Path, key: SecretKey
) -> None:
    init_deployment(tmp_path / "data", now=NOW)
    make_backup(tmp_path / "data", tmp_path / "b", certificate=key.certificate, now=NOW)
    restore_backup(tmp_path / "b", key=key, to=tmp_path / "anew", now=NOW)
    opened = open_deployment(tmp_path / "anew")
    last = opened.store.last_cut()
    assert last is not None and last[0] > 1000
    opened.close()


def test_backup_of_a_serving_relay_leaves_nothing_behind_but_its_day(
    data: Path, key: SecretKey, tmp_path: Path
) -> None:
    before = set(data.rglob("*"))
    serving = open_deployment(data)
    make_backup(data, tmp_path / "b", certificate=key.certificate, now=NOW)
    serving.close()
    new = {path.name for path in set(data.rglob("*")) - before}
    assert new <= {"backup.day", "serving.lock"}
    assert read_backup_day(data) == NOW.date()
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


def test_backup_to_a_place_that_takes_no_file_is_refused_in_one_sentence(
    data: Path, key: SecretKey, tmp_path: Path
) -> None:
    (tmp_path / "b.asc").write_bytes(key.certificate)
    command = ["relay", "backup", "--data", str(data), "--to", str(tmp_path / "b.asc" / "b.pgp")]
    refused = CliRunner().invoke(main, [*command, "--recipient", str(tmp_path / "b.asc")])
    assert refused.stderr == "sotto: The backup cannot be written there; look at the disk.\n"


@pytest.mark.claim("C1")
def test_backup_holds_no_secret_in_the_clear(data: Path, backup: Path) -> None:
    sealed = backup.read_bytes()
    for path in (data / "secrets").rglob("*"):
        if path.is_file():
            assert path.read_bytes()[:64] not in sealed
    assert b"SQLite format" not in sealed
    assert backup.stat().st_mode & 0o777 == 0o600


@pytest.mark.claim("C1")
def test_backup_writes_to_the_data_folder_and_its_own_file_alone(
    data: Path, key: SecretKey, tmp_path: Path
) -> None:
    (tmp_path / "b.asc").write_bytes(key.certificate)
    command = f"relay backup --data {data} --to {tmp_path}/b --recipient {tmp_path}/b.asc".split()
    traced = f"strace -f -qq -y -e trace=write,pwrite64,writev -o {tmp_path}/trace"
    subprocess.run(
        [*traced.split(), sys.executable, "-m", "sotto", *command],
        env=os.environ | {"TMPDIR": str(tmp_path), "PYTHONDONTWRITEBYTECODE": "1"},
        check=True,
        capture_output=True,
    )
    trace = (tmp_path / "trace").read_text(errors="replace")
    written = set(re.findall(r"write(?:64|v)?\(\d+<(/[^>]*)>", trace))
    places = {path for path in written if not path.startswith(("/dev/", "/proc/"))}
    assert str(tmp_path / ".b.part") in places
    assert str(data / "run" / "snapshot.sqlite") in places
    assert all(Path(one).is_relative_to(data) for one in places - {str(tmp_path / ".b.part")})


def test_backup_opens_with_stock_gpg_and_tar(data: Path, tmp_path: Path) -> None:
    secret = generate_secret_key(user_id="backup", passphrase="demo", created=MADE, expires=None)
    path = tmp_path / "b.pgp"
    opened = read_secret_key(secret, "demo")
    make_backup(data, path, certificate=opened.certificate, now=NOW)
    (tmp_path / "secret.asc").write_bytes(secret)
    with stock_gpg(tmp_path / "secret.asc") as gpg:
        assert gpg.decrypts(path, tmp_path / "b.tar")
    (tmp_path / "by-hand").mkdir()
    subprocess.run(["tar", "-xf", tmp_path / "b.tar", "-C", tmp_path / "by-hand"], check=True)
    salt = (tmp_path / "by-hand" / "secrets" / "salt").read_bytes()
    assert salt == (data / "secrets" / "salt").read_bytes()


def flip(path: Path, at: int) -> None:
    content = bytearray(path.read_bytes())
    content[at] ^= 1
    path.write_bytes(content)


@pytest.mark.parametrize("at", [400, -30, 9_000], ids=["early", "at the end", "in the middle"])
def test_changed_backup_is_refused_and_nothing_is_written(
    backup: Path, key: SecretKey, tmp_path: Path, at: int
) -> None:
    flip(backup, at)
    before = sorted(tmp_path.iterdir())
    with pytest.raises((AuthenticityError, FormatError)):
        restore_backup(backup, key=key, to=tmp_path / "anew", now=NOW)
    assert sorted(tmp_path.iterdir()) == before


def test_backup_in_several_volumes_is_whole_only_with_all_of_them(
    data: Path, key: SecretKey, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sotto.volumes, "VOLUME_BYTES", 40_000)
    path = tmp_path / "stick" / "b"
    path.parent.mkdir()
    made = make_backup(data, path, certificate=key.certificate, now=NOW)
    assert made.volumes == len(list(path.parent.iterdir())) >= 3
    restore_backup(path, key=key, to=tmp_path / "anew", now=NOW)
    second = path.with_name("b.2")  # the last one may hold nothing but the end of the tar
    second.rename(tmp_path / "elsewhere")
    with pytest.raises((FormatError, AuthenticityError)):
        restore_backup(path, key=key, to=tmp_path / "again", now=NOW)
    second.write_bytes(path.read_bytes())
    with pytest.raises((FormatError, AuthenticityError)):
        restore_backup(path, key=key, to=tmp_path / "again", now=NOW)
    assert not (tmp_path / "again").exists()


def test_backup_for_another_key_is_refused(backup: Path, tmp_path: Path) -> None:
    with pytest.raises(KeyMaterialError, match="does not open"):
        restore_backup(backup, key=new_key("another"), to=tmp_path / "anew", now=NOW)


def test_restoring_into_a_folder_that_is_there_is_refused(
    data: Path, backup: Path, key: SecretKey
) -> None:
    before = digests(data)
    with pytest.raises(StorageError, match="new one"):
        restore_backup(backup, key=key, to=data, now=NOW)
    assert digests(data) == before


def test_second_backup_under_one_name_is_refused_and_the_first_stays(
    data: Path, backup: Path, key: SecretKey
) -> None:
    before = backup.read_bytes()
    with pytest.raises(StorageError, match="another name"):
        make_backup(data, backup, certificate=key.certificate, now=NOW)
    assert backup.read_bytes() == before


def test_backup_without_room_for_a_second_copy_is_refused_before_reporters_feel_it(
    data: Path, key: SecretKey, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = shutil.disk_usage(data)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage._replace(free=1024 * 1024 * 1024))
    with pytest.raises(CapacityError, match="make room"):
        make_backup(data, tmp_path / "b", certificate=key.certificate, now=NOW)
    assert [path.name for path in tmp_path.iterdir()] == ["data"]
    assert read_backup_day(data) is None


def test_backup_that_cannot_be_written_is_refused_and_is_not_remembered(
    data: Path, key: SecretKey, tmp_path: Path
) -> None:
    with pytest.raises(StorageError, match="look at the disk"):
        make_backup(data, tmp_path / "nowhere" / "b", certificate=key.certificate, now=NOW)
    assert read_backup_day(data) is None


def test_backup_to_an_expired_certificate_is_refused(data: Path, tmp_path: Path) -> None:
    expired = new_key("expired", NOW - timedelta(days=1))
    with pytest.raises(KeyMaterialError):
        make_backup(data, tmp_path / "b", certificate=expired.certificate, now=NOW)
    assert not (tmp_path / "b").exists()


def forge(
    path: Path, files: dict[str, bytes], manifest: bytes, signer: SecretKey, to: SecretKey
) -> None:
    """Seal what anybody could seal: the certificate of a backup is public."""
    writer = VolumeWriter(path, certificate=Counselor(RecipientName("x"), to).certificate)
    signature = signer.sign_detached(manifest, created=NOW)
    with tarfile.open(fileobj=writer, mode="w|") as tar:  # type: ignore[call-overload]
        for name, content in {
            **files,
            "manifest.json": manifest,
            "manifest.json.asc": signature,
        }.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))
    writer.finish()


@pytest.mark.parametrize("fault", ["none", "another signer", "a file too many", "a way out"])
def test_forged_backup_is_refused_for_each_fault_alone(
    data: Path, key: SecretKey, tmp_path: Path, fault: str
) -> None:
    relay_secret = (data / "secrets" / "relay.secret.asc").read_bytes()
    relay = read_secret_key(relay_secret, None)
    files = {
        "relay.asc": relay.certificate,
        "secrets/relay.secret.asc": relay_secret,
        "../outside" if fault == "a way out" else "relay.toml": b"",
    }
    listed = [
        BackedUp(name=name, size_bytes=len(content), sha256=hashlib.sha256(content).digest())
        for name, content in files.items()
    ]
    manifest = Manifest(relay=RelayId(relay.fingerprint), day=NOW.date(), files=tuple(listed))
    if fault == "a file too many":
        files["secrets/more"] = b"x"
    signer = new_key("forger") if fault == "another signer" else relay
    forge(tmp_path / "b", files, manifest.encode(), signer=signer, to=key)
    if fault == "none":
        restore_backup(tmp_path / "b", key=key, to=tmp_path / "anew", now=NOW)
        assert (tmp_path / "anew" / "relay.toml").exists()
        return
    with pytest.raises(SottoError):
        restore_backup(tmp_path / "b", key=key, to=tmp_path / "anew", now=NOW)
    assert not (tmp_path / "anew").exists()
    assert not (tmp_path / "outside").exists()


def test_relay_on_postgresql_is_told_to_use_pg_dump_and_saves_its_secrets(
    tmp_path: Path, key: SecretKey, postgres: str
) -> None:
    data = tmp_path / "data"
    init_deployment(data, now=NOW, settings=Settings(database=postgres.format(name="postgres")))
    with pytest.raises(StorageError, match="pg_dump"):
        make_backup(data, tmp_path / "b", certificate=key.certificate, now=NOW)
    assert not (tmp_path / "b").exists()
    make_backup(data, tmp_path / "b", certificate=key.certificate, now=NOW, secrets_only=True)
    restore_backup(tmp_path / "b", key=key, to=tmp_path / "anew", now=NOW)
    assert (tmp_path / "anew/secrets/salt").read_bytes() == (data / "secrets/salt").read_bytes()


def test_stream_of_any_length_comes_back_from_its_volumes(
    tmp_path: Path, key: SecretKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sotto.volumes, "VOLUME_BYTES", 1000)
    for length in (1, 999, 1000, 1001, 2000, 5001):
        writer = VolumeWriter(
            tmp_path / f"v{length}",
            certificate=Counselor(RecipientName("x"), key).certificate,
        )
        content = bytes(range(256)) * 20
        writer.write(content[:length])
        writer.finish()
        assert b"".join(read_volumes(tmp_path / f"v{length}", key)) == content[:length]


def test_manifest_read_back_is_the_same_and_names_that_leave_the_folder_are_refused() -> None:
    one = BackedUp(name="secrets/salt", size_bytes=16, sha256=bytes(32))
    manifest = Manifest(relay=RelayId("A" * 40), day=NOW.date(), files=(one,))
    assert read_manifest(manifest.encode()) == manifest
    with pytest.raises(FormatError):
        read_manifest(manifest.encode().replace(b"secrets/salt", b"secrets/../x"))


def test_backup_command_and_restore_command_say_what_they_did(
    data: Path, key: SecretKey, tmp_path: Path
) -> None:
    secret = generate_secret_key(user_id="backup", passphrase="demo", created=MADE, expires=None)
    opened = read_secret_key(secret, "demo")
    for name, content in (
        ("b.asc", opened.certificate),
        ("b.secret.asc", secret),
        ("p", b"demo\n"),
    ):
        (tmp_path / name).write_bytes(content)
    run = CliRunner()
    made = run.invoke(
        main,
        f"relay backup --data {data} --to {tmp_path}/b --recipient {tmp_path}/b.asc".split(),
    )
    assert (made.exit_code, "1 sealed volume" in made.stdout) == (0, True)
    restored = run.invoke(
        main,
        f"relay restore {tmp_path}/b --key {tmp_path}/b.secret.asc --data {tmp_path}/anew".split()
        + f"--passphrase-file {tmp_path}/p".split(),
    )
    assert restored.exit_code == 0, restored.output
    relay = open_deployment(data, serving=False)
    assert relay.relay_id in restored.stdout
    relay.close()
    assert datetime.now(UTC).date().isoformat() in restored.stdout
