"""One node of the rehearsal network: its folder, its configuration, its process.

The shape was measured (docs/decisions/0006): every line that looks odd is there
because a network of seven nodes on one machine fails without it.
"""

import os
import re
import signal
import subprocess
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from onion.control import Control
from onion.launch import TorProcess
from onion.torrc import socket_address
from protocol.errors import OnionError

VOTING_SECONDS = 300
# From the vote to the consensus: everybody is on one machine.
VOTE_SECONDS = 2
_BANDWIDTH_BYTES = 10_000_000
_DAY_SECONDS = 86_400


@dataclass(frozen=True)
class NodeConfig:
    """What tells one node from another; `dir_port` is set on the authority alone."""

    nickname: str
    folder: Path
    or_port: int
    dir_port: int | None = None

    @property
    def control(self) -> Path:
        return self.folder / "control"


def make_authority_keys(node: NodeConfig) -> str:
    """Make the authority's keys and certificate.

    Returns:
        The line by which every other node knows it.

    Raises:
        OnionError: Debian's package tor is not (wholly) installed.
    """
    keys = node.folder / "keys"
    keys.mkdir(mode=0o700, parents=True)
    address = f"127.0.0.1:{node.dir_port}"
    # The passphrase guards keys that live for an hour on loopback: it keeps nobody out.
    command = ["tor-gencert", "--create-identity-key", "-m", "12", "--passphrase-fd", "0"]
    command += ["-a", address, "-i", str(keys / "authority_identity_key")]
    command += ["-s", str(keys / "authority_signing_key")]
    command += ["-c", str(keys / "authority_certificate")]
    _run(command, stdin="rehearsal\n")
    certificate = (keys / "authority_certificate").read_text(encoding="ascii")
    identity = _find(r"^fingerprint ([0-9A-F]{40})$", certificate)
    none = str(node.folder / "no-torrc")
    command = ["tor", "--list-fingerprint", "--quiet", "--ignore-missing-torrc", "--ExitRelay", "0"]
    command += ["--defaults-torrc", none, "-f", none, "--DataDirectory", str(node.folder)]
    command += ["--ORPort", str(node.or_port), "--Nickname", node.nickname]
    said = _run(command)
    fingerprint = _find(r"((?:[0-9A-F]{4} ){9}[0-9A-F]{4})", said).replace(" ", "")
    return (
        f"DirAuthority {node.nickname} orport={node.or_port} v3ident={identity}"
        f" {address} {fingerprint}"
    )


def write_bandwidth_history(node: NodeConfig, now: datetime) -> None:
    """Give a new node a past in which it carried traffic.

    Without it every node announces that it can carry nothing, clients take the
    authority as first and last hop, and no circuit is ever built.
    """
    node.folder.mkdir(mode=0o700, exist_ok=True)
    ends = (now.astimezone(UTC) - timedelta(minutes=5)).strftime("%Y-%m-%d %H:%M:%S")
    total = ",".join([str(_BANDWIDTH_BYTES * _DAY_SECONDS)] * 3)
    peak = ",".join([str(_BANDWIDTH_BYTES)] * 3)
    lines = [
        f"BWHistory{way}{field} {value}"
        for way in ("Read", "Write")
        for field, value in (
            ("Ends", ends),
            ("Interval", _DAY_SECONDS),
            ("Values", total),
            ("Maxima", peak),
        )
    ]
    (node.folder / "state").write_text("\n".join(lines) + "\n", encoding="ascii")


def node_lines(node: NodeConfig, authority_line: str) -> tuple[str, ...]:
    """Write the configuration of one node."""
    lines = [
        *shared_lines(authority_line),
        f"DataDirectory {node.folder}",
        f"Nickname {node.nickname}",
        f"__OwningControllerProcess {os.getpid()}",
        "SocksPort 0",
        "Address 127.0.0.1",
        f"ORPort 127.0.0.1:{node.or_port}",
        "ExitRelay 0",
        "ExitPolicy reject *:*",
        "ServerDNSResolvConfFile /dev/null",
        "ServerDNSDetectHijacking 0",
        "ShutdownWaitLength 0",
        "Log notice stdout",
    ]
    if node.dir_port is not None:
        lines += [
            f"ControlSocket {socket_address(node.control)}",
            "CookieAuthentication 1",
            f"DirPort 127.0.0.1:{node.dir_port}",
            "AuthoritativeDirectory 1",
            "V3AuthoritativeDirectory 1",
            "ContactInfo rehearsal",
            "TestingDirAuthVoteGuard *",
            "TestingDirAuthVoteHSDir *",
            "TestingDirAuthVoteExit *",
            "TestingMinExitFlagThreshold 0",
            "AuthDirVoteStableGuaranteeMinUptime 0",
            "AuthDirVoteStableGuaranteeMTBF 0",
            f"TestingV3AuthInitialVotingInterval {VOTING_SECONDS}",
            f"TestingV3AuthInitialVoteDelay {VOTE_SECONDS}",
            f"TestingV3AuthInitialDistDelay {VOTE_SECONDS}",
            f"V3AuthVotingInterval {VOTING_SECONDS}",
            f"V3AuthVoteDelay {VOTE_SECONDS}",
            f"V3AuthDistDelay {VOTE_SECONDS}",
            "V3AuthNIntervalsValid 12",
        ]
    return tuple(lines)


def shared_lines(authority_line: str) -> tuple[str, ...]:
    """Write what every member of the network needs: nodes, services and clients."""
    return (
        "TestingTorNetwork 1",
        "PathsNeededToBuildCircuits 0.67",
        "AssumeReachable 1",
        authority_line,
    )


class Node:
    """A running node."""

    def __init__(self, config: NodeConfig, authority_line: str) -> None:
        """Start it.

        Raises:
            OnionError: tor is not installed or the disk refuses its files.
        """
        self.config = config
        self._control: Control | None = None
        self._process = TorProcess(
            torrc=config.folder / "torrc", lines=node_lines(config, authority_line)
        )

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    @property
    def running(self) -> bool:
        """Whether it still runs."""
        return self._process.running

    def complaint(self) -> str:
        """Return tor's latest warning, empty if there is none."""
        return self._process.last_complaint()

    def reload(self) -> None:
        """Have it fetch the consensus now rather than at its own hour."""
        os.kill(self.pid, signal.SIGHUP)

    @property
    def bootstrap_percent(self) -> int:
        """How far it has come into the network."""
        return self._process.bootstrap_percent

    def start_voting(self, offset_seconds: int) -> None:
        """Move the authority's votes to this many seconds after each full interval.

        The connection is kept: stem makes it the owner of the node, which ends with it.

        Raises:
            OnionError: it ended.
        """
        self._control = self._process.control(self.config.control)
        self._control.set_options((("TestingV3AuthVotingStartOffset", str(offset_seconds)),))

    def end(self) -> None:
        """End it."""
        if self._control is not None:
            self._control.close()
        self._process.end(patience_seconds=2)


def _run(command: list[str], stdin: str = "") -> str:
    try:
        return subprocess.run(
            command, input=stdin, capture_output=True, timeout=30, check=True, text=True
        ).stdout
    except (OSError, subprocess.SubprocessError) as error:
        raise OnionError(f"{command[0]} does not run: install Debian's package tor.") from error


def _find(pattern: str, text: str) -> str:
    match = re.search(pattern, text, re.MULTILINE)
    if not match:
        raise OnionError("Tor answers in a way that is not understood: is it 0.4.9?")
    return match[1]
