"""Make a desk's vault, and unlock it with the counselor's secret key.

The vault key is random and never changes; it lies in one short OpenPGP message
to her certificate. A new key of hers therefore re-seals that message alone, and
stock gpg can open it if nothing of ours is left.
"""

import secrets
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from desk.files import is_used, make_private_directory, read_small, write_whole
from desk.vault import Vault
from keys.certificate import verify_certificate
from keys.lock import generate_session_key, make_lock
from keys.secretkey import SecretKey, read_secret_key
from protocol.canonical import Fields, encode_json, read_json
from protocol.errors import AuthenticityError, KeyMaterialError, StorageError
from protocol.sealing import Sealer, read_sealed

KEY_FILE = "key.asc"
LOCK_FILE = "vault.pgp"
SECRET_KEY_LIMIT_BYTES = 1 << 20
LOCK_LIMIT_BYTES = 1 << 16
_FORMAT = 1


def create_vault(directory: Path, *, armored: bytes, secret_key: SecretKey, now: datetime) -> Vault:
    """Make a new vault in an empty folder and leave it unlocked.

    Args:
        directory: absent or empty; becomes 0700.
        armored: the counselor's secret key as gpg exports it.
        secret_key: the same, from `open_protected`.
        now: her key must be valid at this time.

    Raises:
        KeyMaterialError: nothing may be sealed to the key.
        StorageError: the folder is in use or cannot be written.
    """
    vault_key = secrets.token_bytes(32)
    sealed = b"".join(_seal_vault_key(vault_key, secret_key, now))
    refuse_used_folder(directory)
    make_private_directory(directory)
    write_whole(directory / KEY_FILE, [armored])
    write_whole(directory / LOCK_FILE, [sealed])
    vault = Vault(directory=directory, secret_key=secret_key, vault_key=vault_key)
    vault.objects.create_folder()
    return vault


def open_vault(directory: Path, passphrase: str) -> Vault:
    """Unlock the vault of a desk.

    Raises:
        StorageError: there is no desk in this folder.
        KeyMaterialError: the passphrase is wrong, or the key is not the vault's.
        AuthenticityError: the vault's lock was changed.
    """
    if not (directory / LOCK_FILE).exists():
        raise StorageError("There is no desk in this folder; make one with: sotto desk init.")
    armored = read_small(directory / KEY_FILE, SECRET_KEY_LIMIT_BYTES, what="The secret key")
    return open_with(directory, open_protected(armored, passphrase))


def open_with(directory: Path, secret_key: SecretKey) -> Vault:
    """Unlock a vault, or a copy of it, with a key that is open already.

    Raises:
        StorageError: there is no vault in this folder.
        AuthenticityError: the key is not the vault's, or its lock was changed.
    """
    vault_key = _open_vault_key(directory / LOCK_FILE, secret_key)
    return Vault(directory=directory, secret_key=secret_key, vault_key=vault_key)


def open_protected(armored: bytes, passphrase: str) -> SecretKey:
    """Open a secret key that is protected by a passphrase, and by nothing less.

    Whoever finds the stick of a desk with an unprotected key would read everything.

    Raises:
        KeyMaterialError: wrong passphrase, no protection, or not a secret key.
    """
    if not passphrase:
        raise KeyMaterialError(
            "The desk takes only a secret key that a passphrase protects; set one in gpg with "
            "--change-passphrase and export the key again."
        )
    return read_secret_key(armored, passphrase)


def refuse_used_folder(directory: Path) -> None:
    """Raise StorageError unless the folder is absent or empty: nothing is overwritten."""
    if is_used(directory):
        raise StorageError("This folder is not empty; give a new one to --data.")


def _seal_vault_key(vault_key: bytes, secret_key: SecretKey, now: datetime) -> Iterator[bytes]:
    certificate = verify_certificate(secret_key.certificate, pinned=secret_key.fingerprint, now=now)
    session_key = generate_session_key()
    sealer = Sealer(
        session_key=session_key, locks=make_lock(certificate, session_key), file_name="vault.json"
    )
    yield sealer.update(encode_json({"format": _FORMAT, "key": vault_key.hex()}))
    yield sealer.finish()


def _open_vault_key(path: Path, secret_key: SecretKey) -> bytes:
    sealed = read_small(path, LOCK_LIMIT_BYTES, what="The lock of the vault")
    message = read_sealed(lambda: [sealed])
    session_key = secret_key.open_lock(message.locks)
    if session_key is None:
        raise AuthenticityError(
            "The secret key in this folder does not open its vault; restore the last backup."
        )
    plaintext = b"".join(message.unseal(session_key))
    fields = Fields(read_json(plaintext, LOCK_LIMIT_BYTES), where="vault.json")
    fields.version(newest=_FORMAT)
    vault_key = fields.octets("key", 32)
    fields.end()
    return vault_key
