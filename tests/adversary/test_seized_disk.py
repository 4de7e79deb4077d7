"""The game of whoever seizes the disk: one image of a switched-off relay, after maintenance.

The seizer has the database files, byte by byte, and knows the software. Each
test plays one question, and most show first that the question could be answered
before maintenance: a game that cannot be lost proves nothing.
"""

import secrets
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import combinations
from pathlib import Path

import pytest
from counselor import NOW, Counselor, new_key, send_report
from shelf import (
    ANNA,
    BEN,
    THIS_MONTH,
    Put,
    add_people,
    dispatch,
    new_mailbox,
    new_page,
    put_envelope,
)

from protocol.names import MailboxId, RelayId
from relay.cover import draw_cover, store_cover
from relay.maintenance import maintain
from relay.rows import CONTENT_CHUNKS, Month
from relay.settings import Settings
from relay.store import Store, open_store
from relay.store_contents import ContentWriter

pytestmark = pytest.mark.claim("C2")

SETTINGS = Settings(cover_mean=0.0)
NEXT_MONTH = datetime(2026, 12, 1, 0, 5, tzinfo=UTC)
ITEMS = 160
OVERFLOW = slice(12_000, 12_048)  # of 16 KiB, what does not fit beside the key
# Without any order Kendall's tau of 160 items has a standard deviation of 0.053
# (Kendall 1938): 0.27 is five of them, one false alarm in a million runs.
NO_ORDER = 0.27


def image(store: Store) -> bytes:
    """Switch the relay off and read its disk."""
    path = store.sqlite_path
    assert path is not None
    store.close()
    return b"".join(
        file.read_bytes() for file in sorted(path.parent.glob("relay.sqlite*")) if file.is_file()
    )


def kendall_tau(places: Sequence[int]) -> float:
    """How well the order of places tells the order of the sequence: 1 wholly, 0 not at all."""
    pairs = list(combinations(places, 2))
    return sum(1 if first < second else -1 for first, second in pairs) / len(pairs)


def places_of(disk: bytes, puts: Sequence[Put]) -> list[int]:
    """Find where the overflow pages lie: they go where the file has room, not where keys sort."""
    places = [disk.find(put.ciphertext[OVERFLOW]) for put in puts]
    assert -1 not in places
    return places


@pytest.fixture
def relay_store(sqlite_store: Store) -> Store:
    add_people(sqlite_store, ANNA, BEN)
    return sqlite_store


def test_order_of_arrival_is_on_the_disk_before_maintenance_and_not_after(
    relay_store: Store, sqlite_url: str
) -> None:
    puts = [put_envelope(relay_store) for _ in range(ITEMS)]
    assert kendall_tau(places_of(image(relay_store), puts)) > 0.8, "the seizer's instrument works"
    store = open_store(sqlite_url)
    maintain(store, SETTINGS, NOW)
    assert abs(kendall_tau(places_of(image(store), puts))) < NO_ORDER


def test_order_of_arrival_on_postgresql_is_gone_after_maintenance(postgres_store: Store) -> None:
    """Heap places, transaction numbers and the places of TOASTed chunks, all of them."""
    add_people(postgres_store, ANNA, BEN)
    puts = [put_envelope(postgres_store) for _ in range(ITEMS)]
    dispatch(postgres_store, ANNA, 1, slots=[(new_mailbox(), new_page()) for _ in range(ITEMS)])
    assert abs(kendall_tau(_heap_order(postgres_store, puts))) > 0.8
    assert len(_transactions(postgres_store, "envelope")) == ITEMS
    maintain(postgres_store, SETTINGS, NOW)
    assert abs(kendall_tau(_heap_order(postgres_store, puts))) < NO_ORDER
    for name in ("envelope", "chunk", "slot"):
        assert len(_transactions(postgres_store, name)) == 1
    assert _toast_follows_keys(postgres_store)


def _heap_order(store: Store, puts: Sequence[Put]) -> list[int]:
    with store._reading() as connection:
        rows = connection.exec_driver_sql("SELECT id FROM envelope ORDER BY ctid").scalars()
        places = {bytes(one): place for place, one in enumerate(rows)}
    return [places[put.id] for put in puts]


def _transactions(store: Store, name: str) -> set[str]:
    with store._reading() as connection:
        return set(connection.exec_driver_sql(f"SELECT xmin::text FROM {name}").scalars())  # noqa: S608  our names


def _toast_follows_keys(store: Store) -> bool:
    """Whether the numbers of out-of-line chunks rise with the keys, and so tell nothing else."""
    with store._reading() as connection:
        toast = connection.exec_driver_sql(
            "SELECT reltoastrelid::regclass::text FROM pg_class WHERE relname = 'chunk'"
        ).scalar_one()
        firsts = connection.exec_driver_sql(
            f"SELECT chunk_data FROM {toast} WHERE chunk_seq = 0 ORDER BY chunk_id"  # noqa: S608  ours
        ).scalars()
        sorted_by_key = connection.exec_driver_sql(
            "SELECT substr(ciphertext, 1, 48) FROM chunk ORDER BY place"
        ).scalars()
        return [bytes(one)[:48] for one in firsts] == [bytes(one) for one in sorted_by_key]


def test_order_of_arrival_does_not_come_back_with_what_comes_after_maintenance(
    relay_store: Store,
) -> None:
    everything: list[Put] = []
    for day in range(8):
        everything += [put_envelope(relay_store) for _ in range(ITEMS // 8)]
        maintain(relay_store, SETTINGS, NOW + timedelta(days=day))
    assert abs(kendall_tau(places_of(image(relay_store), everything))) < NO_ORDER


def test_content_that_left_is_nowhere_in_the_files(relay_store: Store, sqlite_url: str) -> None:
    leaving = [put_envelope(relay_store, 300_000) for _ in range(4)]
    staying = put_envelope(relay_store, 300_000)
    dispatch(relay_store, ANNA, 1, acknowledgements=[put.proof for put in leaving])
    dispatch(relay_store, BEN, 1, acknowledgements=[put.noise for put in leaving])
    before = image(relay_store)
    store = open_store(sqlite_url)
    maintain(store, SETTINGS, NEXT_MONTH)
    after = image(store)
    for put in leaving:
        # Somewhere in the middle of an overflow page, and at both ends.
        for at in (0, 100_000, 299_952):
            canary = put.ciphertext[at : at + 48]
            assert canary in before
            assert canary not in after
        assert put.proof[1] in before
        assert put.proof[1] not in after, "the hash of the read-token"
        assert put.memo in after, "the receipt still opens"
    assert staying.ciphertext[100_000:100_048] in after


def test_died_upload_is_nowhere_in_the_files_after_the_sweep(
    relay_store: Store, sqlite_url: str
) -> None:
    ciphertext = secrets.token_bytes(3 * 1024 * 1024)
    ContentWriter(store=relay_store).write(ciphertext)
    canary = ciphertext[1_000:1_048]
    assert canary in image(relay_store)
    store = open_store(sqlite_url)
    maintain(store, SETTINGS, NOW)
    assert canary not in image(store)


def test_former_reply_pages_are_nowhere_in_the_files(relay_store: Store) -> None:
    mailboxes = sorted(new_mailbox() for _ in range(20))
    former = [(one, new_page()) for one in mailboxes]
    dispatch(relay_store, ANNA, 1, slots=former)
    dispatch(relay_store, ANNA, 2, slots=[(mailboxes[3], new_page())])
    maintain(relay_store, SETTINGS, NOW)
    disk = image(relay_store)
    assert not [1 for _, page in former if page[5_000:5_048] in disk]


def test_place_of_a_slot_does_not_tell_whether_it_was_answered_even_before_maintenance(
    relay_store: Store,
) -> None:
    """Answered and unanswered slots are written in one pass: a second one would stand behind."""
    mailboxes = sorted(new_mailbox() for _ in range(120))
    dispatch(relay_store, ANNA, 1, slots=[(one, new_page()) for one in mailboxes])
    answered = set(secrets.SystemRandom().sample(mailboxes, 60))
    dispatch(relay_store, ANNA, 2, slots=[(one, new_page()) for one in sorted(answered)])
    pages = {one: relay_store.slots_of(one)[ANNA] for one in mailboxes}
    disk = image(relay_store)
    by_place = sorted(mailboxes, key=lambda one: disk.find(pages[one][OVERFLOW]))
    assert all(pages[one][OVERFLOW] in disk for one in mailboxes)
    ranks = [rank for rank, one in enumerate(by_place) if one in answered]
    # Mann and Whitney: of 60 among 120 the mean rank is 59.5 and deviates by 3.2.
    assert abs(sum(ranks) / len(ranks) - 59.5) < 5 * 3.2


def test_slots_of_a_mailbox_are_one_shape_whoever_answered_or_was_left_out(
    relay_store: Store,
) -> None:
    both, hers, nobodys = (new_mailbox() for _ in range(3))
    dispatch(relay_store, ANNA, 1, slots=[(both, new_page()), (hers, new_page())])
    dispatch(relay_store, BEN, 1, slots=[(both, new_page()), (nobodys, new_page())])
    rows = _rows(relay_store, "slot")
    shapes: dict[bytes, set[tuple[int, int, int]]] = {}
    for mailbox, number, page, listed in rows:
        shapes.setdefault(mailbox, set()).add((number, len(page), listed))
    assert len(shapes) == 3
    assert len({frozenset(shape) for shape in shapes.values()}) == 1


def test_rows_of_report_follow_up_and_cover_are_one_shape_before_and_after_reading(
    sqlite_store: Store,
) -> None:
    people = [Counselor.make(name).join(sqlite_store) for name in ("anna", "ben")]
    relay = RelayId(new_key("relay").fingerprint)
    for _ in range(2):
        send_report(sqlite_store, relay, people, people[:1])
    for _ in range(6):
        cover = draw_cover(
            relay=relay,
            names=[one.name for one in people],
            policy=("generic", "1"),
            language="en",
            text_limit=2_000,
            today=NOW.date(),
        )
        locks = [(one.name, one.certificate) for one in people]
        store_cover(sqlite_store, cover=cover, recipients=locks, expiry=Month(THIS_MONTH + 24))
    assert len({_shape(row) for row in _rows(sqlite_store, "envelope")}) == 1
    assert len({row[3] for row in _rows(sqlite_store, "envelope")}) == 1, "one size class"


def test_rows_of_items_hold_no_number_but_month_size_and_count(relay_store: Store) -> None:
    """Every integer in the rows is explained: there is no place where a time could hide."""
    puts = [put_envelope(relay_store) for _ in range(5)]
    dispatch(relay_store, ANNA, 1, slots=[(new_mailbox(), new_page())])
    dispatch(relay_store, BEN, 1, acknowledgements=[put.proof for put in puts[:2]])
    for row in _rows(relay_store, "envelope"):
        _id, _memo, _token, size, _digest, _crc, proven, acknowledged, expiry, _content = row
        assert (size, expiry) == (16_384, THIS_MONTH + 24)
        assert (proven, acknowledged) == (0, 0), "Anna's acknowledgement is missing"
    assert {place % CONTENT_CHUNKS for place, _ciphertext in _rows(relay_store, "chunk")} == {0}
    assert {(row[1], row[3]) for row in _rows(relay_store, "slot")} == {
        (0, THIS_MONTH),
        (1, THIS_MONTH),
    }


def test_disk_after_one_acknowledgement_does_not_tell_that_she_could_not_open_it(
    tmp_path: Path,
) -> None:
    """Whether Anna was left out or has not brought a dispatch yet: the rows are the same."""
    worlds = []
    for brought in (True, False):
        folder = tmp_path / str(brought)
        folder.mkdir()
        store = open_store(f"sqlite:///{folder / 'relay.sqlite'}")
        add_people(store, ANNA, BEN)
        put = put_envelope(store)
        dispatch(store, ANNA, 1, acknowledgements=[put.noise] if brought else [])
        (row,) = _rows(store, "envelope")
        worlds.append((row[6], row[7]))
        store.close()
    assert worlds[0] == worlds[1]


@pytest.mark.parametrize("finished", [False, True], ids=["one dispatch is missing", "all came"])
def test_disk_does_not_tell_who_could_not_open_an_older_envelope_though_newer_ones_were_read(
    tmp_path: Path, finished: bool
) -> None:
    """Ben brings a dispatch for two envelopes of different months and can open both, or one.

    Her bundle held the older one too, so an acknowledgement of the newer alone would tell.
    """
    worlds = []
    for opens in (True, False):
        folder = tmp_path / str(opens)
        folder.mkdir()
        store = open_store(f"sqlite:///{folder / 'relay.sqlite'}")
        add_people(store, ANNA, BEN)
        older, newer = put_envelope(store, month=THIS_MONTH - 1), put_envelope(store)
        hers = [older.proof if opens else older.noise, newer.proof]
        dispatch(store, BEN, 1, acknowledgements=hers)
        if finished:
            dispatch(store, ANNA, 1, acknowledgements=[older.proof, newer.proof])
            assert store.envelopes_to_carry(leaving=0) == ()
        worlds.append(sorted(row[6:9] for row in _rows(store, "envelope")))
        store.close()
    assert worlds[0] == worlds[1]


def test_nothing_is_written_at_submission_that_names_a_mailbox(sqlite_store: Store) -> None:
    people = [Counselor.make(name).join(sqlite_store) for name in ("anna", "ben")]
    report = send_report(sqlite_store, RelayId(new_key("relay").fingerprint), people, people)
    assert sqlite_store.mailbox_count() == 0
    disk = image(sqlite_store)
    mailbox: MailboxId = report.mailbox
    assert report.envelope in disk
    assert mailbox not in disk
    assert report.reply_public[:32] not in disk
    assert report.voice_public not in disk
    assert report.read_token not in disk


def _rows(store: Store, name: str) -> list[tuple[object, ...]]:
    with store._reading() as connection:
        return [tuple(row) for row in connection.exec_driver_sql(f"SELECT * FROM {name}")]  # noqa: S608  our names


def _shape(row: tuple[object, ...]) -> tuple[object, ...]:
    return tuple(len(value) if isinstance(value, bytes) else type(value).__name__ for value in row)
