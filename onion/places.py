"""Where the relay's own Tor keeps its files, and how tightly they are kept.

One place knows the names, because the supervisor, the courier keys, the health
page and the web side's circuit closer run in different processes and must meet
at the same control socket. Folders that others could read are refused, not
repaired: a key that was readable may have been read.
"""

import os
import re
import stat
from dataclasses import dataclass
from pathlib import Path
from shlex import quote

from protocol.errors import OnionError

# sun_path holds 108 bytes with its closing zero (unix(7)).
SOCKET_PATH_BYTES = 107
_LINE_BREAKING = re.compile(r"[\x00-\x1f\x7f]")


@dataclass(frozen=True)
class Places:
    """The files of one relay's Tor, all below its data folder.

    `services` holds the two addresses, `tor` the state that tor may lose
    (consensus, guards, control socket and cookie), `own_lines` what the operator adds
    to its configuration. Where the system's tor serves,
    `system_services` and `system_control` say where it keeps both.
    """

    data: Path
    system_services: Path | None = None
    system_control: Path | None = None

    @property
    def services(self) -> Path:
        return self.system_services or self.data.absolute() / "secrets" / "onion"

    @property
    def reporter(self) -> Path:
        return self.services / "reporter"

    @property
    def courier(self) -> Path:
        return self.services / "courier"

    @property
    def tor(self) -> Path:
        return self.data.absolute() / "tor"

    @property
    def control(self) -> Path:
        return self.system_control or self.tor / "control"

    @property
    def torrc(self) -> Path:
        return self.tor / "torrc"

    @property
    def own_lines(self) -> Path:
        return self.data.absolute() / "torrc"

    @property
    def reporter_socket(self) -> Path:
        return self.data.absolute() / "run" / "reporter.sock"

    @property
    def courier_socket(self) -> Path:
        return self.data.absolute() / "run" / "courier.sock"

    def prepare(self) -> None:
        """Make the folders that are missing and refuse those that are too open.

        Raises:
            OnionError: a path does not fit a socket or a torrc, others can read a key, or
                the folder that the system's tor shall read is not there.
        """
        check_socket_path(self.control)
        if self.system_services is not None:
            check_private(self.system_services)
        else:
            _make_private(self.services.parent, self.services, self.tor)
        _make_private(self.reporter, self.courier)


def check_socket_path(path: Path) -> Path:
    """Return a path that tor can use for a UNIX socket.

    Raises:
        OnionError: it is too long, or would break a line of a torrc.
    """
    text = str(path)
    if len(text.encode()) > SOCKET_PATH_BYTES:
        raise OnionError(
            f"A socket's path may have {SOCKET_PATH_BYTES} bytes: choose a data folder"
            " with a shorter path."
        )
    if _LINE_BREAKING.search(text):
        raise OnionError("Choose a data folder whose path has no line breaks or control signs.")
    return path


def give_to_owner_of(folder: Path, *paths: Path) -> None:
    """Let the account that owns a folder own these too.

    Root writes for the system's tor, which reads as another account and refuses
    what is not its own.
    """
    if os.geteuid() == 0:
        owner = folder.stat()
        for path in paths:
            os.chown(path, owner.st_uid, owner.st_gid)


def check_private(path: Path) -> None:
    """Refuse a file or folder that anyone but its owner could open, or a symbolic link.

    Raises:
        OnionError: it is missing, a link, or has a permission for group or others.
    """
    try:
        mode = path.lstat().st_mode
    except OSError as error:
        raise OnionError(f"{path} cannot be examined: check that it exists.") from error
    if stat.S_ISLNK(mode):
        raise OnionError(f"{path} is a symbolic link: put the file itself there.")
    if mode & 0o077:
        raise OnionError(
            f"{path} is open to other people on this machine: run"
            f" `chmod -R go= {quote(str(path))}`"
            " and ask who could have read it."
        )


def _make_private(*folders: Path) -> None:
    for folder in folders:
        if not folder.exists():
            folder.mkdir(mode=0o700, parents=True)
            give_to_owner_of(folder.parent, folder)
        check_private(folder)
