"""What the process knows while the desk is unlocked; none of it reaches a disk.

Only the opened secret key is kept. Every request opens the vault anew, which takes about a
millisecond, and closes it again: SQLite's connection stays in one thread, and a second
request, or a command beside the browser, finds what the first one wrote.
"""

import secrets
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from datetime import date, datetime
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, TypeVar, cast

from flask import current_app, g

from desk.keyring import KeyRing
from desk.ownkey import OwnKey
from desk.unlocking import open_vault, open_with
from desk.vault import DOCUMENT_FILE, Vault
from protocol.errors import KeyMaterialError

if TYPE_CHECKING:
    from desk.screens.importing import Import

IDLE_SECONDS = 10 * 60  # as long as a lunch break is short; issue of the desk
TOKEN_BYTES = 32

T = TypeVar("T")
_Stamp = tuple[tuple[int, int], ...]


class Session:
    """The one session of a desk: one folder, one counselor, locked or unlocked."""

    def __init__(
        self,
        *,
        directory: Path,
        clock: Callable[[], datetime],
        monotonic: Callable[[], float],
        idle_seconds: int = IDLE_SECONDS,
    ) -> None:
        """Begin locked.

        Args:
            directory: of the desk; without a vault the first-run pages are shown.
            clock: the time of this machine, UTC.
            monotonic: seconds that never go back, for locking after idle.
            idle_seconds: without a request; then the key is forgotten.
        """
        self.directory = directory
        self.clock = clock
        self.idle_seconds = idle_seconds
        self.form_token = secrets.token_urlsafe(TOKEN_BYTES)
        self.notices: list[str] = []
        self.importing: Import | None = None  # the last one, running or done
        self.proposed = ""  # a passphrase, until there is a desk
        self._monotonic = monotonic
        self._key: OwnKey | None = None
        self._used = 0.0
        self._running = 0
        self._counting = Lock()
        self._weighed: dict[tuple[Hashable, _Stamp], object] = {}

    def unlock(self, passphrase: str) -> None:
        """Open the secret key and keep it until `lock`, or until nobody asks for anything.

        Raises:
            KeyMaterialError: the passphrase is wrong.
            StorageError: there is no desk in the folder.
        """
        with open_vault(self.directory, passphrase) as vault:
            self.keep(vault.secret_key)

    def keep(self, key: OwnKey) -> None:
        """Go on with a key that is open already: the desk was just made or restored."""
        self._key = key
        self._used = self._monotonic()

    def lock(self) -> None:
        """Forget the key and everything that was shown with it; gpg forgets its PIN too."""
        if self.importing is not None:
            self.importing.stop()
            self.importing = None
        if isinstance(self._key, KeyRing):
            self._key.forget()
        self._key = None
        self.notices.clear()
        self._weighed.clear()

    def lock_after_idle(self) -> None:
        """Lock if nobody has asked for anything for long enough, and nothing is under way."""
        with self._counting:
            left_alone = not self._running and self._monotonic() - self._used > self.idle_seconds
        if self._key is not None and left_alone:
            self.lock()

    @property
    def is_unlocked(self) -> bool:
        """Whether the key is here; after idle it is forgotten on the spot."""
        self.lock_after_idle()
        return self._key is not None

    def open_vault(self) -> Vault:
        """Open the vault for one request; until `close_vault` the desk is not idle.

        Raises:
            KeyMaterialError: the desk is locked.
        """
        self.lock_after_idle()
        key = self._key
        if key is None:
            raise KeyMaterialError("The desk is locked; enter your passphrase.")
        vault = open_with(self.directory, key)
        with self._counting:
            self._running += 1
        return vault

    @contextmanager
    def opened_vault(self) -> Iterator[Vault]:
        """Hold the vault open for work beside the requests.

        Raises:
            KeyMaterialError: the desk is locked.
        """
        vault = self.open_vault()
        try:
            yield vault
        finally:
            self.close_vault(vault)

    def close_vault(self, vault: Vault) -> None:
        """Close the vault of a request, and count the idle time from now on."""
        vault.close()
        with self._counting:
            self._running -= 1
            self._used = self._monotonic()

    def once(self, asked: Hashable, weigh: Callable[[], T]) -> T:
        """Weigh what takes all cases once for each state of the vault's file.

        Ten thousand cases take seconds to weigh; the list is asked for after every click.

        Args:
            asked: names what is weighed, with everything that it hangs on but the vault.
            weigh: does it.
        """
        stamp = self._stamp()
        if (asked, stamp) not in self._weighed:
            fresh = weigh()
            self._weighed = {key: seen for key, seen in self._weighed.items() if key[1] == stamp}
            self._weighed[asked, stamp] = fresh
        return cast(T, self._weighed[asked, stamp])

    def _stamp(self) -> _Stamp:
        files = (self.directory / f"{DOCUMENT_FILE}{end}" for end in ("", "-wal"))
        found = [file.stat() for file in files if file.exists()]
        # An empty log beside the file says nothing: it comes with every opening.
        return tuple((one.st_mtime_ns, one.st_size) for one in found if one.st_size)


def session() -> Session:
    """Return the session of this application."""
    kept: Session = current_app.extensions["sotto-desk"]
    return kept


def vault() -> Vault:
    """Return the open vault of this request; it is closed when the request ends."""
    if "vault" not in g:
        g.vault = session().open_vault()
    opened: Vault = g.vault
    return opened


def close_vault(error: BaseException | None = None) -> None:
    """Close the vault of a request, if one was opened."""
    opened: Vault | None = g.pop("vault", None)
    if opened is not None:
        session().close_vault(opened)


def now() -> datetime:
    """Return the time by this machine's clock."""
    return session().clock()


def today() -> date:
    """Return the day by this machine's clock."""
    return now().date()


def tell(sentence: str) -> None:
    """Say a sentence on top of the next page; there is one counselor, so no cookie is needed."""
    session().notices.append(sentence)
