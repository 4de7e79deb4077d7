"""Which tor may serve, and what is said when it does not start."""

import os
import signal
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from onion.address import Addresses
from onion.launch import TorProcess, installed_version, read_version, verify_version
from onion.notices import News, skew_sentence, stall_sentence
from onion.places import Places
from onion.ports import free_ports
from onion.process import STALL_SECONDS, RelayTor
from onion.testnet_node import Node, NodeConfig, shared_lines, write_bandwidth_history
from onion.torrc import check_extra
from protocol.errors import OnionError
from tests.tornet import Notices

# Port 9 of loopback: nobody answers, so nothing leaves the machine.
NOWHERE = shared_lines(f"DirAuthority nobody orport=9 v3ident={'A' * 40} 127.0.0.1:9 {'B' * 40}")


def pretended_tor(folder: Path, says: str, status: int = 0) -> str:
    path = folder / "tor"
    path.write_text(f"#!/bin/sh\necho '{says}'\nexit {status}\n")
    path.chmod(0o755)
    return str(path)


@pytest.mark.parametrize(
    "says",
    [
        "Tor version 0.4.9.11.",
        "Tor version 0.4.9.12 (git-1a2b).",
        "0.4.10.1-alpha",
        "0.5.0.1",
        "1.0.0.0",
    ],
)
def test_tor_that_is_new_enough_may_serve(says: str) -> None:
    assert verify_version(says) == read_version(says)


@pytest.mark.parametrize(
    "says", ["Tor version 0.4.9.10.", "Tor version 0.4.8.99.", "0.3.5.16", "0.4.9.2-alpha"]
)
def test_tor_that_is_too_old_is_refused_in_words(tmp_path: Path, says: str) -> None:
    with pytest.raises(OnionError, match=r"too old .* install 0\.4\.9\.11 or newer"):
        installed_version(pretended_tor(tmp_path, says))


@pytest.mark.parametrize("says", ["", "Tor", "version 9"])
def test_tor_that_does_not_tell_its_version_is_refused(tmp_path: Path, says: str) -> None:
    with pytest.raises(OnionError, match="does not tell its version"):
        installed_version(pretended_tor(tmp_path, says))


def test_tor_that_does_not_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(OnionError, match="does not run"):
        installed_version(pretended_tor(tmp_path, "Tor version 0.4.9.11.", status=1))


def test_tor_that_is_not_installed_is_asked_for(tmp_path: Path) -> None:
    with pytest.raises(OnionError, match="apt install tor"):
        installed_version(str(tmp_path / "no-tor"))


def test_relay_refuses_an_old_tor_before_it_starts_it(places: Places, tmp_path: Path) -> None:
    notices = Notices()
    binary = pretended_tor(tmp_path, "Tor version 0.4.8.16.")
    relay = RelayTor(data=places.data, tell=notices, binary=binary)
    with pytest.raises(OnionError, match="too old"):
        relay.start()
    assert relay.pid is None
    assert notices.all == []


@pytest.mark.parametrize(
    "line",
    [
        "HiddenServiceNonAnonymousMode 1",
        "hiddenservicenonanonymousmode 1",
        "HiddenServiceSingleHopMode 1",
        "  HiddenServiceSingleHopMode 1",
        "+HiddenServiceSingleHopMode 1",
        "%include /etc/tor/more",
        "SafeLogging 1\nHiddenServiceSingleHopMode 1",
    ],
)
def test_line_that_would_undo_the_hiding_is_refused(places: Places, line: str) -> None:
    with pytest.raises(OnionError):
        RelayTor(data=places.data, tell=Notices(), extra=[line])


def test_lines_of_the_rehearsal_network_are_accepted() -> None:
    assert check_extra(NOWHERE) == NOWHERE


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(3600, "60 minutes fast"), (-90, "90 seconds slow"), (-86400, "1440 minutes slow")],
)
def test_clock_that_is_wrong_is_told_in_words(seconds: int, words: str) -> None:
    sentence = skew_sentence(seconds)
    assert words in sentence
    assert "timedatectl" in sentence
    assert "clock is" in stall_sentence(10, sentence)


def test_stall_without_a_known_cause_says_where_to_look() -> None:
    assert stall_sentence(5, "") == (
        "Tor does not reach its network and stopped at 5 %:"
        " check the cable, the firewall and the clock."
    )
    assert "(tor says: Connection refused)" in stall_sentence(5, "Connection refused")


@pytest.mark.tor
def test_relay_without_a_network_says_so_within_a_minute_and_ends_tor(
    places: Places, addresses: Addresses
) -> None:
    assert addresses
    assert STALL_SECONDS < 60
    notices = Notices()
    relay = RelayTor(data=places.data, tell=notices, extra=NOWHERE)
    with pytest.raises(OnionError, match="does not reach its network and stopped at"):
        relay.start(stall_seconds=3)
    pid = relay.pid
    assert pid is not None
    assert not Path(f"/proc/{pid}").exists()
    assert notices.count(News.COURIER_CLOSED) == 1


@pytest.mark.tor
def test_relay_in_a_folder_whose_name_torrc_would_misread_starts_its_tor(places: Places) -> None:
    relay = RelayTor(data=places.data / """a "b" 'c' #d%\\é""", tell=Notices(), extra=NOWHERE)
    with pytest.raises(OnionError, match="does not reach its network"):
        relay.start(stall_seconds=0.5)


def test_relay_in_a_folder_whose_name_breaks_a_line_is_refused(places: Places) -> None:
    with pytest.raises(OnionError, match="no line breaks"):
        RelayTor(data=places.data / "a\nHiddenServiceNonAnonymousMode 1", tell=Notices())


@pytest.mark.tor
@pytest.mark.claim("C4")
def test_relay_without_a_courier_key_configures_no_courier_site(places: Places) -> None:
    relay = RelayTor(data=places.data, tell=Notices(), extra=NOWHERE)
    with pytest.raises(OnionError):
        relay.start(stall_seconds=0.5)
    torrc = places.torrc.read_text()
    assert f"HiddenServiceDir {places.reporter}" in torrc
    assert str(places.courier) not in torrc


@pytest.mark.tor
@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("DNSPort 127.0.0.1:auto", "would open a TCP port: remove DNSPort"),
        ("HTTPTunnelPort auto", "would open a TCP port: remove HTTPTunnelPort"),
        ("MetricsPort 127.0.0.1:9035", "would open a TCP port: remove MetricsPort"),
        ("ControlPort 127.0.0.1:auto", "would open a TCP port: remove ControlPort"),
        ("ORPort auto", "would open a TCP port: remove ORPort"),
        ("NoSuchOption 1", "it says: .*NoSuchOption"),
    ],
)
def test_relay_refuses_a_tor_that_came_up_otherwise_than_it_should(
    places: Places, line: str, words: str
) -> None:
    relay = RelayTor(data=places.data, tell=Notices(), extra=[*NOWHERE, line])
    with pytest.raises(OnionError, match=words):
        relay.start(stall_seconds=3)
    assert not Path(f"/proc/{relay.pid}").exists()


@pytest.mark.tor
@pytest.mark.parametrize("seconds", [30.0, pytest.param(1.0, marks=pytest.mark.proof)])
def test_tor_that_ends_is_told_at_once(places: Places, seconds: float) -> None:
    places.prepare()
    ended = threading.Event()
    process = TorProcess(
        torrc=places.torrc,
        lines=(
            f"DataDirectory {places.tor}",
            "SocksPort 0",
            "DisableNetwork 1",
            "Log notice stdout",
        ),
        on_exit=lambda tor: ended.set(),
    )
    time.sleep(0.5)
    os.kill(process.pid, signal.SIGKILL)
    assert ended.wait(seconds)
    assert not process.running
    process.end()


OWNER = """
import sys
from pathlib import Path
from tests.onion.test_launch import NOWHERE
from onion.ports import free_ports
from onion.process import RelayTor
relay = RelayTor(data=Path(sys.argv[1]), tell=lambda n: print(relay.pid, flush=True), extra=NOWHERE)
relay.start(stall_seconds=60)
"""


def outlives(pid: int, seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while Path(f"/proc/{pid}").exists():
        if time.monotonic() > deadline:
            return True
        time.sleep(0.1)
    return False


@pytest.mark.tor
def test_tor_of_a_relay_that_is_killed_ends_with_it(places: Places) -> None:
    owner = subprocess.Popen(
        [sys.executable, "-W", "ignore", "-c", OWNER, str(places.data)],
        stdout=subprocess.PIPE,
        text=True,
    )
    with owner:
        assert owner.stdout is not None
        pids = [owner.stdout.readline().strip() for _ in range(3)]
        tor = int(pids[-1])
        assert outlives(tor, 0.5), "it runs while its owner does"
        owner.kill()
    assert not outlives(tor, 3)


NODE_OWNER = """
import sys, time
from pathlib import Path
from tests.onion.test_launch import start_lonely_node
print(start_lonely_node(Path(sys.argv[1])), flush=True)
time.sleep(60)
"""


def start_lonely_node(folder: Path) -> int:
    config = NodeConfig(nickname="lonely", folder=folder / "node", or_port=free_ports(1)[0])
    write_bandwidth_history(config, datetime.now(UTC))
    return Node(config, NOWHERE[-1]).pid


@pytest.mark.tor
@pytest.mark.proof
def test_node_of_a_rehearsal_network_whose_owner_is_killed_ends_by_itself(places: Places) -> None:
    owner = subprocess.Popen(
        [sys.executable, "-W", "ignore", "-c", NODE_OWNER, str(places.data)],
        stdout=subprocess.PIPE,
        text=True,
    )
    with owner:
        assert owner.stdout is not None
        tor = int(owner.stdout.readline())
        assert outlives(tor, 1.5), "it runs while its owner does"
        owner.kill()
    assert not outlives(tor, 20)  # tor looks every 15 seconds
