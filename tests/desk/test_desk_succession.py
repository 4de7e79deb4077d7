"""A new key follows the old one: carried by a dispatch, taken over when a bundle lists it."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from relayside import (
    MADE,
    NOW,
    PASSPHRASE,
    Counselor,
    FakeRelay,
    SealedEnvelope,
    make_desk,
    open_page,
)

from desk import succession
from desk.backup import back_up, restore
from desk.casework.colleagues import colleagues, confirm_colleague, learn_colleagues
from desk.casework.expiry import expiry_warnings
from desk.desk import read_desk
from desk.exporting import export_dispatch, plan_dispatch
from desk.importing import ImportReport, import_bundle, verify_bundle
from desk.keyring import KeptKey, own_fingerprints
from desk.records import CaseRecord, EnvelopeRecord, EnvelopeState
from desk.replies import queue_reply
from desk.succession import her_keys, propose_successor, withdraw_successor
from desk.unlocking import open_vault, open_with
from desk.vault import Vault
from keys.certificate import read_certificate
from keys.secretkey import generate_secret_key, read_secret_key
from protocol.archive import ArchiveReader
from protocol.bundle import BundleHead
from protocol.derivation import ReporterKeys, generate_throwaway_keys
from protocol.errors import AuthenticityError, KeyMaterialError, StorageError
from protocol.sealing import read_sealed

NEW = "new words for a new key"
LATER = NOW + timedelta(hours=1)


def key_pair(name: str, passphrase: str = NEW, expires: datetime | None = None) -> Counselor:
    armored = generate_secret_key(
        user_id=name, passphrase=passphrase, created=MADE, expires=expires
    )
    return Counselor.of(name, armored, read_secret_key(armored, passphrase))


@pytest.fixture(scope="session")
def next_anna() -> Counselor:
    """The same counselor with the key that shall follow."""
    return key_pair("anna")


@pytest.fixture
def proposed(desk: Vault, relay: FakeRelay, bundle: Path, next_anna: Counselor) -> Vault:
    """Give a desk that knows its name and has a successor waiting."""
    import_bundle(desk, relay.cut(bundle, []), now=NOW)
    propose(desk, next_anna)
    return desk


def propose(desk: Vault, whom: Counselor, former: str = PASSPHRASE) -> None:
    propose_successor(
        desk, key_file=whom.armored, passphrase=NEW, former_passphrase=former, now=NOW
    )


def listing(relay: FakeRelay, whom: Counselor) -> FakeRelay:
    """Let the relay list this certificate in place of the one of the same name."""
    relay.counselors = [whom if one.name == whom.name else one for one in relay.counselors]
    return relay


def opens(whom: Counselor, sealed: SealedEnvelope) -> bool:
    message = read_sealed(lambda: [sealed.ciphertext])
    return whom.secret_key.open_lock(message.locks) is not None


def gone_over(desk: Vault, relay: FakeRelay, whom: Counselor, bundle: Path) -> ImportReport:
    export_dispatch(desk, bundle.with_name("dispatch"), now=NOW)
    relay.serials[whom.name] = read_desk(desk).serial
    return import_bundle(desk, listing(relay, whom).cut(bundle, [], number=2), now=LATER)


def test_a_dispatch_carries_the_new_certificate_signed_with_the_old_key(
    proposed: Vault, relay: FakeRelay, anna: Counselor, next_anna: Counselor, dispatch: Path
) -> None:
    new = next_anna.secret_key.fingerprint
    assert plan_dispatch(proposed, now=NOW, without_backup=False).successor == new
    for serial in (1, 2):
        export_dispatch(proposed, dispatch, now=NOW)
        head = relay.read_dispatch(dispatch, anna).head
        assert (head.serial, head.successor is not None) == (serial, True)
        assert head.successor and read_certificate(head.successor).fingerprint == new
    assert read_desk(proposed).successor_serial == 1


def test_the_desk_goes_over_when_a_bundle_lists_the_new_key(
    proposed: Vault, relay: FakeRelay, next_anna: Counselor, bundle: Path
) -> None:
    report = gone_over(proposed, relay, next_anna, bundle)
    new = next_anna.secret_key.fingerprint
    assert report.told == []
    assert any(new[:4] in note and new[-4:] in note for note in report.notes)
    assert read_desk(proposed).fingerprint == new
    assert proposed.secret_key.fingerprint == new
    export_dispatch(proposed, bundle, now=LATER)
    head = relay.read_dispatch(bundle, next_anna).head
    assert (head.serial, head.successor) == (2, None)


def test_after_the_succession_only_the_new_key_unlocks_the_desk(
    proposed: Vault, relay: FakeRelay, anna: Counselor, next_anna: Counselor, bundle: Path
) -> None:
    gone_over(proposed, relay, next_anna, bundle)
    folder = proposed.directory
    with open_vault(folder, NEW) as again:
        assert again.secret_key.fingerprint == next_anna.secret_key.fingerprint
        assert [what for what, _ in her_keys(again)] == ["signs", "opens what is older"]
    with pytest.raises(KeyMaterialError):
        open_vault(folder, PASSPHRASE)
    with pytest.raises(AuthenticityError):
        open_with(folder, anna.secret_key)


def test_a_session_that_was_open_before_goes_on_with_the_new_key(
    proposed: Vault, relay: FakeRelay, next_anna: Counselor, bundle: Path
) -> None:
    with open_vault(proposed.directory, PASSPHRASE) as request:
        kept = request.secret_key
    gone_over(proposed, relay, next_anna, bundle)
    with open_with(proposed.directory, kept) as again:
        assert again.secret_key.fingerprint == next_anna.secret_key.fingerprint


def test_what_is_sealed_to_the_old_key_and_comes_late_is_read(
    *,
    proposed: Vault,
    relay: FakeRelay,
    anna: Counselor,
    next_anna: Counselor,
    reporter: ReporterKeys,
    bundle: Path,
) -> None:
    late = relay.send(reporter)
    gone_over(proposed, relay, next_anna, bundle)
    newer = relay.send(reporter, relay.follow_up(reporter, text="To the new key."))
    assert [opens(next_anna, one) for one in (late, newer)] == [False, True]
    assert [opens(anna, one) for one in (late, newer)] == [True, False]
    with open_vault(proposed.directory, NEW) as desk:
        report = import_bundle(desk, relay.cut(bundle, [late, newer], number=3), now=LATER)
        assert len(report.arrivals) == 2
        (case,) = desk.all(CaseRecord)
        assert len(case.items) == 2


def test_whoever_left_her_out_stays_closed_to_the_old_key_and_the_new(
    proposed: Vault, relay: FakeRelay, next_anna: Counselor, bundle: Path
) -> None:
    before = relay.send(generate_throwaway_keys(), blind=["anna"])
    gone_over(proposed, relay, next_anna, bundle)
    after = relay.send(generate_throwaway_keys(), blind=["anna"])
    report = import_bundle(proposed, relay.cut(bundle, [before, after], number=3), now=LATER)
    assert (report.arrivals, report.told) == ([], [])
    assert {one.state for one in proposed.all(EnvelopeRecord)} == {EnvelopeState.UNOPENED}


def head_of(desk: Vault, bundle: Path) -> BundleHead:
    data = bundle.read_bytes()
    return verify_bundle(
        desk, ArchiveReader(lambda at, n: data[at : at + n], len(data)), now=NOW
    ).head


def test_a_late_stick_is_told_and_loses_nothing(
    proposed: Vault, relay: FakeRelay, anna: Counselor, bundle: Path, dispatch: Path
) -> None:
    report = import_bundle(proposed, relay.cut(bundle, [], number=2), now=NOW)
    assert any("next dispatch brings" in one for one in report.notes)
    export_dispatch(proposed, dispatch, now=NOW)
    report = import_bundle(proposed, relay.cut(bundle, [], number=3), now=NOW)
    assert any("late, or it was refused" in one for one in report.told)
    export_dispatch(proposed, dispatch, now=NOW)
    assert relay.read_dispatch(dispatch, anna).head.successor is not None


def test_a_relay_that_took_the_dispatch_and_not_the_key_is_told(
    proposed: Vault, relay: FakeRelay, anna: Counselor, bundle: Path, dispatch: Path
) -> None:
    export_dispatch(proposed, dispatch, now=NOW)
    relay.read_dispatch(dispatch, anna)
    report = import_bundle(proposed, relay.cut(bundle, [], number=2), now=NOW)
    assert any("lists the old one still" in one for one in report.told)
    assert proposed.secret_key.fingerprint == anna.secret_key.fingerprint


def test_a_key_that_this_desk_never_proposed_is_told_and_not_taken(
    proposed: Vault, relay: FakeRelay, anna: Counselor, bundle: Path
) -> None:
    stranger = key_pair("anna")
    report = import_bundle(proposed, listing(relay, stranger).cut(bundle, [], number=2), now=NOW)
    assert any(stranger.secret_key.fingerprint[:4] in one for one in report.told)
    assert read_desk(proposed).fingerprint == anna.secret_key.fingerprint
    learn_colleagues(proposed, head_of(proposed, bundle))
    assert [one.name for one in colleagues(proposed)] == ["berta"]


def test_a_relay_that_was_set_back_to_the_old_key_is_told(
    proposed: Vault, relay: FakeRelay, anna: Counselor, next_anna: Counselor, bundle: Path
) -> None:
    gone_over(proposed, relay, next_anna, bundle)
    report = import_bundle(proposed, listing(relay, anna).cut(bundle, [], number=3), now=LATER)
    assert any("it was set back" in one for one in report.told)
    assert proposed.secret_key.fingerprint == next_anna.secret_key.fingerprint


def test_a_second_successor_replaces_the_first_which_the_relay_may_still_have_taken(
    proposed: Vault, relay: FakeRelay, next_anna: Counselor, bundle: Path, dispatch: Path
) -> None:
    export_dispatch(proposed, dispatch, now=NOW)
    another = key_pair("anna")
    propose(proposed, another)
    report = import_bundle(proposed, listing(relay, next_anna).cut(bundle, [], number=2), now=NOW)
    assert report.told == []
    assert proposed.secret_key.fingerprint == next_anna.secret_key.fingerprint
    assert read_desk(proposed).successor == another.secret_key.fingerprint
    export_dispatch(proposed, dispatch, now=LATER)
    head = relay.read_dispatch(dispatch, next_anna).head
    assert head.successor and (
        read_certificate(head.successor).fingerprint == another.secret_key.fingerprint
    )


def test_a_proposal_can_be_withdrawn_until_a_dispatch_carried_it(
    proposed: Vault, relay: FakeRelay, anna: Counselor, next_anna: Counselor, dispatch: Path
) -> None:
    withdraw_successor(proposed)
    export_dispatch(proposed, dispatch, now=NOW)
    assert relay.read_dispatch(dispatch, anna).head.successor is None
    with pytest.raises(StorageError, match="No key is waiting"):
        withdraw_successor(proposed)
    propose(proposed, next_anna)
    export_dispatch(proposed, dispatch, now=NOW)
    with pytest.raises(StorageError, match="may have"):
        withdraw_successor(proposed)


def test_a_key_that_cannot_follow_is_refused_and_changes_nothing(
    desk: Vault, relay: FakeRelay, anna: Counselor, next_anna: Counselor
) -> None:
    yesterday = NOW - timedelta(days=1)
    expired = generate_secret_key(user_id="x", passphrase=NEW, created=MADE, expires=yesterday)
    naked = generate_secret_key(user_id="x", passphrase=None, created=MADE, expires=None)
    refused: list[tuple[bytes, str, str]] = [
        (anna.armored, PASSPHRASE, PASSPHRASE),
        (expired, NEW, PASSPHRASE),
        (naked, "", PASSPHRASE),
        (next_anna.armored, "wrong", PASSPHRASE),
        (next_anna.armored, NEW, "wrong"),
    ]
    for file, passphrase, former in refused:
        with pytest.raises(KeyMaterialError):
            propose_successor(
                desk, key_file=file, passphrase=passphrase, former_passphrase=former, now=NOW
            )
    assert read_desk(desk).successor is None
    assert list(desk.all(KeptKey)) == []


def test_a_former_key_does_not_come_back(
    proposed: Vault, relay: FakeRelay, anna: Counselor, next_anna: Counselor, bundle: Path
) -> None:
    gone_over(proposed, relay, next_anna, bundle)
    with pytest.raises(KeyMaterialError, match="was before"):
        propose_successor(
            proposed,
            key_file=anna.armored,
            passphrase=PASSPHRASE,
            former_passphrase=NEW,
            now=LATER,
        )


class PowerCut(Exception):
    """The plug was pulled here."""


@pytest.mark.parametrize(
    ("broken", "call", "passphrase"),
    [
        ("reseal", 1, PASSPHRASE),
        ("write_whole", 1, PASSPHRASE),
        ("read_desk", 2, NEW),
        ("reseal", 2, NEW),
    ],
    ids=["before anything", "before the key file", "before the record", "before the end"],
)
def test_a_power_cut_anywhere_in_the_succession_locks_nobody_out(
    *,
    proposed: Vault,
    relay: FakeRelay,
    next_anna: Counselor,
    reporter: ReporterKeys,
    bundle: Path,
    broken: str,
    call: int,
    passphrase: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    late = relay.send(reporter)
    real: Callable[..., object] = getattr(succession, broken)
    calls: list[object] = []

    def pulled(*args: object, **named: object) -> object:
        calls.append(args)
        if len(calls) == call:
            raise PowerCut
        return real(*args, **named)

    export_dispatch(proposed, bundle, now=NOW)
    listing(relay, next_anna).cut(bundle, [], number=2)
    with monkeypatch.context() as plug, pytest.raises(PowerCut):
        plug.setattr(succession, broken, pulled)
        import_bundle(proposed, bundle, now=LATER)
    proposed.close()

    with open_vault(proposed.directory, passphrase) as desk:
        relay.cut(bundle, [late], number=2)
        report = import_bundle(desk, relay.cut(bundle, [late], number=3), now=LATER)
        assert len(report.arrivals) == 1
        assert read_desk(desk).fingerprint == next_anna.secret_key.fingerprint
    with open_vault(proposed.directory, NEW) as desk:
        assert desk.secret_key.fingerprint == next_anna.secret_key.fingerprint


def test_a_backup_from_before_takes_the_new_key_by_hand_and_reads_both(
    *,
    desk: Vault,
    relay: FakeRelay,
    next_anna: Counselor,
    reporter: ReporterKeys,
    bundle: Path,
    tmp_path: Path,
) -> None:
    late = relay.send(reporter)
    import_bundle(desk, relay.cut(bundle, []), now=NOW)
    back_up(desk, tmp_path / "stick", now=NOW)
    listing(relay, next_anna)
    newer = relay.send(generate_throwaway_keys())
    with restore(tmp_path / "stick", tmp_path / "again", passphrase=PASSPHRASE) as again:
        relay.cut(bundle, [late, newer], number=2)
        report = import_bundle(again, bundle, now=LATER)
        assert len(report.arrivals) == 1
        assert any("give it to this desk" in one for one in report.told)
        propose(again, next_anna)
        report = import_bundle(again, relay.cut(bundle, [late, newer], number=3), now=LATER)
        assert again.secret_key.fingerprint == next_anna.secret_key.fingerprint


def test_a_backup_from_between_goes_over_by_itself_with_the_next_bundle(
    *,
    proposed: Vault,
    relay: FakeRelay,
    next_anna: Counselor,
    reporter: ReporterKeys,
    bundle: Path,
    tmp_path: Path,
) -> None:
    back_up(proposed, tmp_path / "stick", now=NOW)
    listing(relay, next_anna)
    newer = relay.send(reporter)
    with restore(tmp_path / "stick", tmp_path / "again", passphrase=PASSPHRASE) as again:
        report = import_bundle(again, relay.cut(bundle, [newer], number=2), now=LATER)
        assert len(report.arrivals) == 1
    with open_vault(tmp_path / "again", NEW) as again:
        assert read_desk(again).fingerprint == next_anna.secret_key.fingerprint


def test_the_same_stick_takes_backups_before_and_after_and_comes_back(
    *,
    proposed: Vault,
    relay: FakeRelay,
    next_anna: Counselor,
    reporter: ReporterKeys,
    bundle: Path,
    tmp_path: Path,
) -> None:
    late = relay.send(reporter)
    back_up(proposed, tmp_path / "stick", now=NOW)
    gone_over(proposed, relay, next_anna, bundle)
    back_up(proposed, tmp_path / "stick", now=LATER)
    with restore(tmp_path / "stick", tmp_path / "again", passphrase=NEW) as again:
        report = import_bundle(again, relay.cut(bundle, [late], number=3), now=LATER)
        assert len(report.arrivals) == 1


def test_a_stick_of_another_desk_is_still_refused(
    *,
    proposed: Vault,
    relay: FakeRelay,
    berta: Counselor,
    next_anna: Counselor,
    bundle: Path,
    tmp_path: Path,
) -> None:
    (tmp_path / "other").mkdir()
    make_desk(tmp_path / "other", berta, relay).close()
    gone_over(proposed, relay, next_anna, bundle)
    with pytest.raises(StorageError, match="something other"):
        back_up(proposed, tmp_path / "other" / "desk", now=LATER)


def test_nothing_of_either_secret_lies_readable_in_the_folder(
    proposed: Vault, relay: FakeRelay, next_anna: Counselor, bundle: Path
) -> None:
    gone_over(proposed, relay, next_anna, bundle)
    proposed.close()
    for file in proposed.directory.rglob("*"):
        if file.is_file():
            content = file.read_bytes()
            assert NEW.encode() not in content and PASSPHRASE.encode() not in content
            assert b"PRIVATE KEY" not in content or file.name == "key.asc"


def test_another_desk_asks_for_the_voice_again(
    desk: Vault, relay: FakeRelay, bundle: Path, tmp_path: Path
) -> None:
    relay.cut(bundle, [])
    import_bundle(desk, bundle, now=NOW)
    learn_colleagues(desk, head_of(desk, bundle))
    (berta,) = colleagues(desk)
    confirm_colleague(desk, "berta", berta.fingerprint, now=NOW)
    next_berta = key_pair("berta")
    listing(relay, next_berta).cut(bundle, [], number=2)
    import_bundle(desk, bundle, now=NOW)
    told = learn_colleagues(desk, head_of(desk, bundle))
    assert any("compare its fingerprint by voice" in one for one in told)
    (berta,) = colleagues(desk)
    assert (berta.fingerprint, berta.confirmed) == (next_berta.secret_key.fingerprint, None)


@pytest.mark.parametrize(
    ("days", "word"), [(61, None), (60, "In time"), (30, "Soon"), (7, "At once"), (0, "not hold")]
)
def test_the_end_of_a_colleagues_key_is_told_sixty_thirty_and_seven_days_before(
    desk: Vault, relay: FakeRelay, bundle: Path, days: int, word: str | None
) -> None:
    midnight = datetime(NOW.year, NOW.month, NOW.day, tzinfo=UTC)
    ending = key_pair("berta", expires=midnight + timedelta(days=days, hours=10))
    listing(relay, ending).cut(bundle, [])
    import_bundle(desk, bundle, now=NOW)
    learn_colleagues(desk, head_of(desk, bundle))
    later = NOW + timedelta(hours=2) if days == 0 else NOW
    told = expiry_warnings(desk, now=later)
    assert [word in one and "berta" in one for one in told] == ([True] if word else [])


def test_the_end_of_her_own_key_is_told_and_what_to_do(
    desk: Vault, relay: FakeRelay, next_anna: Counselor, bundle: Path
) -> None:
    import_bundle(desk, relay.cut(bundle, []), now=NOW)
    ending = key_pair("anna", expires=NOW + timedelta(days=20))
    propose(desk, ending)
    gone_over(desk, relay, ending, bundle)
    (told,) = expiry_warnings(desk, now=LATER)
    assert "Soon: your key ends in 20 days: let a new one follow." in told
    propose(desk, next_anna, former=NEW)
    (told,) = expiry_warnings(desk, now=LATER)
    assert "export, so that its successor goes" in told


def test_a_key_that_expired_is_followed_all_the_same(
    desk: Vault, relay: FakeRelay, next_anna: Counselor, reporter: ReporterKeys, bundle: Path
) -> None:
    import_bundle(desk, relay.cut(bundle, []), now=NOW)
    ending = key_pair("anna", expires=NOW + timedelta(days=20))
    propose(desk, ending)
    gone_over(desk, relay, ending, bundle)
    late = relay.send(reporter)
    propose(desk, next_anna, former=NEW)
    much_later = NOW + timedelta(days=40)
    listing(relay, next_anna).cut(bundle, [late], number=3, day=much_later.date())
    report = import_bundle(desk, bundle, now=much_later)
    assert len(report.arrivals) == 1
    assert desk.secret_key.fingerprint == next_anna.secret_key.fingerprint
    assert len(own_fingerprints(desk)) == 3


def test_a_reply_after_the_succession_is_sealed_and_signed_anew(
    proposed: Vault,
    relay: FakeRelay,
    next_anna: Counselor,
    reporter: ReporterKeys,
    bundle: Path,
) -> None:
    late = relay.send(reporter)
    gone_over(proposed, relay, next_anna, bundle)
    import_bundle(proposed, relay.cut(bundle, [late], number=3), now=LATER)
    (case,) = proposed.all(CaseRecord)
    queue_reply(proposed, case, "From the new key.", today=LATER.date())
    export_dispatch(proposed, bundle, now=LATER)
    page = open_page(relay.read_dispatch(bundle, next_anna), reporter)
    assert [one.text for one in page.replies] == ["From the new key."]
