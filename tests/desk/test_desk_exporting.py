"""What goes back: complete, signed, sealed, numbered; nothing forgotten too early."""

from datetime import timedelta
from pathlib import Path

import pytest
from relayside import DAY, NOW, Counselor, FakeRelay, SealedEnvelope, open_page

from desk import exporting
from desk.backup import back_up
from desk.desk import read_desk
from desk.exporting import export_dispatch, plan_dispatch
from desk.importing import import_bundle
from desk.records import CaseRecord, MailboxRecord
from desk.replies import queue_reply
from desk.vault import Vault
from protocol.derivation import ReporterKeys, generate_throwaway_keys
from protocol.envelope import Kind
from protocol.errors import AuthenticityError, StorageError
from protocol.replypage import open_slot
from protocol.sealing import read_sealed


def _case(desk: Vault) -> CaseRecord:
    (case,) = desk.all(CaseRecord)
    return case


@pytest.mark.clause("P4")
@pytest.mark.clause("P29")
def test_a_reply_crosses_with_the_dates_and_only_the_reporter_opens_it(
    *,
    desk: Vault,
    relay: FakeRelay,
    anna: Counselor,
    reporter: ReporterKeys,
    bundle: Path,
    dispatch: Path,
) -> None:
    import_bundle(desk, relay.cut(bundle, [relay.send(reporter), relay.cover()]), now=NOW)
    queue_reply(desk, _case(desk), "Thank you.\r\nWe read it.\n", today=DAY)
    crossing = export_dispatch(desk, dispatch, now=NOW)
    assert crossing.replies == ((_case(desk).name, (1,)),)
    reader = relay.read_dispatch(dispatch, anna)
    page = open_page(reader, reporter)
    assert [(one.number, one.text) for one in page.replies] == [(1, "Thank you.\nWe read it.")]
    assert (page.recipient, page.status) == ("anna", "received")
    assert page.acknowledge_by == DAY + timedelta(days=14)
    assert page.feedback_by is not None
    assert (reader.head.serial, reader.head.counselor, len(reader.head.slots)) == (1, "anna", 2)
    stranger = generate_throwaway_keys()
    for _, slot in reader.slots():
        with pytest.raises(AuthenticityError):
            open_slot(slot, stranger)


@pytest.mark.claim("C2")
def test_a_cover_mailbox_gets_a_page_like_any_other(
    desk: Vault, relay: FakeRelay, anna: Counselor, bundle: Path, dispatch: Path
) -> None:
    keys = generate_throwaway_keys()
    cover = relay.send(keys, relay.follow_up(keys, kind=Kind.COVER, text=""))
    import_bundle(desk, relay.cut(bundle, [cover]), now=NOW)
    export_dispatch(desk, dispatch, now=NOW)
    page = open_page(relay.read_dispatch(dispatch, anna), keys)
    assert (page.status, page.replies, page.acknowledge_by) == ("", (), None)


def test_a_cover_mailbox_is_dropped_when_its_months_are_over(
    desk: Vault, relay: FakeRelay, anna: Counselor, bundle: Path, dispatch: Path
) -> None:
    import_bundle(desk, relay.cut(bundle, [relay.cover()]), now=NOW)
    (mailbox,) = desk.all(MailboxRecord)
    assert mailbox.until_month is not None
    with desk.changes():
        desk.put(mailbox.model_copy(update={"until_month": DAY.year * 12 + DAY.month - 2}))
    assert export_dispatch(desk, dispatch, now=NOW).pages == 0
    assert list(desk.all(MailboxRecord)) == []


@pytest.mark.claim("C2")
def test_cover_lives_on_while_the_clock_of_the_desk_is_set_years_ahead(
    desk: Vault, relay: FakeRelay, bundle: Path, dispatch: Path
) -> None:
    """All of it ended at once and for good, and every later dispatch listed people alone."""
    import_bundle(desk, relay.cut(bundle, [relay.cover() for _ in range(3)]), now=NOW)
    assert export_dispatch(desk, dispatch, now=NOW + timedelta(days=10_000)).pages == 3
    assert export_dispatch(desk, dispatch, now=NOW).pages == 3


def test_the_dispatch_is_sealed_to_the_relay_and_says_nothing_else(
    *,
    desk: Vault,
    relay: FakeRelay,
    berta: Counselor,
    reporter: ReporterKeys,
    bundle: Path,
    dispatch: Path,
) -> None:
    import_bundle(desk, relay.cut(bundle, [relay.send(reporter)]), now=NOW)
    export_dispatch(desk, dispatch, now=NOW)
    sealed = dispatch.read_bytes()
    message = read_sealed(lambda: [sealed])
    assert len(message.locks) == 1
    assert berta.secret_key.open_lock(message.locks) is None
    assert desk.secret_key.open_lock(message.locks) is None
    assert b"dispatch.json" not in sealed and reporter.mailbox_id not in sealed


def test_every_dispatch_carries_everything_and_counts_up(
    *,
    desk: Vault,
    relay: FakeRelay,
    anna: Counselor,
    reporter: ReporterKeys,
    bundle: Path,
    dispatch: Path,
) -> None:
    import_bundle(desk, relay.cut(bundle, [relay.send(reporter)]), now=NOW)
    queue_reply(desk, _case(desk), "First.", today=DAY)
    export_dispatch(desk, dispatch, now=NOW)
    queue_reply(desk, _case(desk), "Second.", today=DAY)
    crossing = export_dispatch(desk, dispatch, now=NOW)
    reader = relay.read_dispatch(dispatch, anna)
    assert (crossing.serial, reader.head.serial) == (2, 2)
    assert crossing.replies == ((_case(desk).name, (2,)),)
    assert [one.text for one in open_page(reader, reporter).replies] == ["First.", "Second."]


@pytest.mark.clause("P36")
def test_nothing_is_acknowledged_before_a_second_copy_holds_it(
    *,
    desk: Vault,
    relay: FakeRelay,
    anna: Counselor,
    reporter: ReporterKeys,
    bundle: Path,
    dispatch: Path,
    tmp_path: Path,
) -> None:
    sent, blind = relay.send(reporter), relay.send(generate_throwaway_keys(), blind=["anna"])
    import_bundle(desk, relay.cut(bundle, [sent, relay.cover(), blind]), now=NOW)
    crossing = export_dispatch(desk, dispatch, now=NOW)
    assert (crossing.acknowledged, crossing.held_back) == (0, 3)
    assert relay.read_dispatch(dispatch, anna).head.acknowledgements == ()
    back_up(desk, tmp_path / "copy", now=NOW)
    crossing = export_dispatch(desk, dispatch, now=NOW)
    assert (crossing.acknowledged, crossing.held_back) == (3, 0)
    tokens = {
        one.envelope: one.token for one in relay.read_dispatch(dispatch, anna).head.acknowledgements
    }
    assert tokens[sent.id] == sent.token
    assert len(tokens[blind.id]) == 32 and tokens[blind.id] != blind.token


def test_the_waiver_acknowledges_what_lies_on_no_second_copy(
    desk: Vault, relay: FakeRelay, reporter: ReporterKeys, bundle: Path, dispatch: Path
) -> None:
    import_bundle(desk, relay.cut(bundle, [relay.send(reporter)]), now=NOW)
    crossing = export_dispatch(desk, dispatch, now=NOW, without_backup=True)
    assert (crossing.acknowledged, crossing.held_back) == (1, 0)


def test_what_could_not_be_read_is_never_acknowledged(
    desk: Vault, relay: FakeRelay, reporter: ReporterKeys, bundle: Path, dispatch: Path
) -> None:
    whole = relay.send(reporter)
    broken = SealedEnvelope(
        relay.cover().id, whole.ciphertext[:-1] + bytes([whole.ciphertext[-1] ^ 1]), whole.token
    )
    missing = relay.cover()
    import_bundle(desk, relay.cut(bundle, [broken, missing], drop=[missing.id]), now=NOW)
    crossing = export_dispatch(desk, dispatch, now=NOW, without_backup=True)
    assert (crossing.acknowledged, crossing.held_back) == (0, 0)


def test_only_the_envelopes_of_the_last_bundle_are_acknowledged(
    desk: Vault, relay: FakeRelay, reporter: ReporterKeys, bundle: Path, dispatch: Path
) -> None:
    import_bundle(desk, relay.cut(bundle, [relay.send(reporter)]), now=NOW)
    import_bundle(desk, relay.cut(bundle, [relay.cover()], number=2), now=NOW)
    assert export_dispatch(desk, dispatch, now=NOW, without_backup=True).acknowledged == 1


def test_a_preview_changes_nothing(
    desk: Vault, relay: FakeRelay, reporter: ReporterKeys, bundle: Path, dispatch: Path
) -> None:
    import_bundle(desk, relay.cut(bundle, [relay.send(reporter)]), now=NOW)
    queue_reply(desk, _case(desk), "Later.", today=DAY)
    seen = plan_dispatch(desk, now=NOW, without_backup=False)
    assert (read_desk(desk).serial, _case(desk).replies[0].serial) == (0, None)
    assert seen == export_dispatch(desk, dispatch, now=NOW)


def test_nothing_is_exported_before_a_bundle_told_her_name(desk: Vault, dispatch: Path) -> None:
    with pytest.raises(StorageError, match="import a bundle"):
        export_dispatch(desk, dispatch, now=NOW)
    assert not dispatch.exists()


def test_a_stick_that_fails_leaves_no_half_written_dispatch_and_keeps_the_reply_queued(
    *,
    desk: Vault,
    relay: FakeRelay,
    reporter: ReporterKeys,
    bundle: Path,
    dispatch: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    import_bundle(desk, relay.cut(bundle, [relay.send(reporter)]), now=NOW)
    queue_reply(desk, _case(desk), "Later.", today=DAY)
    dispatch.write_bytes(b"the last one")

    def full(*_: object, **__: object) -> object:
        yield b"half"
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(exporting, "encode_dispatch", full)
    with pytest.raises(StorageError, match="No space left"):
        export_dispatch(desk, dispatch, now=NOW)
    assert dispatch.read_bytes() == b"the last one"
    assert sorted(one.name for one in dispatch.parent.glob(".*.part")) == []
    assert (read_desk(desk).serial, _case(desk).replies[0].serial) == (0, None)


def test_the_next_bundle_confirms_the_dispatch(
    desk: Vault, relay: FakeRelay, anna: Counselor, bundle: Path, dispatch: Path
) -> None:
    import_bundle(desk, relay.cut(bundle, []), now=NOW)
    export_dispatch(desk, dispatch, now=NOW)
    told = import_bundle(desk, relay.cut(bundle, [], number=2), now=NOW)
    assert "had not reached the relay" in told.notes[0]
    relay.read_dispatch(dispatch, anna)
    told = import_bundle(desk, relay.cut(bundle, [], number=3), now=NOW)
    assert told.notes == ["The relay has accepted your dispatch 1."]
    relay.serials[anna.name] = 0
    told = import_bundle(desk, relay.cut(bundle, [], number=4), now=NOW)
    assert "was set back" in told.told[0]


def test_a_dispatch_in_her_name_that_she_did_not_make_is_told_loudly(
    desk: Vault, relay: FakeRelay, anna: Counselor, bundle: Path, dispatch: Path
) -> None:
    relay.serials[anna.name] = 7
    told = import_bundle(desk, relay.cut(bundle, []), now=NOW)
    assert "somebody else has it" in told.told[0]
    assert export_dispatch(desk, dispatch, now=NOW).serial == 8
