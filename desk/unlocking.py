"""Make a desk's vault, and unlock it with the counselor's secret key.

The vault key is random and never changes; it lies in one short OpenPGP message
to her certificate. A new key of hers therefore re-seals that message alone, and
stock gpg can open it if nothing of ours is left. Where gpg keeps her key, the file of
the key holds her certificate only.
"""

import hmac
import secrets
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from desk.files import is_used, make_private_directory, read_small, write_whole
from desk.gpgkey import GpgKey, is_certificate
from desk.keyring import KeyRing, ring_of
from desk.ownkey import OwnKey
from desk.vault import Vault
from keys.certificate import read_certificate, verify_certificate
from keys.lock import generate_session_key, make_lock
from keys.secretkey import SecretKey, read_secret_key
from protocol.canonical import Fields, encode_json, read_json
from protocol.errors import AuthenticityError, KeyMaterialError, StorageError
from protocol.names import SessionKey
from protocol.sealing import Sealer, read_sealed

KEY_FILE = "key.asc"
LOCK_FILE = "vault.pgp"
SECRET_KEY_LIMIT_BYTES = 1 << 20
LOCK_LIMIT_BYTES = 1 << 16
_FORMAT = 1


def create_vault(directory: Path, *, armored: bytes, secret_key: OwnKey, now: datetime) -> Vault:
    """Make a new vault in an empty folder and leave it unlocked.

    Args:
        directory: absent or empty; becomes 0700.
        armored: the counselor's secret key as gpg exports it; her certificate if gpg keeps it.
        secret_key: the same, opened.
        now: her key must be valid at this time.

    Raises:
        KeyMaterialError: nothing may be sealed to the key.
        StorageError: the folder is in use or cannot be written.
    """
    vault_key = secrets.token_bytes(32)
    pinned, session_key = secret_key.fingerprint, generate_session_key()
    certificate = verify_certificate(secret_key.certificate, pinned=pinned, now=now)
    locks = make_lock(certificate, session_key)
    sealed = b"".join(_seal_vault_key(vault_key, session_key, locks))
    refuse_used_folder(directory)
    make_private_directory(directory)
    write_whole(directory / KEY_FILE, [armored])
    write_whole(directory / LOCK_FILE, [sealed])
    vault = Vault(directory=directory, secret_key=KeyRing(current=secret_key), vault_key=vault_key)
    vault.objects.create_folder()
    return vault


def open_vault(directory: Path, passphrase: str) -> Vault:
    """Unlock the vault of a desk.

    Args:
        directory: of the desk.
        passphrase: of the secret key in the folder; unused where gpg keeps it.

    Raises:
        StorageError: there is no desk in this folder.
        KeyMaterialError: the passphrase is wrong, or gpg cannot use the key now.
        AuthenticityError: the vault's lock was changed.
    """
    if not (directory / LOCK_FILE).exists():
        raise StorageError("There is no desk in this folder; make one with: sotto desk init.")
    return open_with(directory, open_key(read_key_file(directory), passphrase))


def read_key_file(directory: Path) -> bytes:
    """Read what lies in the folder of a desk as her key.

    Raises:
        StorageError: it cannot be read.
    """
    return read_small(directory / KEY_FILE, SECRET_KEY_LIMIT_BYTES, what="The secret key")


def open_key(armored: bytes, passphrase: str) -> OwnKey:
    """Open what lies in the folder as her key: protected, or kept by gpg.

    Raises:
        KeyMaterialError: wrong passphrase, no protection, or not a key.
    """
    if is_certificate(armored):
        return GpgKey(certificate=armored)
    return open_protected(armored, passphrase)


def asks_passphrase(directory: Path) -> bool:
    """Tell whether a passphrase opens this desk; otherwise gpg asks for what it needs.

    Where there is no desk it says yes, and unlocking then says what is missing.
    """
    path = directory / KEY_FILE
    return not (path.exists() and is_certificate(read_key_file(directory)))


def open_with(directory: Path, secret_key: OwnKey) -> Vault:
    """Unlock a vault, or a copy of it, with a key that is open already.

    Raises:
        StorageError: there is no vault in this folder.
        AuthenticityError: the key is not the vault's, or its lock was changed.
    """
    vault_key = _read_lock(directory / LOCK_FILE, secret_key).vault_key
    vault = Vault(directory=directory, secret_key=secret_key, vault_key=vault_key)
    try:
        vault.secret_key = ring_of(vault, secret_key)
    except BaseException:
        vault.close()
        raise
    return vault


def reseal(vault: Vault, certificate: bytes, *, also_as_before: bool, now: datetime) -> None:
    """Seal the vault key anew, to a certificate.

    Args:
        vault: unlocked.
        certificate: to which it shall be sealed.
        also_as_before: leave the locks that are there; the file then opens with old and new,
            and a power cut in the middle of a succession locks nobody out.
        now: the certificate must be valid at this time.

    Raises:
        KeyMaterialError: the certificate is not fit to seal to.
        StorageError: the disk refused.
    """
    lock = _read_lock(vault.directory / LOCK_FILE, vault.secret_key)
    pinned = read_certificate(certificate).fingerprint
    verified = verify_certificate(certificate, pinned=pinned, now=now)
    session_key = lock.session_key if also_as_before else generate_session_key()
    locks = make_lock(verified, session_key)
    if also_as_before:
        locks = b"".join(lock.locks) + locks
    sealed = b"".join(_seal_vault_key(lock.vault_key, session_key, locks))
    write_whole(vault.directory / LOCK_FILE, [sealed])


def is_copy_of(vault: Vault, folder: Path) -> bool:
    """Tell whether a folder holds a copy of this vault, made under whatever key of hers.

    Raises:
        FormatError: there is something else in place of the lock.
        AuthenticityError: none of her keys opens it.
    """
    key = vault.secret_key
    ours, theirs = (_read_lock(one / LOCK_FILE, key) for one in (vault.directory, folder))
    return hmac.compare_digest(ours.vault_key, theirs.vault_key)


def open_protected(armored: bytes, passphrase: str) -> SecretKey:
    """Open a secret key that is protected by a passphrase, and by nothing less.

    Whoever finds the stick of a desk with an unprotected key would read everything.

    Raises:
        KeyMaterialError: wrong passphrase, no protection, or not a secret key.
    """
    if not passphrase:
        read_secret_key(armored, None)  # says of a protected one that it is
        raise KeyMaterialError(
            "The desk takes only a secret key that a passphrase protects; set one in gpg with "
            "--change-passphrase and export the key again."
        )
    return read_secret_key(armored, passphrase)


def refuse_used_folder(directory: Path) -> None:
    """Raise StorageError unless the folder is absent or empty: nothing is overwritten."""
    if is_used(directory):
        raise StorageError("This folder is not empty; give a new one to --data.")


def _seal_vault_key(vault_key: bytes, session_key: SessionKey, locks: bytes) -> Iterator[bytes]:
    sealer = Sealer(session_key=session_key, locks=locks, file_name="vault.json")
    yield sealer.update(encode_json({"format": _FORMAT, "key": vault_key.hex()}))
    yield sealer.finish()


@dataclass(frozen=True, kw_only=True)
class _Lock:
    vault_key: bytes = field(repr=False)
    session_key: SessionKey = field(repr=False)
    locks: tuple[bytes, ...]


def _read_lock(path: Path, secret_key: OwnKey) -> _Lock:
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
    return _Lock(vault_key=vault_key, session_key=session_key, locks=message.locks)
