"""All keys of the counselor: the one that signs, and those that only open what is older.

After a succession envelopes still arrive that were sealed to the old key, and old
backups come back. So every key that was hers stays, sealed in the vault, and is opened
only when a lock names it.
"""

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from functools import cached_property

from desk.gpgkey import GpgKey, is_certificate
from desk.ownkey import OwnKey, addressed, key_ids
from desk.records import DeskRecord, Record
from desk.vault import Vault
from keys.secretkey import read_secret_key
from protocol.errors import AuthenticityError, KeyMaterialError
from protocol.names import Fingerprint, SessionKey


class KeptKey(Record):
    """A key of hers that is not the one in the folder: a former one, or the successor."""

    shelf = "kept-key"
    fingerprint: Fingerprint
    certificate: bytes  # armoured
    file: bytes  # what lies, or lay, in the folder as key.asc
    passphrase: str  # that opens the file; empty where gpg keeps the secret
    since: date
    proposed: bool = False  # to follow the current key; False: it was hers before

    def name_on_shelf(self) -> str:
        return self.fingerprint


class LazyKey:
    """A kept key; its passphrase is put to work only when a lock or a signature needs it."""

    def __init__(self, *, kept: KeptKey) -> None:
        self._kept = kept
        self._ids = key_ids(kept.certificate)

    @property
    def fingerprint(self) -> Fingerprint:
        """The fingerprint of the primary key."""
        return self._kept.fingerprint

    @property
    def certificate(self) -> bytes:
        """The public half, armoured."""
        return self._kept.certificate

    def sign_detached(self, data: bytes, *, created: datetime) -> bytes:
        """Sign with the opened key."""
        return self._opened.sign_detached(data, created=created)

    def open_lock(self, locks: Sequence[bytes]) -> SessionKey | None:
        """Open a lock that names this key."""
        mine = addressed(locks, self._ids)
        return self._opened.open_lock(mine) if mine else None

    def forget(self) -> None:
        """Let gpg forget the PIN, if it was asked for this key."""
        opened = self.__dict__.get("_opened")
        if isinstance(opened, GpgKey):
            opened.forget()

    @cached_property
    def _opened(self) -> OwnKey:
        if is_certificate(self._kept.file):
            return GpgKey(certificate=self._kept.file)
        return read_secret_key(self._kept.file, self._kept.passphrase)


class KeyRing:
    """Every key of one counselor, used like one: the current signs, all open."""

    def __init__(self, *, current: OwnKey, others: Iterable[OwnKey] = ()) -> None:
        self._current = current
        self._keys = {one.fingerprint: one for one in (current, *others)}

    def __repr__(self) -> str:
        """Name the current key."""
        return f"KeyRing({self.fingerprint} of {len(self._keys)})"

    @property
    def fingerprint(self) -> Fingerprint:
        """The fingerprint of the key that signs."""
        return self._current.fingerprint

    @property
    def fingerprints(self) -> frozenset[Fingerprint]:
        """The fingerprints of all keys that are or were hers, or will be."""
        return frozenset(self._keys)

    @property
    def certificate(self) -> bytes:
        """The public half of the key that signs, armoured."""
        return self._current.certificate

    def certificate_of(self, fingerprint: Fingerprint) -> bytes:
        """Return the certificate of any key of hers."""
        return self._keys[fingerprint].certificate

    def sign_detached(self, data: bytes, *, created: datetime) -> bytes:
        """Sign with the current key."""
        return self._current.sign_detached(data, created=created)

    def open_lock(self, locks: Sequence[bytes]) -> SessionKey | None:
        """Open a lock with any key, the current one first.

        Raises:
            KeyMaterialError: the current key cannot be used now.
            AuthenticityError: a former one cannot, and no other key opens.
        """
        session_key = self._current.open_lock(locks)
        missing: KeyMaterialError | None = None
        for key in list(self._keys.values()):
            if session_key is not None:
                break
            if key is not self._current:
                try:
                    session_key = key.open_lock(locks)
                except KeyMaterialError as error:
                    missing = error
        if session_key is None and missing is not None:
            # Refused, not passed over: the relay keeps it, and it is tried again.
            raise AuthenticityError(
                "It is sealed to a former key of yours that cannot be used now; connect its "
                "card and import again."
            ) from missing
        return session_key

    def forget(self) -> None:
        """Let gpg forget the PIN, if gpg keeps a key of hers: the desk is being locked."""
        for key in self._keys.values():
            if isinstance(key, GpgKey | LazyKey):
                key.forget()

    def take(self, kept: Iterable[KeptKey]) -> None:
        """Add keys of the vault that are not here yet."""
        for one in kept:
            if one.fingerprint not in self._keys:
                self._keys[one.fingerprint] = LazyKey(kept=one)

    def sign_with(self, fingerprint: Fingerprint) -> None:
        """Make another key the current one; one that is not here changes nothing."""
        self._current = self._keys.get(fingerprint, self._current)


def ring_of(vault: Vault, key: OwnKey) -> KeyRing:
    """Return all keys of a vault that was just opened with one of them.

    The ring that a session kept is gone on with, so that a succession in the middle of a
    session is known to it.
    """
    ring = key if isinstance(key, KeyRing) else KeyRing(current=key)
    ring.take(vault.all(KeptKey))
    desk = vault.get(DeskRecord, "desk")
    if desk is not None:
        ring.sign_with(desk.fingerprint)
    return ring


def own_fingerprints(vault: Vault) -> frozenset[Fingerprint]:
    """Return the fingerprints of all keys that are or were hers, or will be."""
    return frozenset(
        (vault.secret_key.fingerprint, *(one.fingerprint for one in vault.all(KeptKey)))
    )


def keep(vault: Vault, kept: KeptKey) -> None:
    """Keep a key in the vault, and open with it from now on. Only inside `changes`."""
    vault.put(kept)
    if isinstance(vault.secret_key, KeyRing):
        vault.secret_key.take(vault.all(KeptKey))
