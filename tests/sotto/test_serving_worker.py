"""The worker of a running relay: hardened before it opens anything, and so is its follower."""

import json
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from relay.hardening import Hardening
from relay.running import is_served, read_hardening
from tests.journeys.demonstration import Demonstration, run_demonstration
from tests.journeys.people import run_command
from tests.journeys.web import Web

pytestmark = [pytest.mark.slow, pytest.mark.claim("C1")]


@pytest.fixture(scope="module")
def demonstration(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demonstration]:
    with run_demonstration(tmp_path_factory.mktemp("demo") / "data") as running:
        yield running


def worker_of(demonstration: Demonstration) -> int:
    """Return the process that holds the relay's lock."""
    inode = (demonstration.data / "run" / "serving.lock").stat().st_ino
    for line in Path("/proc/locks").read_text().splitlines():
        fields = line.split()
        if fields[1] == "FLOCK" and fields[5].endswith(f":{inode}"):
            return int(fields[4])
    raise AssertionError("nobody serves")


def assert_hardened(pid: int, hardening: Hardening) -> None:
    """Compare what the kernel says of a process, each thread of it, with what it left word of."""
    held = {measure.name: measure.held for measure in hardening.measures}
    assert held["no core dumps"] and held["no new privileges"]
    for task in Path(f"/proc/{pid}/task").iterdir():
        assert "NoNewPrivs:\t1\n" in (task / "status").read_text()
    limits = Path(f"/proc/{pid}/limits").read_text()
    assert limits.partition("Max core file size")[2].split()[:2] == ["0", "0"]


def test_worker_and_every_thread_of_it_are_hardened_and_say_so(
    demonstration: Demonstration,
) -> None:
    assert_hardened(worker_of(demonstration), read_hardening(demonstration.data))


def test_worker_that_follows_a_killed_one_is_hardened_and_keeps_the_timetable(
    demonstration: Demonstration,
) -> None:
    killed = worker_of(demonstration)
    database = demonstration.data / "relay.sqlite"
    os.utime(database, (0, 0))  # the day's maintenance moves it to the start of the day
    (demonstration.data / "run" / "hardening.json").unlink()
    os.kill(killed, signal.SIGKILL)
    deadline = time.monotonic() + 30
    while not (demonstration.data / "run" / "hardening.json").exists():
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert Web(demonstration.reporter).get("/en/").status == 200
    follower = worker_of(demonstration)
    assert follower != killed
    assert_hardened(follower, read_hardening(demonstration.data))
    while database.stat().st_mtime == 0:
        assert time.monotonic() < deadline, "the follower keeps no timetable"
        time.sleep(0.05)
    assert is_served(demonstration.data)


def test_ping_and_status_of_a_running_relay_find_it_well(demonstration: Demonstration) -> None:
    data = str(demonstration.data)
    run_command("relay", "ping", "--data", data)
    # Without a Tor network, that nobody can come is to be mended: exit code 1.
    shown = run_command("relay", "status", "--data", data, "--json", refused=True).stdout
    found = {one["subject"]: one for one in json.loads(shown)}
    assert found["relay"] == {"subject": "relay", "well": True, "sentence": "running"}
    assert found["recipients"]["sentence"] == "3 of 3 have a valid key"
