"""`sotto relay restore`: a relay made again from its backup, whole or not at all.

Everything is verified before the first byte is written: each volume's MDC, each file's
digest, the relay's signature over the list. Then the cuts go on counting beyond any that the
lost relay can have made, because a desk refuses a bundle older than one it has seen.
"""

import hashlib
import os
import shutil
import tarfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import IO, BinaryIO, cast

from keys.secretkey import SecretKey, read_secret_key
from keys.signature import verify_detached
from protocol.errors import FormatError, StorageError
from protocol.filenames import check_entry_name
from protocol.limits import CERTIFICATE_BYTES, SIGNATURE_BYTES
from protocol.names import Fingerprint
from relay.cut import cut_now
from relay.deployment import (
    CERTIFICATE_NAME,
    DATABASE_NAME,
    RELAY_KEY_NAME,
    RUN_NAME,
    SECRETS_NAME,
    open_deployment,
)
from relay.settings import MEBIBYTE
from sotto.manifest import MANIFEST_BYTES, MANIFEST_NAME, SIGNATURE_NAME, BackedUp, Manifest
from sotto.manifest import read_manifest as read_list
from sotto.volumes import read_volumes

_KEPT = {  # what is looked into before anything is written, and how long each may be
    CERTIFICATE_NAME: CERTIFICATE_BYTES,
    f"{SECRETS_NAME}/{RELAY_KEY_NAME}": CERTIFICATE_BYTES,
    MANIFEST_NAME: MANIFEST_BYTES,
    SIGNATURE_NAME: SIGNATURE_BYTES,
}
CUTS_A_DAY = 24  # the timetable has hours, not minutes
CUTS_TO_SPARE = 1_000  # and a demonstration cuts whenever it is asked


def restore_backup(file: Path, *, key: SecretKey, to: Path, now: datetime) -> Manifest:
    """Make a relay from a backup.

    Args:
        file: the first volume; the others lie beside it.
        key: the one that the backup is sealed to.
        to: a folder that does not exist.
        now: with a time zone.

    Returns:
        What was restored; the fingerprint in it is for a person to compare.

    Raises:
        KeyMaterialError: the key does not open it.
        AuthenticityError: it was changed, or the relay did not sign it.
        FormatError: it is no backup, or a part is missing.
        StorageError: the folder exists, or the disk refuses.
    """
    if os.path.lexists(to):
        raise StorageError("That folder is there already; restore into a new one.")
    manifest = _verify(file, key, now)
    aside = to.with_name(f".{to.name}.restoring")
    try:
        shutil.rmtree(aside, ignore_errors=True)  # of a restoration that was killed
        _write(file, key, manifest, aside)
        if any(one.name == DATABASE_NAME for one in manifest.files):
            _go_on_counting(aside, manifest, now)
        aside.rename(to)
    except OSError as error:
        raise StorageError("The relay cannot be written there; look at the disk.") from error
    finally:
        with suppress(OSError):
            shutil.rmtree(aside)
    return manifest


def _verify(file: Path, key: SecretKey, now: datetime) -> Manifest:
    """Read everything once and believe the list only when all of it agrees."""
    kept: dict[str, bytes] = {}
    found: list[BackedUp] = []
    for name, read in _entries(file, key):
        digest, size, start = hashlib.sha256(), 0, b""
        while piece := read(MEBIBYTE):
            digest.update(piece)
            size += len(piece)
            if name in _KEPT and len(start) <= _KEPT[name]:
                start += piece
        found.append(BackedUp(name=name, size_bytes=size, sha256=digest.digest()))
        if name in _KEPT:
            kept[name] = start
    if set(_KEPT) - set(kept) or any(len(kept[name]) > _KEPT[name] for name in kept):
        raise FormatError("The backup is not whole; look for its other volumes, or an older one.")
    manifest = read_list(kept[MANIFEST_NAME])
    signer = read_secret_key(kept[f"{SECRETS_NAME}/{RELAY_KEY_NAME}"], None).fingerprint
    verify_detached(
        kept[MANIFEST_NAME],
        kept[SIGNATURE_NAME],
        certificate=kept[CERTIFICATE_NAME],
        pinned=signer,
        now=now,
    )
    names = [one.name for one in found]
    agrees = tuple(found[:-2]) == manifest.files and Fingerprint(manifest.relay) == signer
    if not agrees or names[-2:] != [MANIFEST_NAME, SIGNATURE_NAME]:
        raise FormatError("The backup does not hold what its list says; take an older one.")
    return manifest


def _write(file: Path, key: SecretKey, manifest: Manifest, folder: Path) -> None:
    folder.mkdir(mode=0o700)
    for expected, (name, read) in zip(manifest.files, _entries(file, key), strict=False):
        path = folder / name
        for parent in reversed(path.relative_to(folder).parents[:-1]):
            (folder / parent).mkdir(mode=0o700, exist_ok=True)
        digest = hashlib.sha256()
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as out:
            while piece := read(MEBIBYTE):
                digest.update(piece)
                out.write(piece)
            out.flush()
            os.fsync(out.fileno())
        if (name, digest.digest()) != (expected.name, expected.sha256):
            raise StorageError("The backup changed while it was read; copy it and try again.")
    (folder / RUN_NAME).mkdir(mode=0o700)


def _entries(file: Path, key: SecretKey) -> Iterator[tuple[str, Callable[[int], bytes]]]:
    """Yield each file of a backup with what reads it, in the order of the stream."""
    stream = cast(BinaryIO, _Stream(read_volumes(file, key)))
    seen: set[str] = set()
    with _tar_errors(), tarfile.open(fileobj=stream, mode="r|") as tar:
        for entry in tar:
            check_entry_name(entry.name)
            plain = entry.isreg() and not entry.issparse()
            content = tar.extractfile(entry) if plain else None
            if content is None or entry.name in seen:
                raise FormatError("The backup holds something that is no file of a relay.")
            seen.add(entry.name)
            yield entry.name, partial(_read, content)


def _read(content: IO[bytes], size: int) -> bytes:
    with _tar_errors():
        return content.read(size)


@contextmanager
def _tar_errors() -> Iterator[None]:
    try:
        yield
    except tarfile.TarError as error:
        raise FormatError("The backup is damaged or not whole; take another copy.") from error


class _Stream:
    """What `read_volumes` yields, as a file to read from."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self._held = b""

    def read(self, size: int) -> bytes:
        parts = [self._held]
        have = len(self._held)
        while have < size and (piece := next(self._pieces, b"")):
            parts.append(piece)
            have += len(piece)
        whole = b"".join(parts)
        self._held = whole[size:]
        return whole[:size]


def _go_on_counting(data: Path, manifest: Manifest, now: datetime) -> None:
    """Cut a bundle with a number beyond any that the lost relay can have reached."""
    relay = open_deployment(data)
    try:
        days = max(0, (now.date() - manifest.day).days) + 1
        relay.store.skip_cuts(days * CUTS_A_DAY + CUTS_TO_SPARE, day=now.date())
        cut_now(relay.store, relay.settings, relay.relay_key, now, folder=data)
        relay.store.rewrite_files()
    finally:
        relay.close()
