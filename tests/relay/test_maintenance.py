"""Maintenance: what may leave leaves at the month's end, nothing unproven ever does."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from counselor import NOW, new_key
from shelf import (
    ANNA,
    BEN,
    EXPIRY_MONTHS,
    THIS_MONTH,
    TODAY,
    Put,
    add_people,
    dispatch,
    new_mailbox,
    new_page,
    new_put,
    put_envelope,
    read_whole,
    row_for,
)

from protocol.errors import StorageError
from relay.clockwork import Clockwork
from relay.deployment import init_deployment, open_deployment
from relay.maintenance import maintain
from relay.rows import Cut
from relay.settings import Settings
from relay.store import Store
from relay.store_contents import ContentWriter

SETTINGS = Settings(cover_mean=0.0)
NEXT_MONTH = datetime(2026, 12, 1, 0, 5, tzinfo=UTC)


def in_months(months: int) -> datetime:
    """The first day of a month, so many after the one of the fixtures."""
    month = THIS_MONTH + months
    return datetime(month // 12, month % 12 + 1, 1, 0, 5, tzinfo=UTC)


def read_by(store: Store, put: Put, *names: str) -> None:
    """Let people acknowledge: the first one opened it, the others could not."""
    serials = {one.name: one.last_serial for one in store.recipients()}
    for name, serial in serials.items():
        if name in names:
            given = put.proof if name == names[0] else put.noise
            dispatch(store, name, serial + 1, acknowledgements=[given])


@pytest.fixture
def relay_store(store: Store) -> Store:
    add_people(store, ANNA, BEN)
    maintain(store, SETTINGS, NOW)
    return store


def test_content_read_by_all_leaves_at_the_months_end_and_its_memo_stays(
    relay_store: Store,
) -> None:
    put = put_envelope(relay_store)
    read_by(relay_store, put, ANNA, BEN)
    assert maintain(relay_store, SETTINGS, NOW) is None, "not before the month's end"
    assert read_whole(relay_store, put.id) == put.ciphertext
    purge = maintain(relay_store, SETTINGS, NEXT_MONTH)
    assert purge is not None
    assert purge.contents == 1
    assert relay_store.find_held(put.id) is None
    assert relay_store.read_memo(put.id) == put.memo
    assert relay_store.held_bytes() == 0


@pytest.mark.claim("C3")
@pytest.mark.clause("P36")
@pytest.mark.parametrize("months", [1, EXPIRY_MONTHS, 10 * EXPIRY_MONTHS])
def test_content_that_nobody_has_proven_to_read_never_leaves(
    relay_store: Store, months: int
) -> None:
    put = put_envelope(relay_store)
    for serial, name in ((1, ANNA), (1, BEN)):
        dispatch(relay_store, name, serial, acknowledgements=[put.noise])
    purge = maintain(relay_store, SETTINGS, in_months(months))
    assert purge is not None
    assert purge.contents == purge.rows == 0
    assert purge.unproven == (months >= EXPIRY_MONTHS)
    assert read_whole(relay_store, put.id) == put.ciphertext


def test_content_proven_by_one_waits_for_the_others_until_it_is_old(relay_store: Store) -> None:
    put = put_envelope(relay_store)
    read_by(relay_store, put, ANNA)
    maintain(relay_store, SETTINGS, in_months(SETTINGS.retention_months - 1))
    assert relay_store.find_held(put.id) is not None
    maintain(relay_store, SETTINGS, in_months(SETTINGS.retention_months))
    assert relay_store.find_held(put.id) is None
    assert relay_store.has_envelope(put.id)


def test_retired_recipient_is_not_waited_for(relay_store: Store) -> None:
    put = put_envelope(relay_store)
    read_by(relay_store, put, ANNA)
    relay_store.retire_recipient(BEN)
    maintain(relay_store, SETTINGS, NEXT_MONTH)
    assert relay_store.find_held(put.id) is None


def test_content_of_the_current_bundle_stays_for_those_who_are_downloading(
    relay_store: Store,
) -> None:
    put = put_envelope(relay_store)
    carried = relay_store.envelopes_to_carry(leaving=0)
    relay_store.save_cut(
        Cut(number=1, day=TODAY, hour=18, head=b"", signature=b"", envelopes=carried)
    )
    read_by(relay_store, put, ANNA, BEN)
    maintain(relay_store, SETTINGS, NEXT_MONTH)
    assert read_whole(relay_store, put.id) == put.ciphertext


def test_row_whose_content_is_gone_goes_at_its_expiry(relay_store: Store) -> None:
    put = put_envelope(relay_store)
    read_by(relay_store, put, ANNA, BEN)
    maintain(relay_store, SETTINGS, in_months(EXPIRY_MONTHS - 1))
    assert relay_store.has_envelope(put.id)
    purge = maintain(relay_store, SETTINGS, in_months(EXPIRY_MONTHS))
    assert purge is not None
    assert purge.rows == 1
    assert not relay_store.has_envelope(put.id)


def test_mailbox_that_no_desk_lists_any_more_goes(relay_store: Store) -> None:
    listed, forgotten = new_mailbox(), new_mailbox()
    dispatch(relay_store, ANNA, 1, slots=[(listed, new_page()), (forgotten, new_page())])
    dispatch(relay_store, BEN, 1, slots=[(listed, new_page())], month=THIS_MONTH + 6)
    maintain(relay_store, SETTINGS, in_months(SETTINGS.unlisted_months - 1))
    assert relay_store.slots_of(forgotten)
    purge = maintain(relay_store, SETTINGS, in_months(SETTINGS.unlisted_months))
    assert purge is not None
    assert purge.mailboxes == 2, "a slot for each of two recipients"
    assert relay_store.slots_of(forgotten) == {}
    assert len(relay_store.slots_of(listed)) == 2


def test_maintenance_while_an_upload_runs_lets_it_finish(relay_store: Store) -> None:
    put = new_put(3 * 1024 * 1024)
    writer = ContentWriter(store=relay_store)
    row = row_for(writer, put, THIS_MONTH + EXPIRY_MONTHS)
    maintain(relay_store, SETTINGS, NEXT_MONTH)
    relay_store.commit_envelope(row)
    assert read_whole(relay_store, put.id) == put.ciphertext


@pytest.mark.claim("C2")
def test_file_times_after_maintenance_are_the_start_of_the_day(
    sqlite_store: Store, tmp_path: Path
) -> None:
    put_envelope(sqlite_store)
    for now in (NOW, NOW + timedelta(days=1)):  # whether or not anything came between
        maintain(sqlite_store, SETTINGS, now, folder=tmp_path)
        midnight = datetime(now.year, now.month, now.day, tzinfo=UTC).timestamp()
        names = [f"relay.sqlite{end}" for end in ("", "-wal", "-shm")]
        found = [(tmp_path / name).stat() for name in names]
        assert {(one.st_mtime, one.st_atime) for one in found} == {(midnight, midnight)}
        assert tmp_path.stat().st_mtime == midnight


def test_clockwork_cuts_at_the_hours_and_keeps_house_once_a_day(tmp_path: Path) -> None:
    data = tmp_path / "data"
    init_deployment(data, now=NOW, settings=SETTINGS)
    relay = open_deployment(data)
    key = new_key("anna")
    relay.store.add_recipient(ANNA, key.certificate, key.fingerprint)
    clock = iter([NOW, NOW + timedelta(hours=1), NOW + timedelta(hours=3), NEXT_MONTH])
    works = Clockwork(deployment=relay, clock=lambda: next(clock))
    numbers, purged = [], []
    for _ in range(4):
        works.run_due()
        last = relay.store.last_cut()
        assert last is not None
        numbers.append(last[0])
        purged.append(relay.store.purged_month())
    assert numbers == [1, 1, 2, 3]
    assert purged == [THIS_MONTH] * 3 + [THIS_MONTH + 1]
    relay.close()


def test_clockwork_goes_on_when_a_clock_that_was_years_ahead_is_set_right(tmp_path: Path) -> None:
    data = tmp_path / "data"
    init_deployment(data, now=NOW, settings=Settings())
    relay = open_deployment(data)
    key = new_key("anna")
    relay.store.add_recipient(ANNA, key.certificate, key.fingerprint)
    clock = iter([NOW + timedelta(days=3650), NOW, NOW + timedelta(seconds=30)])
    works = Clockwork(deployment=relay, clock=lambda: next(clock))
    cuts = []
    for _ in range(3):
        works.run_due()
        last = relay.store.last_cut()
        assert last is not None
        cuts.append(last[:2])
    assert cuts == [(1, NOW.date() + timedelta(days=3650)), (2, NOW.date()), (2, NOW.date())]
    assert relay.store.purged_month() == THIS_MONTH
    relay.close()


def test_clockwork_stopped_ends_its_thread(tmp_path: Path) -> None:
    data = tmp_path / "data"
    init_deployment(data, now=NOW, settings=SETTINGS)
    relay = open_deployment(data)
    works = Clockwork(deployment=relay, clock=lambda: NOW)
    works.start()
    works.stop()
    assert works._thread is not None
    assert not works._thread.is_alive()
    relay.close()


def test_clockwork_whose_maintenance_fails_tries_again_in_the_next_hour_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = tmp_path / "data"
    init_deployment(data, now=NOW, settings=SETTINGS)
    relay = open_deployment(data)
    tries: list[datetime] = []

    def fail(_store: Store, _settings: Settings, now: datetime, **_: Path) -> None:
        tries.append(now)
        raise StorageError("The disk is full.")

    monkeypatch.setattr("relay.clockwork.maintain", fail)
    moments = [NOW, NOW + timedelta(minutes=1), NOW + timedelta(hours=1)]
    clock = iter(moments)
    works = Clockwork(deployment=relay, clock=lambda: next(clock))
    for expected in (True, False, True):
        if expected:
            with pytest.raises(StorageError):
                works.run_due()
        else:
            works.run_due()
    assert tries == [moments[0], moments[2]]
    relay.close()
