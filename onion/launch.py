"""One tor process: the right version, started, heard, and ended with its owner.

Used for the relay's tor and for every node of the rehearsal network. stem's own
launcher wants the main thread and forgets the log once tor is up; this one hears
the end of the process at once, because the log's pipe closes with it.
"""

import contextlib
import re
import subprocess
import threading
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path

from onion.control import Control
from protocol.errors import OnionError

# The security release for onion services that everything here was measured on.
OLDEST_TOR = (0, 4, 9, 11)
_CONTROL_SECONDS = 15.0
_LAST_LINES = 50


def read_version(text: str) -> tuple[int, int, int, int]:
    """Read tor's version from what `tor --version` or GETINFO version says.

    Raises:
        OnionError: it says nothing that looks like one.
    """
    match = re.search(r"\b(\d+)\.(\d+)\.(\d+)\.(\d+)", text)
    if not match:
        raise OnionError("Tor does not tell its version: install Debian's package tor.")
    return int(match[1]), int(match[2]), int(match[3]), int(match[4])


def verify_version(text: str) -> tuple[int, int, int, int]:
    """Return tor's version if it is new enough to serve.

    Raises:
        OnionError: it is older than 0.4.9.11.
    """
    version = read_version(text)
    if version < OLDEST_TOR:
        raise OnionError(
            f"Tor {'.'.join(map(str, version))} is too old to hide a service:"
            f" install {'.'.join(map(str, OLDEST_TOR))} or newer."
        )
    return version


def installed_version(binary: str = "tor") -> tuple[int, int, int, int]:
    """Ask the installed tor for its version and return it if it is new enough.

    Raises:
        OnionError: tor is not installed, does not run, or is too old.
    """
    try:
        said = subprocess.run(
            [binary, "--version"], capture_output=True, timeout=20, check=True, text=True
        ).stdout
    except FileNotFoundError as error:
        raise OnionError("Tor is not installed: run `apt install tor`.") from error
    except (OSError, subprocess.SubprocessError) as error:
        raise OnionError("Tor does not run: try `tor --version`.") from error
    return verify_version(said)


class TorProcess:
    """A running tor. `on_exit` is called once, from a thread of its own, when it ends."""

    def __init__(
        self,
        *,
        torrc: Path,
        lines: tuple[str, ...],
        on_exit: Callable[["TorProcess"], None] | None = None,
        binary: str = "tor",
    ) -> None:
        """Write the configuration and start.

        Args:
            torrc: where to write it; the system's own torrc is never read.
            lines: the whole configuration, logging to stdout.
            on_exit: told of the end, whoever caused it.
            binary: the program.

        Raises:
            OnionError: tor is not installed or the disk refuses the file.
        """
        try:
            torrc.touch(mode=0o600)
            torrc.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
            self._process = subprocess.Popen(
                [binary, "--defaults-torrc", str(torrc.with_name("no-defaults")), "-f", str(torrc)],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                encoding="utf-8",
                errors="replace",
            )
        except FileNotFoundError as error:
            raise OnionError("Tor is not installed: run `apt install tor`.") from error
        except OSError as error:
            raise OnionError(
                "Tor cannot be started: check the disk and its permissions."
            ) from error
        self.bootstrap_percent = 0  # as the log tells it; for tors without a control connection
        self._last: deque[str] = deque(maxlen=_LAST_LINES)
        self._on_exit = on_exit
        self._reader = threading.Thread(target=self._hear, name="tor log", daemon=True)
        self._reader.start()

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    @property
    def running(self) -> bool:
        """Whether tor still runs."""
        return self._process.poll() is None

    def last_complaint(self) -> str:
        """Return tor's latest warning or error, for a person to read; empty if there is none.

        Tor logs no client and no address of a service at these levels (SafeLogging).
        """
        for line in reversed(tuple(self._last)):
            found = re.search(r"\[(?:warn|err)\] (.+)", line)
            if found and "see warnings above" not in line:
                return found[1].strip()
        return ""

    def control(self, socket: Path) -> Control:
        """Connect to this tor's control socket, as soon as it is there.

        An earlier tor may still be going down on the same socket: the process id
        tells them apart.

        Raises:
            OnionError: tor ended, or did not open the socket in time.
        """
        deadline = time.monotonic() + _CONTROL_SECONDS
        while self.running and time.monotonic() < deadline:
            with contextlib.suppress(OnionError):
                control = Control(socket)
                if control.info("process/pid") == str(self.pid):
                    return control
                control.close()
            time.sleep(0.05)
        self._reader.join(1 if not self.running else 0)
        complaint = self.last_complaint() or "it gave no reason"
        raise OnionError(f"Tor did not start; it says: {complaint}")

    def end(self, patience_seconds: float = 5.0) -> None:
        """End tor: asked first (it closes its circuits), then killed."""
        self._process.terminate()
        try:
            self._process.wait(patience_seconds)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        if threading.current_thread() is not self._reader:
            self._reader.join()

    def _hear(self) -> None:
        pipe = self._process.stdout
        if pipe is not None:
            with pipe:
                for line in pipe:
                    self._last.append(line)
                    if found := re.search(r"Bootstrapped (\d+)%", line):
                        self.bootstrap_percent = int(found[1])
        self._process.wait()
        if self._on_exit:
            self._on_exit(self)
