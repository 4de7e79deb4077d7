"""Cover: as many as chance says, sealed like reports, open to at least one."""

import math
from collections import Counter

import pytest
from counselor import TODAY, Counselor, new_key, send_report
from shelf import read_whole

from protocol.envelope import Kind
from protocol.names import EnvelopeId, RecipientName, RelayId
from relay import cover
from relay.cover import draw_readers, make_cover, poisson
from relay.settings import Settings
from relay.store import Store

RELAY = RelayId(new_key("relay").fingerprint)
PEOPLE = [Counselor.make(name) for name in ("anna", "ben", "cara")]
RECIPIENTS = [(one.name, one.certificate) for one in PEOPLE]


def make(store: Store, settings: Settings) -> int:
    return make_cover(
        store,
        settings,
        relay=RELAY,
        recipients=RECIPIENTS,
        policy=("generic", "1"),
        today=TODAY,
    )


@pytest.mark.claim("C2")
@pytest.mark.parametrize("mean", [0.5, 4.0, 20.0])
def test_number_of_covers_drawn_often_follows_poisson(mean: float) -> None:
    draws = 20_000
    seen = Counter(poisson(mean) for _ in range(draws))
    average = sum(number * count for number, count in seen.items()) / draws
    spread = sum((number - average) ** 2 * count for number, count in seen.items()) / draws
    # Six standard errors: one false alarm in hundreds of millions of runs.
    assert abs(average - mean) < 6 * math.sqrt(mean / draws)
    assert abs(spread / mean - 1) < 0.15
    none = math.exp(-mean) * draws
    assert abs(seen[0] - none) < 6 * math.sqrt(none) + 6


def test_no_cover_is_made_when_the_mean_is_zero(sqlite_store: Store) -> None:
    assert make(sqlite_store, Settings(cover_mean=0.0)) == 0
    assert sqlite_store.envelopes_to_carry(leaving=0) == ()


@pytest.mark.claim("C2")
def test_readers_of_cover_are_any_part_of_the_people_but_none() -> None:
    names = [RecipientName(name) for name in ("anna", "ben", "cara")]
    seen = Counter(draw_readers(names) for _ in range(7_000))
    assert len(seen) == 7, "every part of three but the empty one"
    assert all(abs(count - 1_000) < 200 for count in seen.values())


@pytest.mark.claim("C2")
def test_cover_is_opened_by_its_readers_only_and_says_that_it_is_cover(
    sqlite_store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cover, "poisson", lambda _mean: 12)
    assert make(sqlite_store, Settings()) == 12
    for held in sqlite_store.envelopes_to_carry(leaving=0):
        sealed = read_whole(sqlite_store, held.id)
        opened = {one.name: one.open(sealed, EnvelopeId(held.id), RELAY) for one in PEOPLE}
        (said,) = {envelope.report for envelope in opened.values() if envelope is not None}
        assert said.kind is Kind.COVER
        assert {name for name, envelope in opened.items() if envelope} == set(said.readers)
        assert set(said.left_out) == {one.name for one in PEOPLE} - set(said.readers)


@pytest.mark.claim("C2")
def test_cover_and_a_report_on_the_disk_have_rows_of_one_shape(
    sqlite_store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cover, "poisson", lambda _mean: 40)
    make(sqlite_store, Settings())
    report = send_report(sqlite_store, RELAY, PEOPLE, PEOPLE[:1])
    with sqlite_store._reading() as connection:
        rows = connection.exec_driver_sql("SELECT * FROM envelope").all()
    shapes = Counter(
        tuple(len(value) if isinstance(value, bytes) else type(value) for value in row)
        for row in rows
    )
    assert len(shapes) == 1
    classes = Counter(row.size_bytes for row in rows if row.id != report.envelope)
    (size_of_report,) = {row.size_bytes for row in rows if row.id == report.envelope}
    assert classes.most_common(1)[0][0] == size_of_report
    assert {row.expiry for row in rows} == {rows[0].expiry}
