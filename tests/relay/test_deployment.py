"""The data folder: made once, closed to others, served by one process."""

import json
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from keys.certificate import verify_certificate
from keys.signature import verify_detached
from protocol.errors import FormatError, KeyMaterialError, StorageError
from relay.deployment import init_deployment, open_deployment
from relay.languages import TRANSLATIONS
from relay.settings import Settings, read_settings

NOW = datetime(2026, 11, 20, 17, 45, tzinfo=UTC)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    init_deployment(folder, now=NOW)
    return folder


def test_deployment_made_and_opened_has_key_salt_store_and_settings(tmp_path: Path) -> None:
    settings = Settings(languages=("en", "ar"), demo=True)
    relay = init_deployment(tmp_path / "data", now=NOW, settings=settings)
    opened = open_deployment(tmp_path / "data")
    assert (opened.relay_id, opened.settings, len(opened.salt)) == (relay, settings, 16)
    assert repr(opened.salt) not in repr(opened), "it may stand in a log"
    assert opened.store.recipients() == ()
    published = (tmp_path / "data" / "relay.asc").read_bytes()
    assert verify_certificate(published, pinned=relay, now=NOW).fingerprint == relay
    opened.close()


def test_relay_key_made_in_the_afternoon_signs_with_the_first_hour_of_its_day(data: Path) -> None:
    opened = open_deployment(data)
    midnight = datetime(2026, 11, 20, tzinfo=UTC)
    signature = opened.relay_key.sign_detached(b"head", created=midnight)
    verify_detached(
        b"head",
        signature,
        certificate=opened.relay_key.certificate,
        pinned=opened.relay_key.fingerprint,
        now=NOW,
    )
    opened.close()


def test_secrets_and_database_are_for_their_owner_alone(data: Path) -> None:
    modes = {
        str(path.relative_to(data)): path.stat().st_mode & 0o777
        for path in [data, *data.rglob("*")]
    }
    assert modes["."] == modes["secrets"] == 0o700
    assert modes["secrets/salt"] == modes["secrets/relay.secret.asc"] == 0o600
    assert modes["relay.sqlite"] == 0o600


def test_second_relay_in_one_folder_is_refused_and_the_first_stays(data: Path) -> None:
    before = {path: path.read_bytes() for path in (data / "secrets").iterdir()}
    with pytest.raises(KeyMaterialError):
        init_deployment(data, now=NOW)
    assert {path: path.read_bytes() for path in (data / "secrets").iterdir()} == before


@pytest.mark.parametrize(
    "address",
    [
        *("postgresql+psycopg://nobody@127.0.0.1:1/none", "mysql://me:hunter2@host/name"),
        *("postgres://me:hunter2@host/name", "postgresql://host:port/name", "on the other machine"),
    ],
)
def test_relay_whose_database_failed_at_first_is_made_in_the_same_folder_afterwards(
    tmp_path: Path, address: str
) -> None:
    (tmp_path / "torrc").write_text("UseBridges 1\n")
    with pytest.raises(StorageError) as refused:
        init_deployment(tmp_path, now=NOW, settings=Settings(database=address))
    assert "hunter2" not in str(refused.value)
    assert [path.name for path in tmp_path.iterdir()] == ["torrc"], "nothing of ours, all of theirs"
    relay = init_deployment(tmp_path, now=NOW)
    opened = open_deployment(tmp_path)
    assert opened.relay_id == relay
    opened.close()


@pytest.mark.parametrize(
    ("name", "mode"), [("secrets", 0o755), ("secrets/salt", 0o640)], ids=["the folder", "a file"]
)
def test_secrets_that_others_may_read_are_refused(data: Path, name: str, mode: int) -> None:
    (data / name).chmod(mode)
    with pytest.raises(KeyMaterialError, match="Others may read"):
        open_deployment(data)


def test_folder_without_a_salt_is_refused(data: Path) -> None:
    (data / "secrets" / "salt").unlink()
    with pytest.raises(KeyMaterialError, match="missing"):
        open_deployment(data)


def test_folder_that_holds_no_relay_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FormatError):
        open_deployment(tmp_path)


def test_second_serving_process_is_refused_while_the_first_runs(data: Path) -> None:
    opened = open_deployment(data)
    script = (
        "import sys; from pathlib import Path; from relay.deployment import open_deployment\n"
        "from protocol.errors import StorageError\n"
        "try: open_deployment(Path(sys.argv[1]))\n"
        "except StorageError as error: print(error)\n"
    )
    command = [sys.executable, "-c", script, str(data)]
    told = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert "Another process serves this relay" in told
    opened.close()
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout == ""


@pytest.mark.claim("C2")
def test_copy_of_the_database_that_a_killed_backup_left_goes_when_the_relay_starts(
    data: Path,
) -> None:
    """It is another image of the relay, older than the disk that it would be seized with."""
    left = data / "run" / "snapshot.sqlite"
    left.write_bytes(b"an older state")
    open_deployment(data, serving=False).close()
    assert left.exists(), "a command beside it does not know whether the backup goes on"
    open_deployment(data).close()
    assert [path.name for path in (data / "run").iterdir()] == ["serving.lock"]


def test_console_beside_the_serving_process_sees_its_store(data: Path) -> None:
    served = open_deployment(data)
    console = open_deployment(data, serving=False)
    console.store.set_policy("generic", "7")
    assert served.store.policy_in_force() == ("generic", "7")
    console.close()
    served.close()


def test_settings_written_and_read_are_the_same() -> None:
    settings = Settings(policy='a "quoted" \\ name', cut_hours=(0, 12), cover_mean=2.5)
    assert read_settings(settings.encode()) == settings
    assert read_settings("") == Settings()


def test_settings_with_every_language_of_the_catalogues_are_read() -> None:
    names = sorted(path.name.replace("_", "-") for path in TRANSLATIONS.iterdir() if path.is_dir())
    assert len(names) == 12
    assert read_settings(f"languages = {json.dumps(names)}").languages == tuple(names)


@pytest.mark.parametrize(
    "text",
    [
        "text_chars = ",
        "text_char = 5000",
        'text_chars = "5000"',
        "demo = 1",
        "languages = []",
        'languages = ["en", "xx"]',
        'languages = ["zh_Hans"]',
        'languages = ["en", ""]',
        'languages = ["en", "fr", "en"]',
        "cut_hours = [6, 12]",
        "cut_hours = [0, 24]",
        "cover_mean = -1.0",
        "text_chars = 100001",
        "attachments_count = 101",
        "expiry_months = 3",
        "expiry_months = 99999999",
        "text_reserve_bytes = 100000000000000000000000",
    ],
    ids=[
        "not TOML",
        "misspelt",
        "text for a number",
        "number for yes or no",
        "no language",
        "no such language",
        "a language of another spelling",
        "an empty language",
        "a language twice",
        "no cut at midnight",
        "no such hour",
        "negative cover",
        "more text than an envelope holds",
        "more files than an envelope holds",
        "rows that go before their content",
        "rows that never go",
        "more reserve than any disk",
    ],
)
def test_settings_that_are_wrong_are_refused(text: str) -> None:
    with pytest.raises(FormatError):
        read_settings(text)


def test_database_of_another_schema_version_is_refused(data: Path) -> None:
    opened = open_deployment(data)
    with opened.store._writing() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    opened.close()
    with pytest.raises(StorageError):
        open_deployment(data)
