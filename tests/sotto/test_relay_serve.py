"""`sotto relay serve`, by the command: with its own tor, and with the system's."""

import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from onion.client import ClientTor
from onion.places import Places
from onion.testnet import RehearsalNetwork
from sotto.demo import courier_line, prepare
from tests.journeys.people import COMMAND, run_command
from tests.tornet import rehearsal_network, visit_soon

SYSTEM_ACCOUNT = "debian-tor"


@pytest.fixture(scope="module")
def network() -> Iterator[RehearsalNetwork]:
    with rehearsal_network() as network:
        yield network


@pytest.fixture
def data() -> Iterator[Path]:
    """A relay with readers and a courier, in a folder that other accounts may pass through."""
    with tempfile.TemporaryDirectory(prefix="sotto-") as folder:
        Path(folder).chmod(0o711)
        prepare(Path(folder) / "d", policy="generic", now=datetime.now(UTC))
        yield Path(folder) / "d"


@contextmanager
def served(data: Path, *options: str, group: int | None = None) -> Iterator[list[str]]:
    """Serve a relay until the end; the list gets a line for each that it prints."""
    log = data.parent / "log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [*COMMAND, "relay", "serve", "--data", str(data), *options],
            stdout=output,
            stderr=subprocess.STDOUT,
            env=os.environ | {"PYTHONUNBUFFERED": "1"},
            group=group,
        )
        try:
            yield until(lambda: log.read_text().splitlines(), "The relay serves.")
        finally:
            process.send_signal(signal.SIGTERM)
            assert process.wait(30) == 0


def until(lines, words: str) -> list[str]:  # type: ignore[no-untyped-def]  # a lambda
    deadline = time.monotonic() + 60
    while not any(words in line for line in lines()):
        assert time.monotonic() < deadline, lines()
        time.sleep(0.1)
    return list(lines())


def test_relay_that_was_never_made_is_not_served_and_no_folder_appears(tmp_path: Path) -> None:
    missing = tmp_path / "relay"
    refused = run_command("relay", "serve", "--data", str(missing), refused=True)
    assert "sotto relay init" in refused.stderr
    assert not missing.exists()


def test_relay_with_a_policy_that_is_nowhere_says_that_alone_and_ends(data: Path) -> None:
    settings = (data / "relay.toml").read_text()
    moved = re.sub(r"(?m)^policy = .*$", 'policy = "/nowhere/our-policy"', settings)
    (data / "relay.toml").write_text(moved)
    refused = run_command("relay", "serve", "--data", str(data), refused=True)
    assert "The policy has no file policy.toml" in refused.stderr
    assert "Another process" not in refused.stderr


@pytest.mark.slow
@pytest.mark.tor
def test_relay_joins_the_network_that_its_own_torrc_names_and_publishes_both_sites(
    network: RehearsalNetwork, data: Path
) -> None:
    (data / "torrc").write_text("# for training\n\n" + "\n".join(network.lines) + "\n")
    log = data.parent / "log"
    with served(data):
        until(lambda: re.findall(r"Published: \S+", log.read_text())[1:], "Published")
        reporter, courier = (
            re.sub(r".*//|\.onion/", "", line)
            for line in run_command("onion", "address", "--data", str(data)).stdout.split()
            if ".onion" in line
        )
        with ClientTor(lines=network.lines, courier_line=courier_line(data)) as visitor:
            assert b"nine words" in visit_soon(visitor, reporter, path="/en/")
            assert b"What you carry" in visit_soon(visitor, courier)
    assert "100 %" in log.read_text()


@pytest.mark.slow
@pytest.mark.tor
@pytest.mark.claim("C4")
def test_tor_of_the_system_under_its_own_account_serves_both_sites(
    network: RehearsalNetwork, data: Path
) -> None:
    """The way of docs/OPERATIONS.md, «Debian's tor»; the relay's group is tor's here."""
    with tempfile.TemporaryDirectory(prefix="sotto-") as home:
        shutil.chown(home, SYSTEM_ACCOUNT, SYSTEM_ACCOUNT)
        services = Path(home) / "services"
        services.mkdir(mode=0o700)
        shutil.chown(services, SYSTEM_ACCOUNT, SYSTEM_ACCOUNT)
        system = ["--data", str(data), "--folder", str(services)]
        told = run_command("onion", "courier", "add", "anna", *system).stdout
        key = next(line.strip() for line in told.splitlines() if ":descriptor:x25519:" in line)
        lines = run_command("onion", "address", "--torrc", *system).stdout.splitlines()
        places = Places(data, system_services=services)
        reporter, courier = (
            (folder / "hostname").read_text().strip().removesuffix(".onion")
            for folder in (places.reporter, places.courier)
        )
        group = Path(home).stat().st_gid
        for folder in (data, data / "run"):
            os.chown(folder, -1, group)
            folder.chmod(0o710)
        with (
            served(data, "--system-tor", group=group),
            system_tor(Path(home), [*network.lines, *lines]),
            ClientTor(lines=network.lines, courier_line=key) as visitor,
        ):
            assert b"nine words" in visit_soon(visitor, reporter, path="/en/")
            assert b"What you carry" in visit_soon(visitor, courier)


@contextmanager
def system_tor(home: Path, lines: Sequence[str]) -> Iterator[None]:
    """Run tor as its Debian package does: started by root, then under an account of its own."""
    own = ("SocksPort 0", f"DataDirectory {home}/state", f"User {SYSTEM_ACCOUNT}", "Log err stdout")
    torrc = home / "torrc"
    torrc.write_text("\n".join([*lines, *own]))
    process = subprocess.Popen(["tor", "--defaults-torrc", str(home / "none"), "-f", str(torrc)])
    try:
        yield
    finally:
        process.terminate()
        process.wait(30)
