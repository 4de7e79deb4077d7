"""Write what a case holds as ordinary files, because the counselor asks for it.

This is the one place where the desk puts plaintext on a disk. Names come from
strangers: they lose every path and everything invisible, keep their script, and
get a number in front, so that none can hide, overwrite or leave the folder.
"""

import hashlib
from collections.abc import Iterator
from pathlib import Path

from desk.cases import ThreadItem, read_thread
from desk.cleaning import clean
from desk.files import COPY_BYTES, is_used, make_private_directory, write_whole
from desk.records import CaseRecord, EnvelopeRecord
from desk.vault import Vault
from protocol.archive import ArchiveReader
from protocol.errors import AuthenticityError, CapacityError, FormatError, StorageError
from protocol.filenames import safe_name

_TEXTS = ("report.json", "report.txt", "manifest.json")


def extract_case(vault: Vault, case: CaseRecord, out: Path, *, cleaned: bool = False) -> list[Path]:
    """Write texts and attachments of a case below `out`, one folder for each item.

    Args:
        vault: unlocked.
        case: from `find_case`.
        out: absent or empty; becomes 0700, as everything in it is for her alone.
        cleaned: write files without their metadata; those of which it cannot be removed are
            left out.

    Returns:
        The files written.

    Raises:
        StorageError: the folder is in use, or the disk is full.
        AuthenticityError: a file is not what was imported.
        FormatError: everything else is written, and some files could not be cleaned.
    """
    if is_used(out):
        raise StorageError("This folder is not empty; give a new one.")
    make_private_directory(out)
    written: list[Path] = []
    uncleaned: list[str] = []
    for number, item in enumerate(read_thread(vault, case), start=1):
        folder = out / f"{number:03d}-{item.report.kind}"
        make_private_directory(folder)
        written += _extract_item(vault, item, folder, uncleaned if cleaned else None)
    if uncleaned:
        raise FormatError(
            f"Left out, because they could not be cleaned: {', '.join(uncleaned)}. "
            "Everything else is written."
        )
    return written


def _extract_item(
    vault: Vault, item: ThreadItem, folder: Path, uncleaned: list[str] | None
) -> Iterator[Path]:
    record = vault.get(EnvelopeRecord, item.item.envelope.hex())
    if record is None or record.content is None:
        raise StorageError("A part of this case is gone from the vault; restore the backup.")
    with vault.objects.reader(record.content) as read_at:
        archive = ArchiveReader(read_at, record.content.size_bytes)
        for name in _TEXTS:
            write_whole(folder / name, archive.read(name))
            yield folder / name
        if item.reading.attachments:
            make_private_directory(folder / "attachments")
        for number, attachment in enumerate(item.reading.attachments, start=1):
            path = folder / "attachments" / f"{number:03d}-{safe_name(attachment.name)}"
            content = _checked(archive, attachment.entry, attachment.sha256)
            try:
                write_whole(path, content if uncleaned is None else _cleaned(content, path.name))
            except (FormatError, CapacityError):
                if uncleaned is None:
                    raise
                uncleaned.append(path.name)
            else:
                yield path


def _cleaned(content: Iterator[bytes], name: str) -> Iterator[bytes]:
    with clean(content, name) as cleaned:
        while part := cleaned.read(COPY_BYTES):
            yield part


def _checked(archive: ArchiveReader, entry: str, sha256: bytes) -> Iterator[bytes]:
    digest = hashlib.sha256()
    for part in archive.read(entry):
        digest.update(part)
        yield part
    if digest.digest() != sha256:
        raise AuthenticityError("A file is not what was imported; restore the last backup.")
