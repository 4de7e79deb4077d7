"""The data folder of one relay: made once, opened by one serving process.

`relay.toml`, `relay.asc`, `relay.sqlite`, and `secrets/` (0700) with the salt
and the relay's key. The salt must never change: no receipt would open any more.
Refuses to make a relay where one is, and to open secrets that others may read.
"""

import fcntl
import os
import secrets
import shutil
import stat
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, time
from pathlib import Path

from keys.secretkey import SecretKey, generate_secret_key, read_secret_key
from protocol.errors import KeyMaterialError, StorageError
from protocol.limits import SALT_BYTES
from protocol.names import DeploymentSalt, RelayId
from relay.settings import Settings, load_settings
from relay.store import Store, open_store

SETTINGS_NAME = "relay.toml"
CERTIFICATE_NAME = "relay.asc"
DATABASE_NAME = "relay.sqlite"
SECRETS_NAME = "secrets"
SALT_NAME = "salt"
RELAY_KEY_NAME = "relay.secret.asc"
RUN_NAME = "run"
LOCK_NAME = "serving.lock"


@dataclass(frozen=True, kw_only=True)
class Deployment:
    """One opened relay.

    Attributes:
        data: its folder.
        settings: what its operator decided.
        salt: of every receipt's derivation; secret, though not enough to guess one.
        relay_key: signs bundles and opens dispatches.
        store: everything else.
        lock: the descriptor that keeps a second serving process away, or None.
    """

    data: Path
    settings: Settings
    salt: DeploymentSalt = field(repr=False)
    relay_key: SecretKey
    store: Store
    lock: int | None

    @property
    def relay_id(self) -> RelayId:
        """The name of this relay: the fingerprint of its certificate."""
        return RelayId(self.relay_key.fingerprint)

    def close(self) -> None:
        """Close the store and let another process serve."""
        self.store.close()
        if self.lock is not None:
            os.close(self.lock)


def init_deployment(data: Path, *, now: datetime, settings: Settings | None = None) -> RelayId:
    """Make a relay: settings, salt, key and an empty database.

    The key is dated to the start of its day, because bundles are signed with
    that hour: signatures with the true hour would tell when a bundle was cut.

    Args:
        data: a folder that may exist but holds no relay.
        now: with a time zone.
        settings: None for the defaults.

    Returns:
        The fingerprint that desks compare.

    Raises:
        KeyMaterialError: a relay is there already; nothing was touched.
        StorageError: the folder or the database cannot be written; what was begun is gone.
    """
    chosen = settings or Settings()
    inside = data / SECRETS_NAME
    taken = KeyMaterialError("This folder holds a relay already; choose another folder.")
    if inside.exists() or (data / SETTINGS_NAME).exists():
        raise taken
    midnight = datetime.combine(now.astimezone(UTC).date(), time(), UTC)
    secret = generate_secret_key(
        user_id="Sotto relay", passphrase=None, created=midnight, expires=None
    )
    key = read_secret_key(secret, None)
    try:
        data.mkdir(parents=True, exist_ok=True)
        data.chmod(0o700)
        before = set(data.iterdir())
        inside.mkdir()  # one of two that begin at once comes no further
    except FileExistsError:
        raise taken from None
    except OSError as error:
        raise StorageError("The data folder cannot be written; check its owner.") from error
    try:
        inside.chmod(0o700)
        (data / RUN_NAME).mkdir(exist_ok=True)
        (data / RUN_NAME).chmod(0o700)
        _write(inside / SALT_NAME, secrets.token_bytes(SALT_BYTES))
        _write(inside / RELAY_KEY_NAME, secret)
        _write(data / CERTIFICATE_NAME, key.certificate)
        _write(data / SETTINGS_NAME, chosen.encode().encode())
        open_store(_database_url(data, chosen)).close()
    except BaseException as error:
        _remove(set(data.iterdir()) - before)  # half a relay would stand in the way of a whole one
        if isinstance(error, OSError):
            raise StorageError("The data folder cannot be written; look at the disk.") from error
        raise
    return RelayId(key.fingerprint)


def open_deployment(data: Path, *, serving: bool = True) -> Deployment:
    """Open a relay.

    Args:
        data: the folder that `init_deployment` made.
        serving: take the lock that only one process may hold. Console commands
            that add or list something pass False: the database orders them, but
            only the serving process knows which uploads are in progress, so only
            that one sweeps, cuts and keeps house.

    Raises:
        KeyMaterialError: a secret is missing, wrong, or others may read it.
        FormatError: the settings are missing or wrong.
        StorageError: another process serves already, or the database fails.
    """
    settings = load_settings(data / SETTINGS_NAME)
    salt = _read_secret(data / SECRETS_NAME / SALT_NAME)
    if len(salt) != SALT_BYTES:
        raise KeyMaterialError("The salt is damaged; restore it from the backup.")
    relay_key = read_secret_key(_read_secret(data / SECRETS_NAME / RELAY_KEY_NAME), None)
    # VACUUM writes a second copy; it has to stay on the encrypted volume.
    os.environ["SQLITE_TMPDIR"] = str(data)
    lock = _take_lock(data) if serving else None
    try:
        store = open_store(_database_url(data, settings))
    except BaseException:
        if lock is not None:
            os.close(lock)
        raise
    if serving:
        _clear_run(data)
        store.sweep()
    return Deployment(
        data=data,
        settings=settings,
        salt=DeploymentSalt(salt),
        relay_key=relay_key,
        store=store,
        lock=lock,
    )


def _database_url(data: Path, settings: Settings) -> str:
    if settings.database:
        return settings.database
    path = (data / DATABASE_NAME).absolute()
    if not path.exists():
        _write(path, b"")  # SQLite gives the log and its index the same mode
    return f"sqlite:///{path}"


def _write(path: Path, content: bytes) -> None:
    """Create a file that only its owner may read, and see it to the disk."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _remove(paths: Iterable[Path]) -> None:
    for path in paths:
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)


def _read_secret(path: Path) -> bytes:
    try:
        for place in (path.parent, path):
            found = place.lstat()
            if stat.S_IMODE(found.st_mode) & 0o077 or found.st_uid != os.geteuid():
                raise KeyMaterialError(
                    "Others may read the secrets of this relay; give them to its user alone "
                    "(chmod 700 for the folder, 600 for the files)."
                )
        return path.read_bytes()
    except OSError as error:
        raise KeyMaterialError(
            "A secret of this relay is missing; run `sotto relay init`, or restore the backup."
        ) from error


def _clear_run(data: Path) -> None:
    """Remove what former processes left: a killed backup leaves a second image of the relay."""
    try:
        for path in (data / RUN_NAME).iterdir():
            if path.is_file() and path.name != LOCK_NAME:
                path.unlink()
    except OSError as error:
        raise StorageError("The data folder cannot be written; check its owner.") from error


def _take_lock(data: Path) -> int:
    try:
        folder = data / RUN_NAME
        folder.mkdir(mode=0o700, exist_ok=True)
        descriptor = os.open(folder / LOCK_NAME, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise StorageError("The data folder cannot be written; check its owner.") from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(descriptor)
        raise StorageError("Another process serves this relay; stop that one first.") from error
    return descriptor
