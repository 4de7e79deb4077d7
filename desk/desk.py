"""The desk itself: whose it is, and which relay it belongs to.

The relay's certificate is pinned here, once. Its fingerprint is to be compared by
voice with the operator's: everything the desk believes later hangs on it.
"""

from datetime import datetime
from pathlib import Path

from desk.files import read_small
from desk.records import DeskRecord
from desk.unlocking import SECRET_KEY_LIMIT_BYTES, create_vault, open_protected
from desk.vault import Vault
from keys.certificate import read_certificate, verify_certificate
from protocol import limits
from protocol.errors import KeyMaterialError, StorageError
from protocol.names import RelayId


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
    relay = read_certificate(relay_certificate).fingerprint
    verify_certificate(relay_certificate, pinned=relay, now=now)
    secret_key = open_protected(armored, passphrase)
    if secret_key.fingerprint == relay:
        raise KeyMaterialError("These are the same key; give the relay's certificate to --relay.")
    vault = create_vault(directory, armored=armored, secret_key=secret_key, now=now)
    with vault.changes():
        vault.put(
            DeskRecord(
                relay=RelayId(relay),
                relay_certificate=relay_certificate,
                fingerprint=secret_key.fingerprint,
            )
        )
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
