"""Verify a record: every link, every signature, every entry that is still there.

The same code judges the vault and a folder that was exported, so that what the desk
calls whole is what others can check. docs/RECORD.md, «Verifying».
"""

import hashlib
import re
from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from desk.casework.record import (
    FORMAT,
    SALT_BYTES,
    Entry,
    RecordHead,
    entry_name,
    key_name,
    link_name,
    record_files,
    signature_name,
)
from desk.files import read_small
from desk.keyring import own_fingerprints
from desk.vault import Vault
from keys.certificate import read_certificate
from keys.signature import verify_detached
from protocol import limits
from protocol.canonical import Fields, read_json
from protocol.errors import AuthenticityError, FormatError
from protocol.names import Fingerprint

ENTRY_BYTES = 4 * limits.MIB
_MOMENT = "%Y-%m-%dT%H:%M:%SZ"
_SALT_LINE = 2 * SALT_BYTES + 1
_NUMBERED = re.compile(r"([0-9]+)\.(?:link|link\.asc|entry)")


def verify_record(vault: Vault, case: str) -> tuple[Entry, ...]:
    """Verify the record of a case in the vault and return its entries, the oldest first.

    Raises:
        AuthenticityError: a link, an entry or a signature is not what was written.
    """
    head = vault.get(RecordHead, case)
    if head is None:
        return ()
    ours = {read_certificate(one).fingerprint for one in head.certificates}
    if not ours & own_fingerprints(vault):
        raise AuthenticityError("This record was signed by keys of another desk.")
    files = record_files(vault, case)
    if hashlib.sha256(files[link_name(head.count)]).digest() != head.link_sha256:
        raise AuthenticityError("The last entry of this record is not the one that was written.")
    return verify_files(files, trusted=ours, case=case)


def read_record(vault: Vault, case: str) -> tuple[Entry, ...]:
    """Return the entries of a case's record; verified, because nothing else is shown."""
    return verify_record(vault, case)


def verify_folder(folder: Path, *, trusted: Collection[Fingerprint]) -> tuple[Entry, ...]:
    """Verify a record that was exported to a folder.

    Args:
        trusted: fingerprints of the desk's keys, compared with the counselor by voice.

    Raises:
        AuthenticityError: not what these keys signed, or a file too many or too few.
        StorageError: a file cannot be read.
    """
    names = [one.name for one in folder.iterdir() if one.suffix in (".link", ".asc", ".entry")]
    files = {
        name: read_small(folder / name, ENTRY_BYTES, what="a file of the record") for name in names
    }
    return verify_files(files, trusted=trusted)


def verify_files(
    files: Mapping[str, bytes], *, trusted: Collection[Fingerprint], case: str | None = None
) -> tuple[Entry, ...]:
    """Verify the files of a record.

    Args:
        files: links, signatures, certificates, and the entries that were not taken out.
        trusted: whose signatures count.
        case: the name it must be of; None: any one case.

    Raises:
        AuthenticityError: a link, an entry or a signature is not what was written.
    """
    entries: list[Entry] = []
    keys = 0
    while (link := files.get(link_name(len(entries) + 1))) is not None:
        number = len(entries) + 1
        first, listed = _read_link(link, number)
        case = case or first.case
        if first.case != case or first.fingerprint not in trusted:
            raise AuthenticityError(f"Entry {number} belongs to another case or another key.")
        # A new key is named by the first link that it signs, and the very first link names one.
        keys += key_name(keys + 1) in listed
        expected = {entry_name(number), *([link_name(number - 1)] if entries else [])}
        if not keys or set(listed) - {key_name(keys)} != expected:
            raise AuthenticityError(f"Entry {number} does not follow the one before it.")
        _verify_link(files, number, first, listed, key=key_name(keys))
        entries.append(_entry(number, first, files.get(entry_name(number))))
    numbers = {int(found[1]) for name in files if (found := _NUMBERED.fullmatch(name))}
    if not entries or numbers - set(range(1, len(entries) + 1)):
        raise AuthenticityError("The record has a gap or no beginning.")
    return tuple(entries)


class _First(NamedTuple):
    """The first line of a link."""

    case: str
    fingerprint: Fingerprint
    moment: datetime


def _verify_link(
    files: Mapping[str, bytes], number: int, first: _First, listed: Mapping[str, str], *, key: str
) -> None:
    for name, digest in listed.items():
        if name == entry_name(number) and name not in files:
            continue  # taken out; its commitment stays
        if name not in files or hashlib.sha256(files[name]).hexdigest() != digest:
            raise AuthenticityError(f"«{name}» of this record is not what was written.")
    verify_detached(
        files[link_name(number)],
        files.get(signature_name(number), b""),
        certificate=files.get(key, b""),
        pinned=first.fingerprint,
        now=first.moment,
    )


def _read_link(link: bytes, number: int) -> tuple[_First, dict[str, str]]:
    try:
        line, *rest = link.decode("ascii").removesuffix("\n").split("\n")
        *title, case, count, fingerprint, moment = line.split(" ")
        first = _First(
            case=case,
            fingerprint=Fingerprint(fingerprint),
            moment=datetime.strptime(moment, _MOMENT).replace(tzinfo=UTC),
        )
    except ValueError:  # UnicodeDecodeError is one
        raise AuthenticityError(f"Link {number} of this record cannot be read.") from None
    if title != ["#", "sotto", "record", str(FORMAT)] or count != str(number):
        raise AuthenticityError(f"Link {number} of this record stands in the wrong place.")
    return first, {line[66:]: line[:64] for line in rest}


def _entry(number: int, first: _First, data: bytes | None) -> Entry:
    moment, fingerprint = first.moment, first.fingerprint
    if data is None:
        return Entry(number=number, moment=moment, fingerprint=fingerprint, what={}, redacted=True)
    try:
        fields = Fields(read_json(data[_SALT_LINE:], ENTRY_BYTES), where="the entry")
        fields.version(newest=FORMAT)
        what = fields.value("what")
        said = (fields.text("case"), fields.text("moment"))
        entry = Entry(
            number=number,
            moment=moment,
            fingerprint=fingerprint,
            act=fields.text("act"),
            by=fields.text("by"),
            why=fields.text("why", limit=ENTRY_BYTES),
            what=what if isinstance(what, dict) else {},
            redacted=False,
        )
        fields.end()
    except FormatError as error:
        raise AuthenticityError(f"Entry {number} of this record cannot be read. {error}") from None
    if said != (first.case, f"{moment:{_MOMENT}}"):
        raise AuthenticityError(f"Entry {number} says another case or time than its link.")
    return entry
