"""`sotto onion` as an operator types it."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from onion.address import Addresses
from onion.courier_keys import add_courier
from onion.places import Places
from sotto.cli import main


def sotto(places: Places, *words: str) -> Result:
    return CliRunner().invoke(main, ["onion", *words, "--data", str(places.data)])


def test_address_prints_both_and_writes_the_poster(places: Places, addresses: Addresses) -> None:
    poster = places.data / "poster.png"
    result = sotto(places, "address", "--png", str(poster))
    assert result.exit_code == 0
    assert f"http://{addresses.reporter}.onion/" in result.output
    assert f"http://{addresses.courier}.onion/" in result.output
    assert "█" in result.output
    assert poster.read_bytes().startswith(b"\x89PNG")


def test_address_in_a_folder_without_a_relay_makes_nothing(places: Places) -> None:
    nowhere = Places(places.data / "mistyped")
    result = sotto(nowhere, "address")
    assert result.exit_code == 1
    assert "sotto relay init" in result.stderr
    assert not nowhere.data.exists()


def test_courier_added_listed_and_revoked_by_name(places: Places, addresses: Addresses) -> None:
    assert sotto(places, "courier", "list", "--verify").exit_code == 1
    added = sotto(places, "courier", "add", "anna")
    assert added.exit_code == 0
    assert f"{addresses.courier}:descriptor:x25519:" in added.output
    assert sotto(places, "courier", "list", "--verify").output == "anna\n"
    assert sotto(places, "courier", "revoke", "anna").exit_code == 0
    assert sotto(places, "courier", "list").output == ""
    assert sotto(places, "courier", "revoke", "anna").exit_code == 1


def test_courier_list_with_a_damaged_key_exits_with_1(places: Places, addresses: Addresses) -> None:
    add_courier(places.courier, "anna", addresses.courier)
    (places.courier / "authorized_clients" / "anna.auth").write_text("broken")
    result = sotto(places, "courier", "list")
    assert result.exit_code == 1
    assert "anna is damaged" in result.stderr


def test_status_of_a_relay_that_is_down_exits_with_1(places: Places, addresses: Addresses) -> None:
    assert addresses
    result = sotto(places, "status")
    assert result.exit_code == 1
    assert "is it running" in " ".join(result.output.split())


@pytest.mark.claim("C4")
def test_torrc_for_the_system_is_not_printed_before_a_courier_has_a_key(
    places: Places, addresses: Addresses
) -> None:
    assert addresses
    result = sotto(places, "address", "--torrc")
    assert result.exit_code == 1
    assert "HiddenServiceDir" not in result.output


def test_torrc_for_the_system_passes_the_check_of_the_systems_tor(
    places: Places, tmp_path: Path
) -> None:
    folder = places.data / "system"
    folder.mkdir(mode=0o700)
    environment = ["--folder", str(folder)]
    assert sotto(places, "courier", "add", "anna", *environment).exit_code == 0
    result = sotto(places, "address", "--torrc", *environment)
    assert result.exit_code == 0
    torrc = tmp_path / "torrc"
    torrc.write_text(f"SocksPort 0\nDataDirectory {tmp_path}/tor\n{result.output}")
    said = subprocess.run(
        ["tor", "--verify-config", "--defaults-torrc", str(tmp_path / "none"), "-f", str(torrc)],
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    ).stdout
    assert "Configuration was valid" in said
    assert f"{folder.name}/courier" in result.output


@pytest.mark.tor
@pytest.mark.slow
def test_testnet_in_the_foreground_prints_its_lines_and_ends_at_a_signal(tmp_path: Path) -> None:
    program = "from sotto.cli import main; main()"
    process = subprocess.Popen(
        [sys.executable, "-c", program, "onion", "testnet"],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env={**os.environ, "TMPDIR": str(tmp_path)},
    )
    with process:
        assert process.stdout is not None
        lines = [process.stdout.readline().strip() for _ in range(6)]
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0
    assert lines[0] == "TestingTorNetwork 1"
    assert lines[3].startswith("DirAuthority ")
    assert "SOCKS 127.0.0.1:" in lines[5]
    assert list(tmp_path.iterdir()) == []
