"""The machine below a relay, read from trees that look like machines we do not have."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from sotto.machine import Machine, consensus_times

PLAIN = "8:1"
LUKS = "253:0"
LVM_ON_LUKS = "253:1"
MIRROR = "9:0"
PARTITION_ON_LUKS = "253:5"
HALF_MIRROR = "9:1"


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    """Two disks: one plain, one LUKS with LVM, partitions and mirrors over both."""
    devices = tmp_path / "sys" / "devices"
    uuids = {"dm-0": "CRYPT-LUKS2-4711-data", "dm-1": "LVM-0815"}
    slaves = {"dm-1": ["dm-0"], "md0": ["dm-0", "dm-1"], "md1": ["dm-0", "sda1"]}
    for name in ("sda/sda1", "dm-0", "dm-1", "md0", "md1", "dm-0/dm-0p1"):
        (devices / name).mkdir(parents=True, exist_ok=True)
    for name, uuid in uuids.items():
        (devices / name / "dm").mkdir()
        (devices / name / "dm" / "uuid").write_text(f"{uuid}\n")
    for name in ("sda/sda1", "dm-0/dm-0p1"):
        (devices / name / "partition").write_text("1\n")
    for name, below in slaves.items():
        (devices / name / "slaves").mkdir()
        for one in below:
            target = devices / ("sda/sda1" if one == "sda1" else one)
            (devices / name / "slaves" / one).symlink_to(target)
    numbers = tmp_path / "sys" / "dev" / "block"
    numbers.mkdir(parents=True)
    for number, name in {
        PLAIN: "sda/sda1",
        LUKS: "dm-0",
        LVM_ON_LUKS: "dm-1",
        MIRROR: "md0",
        HALF_MIRROR: "md1",
        PARTITION_ON_LUKS: "dm-0/dm-0p1",
    }.items():
        (numbers / number).symlink_to(devices / name)
    (tmp_path / "proc" / "self").mkdir(parents=True)
    (tmp_path / "proc" / "net").mkdir()
    return Machine(root=tmp_path)


@pytest.mark.parametrize(
    ("device", "encrypted"),
    [
        pytest.param(PLAIN, False, id="a plain partition"),
        pytest.param(LUKS, True, id="LUKS"),
        pytest.param(LVM_ON_LUKS, True, id="LVM on LUKS"),
        pytest.param(MIRROR, True, id="a mirror of encrypted disks"),
        pytest.param(HALF_MIRROR, False, id="a mirror with one plain half"),
        pytest.param(PARTITION_ON_LUKS, True, id="a partition on LUKS"),
        pytest.param("7:99", False, id="a device that is not there"),
    ],
)
def test_disk_counts_as_encrypted_only_where_all_below_it_is(
    machine: Machine, device: str, encrypted: bool
) -> None:
    assert machine.is_encrypted(device) is encrypted


def test_mount_of_a_path_is_the_innermost_and_the_last_one_there(machine: Machine) -> None:
    (machine.root / "proc/self/mountinfo").write_text(
        "1 0 8:1 / / rw - ext4 /dev/sda1 rw\n"
        "2 1 8:1 / /srv rw shared:1 - ext4 /dev/sda1 rw\n"
        "3 1 253:0 / /srv rw - ext4 /dev/mapper/data rw\n"
        "4 1 253:1 / /srv/a\\040b rw master:2 shared:3 - xfs /dev/mapper/x rw\n"
        "5 1 0:50 / /srvx rw - tmpfs none rw\n"
    )
    below = machine.mount_of(Path("/srv/relay"))
    spaced = machine.mount_of(Path("/srv/a b/relay"))
    above = machine.mount_of(Path("/opt"))
    assert below and (below.kind, below.device) == ("ext4", "253:0")
    assert spaced and (spaced.kind, spaced.device) == ("xfs", "253:1")
    assert above and above.device == "8:1"


def test_swap_is_safe_in_memory_or_on_an_encrypted_disk_alone(machine: Machine) -> None:
    (machine.root / "proc/self/mountinfo").write_text(
        "1 0 8:1 / / rw - ext4 /dev/sda1 rw\n3 1 253:0 / /srv rw - ext4 /dev/mapper/d rw\n"
    )
    (machine.root / "proc/swaps").write_text(
        "Filename Type Size Used Priority\n"
        "/dev/zram0 partition 1 0 5\n"
        "/swapfile file 1 0 5\n"
        "/srv/swapfile file 1 0 5\n"
        "/dev/sda9 partition 1 0 5\n"
    )
    assert dict(machine.swaps()) == {
        "/dev/zram0": True,
        "/swapfile": False,
        "/srv/swapfile": True,
        "/dev/sda9": False,
    }


def test_listeners_beyond_loopback_are_named_for_their_account_alone(machine: Machine) -> None:
    head = "sl local rem st queues tr retr uid timeout inode\n"
    rows = [
        ("00000000:0050", "0A", 1000),  # everywhere, port 80
        ("0100007F:1F90", "0A", 1000),  # 127.0.0.1
        ("0205A8C0:0016", "0A", 0),  # another account
        ("0205A8C0:0017", "01", 1000),  # not listening
    ]
    line = "0: {} 00000000:0000 {} 0:0 0:0 0 {} 0 1\n"
    (machine.root / "proc/net/tcp").write_text(head + "".join(line.format(*r) for r in rows))
    mapped = "0000000000000000FFFF00000100007F:0051"  # ::ffff:127.0.0.1
    world = "000080FE000000000000000001000000:0052"  # fe80::1
    (machine.root / "proc/net/tcp6").write_text(
        head + line.format(mapped, "0A", 1000) + line.format(world, "0A", 1000)
    )
    assert machine.listeners(1000) == ("0.0.0.0 port 80", "fe80::1 port 82")


def test_consensus_tells_from_when_to_when_and_damage_tells_nothing(tmp_path: Path) -> None:
    path = tmp_path / "cached-microdesc-consensus"
    path.write_text(
        "network-status-version 3 microdesc\nvalid-after 2026-11-20 10:00:00\n"
        "fresh-until 2026-11-20 11:00:00\nvalid-until 2026-11-20 13:00:00\n"
    )
    assert consensus_times(path) == (
        datetime(2026, 11, 20, 10, tzinfo=UTC),
        datetime(2026, 11, 20, 13, tzinfo=UTC),
    )
    path.write_text("valid-after tomorrow\n")
    assert consensus_times(path) is None
    assert consensus_times(tmp_path / "none") is None
