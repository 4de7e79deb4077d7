"""A visitor's tor: a SOCKS port on loopback, with or without a courier's key.

The relay needs none. Rehearsals and tests do, and they prove with it that a
courier without a key stays outside.
"""

import os
import shutil
import tempfile
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Self

from onion.control import Bootstrap, Control, Event
from onion.launch import TorProcess
from onion.ports import free_ports
from onion.torrc import socket_address
from protocol.errors import OnionError


class ClientTor:
    """A tor that visits onion services; use it as a context, or call `start` and `stop`."""

    def __init__(
        self, *, lines: Sequence[str] = (), courier_line: str = "", socks_port: int | None = None
    ) -> None:
        """Choose a port and a folder; nothing runs yet.

        Args:
            lines: `RehearsalNetwork.lines`; none for the public network.
            courier_line: a courier's private line, or empty.
            socks_port: where to listen on loopback; any free port by default.
        """
        self.socks_port = socks_port or free_ports(1)[0]
        self._lines = tuple(lines)
        self._courier_line = courier_line
        self._folder = Path(tempfile.mkdtemp(prefix="sotto-tor-"))
        self._process: TorProcess | None = None
        self._control: Control | None = None
        self._ready = threading.Event()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *why: object) -> None:
        self.stop()

    def start(self, timeout_seconds: float = 60.0) -> None:
        """Start tor and return when it is in the network.

        Raises:
            OnionError: it does not start, or does not get there in this time.
        """
        try:
            self._start()
            if not self._ready.wait(timeout_seconds):
                raise OnionError("The visitor's tor does not reach its network: try again.")
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """End tor and remove its files."""
        if self._control is not None:
            self._control.close()
        if self._process is not None:
            self._process.end()
        shutil.rmtree(self._folder, ignore_errors=True)

    def new_identity(self) -> None:
        """Forget all circuits and descriptors, as Tor Browser's New Identity does.

        Raises:
            OnionError: tor is gone.
        """
        if self._control is None:
            raise OnionError("The visitor's tor is not running: start it first.")
        self._control.new_identity()

    def _start(self) -> None:
        keys = self._folder / "keys"
        keys.mkdir(mode=0o700)
        if self._courier_line:
            (keys / "courier.auth_private").write_text(f"{self._courier_line}\n", encoding="ascii")
        socket = self._folder / "control"
        self._process = TorProcess(
            torrc=self._folder / "torrc",
            lines=(
                *self._lines,
                f"DataDirectory {self._folder}",
                f"SocksPort 127.0.0.1:{self.socks_port} ExtendedErrors",
                f"ClientOnionAuthDir {keys}",
                f"ControlSocket {socket_address(socket)}",
                "CookieAuthentication 1",
                f"__OwningControllerProcess {os.getpid()}",
                "ClientOnly 1",
                "Log notice stdout",
            ),
        )
        self._control = self._process.control(socket)
        self._control.own()
        self._control.listen(self._hear)
        if "PROGRESS=100" in self._control.info("status/bootstrap-phase"):
            self._ready.set()

    def _hear(self, event: Event) -> None:
        if isinstance(event, Bootstrap) and event.percent >= 100:
            self._ready.set()
