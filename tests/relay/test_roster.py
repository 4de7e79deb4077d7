"""The roster: a key that stops being valid closes the door while the relay runs."""

from datetime import timedelta

import pytest
from counselor import NOW, Counselor

from protocol.errors import KeyMaterialError
from protocol.names import Fingerprint, RecipientName
from relay.roster import Roster, valid_recipients
from relay.store import Store, open_store


def test_roster_gives_valid_recipients_in_fixed_order(sqlite_store: Store) -> None:
    names = [Counselor.make(name).join(sqlite_store).name for name in ("cara", "anna", "ben")]
    found = valid_recipients(sqlite_store, NOW)
    assert [name for name, _ in found] == names


def test_roster_without_recipients_is_closed(sqlite_store: Store) -> None:
    with pytest.raises(KeyMaterialError):
        valid_recipients(sqlite_store, NOW)


def test_certificate_that_expires_while_the_relay_runs_is_left_out(sqlite_store: Store) -> None:
    Counselor.make("anna").join(sqlite_store)
    Counselor.make("ben", NOW + timedelta(days=2)).join(sqlite_store)
    roster = Roster(store=sqlite_store)
    assert len(roster.valid(NOW)) == 2
    later = NOW + timedelta(days=3)
    assert [name for name, _ in roster.valid(later)] == ["anna"]
    ((name, reason),) = roster.refused(later)
    assert name == "ben"
    assert reason


def test_last_certificate_that_expires_closes_the_site(sqlite_store: Store) -> None:
    Counselor.make("ben", NOW + timedelta(days=2)).join(sqlite_store)
    roster = Roster(store=sqlite_store)
    roster.valid(NOW)
    with pytest.raises(KeyMaterialError):
        roster.valid(NOW + timedelta(days=3))


def test_certificate_under_another_fingerprint_is_left_out(sqlite_store: Store) -> None:
    anna, ben = Counselor.make("anna"), Counselor.make("ben")
    anna.join(sqlite_store)
    sqlite_store.add_recipient(RecipientName("ben"), ben.key.certificate, Fingerprint("A" * 40))
    assert [name for name, _ in valid_recipients(sqlite_store, NOW)] == ["anna"]


def test_recipient_added_by_another_process_is_seen_at_once(
    sqlite_store: Store, sqlite_url: str
) -> None:
    Counselor.make("anna").join(sqlite_store)
    roster = Roster(store=sqlite_store)
    assert len(roster.valid(NOW)) == 1
    console = open_store(sqlite_url)
    Counselor.make("ben").join(console)
    console.close()
    assert len(roster.valid(NOW)) == 2


def test_roster_asked_twice_in_an_hour_verifies_once(sqlite_store: Store) -> None:
    Counselor.make("anna").join(sqlite_store)
    roster = Roster(store=sqlite_store)
    first = roster.valid(NOW)
    assert roster.valid(NOW + timedelta(minutes=10)) is first
    assert roster.valid(NOW + timedelta(hours=1)) is not first
