"""Cuts: made by the timetable, the same to the byte, and complete."""

import hashlib
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from counselor import NOW, Counselor, new_key, send_report
from shelf import ANNA as ANNAS_NAME
from shelf import dispatch, put_envelope

from keys.signature import verify_detached
from protocol.archive import ArchiveReader
from protocol.bundle import BundleReader, read_bundle_head
from protocol.errors import AuthenticityError
from protocol.names import RelayId
from relay import cut as cutting
from relay.cut import Bundle, cut_if_due, cut_now, due, is_due, open_bundle, read_bundle
from relay.rows import Cut
from relay.settings import Settings
from relay.store import Store

RELAY_KEY = new_key("relay")
RELAY = RelayId(RELAY_KEY.fingerprint)
PLAIN = Settings(cover_mean=0.0)
MIDNIGHT = datetime(2026, 11, 20, tzinfo=UTC)


@pytest.fixture
def relay_store(sqlite_store: Store) -> Store:
    Counselor.make("anna").join(sqlite_store)
    Counselor.make("ben").join(sqlite_store)
    return sqlite_store


def cut(store: Store, now: datetime = NOW, settings: Settings = PLAIN) -> Cut:
    return cut_now(store, settings, RELAY_KEY, now, folder=_folder(store))


def _folder(store: Store) -> Path:
    assert store.sqlite_path is not None
    return store.sqlite_path.parent


def whole(store: Store) -> bytes:
    bundle = open_bundle(store)
    assert bundle is not None
    return b"".join(bundle.read(0, bundle.total_bytes))


def reader(store: Store) -> BundleReader:
    data = whole(store)
    return BundleReader(ArchiveReader(lambda at, length: data[at : at + length], len(data)))


def test_bundle_holds_a_signed_head_and_every_envelope(relay_store: Store) -> None:
    relay_store.set_policy("generic", "3")
    puts = {put.id: put.ciphertext for put in (put_envelope(relay_store) for _ in range(3))}
    cut(relay_store)
    bundle = reader(relay_store)
    head = read_bundle_head(
        verify_detached(
            bundle.head_bytes,
            bundle.signature,
            certificate=RELAY_KEY.certificate,
            pinned=RELAY_KEY.fingerprint,
            now=NOW,
        )
    )
    assert (head.relay, head.cut, head.day) == (RELAY, 1, NOW.date())
    assert (head.policy, head.policy_version) == ("generic", "3")
    assert head.serials == {"anna": 0, "ben": 0}
    assert [one.recipient for one in head.certificates] == ["anna", "ben"]
    assert {one.id: b"".join(bundle.read(one)) for one in head.envelopes} == puts
    assert bundle.missing == ()


@pytest.mark.claim("C7")
def test_bundle_is_opened_by_stock_unzip_and_its_head_verified_by_stock_gpg(
    relay_store: Store, tmp_path: Path
) -> None:
    put = put_envelope(relay_store)
    cut(relay_store)
    (tmp_path / "bundle.zip").write_bytes(whole(relay_store))
    (tmp_path / "relay.asc").write_bytes(RELAY_KEY.certificate)
    subprocess.run(["unzip", "-q", "bundle.zip"], cwd=tmp_path, check=True)
    stored = tmp_path / "envelopes" / f"{put.id.hex()}.pgp"
    assert stored.read_bytes() == put.ciphertext
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    gpg = ["gpg", "--homedir", str(home), "--batch", "--quiet", "--no-autostart"]
    subprocess.run([*gpg, "--import", "relay.asc"], cwd=tmp_path, check=True, capture_output=True)
    checked = subprocess.run(
        [*gpg, "--status-fd", "1", "--verify", "bundle.json.asc", "bundle.json"],
        cwd=tmp_path,
        check=True,
        capture_output=True,
        text=True,
    )
    assert f"VALIDSIG {RELAY_KEY.fingerprint}" in checked.stdout


@pytest.mark.claim("C2")
def test_bundle_asked_for_twice_within_a_cut_is_the_same_though_a_report_came(
    relay_store: Store,
) -> None:
    put_envelope(relay_store)
    cut(relay_store)
    first = whole(relay_store)
    put_envelope(relay_store)
    assert whole(relay_store) == first
    assert cut_if_due(relay_store, PLAIN, RELAY_KEY, NOW, folder=_folder(relay_store)) is None
    assert whole(relay_store) == first


def test_any_range_of_a_bundle_is_that_part_of_the_whole(relay_store: Store) -> None:
    for size in (16_384, 300_000):
        put_envelope(relay_store, size)
    cut(relay_store)
    data = whole(relay_store)
    bundle = open_bundle(relay_store)
    assert bundle is not None
    edges = sorted({edge for part in bundle._parts for edge in (part.start, part.stop)})
    for start in edges[:-1]:
        for stop in (start + 1, start + 20_000, len(data)):
            expected = data[start : min(stop, len(data))]
            assert b"".join(read_bundle(relay_store, start, stop)) == expected
            assert b"".join(bundle.read(max(0, start - 1), stop))[-len(expected) :] == expected


@pytest.mark.claim("C2")
def test_signature_of_a_head_carries_the_first_second_of_the_day(relay_store: Store) -> None:
    made = cut(relay_store)
    arguments = {"certificate": RELAY_KEY.certificate, "pinned": RELAY_KEY.fingerprint}
    verify_detached(made.head, made.signature, now=MIDNIGHT, **arguments)
    with pytest.raises(AuthenticityError):
        verify_detached(
            made.head, made.signature, now=MIDNIGHT - timedelta(days=1, hours=1), **arguments
        )
    assert RELAY_KEY.sign_detached(made.head, created=MIDNIGHT) == made.signature


@pytest.mark.parametrize(
    ("hour", "expected"), [(0, 0), (5, 0), (6, 6), (11, 6), (12, 12), (23, 18)]
)
def test_cut_of_the_timetable_is_the_latest_hour_that_has_come(hour: int, expected: int) -> None:
    now = MIDNIGHT + timedelta(hours=hour, minutes=59)
    assert due(Settings(), now) == (now.date(), expected)


def test_cut_is_due_at_the_fixed_hours_whether_or_not_anything_came(relay_store: Store) -> None:
    moments = [MIDNIGHT + timedelta(minutes=10 * step) for step in range(24 * 6 + 1)]
    made = []
    for now in moments:
        if (now.hour, now.minute) == (13, 30):
            put_envelope(relay_store)
        if cut_if_due(relay_store, PLAIN, RELAY_KEY, now, folder=_folder(relay_store)):
            made.append(now)
    assert [(now.day, now.hour, now.minute) for now in made] == [
        (20, 0, 0),
        (20, 6, 0),
        (20, 12, 0),
        (20, 18, 0),
        (21, 0, 0),
    ]


def test_cut_in_a_demonstration_is_due_only_when_something_changed(relay_store: Store) -> None:
    demo = Settings(demo=True)
    cut(relay_store, settings=demo)
    assert not is_due(relay_store, demo, NOW + timedelta(days=3))
    put_envelope(relay_store)
    assert is_due(relay_store, demo, NOW)
    cut(relay_store, settings=demo)
    dispatch(relay_store, ANNAS_NAME, 1)
    assert is_due(relay_store, demo, NOW)


@pytest.mark.claim("C2")
def test_cover_lies_in_the_cut_it_was_made_for(
    relay_store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("relay.cover.poisson", lambda _mean: 3)
    people = [Counselor.make("anna"), Counselor.make("ben")]
    report = send_report(relay_store, RELAY, people, people[:1])
    made = cut(relay_store, settings=Settings())
    ids = [one.id for one in read_bundle_head(made.head).envelopes]
    assert len(ids) == 4
    assert report.envelope in ids


def test_envelopes_beyond_one_archive_wait_for_the_next_with_a_warning(
    relay_store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    small = put_envelope(relay_store, 16_384)
    put_envelope(relay_store, 400_000)
    room = cutting.BUNDLE_HEAD_BYTES + cutting.CERTIFICATES_BYTES + 100_000
    monkeypatch.setattr(cutting, "ARCHIVE_BYTES", room)
    head = read_bundle_head(cut(relay_store).head)
    assert [one.id for one in head.envelopes] == [small.id]
    assert any("Not everything fits" in warning for warning in head.warnings)


def test_cut_without_a_valid_recipient_carries_what_waits_and_warns(sqlite_store: Store) -> None:
    Counselor.make("ben", NOW + timedelta(days=2)).join(sqlite_store)
    put = put_envelope(sqlite_store)
    made = cut(sqlite_store, NOW + timedelta(days=3), Settings(cover_mean=50.0))
    head = read_bundle_head(made.head)
    assert [one.id for one in head.envelopes] == [put.id]
    assert any("closed" in warning for warning in head.warnings)


@pytest.mark.parametrize(
    ("days", "said"), [(61, None), (60, "60 days"), (30, "30 days"), (7, "7 days")]
)
def test_certificate_that_expires_soon_is_told_to_the_operator(
    sqlite_store: Store, days: int, said: str | None
) -> None:
    Counselor.make("ben", NOW + timedelta(days=days)).join(sqlite_store)
    warnings = [one for one in _warnings(sqlite_store) if "expires" in one]
    assert [said in one for one in warnings] == ([] if said is None else [True])


@pytest.mark.clause("P36")
def test_envelope_that_nobody_has_read_for_long_is_told_to_the_operator(
    relay_store: Store,
) -> None:
    put_envelope(relay_store)
    later = NOW + timedelta(days=31)
    assert not any("waited" in one for one in _warnings(relay_store, later))
    later = NOW + timedelta(days=71)
    assert any("waited" in one for one in _warnings(relay_store, later))


def test_disk_that_is_nearly_full_is_told_to_the_operator(
    relay_store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = type("Usage", (), {"total": 100 << 30, "free": 9 << 30})
    monkeypatch.setattr("relay.watch.shutil.disk_usage", lambda _folder: usage)
    assert any("tenth" in one for one in _warnings(relay_store))
    usage.free = 1 << 20
    assert any("full" in one for one in _warnings(relay_store))


def _warnings(store: Store, now: datetime = NOW) -> tuple[str, ...]:
    return read_bundle_head(cut(store, now).head).warnings


def test_bundle_read_after_a_newer_cut_is_still_its_own_bytes(relay_store: Store) -> None:
    put_envelope(relay_store)
    former = Bundle(store=relay_store, cut=cut(relay_store))
    expected = hashlib.sha256(whole(relay_store)).digest()
    put_envelope(relay_store)
    cut(relay_store)
    read = b"".join(former.read(0, former.total_bytes))
    assert hashlib.sha256(read).digest() == expected
