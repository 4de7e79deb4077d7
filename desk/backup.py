"""A second copy of the desk, and the way back from it.

The copy is a folder like the desk's own: sealed the same way, opened by the same
key, whose protected file is in it. Objects never change, so only new ones are
copied; what was copied is read back and opened before it counts. Only then may
the relay be told that an envelope can go.
"""

import secrets
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from desk.desk import read_desk
from desk.files import (
    COPY_BYTES,
    alone,
    force_directory,
    is_used,
    make_private_directory,
    read_parts,
    read_small,
    staged_file,
    write_whole,
)
from desk.keyring import own_fingerprints
from desk.records import (
    CaseRecord,
    EnvelopeRecord,
    MailboxRecord,
    ObjectRef,
    ReadingRecord,
    Record,
)
from desk.unlocking import (
    KEY_FILE,
    LOCK_FILE,
    LOCK_LIMIT_BYTES,
    is_copy_of,
    open_vault,
    open_with,
    refuse_used_folder,
)
from desk.vault import DOCUMENT_FILE, OBJECT_FOLDER, Vault
from protocol.errors import AuthenticityError, FormatError, StorageError

_LOCK = "The lock of the vault"
_PART = ".*.part"  # what a power cut left of a file; `desk.files` calls them so
_SHELVES: tuple[type[Record], ...] = (EnvelopeRecord, ReadingRecord, MailboxRecord, CaseRecord)


@dataclass(frozen=True, kw_only=True)
class BackupReport:
    """What a backup did.

    Attributes:
        copied: objects that were new and were copied.
        kept: objects that lay there already.
        same_disk: the copy lies on the disk of the desk, and dies with it.
    """

    copied: int
    kept: int
    same_disk: bool


@dataclass(frozen=True, kw_only=True)
class Rehearsal:
    """What a rehearsed restoration brought back.

    Attributes:
        cases: of this desk that are in the copy.
        missing: cases that came after the copy was made.
    """

    cases: int
    missing: int


def back_up(vault: Vault, folder: Path, *, now: datetime) -> BackupReport:
    """Bring a second copy up to date, read it back, and note what lies on it.

    Args:
        vault: unlocked.
        folder: absent, empty, or an earlier copy of this desk; on another disk.
        now: by this machine's clock.

    Raises:
        StorageError: the folder is something else, inside the desk, full or failing.
        AuthenticityError: what was read back is not what was written.
    """
    with alone(vault.directory):
        _check_place(vault, folder)
        make_private_directory(folder)
        # First of all: by its lock a copy that was cut off is known as ours and gone on with.
        for name in (LOCK_FILE, KEY_FILE):
            write_whole(folder / name, read_parts(vault.directory / name))
        objects = _make_objects(folder)
        records = list(vault.all(EnvelopeRecord))
        wanted = {one.content.name: one.content for one in records if one.content}
        there = {entry.name for entry in objects.iterdir() if _is_file(entry)}
        new = [ref for name, ref in wanted.items() if name not in there]
        for ref in new:
            write_whole(objects / ref.name, read_parts(vault.objects.path(ref.name)))
        _copy_documents(vault, folder)
        # What lies there may be left from a backup that was cut off before it was read back.
        uncounted = [one.content for one in records if one.content and not one.copied]
        _read_back(vault, folder, {ref.name: ref for ref in (*new, *uncounted)}.values())
        for one in (*folder.glob(_PART), *(objects / name for name in there - set(wanted))):
            one.unlink(missing_ok=True)
        _note(vault, records, now)
    return BackupReport(
        copied=len(new),
        kept=len(wanted) - len(new),
        same_disk=folder.stat().st_dev == vault.directory.stat().st_dev,
    )


def restore(folder: Path, directory: Path, *, passphrase: str) -> Vault:
    """Make a desk again from its copy, and leave it unlocked.

    The restored desk exports nothing until it has imported a bundle: the copy is older than
    the desk was, and a dispatch whose number was used already would be refused.

    Args:
        folder: what `back_up` wrote.
        directory: absent or empty.
        passphrase: of the secret key in the copy; unused where gpg keeps it.

    Raises:
        StorageError: no copy there, the folder is in use, or the disk is full.
        AuthenticityError: the copy is damaged.
        KeyMaterialError: the passphrase is wrong.
    """
    if not (folder / LOCK_FILE).exists():
        raise StorageError("There is no copy of a desk in this folder; give the one of the stick.")
    refuse_used_folder(directory)
    beside = directory.with_name(f".{secrets.token_hex(8)}.part")
    try:
        make_private_directory(beside)
        make_private_directory(beside / OBJECT_FOLDER)
        for name in (KEY_FILE, LOCK_FILE, DOCUMENT_FILE):
            write_whole(beside / name, read_parts(folder / name))
        for entry in (folder / OBJECT_FOLDER).iterdir():
            if not _is_file(entry):
                raise AuthenticityError("This copy holds something that no backup writes there.")
            write_whole(beside / OBJECT_FOLDER / entry.name, read_parts(entry))
        with open_vault(beside, passphrase) as vault:
            _check_complete(vault, _contents(vault))
            with vault.changes():
                vault.put(read_desk(vault).model_copy(update={"restored": True}))
        beside.replace(directory)
        force_directory(directory.parent)
    except OSError as error:
        raise StorageError("The desk could not be restored; check both disks.") from error
    finally:
        shutil.rmtree(beside, ignore_errors=True)
    return open_vault(directory, passphrase)


def _make_objects(folder: Path) -> Path:
    """Make the folder of a copy's objects, and return it."""
    objects = folder / OBJECT_FOLDER
    if objects.is_symlink():
        raise StorageError("The folder of the copy leads elsewhere; take an empty stick.")
    make_private_directory(objects)
    return objects


def _is_file(path: Path) -> bool:
    """Tell an ordinary file from a link, a pipe or a folder that somebody laid in its place."""
    return path.is_file() and not path.is_symlink()


def rehearse(vault: Vault, folder: Path, *, passphrase: str, now: datetime) -> Rehearsal:
    """Restore a copy beside the desk, look at all of it, and throw it away again.

    Args:
        folder: what `back_up` wrote.
        passphrase: typed anew, for that is what will be asked for; unused where gpg keeps the key.

    Raises:
        StorageError, AuthenticityError, KeyMaterialError: as `restore`; then there is no way back.
    """
    with (
        TemporaryDirectory(dir=vault.directory, prefix=".rehearsal-") as place,
        restore(folder, Path(place) / "desk", passphrase=passphrase) as again,
    ):
        if read_desk(again).fingerprint not in own_fingerprints(vault):
            raise AuthenticityError("This is a copy of another desk, not of this one.")
        there = {one.name for one in again.all(CaseRecord)}
    here = {one.name for one in vault.all(CaseRecord)}
    note_rehearsal(vault, now=now)
    return Rehearsal(cases=len(there & here), missing=len(here - there))


def note_rehearsal(vault: Vault, *, now: datetime) -> None:
    """Note that a way back was tried, and that it leads back."""
    with vault.changes():
        vault.put(read_desk(vault).model_copy(update={"rehearsed_day": now.date()}))


def _check_place(vault: Vault, folder: Path) -> None:
    desk, place = vault.directory.resolve(), folder.resolve()
    if place == desk or desk in place.parents or place in desk.parents:
        raise StorageError("A second copy lies on another disk; give a folder on a stick.")
    if not is_used(folder) or all(one.match(_PART) for one in folder.iterdir()):
        return
    if not (folder / LOCK_FILE).exists() or not _is_copy(vault, folder):
        raise StorageError(
            "This folder holds something other than a copy of this desk; give an empty one."
        )


def _is_copy(vault: Vault, folder: Path) -> bool:
    """Compare the locks first: opening one may need a card."""
    ours, theirs = (
        read_small(one / LOCK_FILE, LOCK_LIMIT_BYTES, what=_LOCK)
        for one in (vault.directory, folder)
    )
    try:
        return ours == theirs or is_copy_of(vault, folder)
    except (FormatError, AuthenticityError):
        return False


def _copy_documents(vault: Vault, folder: Path) -> None:
    """Copy into a file beside, so that a pulled stick keeps the copy it had."""
    work = folder / f".{secrets.token_hex(8)}.part"
    try:
        vault.copy_documents(work)
        with staged_file(folder / DOCUMENT_FILE) as staged:
            staged.write(read_parts(work))
            staged.publish()
    finally:
        work.unlink(missing_ok=True)


def _read_back(vault: Vault, folder: Path, objects: Iterable[ObjectRef]) -> None:
    """Open the copy with the counselor's key: all documents, and the objects given."""
    with open_with(folder, vault.secret_key) as copy:
        _check_complete(copy, objects)


def _contents(vault: Vault) -> list[ObjectRef]:
    return [one.content for one in vault.all(EnvelopeRecord) if one.content]


def _check_complete(vault: Vault, objects: Iterable[ObjectRef]) -> None:
    """Open every document and the objects given; raise unless all are there and whole."""
    read_desk(vault)
    for shelf in _SHELVES:
        for _ in vault.all(shelf):
            pass
    missing = {ref.name for ref in _contents(vault)} - vault.objects.names()
    if missing:
        raise AuthenticityError(f"The copy lacks {len(missing)} of its files; make it anew.")
    for ref in objects:
        with vault.objects.reader(ref) as read_at:
            offset = 0
            while offset < ref.size_bytes:
                offset += len(read_at(offset, min(COPY_BYTES, ref.size_bytes - offset)))


def _note(vault: Vault, records: list[EnvelopeRecord], now: datetime) -> None:
    with vault.changes():
        for record in records:
            # Not the records as they were listed: work may have gone on since.
            current = vault.get(EnvelopeRecord, record.name_on_shelf())
            if current and not current.copied and current.content == record.content:
                vault.put(current.model_copy(update={"copied": True}))
        vault.put(read_desk(vault).model_copy(update={"backup_day": now.date()}))
