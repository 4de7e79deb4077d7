"""The doctor: each fault of a machine or relay shows as one sentence with what to do."""

import json
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner

from onion.places import Places
from onion.status import Check
from protocol.bundle import read_bundle_head
from protocol.errors import FormatError
from relay.cut import cut_now
from relay.deployment import init_deployment, open_deployment
from relay.lastbackup import write_backup_day
from relay.running import is_served, read_hardening, write_hardening
from relay.settings import Settings
from sotto.cli import main
from sotto.doctor import Visit, check_permissions, check_python, examine, granted_here
from sotto.machine import Machine
from tests.counselor import NOW, Counselor


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    init_deployment(folder, now=NOW)
    return folder


@pytest.fixture
def look(data: Path, tmp_path: Path) -> Callable[..., dict[str, Check]]:
    """Look at the relay on a machine that tells nothing; findings by their subject."""

    def looking(now: datetime = NOW) -> dict[str, Check]:
        visit = Visit(data=data, places=Places(data), now=now, machine=Machine(root=tmp_path))
        return {check.subject: check for check in examine(visit)}

    return looking


def test_relay_with_one_recipient_is_told_to_add_another(
    data: Path, look: Callable[..., dict[str, Check]]
) -> None:
    opened = open_deployment(data, serving=False)
    Counselor.make("counselor-1").join(opened.store)
    assert not look()["recipients"].is_well
    assert "sotto keys add" in look()["recipients"].sentence
    Counselor.make("counselor-2").join(opened.store)
    opened.close()
    assert look()["recipients"].is_well


def test_certificate_that_expires_soon_is_told(
    data: Path, look: Callable[..., dict[str, Check]]
) -> None:
    opened = open_deployment(data, serving=False)
    for name, days in (("counselor-1", 20), ("counselor-2", 400)):
        Counselor.make(name, NOW + timedelta(days=days)).join(opened.store)
    opened.close()
    write_backup_day(data, NOW.date())
    assert "counselor-1 expires within 30 days" in look()["warning"].sentence


def test_backup_that_is_missing_or_old_is_told_and_a_fresh_one_is_well(
    data: Path, look: Callable[..., dict[str, Check]]
) -> None:
    opened = open_deployment(data, serving=False)
    Counselor.make("counselor-1").join(opened.store)
    opened.close()
    assert "no backup" in look()["warning"].sentence
    write_backup_day(data, NOW.date() - timedelta(days=8))
    assert "8 days ago" in look()["warning"].sentence
    write_backup_day(data, NOW.date() - timedelta(days=7))
    assert "warning" not in look()
    assert look()["last backup"].sentence == "2026-11-13"


@pytest.mark.parametrize("demo", [False, True], ids=["a real relay", "a demonstration"])
def test_bundle_of_a_relay_without_a_backup_warns_its_operator(tmp_path: Path, demo: bool) -> None:
    init_deployment(tmp_path / "relay", now=NOW, settings=Settings(demo=demo))
    opened = open_deployment(tmp_path / "relay")
    cut = cut_now(opened.store, opened.settings, opened.relay_key, NOW, folder=opened.data)
    opened.close()
    warned = any("no backup" in one for one in read_bundle_head(cut.head).warnings)
    assert warned is not demo  # a demonstration is not worth one


def test_clock_behind_the_last_bundle_is_told(
    data: Path, look: Callable[..., dict[str, Check]]
) -> None:
    opened = open_deployment(data)
    cut_now(opened.store, opened.settings, opened.relay_key, NOW, folder=data)
    opened.close()
    assert look()["clock"].is_well
    assert "earlier than the last bundle" in look(NOW - timedelta(days=1))["clock"].sentence


def test_clock_behind_the_tor_network_is_told(
    data: Path, look: Callable[..., dict[str, Check]]
) -> None:
    (data / "tor").mkdir()
    (data / "tor" / "cached-microdesc-consensus").write_text(
        "valid-after 2026-11-20 10:00:00\nvalid-until 2026-11-20 13:00:00\n"
    )
    assert "behind the Tor network" in look()["clock"].sentence
    assert look(datetime(2026, 11, 20, 11, tzinfo=UTC))["clock"].is_well


@pytest.mark.parametrize(
    ("name", "mode", "open_to_others"),
    [
        pytest.param("secrets/salt", 0o640, True, id="a secret for the group"),
        pytest.param("secrets", 0o755, True, id="the secrets' folder for all"),
        pytest.param(".", 0o755, True, id="the data folder for all"),
        pytest.param(".", 0o710, False, id="a way to the sockets for the group"),
        pytest.param("relay.asc", 0o644, False, id="a file behind a closed folder"),
    ],
)
def test_permissions_are_judged_by_who_can_come_there(
    data: Path, name: str, mode: int, open_to_others: bool
) -> None:
    (data / name).chmod(mode)
    assert check_permissions(data).is_well is not open_to_others


def test_certificate_readable_to_a_group_that_may_enter_is_told(data: Path) -> None:
    data.chmod(0o710)
    (data / "relay.toml").chmod(0o644)
    assert "relay.toml" in check_permissions(data).sentence


def test_disk_without_encryption_is_told(
    data: Path, tmp_path: Path, look: Callable[..., dict[str, Check]]
) -> None:
    (tmp_path / "proc" / "self").mkdir(parents=True)
    told = tmp_path / "proc" / "self" / "mountinfo"
    told.write_text("1 0 8:1 / / rw - ext4 /dev/sda1 rw\n")
    assert "LUKS" in look()["disk encryption"].sentence
    told.write_text("1 0 0:9 / / rw - overlay overlay rw\n")
    assert "on the host" in look()["disk encryption"].sentence
    told.write_text("1 0 0:9 / / rw - tmpfs tmpfs rw\n")
    assert "in memory" in look()["disk"].sentence
    crypt = tmp_path / "sys/dev/block/253:0/dm"
    crypt.mkdir(parents=True)
    (crypt / "uuid").write_text("CRYPT-LUKS2-1-x")
    told.write_text("1 0 253:0 / / rw - ext4 /dev/mapper/x rw\n")
    assert look()["disk encryption"].is_well


def test_python_past_its_end_is_told_to_be_replaced() -> None:
    assert check_python((3, 11), date(2027, 10, 31)).is_well
    assert not check_python((3, 11), date(2027, 11, 1)).is_well
    assert check_python((3, 99), date(2050, 1, 1)).is_well


def test_hardening_is_tried_in_a_child_and_this_process_stays_as_it_was() -> None:
    before = Path("/proc/self/status").read_text().partition("NoNewPrivs:")[2][:3]
    granted = {measure.name: measure.held for measure in granted_here().measures}
    assert granted["no new privileges"]
    assert Path("/proc/self/status").read_text().partition("NoNewPrivs:")[2][:3] == before


def test_hardening_left_by_the_worker_is_read_back_and_damage_is_refused(data: Path) -> None:
    granted = granted_here()
    write_hardening(data, granted)
    assert read_hardening(data) == granted
    (data / "run" / "hardening.json").write_text("{")
    with pytest.raises(FormatError, match="start it again"):
        read_hardening(data)


def test_relay_counts_as_served_while_its_lock_is_held(data: Path) -> None:
    assert not is_served(data)
    opened = open_deployment(data)
    assert is_served(data)
    opened.close()
    assert not is_served(data)


def test_doctor_command_prints_json_and_exits_with_one_when_something_must_be_mended(
    data: Path,
) -> None:
    done = CliRunner().invoke(main, ["relay", "doctor", "--data", str(data), "--json"])
    found = json.loads(done.stdout)
    assert done.exit_code == 1
    assert {"subject", "well", "sentence"} == set(found[0])
    assert any(one["subject"] == "serving" and not one["well"] for one in found)


def test_status_command_shows_one_screen_and_exits_with_one_when_nobody_serves(data: Path) -> None:
    done = CliRunner().invoke(main, ["relay", "status", "--data", str(data)])
    assert done.exit_code == 1
    assert "It does not run" in done.stdout
    assert len(done.stdout.splitlines()) < 24


def test_purge_by_hand_is_refused_while_the_relay_serves(data: Path) -> None:
    opened = open_deployment(data)
    refused = CliRunner().invoke(main, ["relay", "purge", "--data", str(data)])
    opened.close()
    assert refused.exit_code == 1
    assert "stop it" in refused.stderr
    done = CliRunner().invoke(main, ["relay", "purge", "--data", str(data)])
    assert (done.exit_code, "Gone: 0 contents" in done.stdout) == (0, True)


def test_ping_of_a_relay_that_does_not_serve_is_refused(data: Path) -> None:
    done = CliRunner().invoke(main, ["relay", "ping", "--data", str(data)])
    assert done.exit_code == 1
    assert "does not answer" in done.stderr
