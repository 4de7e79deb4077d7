"""The one door to the database engine: SQLite by default, PostgreSQL when it is named.

What it sees to: a confirmed write is on the disk (WAL with synchronous FULL, or
PostgreSQL's synchronous commit), deleted bytes are overwritten, one thread
writes at a time, and whatever breaks surfaces as `StorageError`, with nothing
half done. The store modules hold the questions; this one holds the connection.
"""

import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import psycopg
from alembic import command
from alembic.config import Config
from alembic.util import CommandError
from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import ConnectionPoolEntry

from protocol.errors import StorageError

WAIT_SECONDS = 60  # longer than a rewrite of some gigabytes; a visitor waits no longer either
POOL_CONNECTIONS = 8
CHECKPOINT_TRIES = 50  # of 100 ms: readers hold the log for one chunk at most

_SQLITE_PRAGMAS = (
    "PRAGMA page_size = 16384",  # an envelope row fits in one; chunks are written twice as fast
    "PRAGMA journal_mode = WAL",
    "PRAGMA wal_autocheckpoint = 512",  # pages: the log stays at about 8 MiB
    "PRAGMA synchronous = FULL",  # a confirmed report survives a power cut (C3)
    "PRAGMA secure_delete = ON",  # what is deleted is overwritten (C2)
    "PRAGMA trusted_schema = OFF",
    f"PRAGMA busy_timeout = {WAIT_SECONDS * 1000}",  # for console commands beside the server
)


class Database:
    """One engine and one pen: many threads read, one writes.

    The pen is a lock in this process. SQLite would make writers poll for its
    own lock and could starve one; on PostgreSQL it keeps the same order of
    events, so that both run the same code under the same guarantees.
    """

    def __init__(self, *, engine: Engine) -> None:
        """Take the engine that `open_engine` has prepared."""
        self._engine = engine
        self._writer = engine.execution_options(sotto_writes=True)
        self._pen = threading.Lock()

    @property
    def is_sqlite(self) -> bool:
        """Whether maintenance has SQLite's files to rewrite."""
        return self._engine.dialect.name == "sqlite"

    @property
    def sqlite_path(self) -> Path | None:
        """The database file, or None on PostgreSQL."""
        name = self._engine.url.database
        return Path(name) if self.is_sqlite and name else None

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        with storage_errors(), self._engine.begin() as connection:
            yield connection

    @contextmanager
    def _writing(self) -> Iterator[Connection]:
        with self._holding_the_pen(), storage_errors(), self._writer.begin() as connection:
            yield connection

    @contextmanager
    def _holding_the_pen(self) -> Iterator[None]:
        if not self._pen.acquire(timeout=WAIT_SECONDS):
            raise StorageError("The store is busy; nothing was accepted, try again later.")
        try:
            yield
        finally:
            self._pen.release()

    def _empty_log(self, *, rewrite: bool = False) -> None:
        """Bring SQLite's write-ahead log into its file and cut it off; nothing on PostgreSQL.

        Args:
            rewrite: the file first, in the order of its keys.

        Raises:
            StorageError: no room for the second copy, or a reader held on; the
                data is whole either way.
        """
        if not self.is_sqlite:
            return
        with (
            self._holding_the_pen(),
            storage_errors(),
            closing(self._engine.raw_connection()) as pooled,
        ):
            cursor = pooled.cursor()
            if rewrite:
                cursor.execute("VACUUM")
            for _ in range(CHECKPOINT_TRIES):
                busy, *_frames = cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
                if not busy:
                    return
                time.sleep(0.1)
        raise StorageError("A reader kept the write-ahead log from being emptied; try again.")

    def close(self) -> None:
        """Close every connection; the store cannot be used afterwards."""
        self._engine.dispose()


@contextmanager
def storage_errors() -> Iterator[None]:
    """Turn whatever the disk or the database raises into the one error that callers know."""
    try:
        yield
    except (SQLAlchemyError, CommandError, sqlite3.Error, psycopg.Error, OSError) as error:
        raise StorageError("The database did not accept this; nothing was changed.") from error


def open_engine(url: str) -> Engine:
    """Open the database and bring its schema to the newest version.

    Args:
        url: `sqlite:///PATH` or `postgresql+psycopg://…`.

    Returns:
        An engine whose transactions begin as `Database` needs them.

    Raises:
        StorageError: the database cannot be opened, or has another product's or
            a newer version's schema.
    """
    try:
        address = make_url(url)
        engine = create_engine(
            address,
            hide_parameters=True,  # an error message must not carry what was being stored
            pool_size=POOL_CONNECTIONS,
            max_overflow=2 * POOL_CONNECTIONS,
            pool_timeout=WAIT_SECONDS,
        )
    except (SQLAlchemyError, ImportError, ValueError):  # they repeat the address, and its password
        raise StorageError(
            "The setting database is no address of PostgreSQL; write"
            " postgresql+psycopg://USER@HOST/NAME, or leave it empty."
        ) from None
    if address.get_backend_name() == "sqlite":
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
    else:
        event.listen(engine, "connect", _prepare_postgresql)
    with storage_errors():
        _migrate(engine)
    return engine


def _prepare_sqlite(connection: sqlite3.Connection, _record: ConnectionPoolEntry) -> None:
    connection.isolation_level = None  # transactions are begun by _begin_sqlite alone
    for pragma in _SQLITE_PRAGMAS:
        connection.execute(pragma)


def _begin_sqlite(connection: Connection) -> None:
    # IMMEDIATE: a writer that begins as a reader can be refused half-way (FACTS, Storage).
    writes = connection.get_execution_options().get("sotto_writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _prepare_postgresql(
    connection: "psycopg.Connection[tuple[object, ...]]", _record: ConnectionPoolEntry
) -> None:
    # Said by the connection itself: a server tuned for speed must not weaken C3.
    connection.execute("SET synchronous_commit TO on")
    connection.execute(f"SET lock_timeout TO '{WAIT_SECONDS}s'")
    connection.commit()


def _migrate(engine: Engine) -> None:
    config = Config()
    config.set_main_option("script_location", "relay:migrations")
    with engine.execution_options(sotto_writes=True).begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
