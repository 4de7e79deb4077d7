"""The vault: everything the desk keeps, sealed with a key that only the counselor's key opens.

DIR/key.asc       her secret key, protected by her passphrase; or her certificate, if gpg keeps it
DIR/vault.pgp     the vault key, an OpenPGP message to her certificate (stock gpg opens it)
DIR/vault.sqlite  documents: padded, sealed, their names hidden
DIR/objects/      what envelopes held, in sealed chunks under random names

Refused: a secret key without a passphrase, because whoever finds the stick would
then read everything. What a finder can see: how many documents of how many kinds
there are, their size classes, the sizes of large objects to Padmé's classes, and
when files changed. What he can do who writes to the disk: put an older copy of the whole or
of a single document in place, or take one away, or put a whole desk of his own making there,
which lacks all her cases (decision 0007).
"""

import hmac
import os
import secrets
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Self, TypeVar

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from pydantic import ValidationError

from desk.objects import Objects
from desk.ownkey import OwnKey
from desk.records import Record
from protocol.errors import AuthenticityError, StorageError

DOCUMENT_FILE = "vault.sqlite"
OBJECT_FOLDER = "objects"
SMALLEST_DOCUMENT_BYTES = 512  # classes are powers of two from here on

_UNREADABLE = "The desk's vault cannot be read; check the disk, or restore the last backup."

R = TypeVar("R", bound=Record)

_SCHEMA = """
CREATE TABLE IF NOT EXISTS document (
  shelf BLOB NOT NULL, name BLOB NOT NULL, sealed BLOB NOT NULL, PRIMARY KEY (shelf, name)
) WITHOUT ROWID
"""


class Vault:
    """An unlocked vault. Close it, or use it as a context, and it is locked again."""

    def __init__(self, *, directory: Path, secret_key: OwnKey, vault_key: bytes) -> None:
        self.directory = directory
        self.secret_key = secret_key
        self.objects = Objects(folder=directory / OBJECT_FOLDER)
        self._aead = ChaCha20Poly1305(_derive(vault_key, b"sotto/1 desk documents"))
        self._name_key = _derive(vault_key, b"sotto/1 desk names")
        self._database = _open_database(directory / DOCUMENT_FILE)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *failure: object) -> None:
        self.close()

    def close(self) -> None:
        """Lock: forget the keys and close the file. Python cannot wipe memory; a reboot does."""
        self._database.close()
        for secret in ("_aead", "_name_key", "secret_key"):
            self.__dict__.pop(secret, None)

    @contextmanager
    def changes(self) -> Iterator[None]:
        """Make all changes inside the context at once, or none of them.

        Raises:
            StorageError: the disk is full or failed, or another command is writing.
        """
        try:
            self._database.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                self._database.execute("ROLLBACK")
                raise
            self._database.execute("COMMIT")
        except sqlite3.Error as error:
            raise StorageError(
                "The desk could not write its vault; check the disk, and that no other "
                "command of this desk is running."
            ) from error

    def put(self, record: Record) -> None:
        """File a document, in place of the one of that name. Only inside `changes`."""
        shelf, name = self._hidden(record.shelf), self._hidden(record.shelf, record.name_on_shelf())
        sealed = self._seal(record.model_dump_json().encode(), shelf + name)
        self._database.execute(
            "INSERT INTO document VALUES (?, ?, ?) "
            "ON CONFLICT (shelf, name) DO UPDATE SET sealed = excluded.sealed",
            (shelf, name, sealed),
        )

    def remove(self, kind: type[Record], name: str) -> None:
        """Remove a document. Only inside `changes`; SQLite overwrites what it frees."""
        self._database.execute(
            "DELETE FROM document WHERE shelf = ? AND name = ?",
            (self._hidden(kind.shelf), self._hidden(kind.shelf, name)),
        )

    def get(self, kind: type[R], name: str) -> R | None:
        """Return the document of that name, or None.

        Raises:
            AuthenticityError: the file was changed by something that is not this desk.
        """
        shelf, hidden = self._hidden(kind.shelf), self._hidden(kind.shelf, name)
        rows = self._rows(
            "SELECT name, sealed FROM document WHERE shelf = ? AND name = ?", shelf, hidden
        )
        return self._open(kind, shelf + hidden, rows[0][1]) if rows else None

    def all(self, kind: type[R]) -> Iterator[R]:
        """Return every document of a kind, in an order that means nothing.

        Raises:
            AuthenticityError: the file was changed by something that is not this desk.
        """
        shelf = self._hidden(kind.shelf)
        for name, sealed in self._rows("SELECT name, sealed FROM document WHERE shelf = ?", shelf):
            yield self._open(kind, shelf + name, sealed)

    def copy_documents(self, path: Path) -> None:
        """Write a consistent copy of the sealed documents to another disk.

        Raises:
            StorageError: that disk is full or failed.
        """
        try:
            copy = sqlite3.connect(path, isolation_level=None)
            try:
                self._database.backup(copy)
                copy.execute("PRAGMA journal_mode = DELETE")
            finally:
                copy.close()
        except sqlite3.Error as error:
            raise StorageError("The copy of the vault could not be written.") from error

    def _rows(self, query: str, *values: bytes) -> list[tuple[bytes, bytes]]:
        try:
            return self._database.execute(query, values).fetchall()
        except sqlite3.Error as error:
            raise StorageError(_UNREADABLE) from error

    def _hidden(self, *parts: str) -> bytes:
        return hmac.digest(self._name_key, "\0".join(parts).encode(), "sha256")

    def _seal(self, plaintext: bytes, place: bytes) -> bytes:
        size = max(SMALLEST_DOCUMENT_BYTES, 1 << (len(plaintext) + 3).bit_length())
        padded = len(plaintext).to_bytes(4) + plaintext
        nonce = secrets.token_bytes(12)
        return nonce + self._aead.encrypt(nonce, padded.ljust(size, b"\0"), place)

    def _open(self, kind: type[R], place: bytes, sealed: bytes) -> R:
        try:
            padded = self._aead.decrypt(sealed[:12], sealed[12:], place)
            length = int.from_bytes(padded[:4])
            return kind.model_validate_json(padded[4 : 4 + length])
        except (InvalidTag, ValueError, ValidationError) as error:
            raise AuthenticityError(
                "The desk's vault was damaged or changed from outside; restore the last backup."
            ) from error


def _open_database(path: Path) -> sqlite3.Connection:
    try:
        if not path.exists():
            os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        database = sqlite3.connect(path, isolation_level=None, timeout=10)
        for pragma in ("journal_mode = WAL", "synchronous = FULL", "secure_delete = ON"):
            database.execute(f"PRAGMA {pragma}")
        database.execute("PRAGMA temp_store = MEMORY")
        database.execute(_SCHEMA)
    except (OSError, sqlite3.Error) as error:
        raise StorageError(_UNREADABLE) from error
    return database


def _derive(vault_key: bytes, info: bytes) -> bytes:
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=info).derive(vault_key)
