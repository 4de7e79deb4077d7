"""A private Tor network on loopback, for rehearsals and for tests.

Seven nodes, one of them the directory authority: the smallest network on which
onion services work every time. It touches no other machine, and ends with the
process that owns it, however that one ends.
"""

import contextlib
import http.client
import shutil
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Self

from onion.launch import installed_version
from onion.ports import free_ports
from onion.testnet_node import (
    VOTE_SECONDS,
    VOTING_SECONDS,
    Node,
    NodeConfig,
    make_authority_keys,
    shared_lines,
    write_bandwidth_history,
)
from protocol.errors import OnionError

NODES = 7
_JOINED_PERCENT = 75
_STEP_SECONDS = 60.0
Progress = Callable[[int, str], None]


class RehearsalNetwork:
    """The running network. Use it as a context, or call `start` and `stop`."""

    def __init__(self, *, progress: Progress = lambda percent, words: None) -> None:
        """Choose ports and a folder; nothing runs yet.

        Args:
            progress: gets a percentage and a few words at every step.
        """
        self._progress = progress
        # A short path: sockets below it may have 107 bytes.
        self._folder = Path(tempfile.mkdtemp(prefix="sotto-net-", dir="/tmp"))
        ports = free_ports(NODES + 1)
        self._configs = [
            NodeConfig(
                nickname="authority" if number == 0 else f"node{number}",
                folder=self._folder / str(number),
                or_port=ports[number],
                dir_port=ports[NODES] if number == 0 else None,
            )
            for number in range(NODES)
        ]
        self._nodes: list[Node] = []
        self._authority_line = ""

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *why: object) -> None:
        self.stop()

    @property
    def lines(self) -> tuple[str, ...]:
        """The torrc lines with which a service's or a client's tor joins."""
        return shared_lines(self._authority_line)

    def start(self) -> None:
        """Start all nodes and return when services and clients can join.

        Raises:
            OnionError: tor is missing or too old, or a step took longer than a minute.
        """
        try:
            self._start()
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """End all nodes and remove their files."""
        for node in self._nodes:
            node.end()
        self._nodes.clear()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _start(self) -> None:
        installed_version()
        self._progress(0, "making the authority's keys")
        self._authority_line = make_authority_keys(self._configs[0])
        for config in self._configs:
            write_bandwidth_history(config, datetime.now(UTC))
            self._nodes.append(Node(config, self._authority_line))
        self._progress(20, "nodes are introducing themselves")
        self._await("the nodes' descriptors", lambda: self._count("all", b"\nrouter ") >= NODES)
        self._progress(40, "the authority is voting")
        self._vote_now()
        self._await("the consensus", lambda: self._running_nodes() >= NODES)
        self._progress(70, "nodes are reading the consensus")
        for node in self._nodes[1:]:
            node.reload()
        self._await(
            "the nodes to join",
            lambda: all(n.bootstrap_percent >= _JOINED_PERCENT for n in self._nodes[1:]),
        )
        self._progress(100, "the network is ready")

    def _vote_now(self) -> None:
        """Move the schedule so that the interval that is voted on begins as soon as can be."""
        since_midnight = int(time.time()) % 86_400
        begins = since_midnight + 2 * VOTE_SECONDS + 2
        self._nodes[0].start_voting(begins % VOTING_SECONDS)

    def _count(self, what: str, word: bytes) -> int:
        return (b"\n" + self._fetch(f"/tor/server/{what}")).count(word)

    def _running_nodes(self) -> int:
        consensus = self._fetch("/tor/status-vote/current/consensus-microdesc")
        flags = [line.split() for line in consensus.splitlines() if line.startswith(b"s ")]
        return sum(b"Running" in words for words in flags)

    def _fetch(self, path: str) -> bytes:
        connection = http.client.HTTPConnection(
            "127.0.0.1", self._configs[0].dir_port or 0, timeout=5
        )
        with contextlib.closing(connection):
            try:
                connection.request("GET", path)
                answer = connection.getresponse()
                return answer.read() if answer.status == http.HTTPStatus.OK else b""
            except (OSError, http.client.HTTPException):
                return b""

    def _await(self, what: str, reached: Callable[[], bool]) -> None:
        deadline = time.monotonic() + _STEP_SECONDS
        while not reached():
            for node in self._nodes:
                if not node.running:
                    raise OnionError(f"A node of the network ended; it says: {node.complaint()}")
            if time.monotonic() > deadline:
                raise OnionError(f"The network waited a minute for {what}: try again.")
            time.sleep(0.25)
