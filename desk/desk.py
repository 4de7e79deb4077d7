"""The desk itself: whose it is, and which relay it belongs to.

The relay's certificate is pinned here, once. Its fingerprint is to be compared by
voice with the operator's: everything the desk believes later hangs on it.
"""

import shutil
from datetime import datetime
from pathlib import Path

from desk.files import read_small
from desk.gpgkey import find_gpg_key
from desk.ownkey import OwnKey
from desk.records import DeskRecord
from desk.unlocking import (
    SECRET_KEY_LIMIT_BYTES,
    create_vault,
    open_protected,
    refuse_used_folder,
)
from desk.vault import Vault
from keys.certificate import read_certificate, verify_certificate
from protocol import limits
from protocol.errors import KeyMaterialError, StorageError
from protocol.names import Fingerprint, RelayId


def create_desk(
    directory: Path, *, key_path: Path, relay_path: Path, passphrase: str, now: datetime
) -> Vault:
    """Make a desk for one counselor and one relay, and leave it unlocked.

    Args:
        directory: absent or empty.
        key_path: her secret key, armoured and protected by `passphrase`.
        relay_path: the relay's public certificate, armoured.
        now: both must be valid at this time.

    Raises:
        KeyMaterialError: a key or certificate is not usable, or the passphrase is wrong.
        StorageError: the folder is in use, or a file cannot be read or written.
    """
    return make_desk(
        directory,
        armored=read_small(key_path, SECRET_KEY_LIMIT_BYTES, what="The secret key"),
        relay_certificate=read_small(
            relay_path, limits.CERTIFICATE_BYTES, what="The relay's certificate"
        ),
        passphrase=passphrase,
        now=now,
    )


def make_desk(
    directory: Path, *, armored: bytes, relay_certificate: bytes, passphrase: str, now: datetime
) -> Vault:
    """Make a desk as `create_desk` does, of a key and a certificate that were read already.

    Raises:
        KeyMaterialError: a key or certificate is not usable, or the passphrase is wrong.
        StorageError: the folder is in use or cannot be written.
    """
    relay = _verified_relay(relay_certificate, now)
    return _found(
        directory,
        key_file=armored,
        key=open_protected(armored, passphrase),
        relay=relay,
        relay_certificate=relay_certificate,
        now=now,
    )


def create_gpg_desk(
    directory: Path, *, fingerprint: Fingerprint, relay_path: Path, now: datetime
) -> Vault:
    """Make a desk for a key that gpg keeps, in its agent or on a card.

    The desk's folder then holds no secret key, and no backup of it does.

    Args:
        directory: absent or empty.
        fingerprint: of her key in gpg, complete.
        relay_path: the relay's public certificate, armoured.
        now: both must be valid at this time.

    Raises:
        KeyMaterialError: gpg cannot use the key, or a certificate is not usable.
        StorageError: the folder is in use, or a file cannot be read or written.
    """
    certificate = read_small(relay_path, limits.CERTIFICATE_BYTES, what="The relay's certificate")
    relay = _verified_relay(certificate, now)
    refuse_used_folder(directory)
    key = find_gpg_key(fingerprint, now=now)
    return _found(
        directory,
        key_file=key.certificate,
        key=key,
        relay=relay,
        relay_certificate=certificate,
        now=now,
    )


def _verified_relay(certificate: bytes, now: datetime) -> Fingerprint:
    relay = read_certificate(certificate).fingerprint
    verify_certificate(certificate, pinned=relay, now=now)
    return relay


def _found(
    directory: Path,
    *,
    key_file: bytes,
    key: OwnKey,
    relay: Fingerprint,
    relay_certificate: bytes,
    now: datetime,
) -> Vault:
    if key.fingerprint == relay:
        raise KeyMaterialError("These are the same key; give the relay's certificate to --relay.")
    refuse_used_folder(directory)
    record = DeskRecord(
        relay=RelayId(relay), relay_certificate=relay_certificate, fingerprint=key.fingerprint
    )
    try:
        vault = create_vault(directory, armored=key_file, secret_key=key, now=now)
        with vault.changes():
            vault.put(record)
    except BaseException:
        shutil.rmtree(directory, ignore_errors=True)  # half a desk would stand in the way
        raise
    return vault


def read_desk(vault: Vault) -> DeskRecord:
    """Return the record of the desk itself.

    Raises:
        StorageError: its making was cut off.
    """
    desk = vault.get(DeskRecord, "desk")
    if desk is None:
        raise StorageError("This desk was never finished; remove its folder and make it again.")
    return desk


def spoken_fingerprint(fingerprint: str) -> str:
    """Group a fingerprint in fours, so that two people can compare it by voice."""
    return " ".join(fingerprint[i : i + 4] for i in range(0, len(fingerprint), 4))
