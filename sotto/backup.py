"""`sotto relay backup`: the whole relay, sealed to a certificate whose key is kept off line.

A backup holds what a seizer wants most: the salt, the relay's key, the keys of the onion
addresses. So there is no other kind than the sealed one. The database is copied from one
consistent state, inside the data folder and nowhere else; a tar stream carries everything,
so that stock gpg and tar can restore it. docs/OPERATIONS.md, «Backup and restore».
"""

import hashlib
import io
import os
import shutil
import sqlite3
import tarfile
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, time
from pathlib import Path
from typing import BinaryIO

from keys.certificate import read_certificate, verify_certificate
from protocol.errors import CapacityError, StorageError
from protocol.filenames import check_entry_name
from relay.database import storage_errors
from relay.deployment import DATABASE_NAME, RUN_NAME, Deployment, open_deployment
from relay.lastbackup import NAME as DAY_NAME
from relay.lastbackup import write_backup_day
from sotto.manifest import MANIFEST_NAME, SIGNATURE_NAME, BackedUp, Manifest
from sotto.volumes import VolumeWriter

_SNAPSHOT_NAME = "snapshot.sqlite"
_NOT_TAKEN = {RUN_NAME, "tor", DAY_NAME}  # sockets, what tor loses gladly, what is only of here
_BLOCK_BYTES = 1024 * 1024


@dataclass(frozen=True, kw_only=True)
class Made:
    """What a backup became: how many files of the relay, in how many volumes."""

    files: int
    volumes: int


def make_backup(
    data: Path, to: Path, *, certificate: bytes, now: datetime, secrets_only: bool = False
) -> Made:
    """Make a backup beside a relay that may be serving.

    Args:
        data: the relay's folder.
        to: the file to write; it must not exist.
        certificate: whom it is sealed to.
        now: with a time zone.
        secrets_only: everything but the database.

    Raises:
        KeyMaterialError: the certificate cannot be sealed to.
        StorageError: the relay keeps its envelopes in PostgreSQL, or a disk refuses.
        CapacityError: there is no room for the copy of the database.
    """
    holder = verify_certificate(
        certificate, pinned=read_certificate(certificate).fingerprint, now=now
    )
    relay = open_deployment(data, serving=False)
    try:
        if relay.settings.database and not secrets_only:
            raise StorageError(
                "This relay keeps its envelopes in PostgreSQL: save that with pg_dump,"
                " and the rest with --secrets-only."
            )
        writer = VolumeWriter(to, certificate=holder)
        try:
            files = _write(relay, writer, now=now, with_database=not secrets_only)
            volumes = writer.finish()
        finally:
            writer.discard()
    finally:
        relay.close()
    write_backup_day(data, now.astimezone(UTC).date())
    return Made(files=files, volumes=volumes)


def _write(relay: Deployment, writer: VolumeWriter, *, now: datetime, with_database: bool) -> int:
    """Write the files, then their list, then its signature."""
    today = now.astimezone(UTC).date()
    try:
        with tarfile.open(  # type: ignore[call-overload]  # it only needs to be written to
            fileobj=writer, mode="w|", format=tarfile.PAX_FORMAT
        ) as tar:
            files = [_add(tar, name, file) for name, file in _plain_files(relay.data)]
            if with_database:
                with closing(_snapshot(relay)) as copy:
                    files.append(_add(tar, DATABASE_NAME, copy))
            manifest = Manifest(relay=relay.relay_id, day=today, files=tuple(files)).encode()
            # To the day, as everything that the relay signs.
            midnight = datetime.combine(today, time(), UTC)
            _add(tar, MANIFEST_NAME, io.BytesIO(manifest))
            signature = relay.relay_key.sign_detached(manifest, created=midnight)
            _add(tar, SIGNATURE_NAME, io.BytesIO(signature))
    except OSError as error:
        raise StorageError("A file of the relay cannot be read; run this as its user.") from error
    return len(files)


def _plain_files(data: Path) -> Iterator[tuple[str, BinaryIO]]:
    for path in sorted(data.rglob("*")):
        name = path.relative_to(data).as_posix()
        if name.partition("/")[0] in _NOT_TAKEN or name.startswith(DATABASE_NAME):
            continue
        if path.is_symlink():
            raise StorageError("The data folder holds a link; put the file itself there.")
        if path.is_file():
            check_entry_name(name)
            with path.open("rb") as file:
                yield name, file


def _add(tar: tarfile.TarFile, name: str, file: BinaryIO) -> BackedUp:
    entry = tarfile.TarInfo(name)
    entry.size = file.seek(0, os.SEEK_END)
    entry.mode = 0o600
    file.seek(0)
    counted = _Digesting(file.read)
    try:
        tar.addfile(entry, counted)  # type: ignore[arg-type]  # it only reads
    except OSError as error:
        if counted.count < entry.size:
            raise StorageError("A file changed while it was copied; try again.") from error
        raise
    return BackedUp(name=name, size_bytes=entry.size, sha256=counted.digest.digest())


class _Digesting:
    """A file whose octets are counted and digested as they are read."""

    def __init__(self, read: Callable[[int], bytes]) -> None:
        self._read = read
        self.digest = hashlib.sha256()
        self.count = 0

    def read(self, size: int) -> bytes:
        piece = self._read(size)
        self.digest.update(piece)
        self.count += len(piece)
        return piece


def _snapshot(relay: Deployment) -> BinaryIO:
    """Copy the database as it is at one moment, and hold the only way to the copy.

    It lies in the relay's own folder, because that is on the encrypted disk, and loses its
    name at once: it is gone when the backup ends, however that ends.
    """
    source = relay.data / DATABASE_NAME
    copy = relay.data / RUN_NAME / _SNAPSHOT_NAME
    needed = source.stat().st_size + relay.settings.text_reserve_bytes
    if shutil.disk_usage(relay.data).free < needed:
        raise CapacityError(
            "There is no room for a second copy of the database beside what text must keep;"
            " make room first."
        )
    with storage_errors():
        copy.unlink(missing_ok=True)  # of a backup that was killed
        os.close(os.open(copy, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        try:
            with closing(sqlite3.connect(source, isolation_level=None)) as connection:
                connection.execute("PRAGMA busy_timeout = 60000")
                connection.execute("VACUUM INTO ?", (str(copy),))
            return copy.open("rb")
        finally:
            copy.unlink()
