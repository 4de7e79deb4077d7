"""The database fails at each statement in turn: StorageError, and nothing half done."""

import sqlite3
from collections.abc import Callable

import psycopg
import pytest
from relaychild import Countdown
from shelf import (
    ANNA,
    BEN,
    CARA,
    THIS_MONTH,
    TODAY,
    add_people,
    dispatch,
    new_mailbox,
    new_page,
    new_put,
    put_envelope,
    read_whole,
    row_for,
)
from sqlalchemy import event

from protocol.errors import StorageError
from protocol.names import Fingerprint
from relay import database
from relay.rows import Cut, Month
from relay.store import Store, open_store
from relay.store_contents import ContentWriter

pytestmark = pytest.mark.claim("C3")

TABLES = ("envelope", "slot", "recipient", "notice", "cut", "policy", "upkeep")
MAILBOXES = sorted(new_mailbox() for _ in range(3))


def visible(store: Store) -> list[object]:
    """Everything that anybody can see, unfinished contents left out."""
    with store._reading() as connection:
        return [
            sorted(
                tuple(bytes(v) if isinstance(v, memoryview) else v for v in row)
                for row in connection.exec_driver_sql(f"SELECT * FROM {name}")  # noqa: S608  ours
            )
            for name in TABLES
        ]


def submission(store: Store) -> None:
    put = new_put(3 * 1024 * 1024)
    writer = ContentWriter(store=store)
    try:
        store.commit_envelope(row_for(writer, put, THIS_MONTH))
    except BaseException:
        writer.discard()
        raise


def withdrawal(store: Store) -> None:
    carried = store.envelopes_to_carry(leaving=0)
    held = next(one for one in carried if not store.is_collected(one.id))
    cover = new_put(held.size_bytes, held.id)
    store.replace_content(held.id, row_for(ContentWriter(store=store), cover, THIS_MONTH))


def answer(store: Store) -> None:
    carried = store.envelopes_to_carry(leaving=0)
    given = [(held.id, b"\0" * 32) for held in carried]
    serial = store.recipients()[0].last_serial + 1
    slots = [(one, new_page()) for one in MAILBOXES]
    dispatch(store, ANNA, serial, slots=slots, acknowledgements=given)


def freeze(store: Store) -> None:
    carried = store.envelopes_to_carry(leaving=0)
    store.save_cut(Cut(number=1, day=TODAY, hour=6, head=b"", signature=b"", envelopes=carried))


def purge(store: Store) -> None:
    store.purge(now=Month(THIS_MONTH + 1), leaving=THIS_MONTH + 99, unlisted_months=1)


OPERATIONS: dict[str, Callable[[Store], None]] = {
    "submission": submission,
    "withdrawal": withdrawal,
    "dispatch": answer,
    "cut": freeze,
    "purge": purge,
    "new recipient": lambda store: _ignore(store.add_recipient(CARA, b"c", Fingerprint("C" * 40))),
    "retired recipient": lambda store: store.retire_recipient(BEN),
    "new certificate": lambda store: store.replace_certificate(BEN, b"n", Fingerprint("D" * 40)),
    "policy": lambda store: store.set_policy("generic", "2"),
}


def _ignore(_value: object) -> None:
    """Operations of the table return nothing."""


@pytest.mark.parametrize("name", OPERATIONS)
def test_operation_that_fails_at_any_statement_changes_nothing_and_says_storage_error(
    store: Store, name: str
) -> None:
    add_people(store, ANNA, BEN)
    read = put_envelope(store)
    kept = put_envelope(store)
    dispatch(store, ANNA, 1, slots=[(MAILBOXES[0], new_page())], acknowledgements=[read.proof])
    failure = sqlite3.OperationalError if store.is_sqlite else psycopg.OperationalError
    before = visible(store)

    def fail() -> None:
        raise failure("disk I/O error")

    for moment in range(1, 100):
        countdown = Countdown(store, moment, fail)
        try:
            OPERATIONS[name](store)
        except StorageError:
            assert visible(store) == before
            assert read_whole(store, kept.id) == kept.ciphertext
        finally:
            silence(store, countdown)
        if not countdown.reached:
            break
    assert moment > 4, "it failed at every statement, and then went through"
    assert visible(store) != before


def silence(store: Store, countdown: Countdown) -> None:
    for name in ("before_cursor_execute", "after_cursor_execute", "commit"):
        event.remove(store._engine, name, countdown._tick)


def test_database_that_another_process_holds_is_told_as_storage_error(
    sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    short = (*database._SQLITE_PRAGMAS, "PRAGMA busy_timeout = 100")
    monkeypatch.setattr(database, "_SQLITE_PRAGMAS", short)
    store = open_store(sqlite_url)
    other = sqlite3.connect(sqlite_url.removeprefix("sqlite:///"), isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    put = new_put()
    writer = ContentWriter(store=store)
    row = row_for(writer, put, THIS_MONTH)
    with pytest.raises(StorageError):
        store.commit_envelope(row)
    assert not store.has_envelope(put.id)
    other.execute("ROLLBACK")
    other.close()
    store.commit_envelope(row)
    assert read_whole(store, put.id) == put.ciphertext
    store.close()


def test_store_whose_pen_is_held_too_long_says_that_it_is_busy(
    sqlite_store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "WAIT_SECONDS", 0.05)
    with sqlite_store._holding_the_pen(), pytest.raises(StorageError, match="busy"):
        sqlite_store.set_policy("generic", "2")
    sqlite_store.set_policy("generic", "2")


def test_error_of_the_database_repeats_nothing_of_what_was_stored(sqlite_store: Store) -> None:
    put = put_envelope(sqlite_store)
    again = row_for(ContentWriter(store=sqlite_store), new_put(envelope_id=put.id), THIS_MONTH)
    with pytest.raises(StorageError) as refusal:
        sqlite_store.commit_envelope(again)
    told = f"{refusal.value} {refusal.value.__cause__}"
    assert put.id.hex() not in told
    assert repr(put.id) not in told
