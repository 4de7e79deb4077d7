"""The store: what was committed is whole, what was not is absent, on both databases."""

import re
import secrets
import threading

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from shelf import (
    ANNA,
    BEN,
    CARA,
    EXPIRY_MONTHS,
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

from protocol.dispatch import Notice
from protocol.errors import (
    AuthenticityError,
    CapacityError,
    FormatError,
    KeyMaterialError,
    StorageError,
)
from protocol.memo import Memo, seal_memo
from protocol.names import EnvelopeId, Fingerprint, MailboxId, MemoKey, RecipientName
from protocol.report import Kind
from relay.rows import CHUNK_BYTES, Cut, Month
from relay.schema import metadata
from relay.store import CollectedError, DispatchRows, IdTakenError, Store, open_store
from relay.store_contents import ContentWriter

OLD = 0  # a `leaving` month so early that nothing is too old to be carried


def test_migrated_schema_compared_with_the_tables_is_the_same(store: Store) -> None:
    with store._engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []


def test_schema_of_items_has_no_row_ids_that_count_and_no_times(sqlite_store: Store) -> None:
    put_envelope(sqlite_store, 3 * CHUNK_BYTES)
    with sqlite_store._reading() as connection:
        schema = connection.exec_driver_sql("SELECT name, sql FROM sqlite_schema").all()
        other = connection.exec_driver_sql("SELECT count(*) FROM chunk WHERE rowid <> place")
        assert other.scalar_one() == 0, "the row id of a chunk is its place, which is random"
    tables = {row.name: row.sql for row in schema}
    for name in ("envelope", "slot"):
        assert "WITHOUT ROWID" in tables[name]
    items = " ".join(tables[name] for name in ("envelope", "chunk", "slot"))
    assert not re.search(r"\b(DATE|TIME|TIMESTAMP|DATETIME)\b", items)


def test_store_opened_twice_keeps_what_was_stored(sqlite_url: str) -> None:
    first = open_store(sqlite_url)
    put = put_envelope(first)
    first.close()
    second = open_store(sqlite_url)
    assert read_whole(second, put.id) == put.ciphertext
    second.close()


def test_store_at_an_impossible_place_raises_storage_error() -> None:
    with pytest.raises(StorageError):
        open_store("sqlite:////nowhere/at/all/relay.sqlite")


@pytest.mark.parametrize(
    "size_bytes",
    [1, CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 1, 5 * CHUNK_BYTES + 17],
    ids=["one byte", "a byte less", "one chunk", "a byte more", "several chunks"],
)
def test_content_of_any_size_comes_back_the_same(store: Store, size_bytes: int) -> None:
    put = put_envelope(store, size_bytes)
    assert read_whole(store, put.id) == put.ciphertext
    assert store.read_memo(put.id) == put.memo


def test_content_read_from_the_middle_gives_that_part(store: Store) -> None:
    put = put_envelope(store, 3 * CHUNK_BYTES)
    start, length = CHUNK_BYTES - 7, CHUNK_BYTES + 20
    part = b"".join(store.read_content(put.id, start, length))
    assert part == put.ciphertext[start : start + length]


def test_content_in_progress_is_visible_to_nobody(store: Store) -> None:
    writer = ContentWriter(store=store)
    writer.write(secrets.token_bytes(3 * 1024 * 1024))
    assert store.envelopes_to_carry(leaving=OLD) == ()
    assert store.held_bytes() == 0


def test_second_envelope_of_one_id_is_refused_and_fits_under_another(store: Store) -> None:
    first = put_envelope(store)
    again = new_put(envelope_id=first.id)
    writer = ContentWriter(store=store)
    row = row_for(writer, again, THIS_MONTH)
    with pytest.raises(IdTakenError):
        store.commit_envelope(row)
    other = new_put()
    store.commit_envelope(type(row)(**{**vars(row), "id": other.id}))
    assert read_whole(store, first.id) == first.ciphertext
    assert read_whole(store, other.id) == again.ciphertext


def test_envelope_whose_chunks_do_not_add_up_is_not_confirmed(store: Store) -> None:
    put = new_put(CHUNK_BYTES + 5)
    writer = ContentWriter(store=store)
    row = row_for(writer, put, THIS_MONTH)
    with pytest.raises(StorageError):
        store.commit_envelope(type(row)(**{**vars(row), "size_bytes": row.size_bytes + 1}))
    assert not store.has_envelope(put.id)


def test_discarded_content_leaves_no_chunk_and_cannot_be_committed(store: Store) -> None:
    put = new_put(5 * 1024 * 1024)
    writer = ContentWriter(store=store)
    row = row_for(writer, put, THIS_MONTH)
    writer.discard()
    writer.discard()
    with pytest.raises(StorageError):
        store.commit_envelope(row)
    assert store.sweep() == 0


@pytest.mark.claim("C3")
@pytest.mark.parametrize("size_bytes", [16_384, 5 * 1024 * 1024], ids=["letter", "large"])
def test_upload_that_drew_the_place_of_an_envelope_is_refused_and_harms_nothing(
    store: Store, size_bytes: int
) -> None:
    put = put_envelope(store, 3 * 1024 * 1024)
    writer = ContentWriter(store=store)
    with store._reading() as connection:
        taken = connection.exec_driver_sql("SELECT content FROM envelope").scalar_one()
    store._uploads[taken] = store._uploads.pop(writer.content)  # one chance in 2**49
    writer.content = taken
    with pytest.raises(StorageError):
        store.commit_envelope(row_for(writer, new_put(size_bytes), THIS_MONTH))
    writer.discard()
    assert read_whole(store, put.id) == put.ciphertext
    assert store._buffered_bytes == 0


def test_sweep_while_an_upload_runs_removes_only_what_died(store: Store) -> None:
    died = ContentWriter(store=store)
    died.write(secrets.token_bytes(3 * 1024 * 1024))
    store._settle(store._uploads.pop(died.content))  # as after a restart: nobody remembers it
    put = new_put(3 * 1024 * 1024)
    running = ContentWriter(store=store)
    row = row_for(running, put, THIS_MONTH)
    assert store.sweep() == 1
    store.commit_envelope(row)
    assert read_whole(store, put.id) == put.ciphertext
    assert store.sweep() == 0


def test_withdrawn_envelope_is_replaced_in_place_with_its_memo_kept(store: Store) -> None:
    put = put_envelope(store)
    cover = new_put(envelope_id=put.id)
    store.replace_content(put.id, row_for(ContentWriter(store=store), cover, THIS_MONTH))
    assert read_whole(store, put.id) == cover.ciphertext
    assert store.read_memo(put.id) == put.memo
    (held,) = store.envelopes_to_carry(leaving=OLD)
    assert held.expiry == THIS_MONTH + EXPIRY_MONTHS, "the month in which the report came"
    assert store.sweep() == 0, "the replaced chunks are gone"


@pytest.mark.parametrize("complete", [True, False])
def test_withdrawing_what_was_read_is_refused_though_no_bundle_carries_it_any_more(
    store: Store, complete: bool
) -> None:
    """Read by all, or by one and old: then the disk does not say yet that it was read."""
    add_people(store, ANNA, BEN)
    put = put_envelope(store)
    dispatch(store, ANNA, 1, acknowledgements=[put.proof])
    if complete:
        dispatch(store, BEN, 1, acknowledgements=[put.noise])
    assert store.envelopes_to_carry(leaving=THIS_MONTH + EXPIRY_MONTHS) == ()
    cover = row_for(ContentWriter(store=store), new_put(envelope_id=put.id), THIS_MONTH)
    assert store.is_collected(put.id)
    with pytest.raises(CollectedError):
        store.replace_content(put.id, cover)
    assert read_whole(store, put.id) == put.ciphertext


@pytest.mark.claim("C2")
def test_withdrawn_envelope_is_nowhere_in_the_files(sqlite_store: Store) -> None:
    put = put_envelope(sqlite_store, 300_000)
    cover = row_for(
        ContentWriter(store=sqlite_store), new_put(300_000, envelope_id=put.id), THIS_MONTH
    )
    sqlite_store.replace_content(put.id, cover)
    path = sqlite_store.sqlite_path
    assert path is not None
    disk = b"".join(file.read_bytes() for file in path.parent.glob(f"{path.name}*"))
    assert cover.token_hash in disk
    assert put.proof[1] not in disk
    assert put.ciphertext[100_000:100_048] not in disk


def test_withdrawing_what_lies_in_the_cut_is_refused(store: Store) -> None:
    put = put_envelope(store)
    freeze(store)
    cover = row_for(ContentWriter(store=store), new_put(envelope_id=put.id), THIS_MONTH)
    assert store.is_collected(put.id)
    with pytest.raises(CollectedError):
        store.replace_content(put.id, cover)
    assert read_whole(store, put.id) == put.ciphertext


def test_withdrawing_with_cover_of_another_size_is_refused(store: Store) -> None:
    put = put_envelope(store)
    cover = row_for(ContentWriter(store=store), new_put(20_000, put.id), THIS_MONTH)
    with pytest.raises(StorageError):
        store.replace_content(put.id, cover)
    assert read_whole(store, put.id) == put.ciphertext


def test_twenty_threads_that_store_at_once_all_succeed(store: Store) -> None:
    stored: list[tuple[EnvelopeId, bytes]] = []

    def send() -> None:
        put = put_envelope(store, 300_000)
        stored.append((put.id, put.ciphertext))

    threads = [threading.Thread(target=send) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(stored) == 20
    assert all(read_whole(store, one) == ciphertext for one, ciphertext in stored)


def test_recipient_added_retired_and_renewed_keeps_number_and_order(store: Store) -> None:
    add_people(store, ANNA, BEN, CARA)
    before = store.roster_revision()
    store.retire_recipient(BEN)
    store.replace_certificate(ANNA, b"new", Fingerprint("B" * 40))
    assert [(one.name, one.number) for one in store.recipients()] == [(ANNA, 0), (CARA, 2)]
    assert store.recipients()[0].certificate == b"new"
    assert len(store.all_recipients()) == 3
    assert store.roster_revision() == before + 2


def test_recipient_of_a_used_name_or_key_is_refused(store: Store) -> None:
    add_people(store, ANNA, BEN)
    store.retire_recipient(BEN)
    with pytest.raises(KeyMaterialError):
        store.add_recipient(BEN, b"certificate", Fingerprint("C" * 40))
    with pytest.raises(KeyMaterialError):
        store.add_recipient(CARA, b"certificate", store.recipients()[0].fingerprint)
    with pytest.raises(KeyMaterialError):
        store.retire_recipient(BEN)


def test_recipient_whose_name_would_not_fit_into_a_memo_is_not_added(store: Store) -> None:
    """Else no report could be sent any more, to whomever: the memo names everybody."""
    names = [RecipientName(f"{at:02}".ljust(32, "x")) for at in range(40)]
    with pytest.raises(CapacityError):
        add_people(store, *names)
    added = tuple(one.name for one in store.recipients())
    assert len(added) >= 20
    memo = Memo(
        kind=Kind.FOLLOW_UP,
        readers=added,
        left_out=(),
        not_asked=(),
        track="x" * 32,
        language="zh-Hans-CN",
        day=TODAY,
    )
    seal_memo(memo, MemoKey(bytes(32)))
    store.retire_recipient(added[0])
    add_people(store, names[len(added)])


def test_dispatch_makes_mailboxes_with_one_slot_for_every_recipient(store: Store) -> None:
    add_people(store, ANNA, BEN, CARA)
    mailbox, page = new_mailbox(), new_page()
    assert store.slots_of(mailbox) == {}
    dispatch(store, ANNA, 1, slots=[(mailbox, page)])
    slots = store.slots_of(mailbox)
    assert list(slots) == [ANNA, BEN, CARA]
    assert slots[ANNA] == page
    assert {len(one) for one in slots.values()} == {len(page)}


@pytest.mark.claim("C2")
def test_dispatch_that_answers_one_mailbox_rewrites_her_slot_in_all_and_no_other(
    store: Store,
) -> None:
    add_people(store, ANNA, BEN)
    mailboxes = sorted(new_mailbox() for _ in range(150))
    dispatch(store, ANNA, 1, slots=[(one, new_page()) for one in mailboxes])
    before = {one: store.slots_of(one) for one in mailboxes}
    answered, page = mailboxes[77], new_page()
    dispatch(store, ANNA, 2, slots=[(answered, page)])
    after = {one: store.slots_of(one) for one in mailboxes}
    assert after[answered][ANNA] == page
    assert all(after[one][ANNA] != before[one][ANNA] for one in mailboxes)
    assert all(after[one][BEN] == before[one][BEN] for one in mailboxes)


@pytest.mark.claim("C2")
def test_month_of_listing_is_equal_for_every_slot_of_a_mailbox(store: Store) -> None:
    add_people(store, ANNA, BEN)
    both, hers = new_mailbox(), new_mailbox()
    slots = [(both, new_page()), (hers, new_page())]
    dispatch(store, ANNA, 1, slots=slots, month=THIS_MONTH)
    dispatch(store, BEN, 1, slots=[(both, new_page())], month=THIS_MONTH + 1)
    with store._reading() as connection:
        rows = connection.exec_driver_sql("SELECT mailbox, listed FROM slot").all()
    months: dict[bytes, set[int]] = {}
    for mailbox, listed in rows:
        months.setdefault(bytes(mailbox), set()).add(listed)
    assert months == {both: {THIS_MONTH + 1}, hers: {THIS_MONTH}}


def test_recipient_added_later_gets_a_slot_everywhere_with_the_next_dispatch(
    store: Store,
) -> None:
    add_people(store, ANNA)
    mailbox = new_mailbox()
    dispatch(store, ANNA, 1, slots=[(mailbox, new_page())])
    add_people(store, BEN)
    dispatch(store, ANNA, 2)
    assert list(store.slots_of(mailbox)) == [ANNA, BEN]


def test_dispatch_of_an_old_or_equal_serial_changes_nothing(store: Store) -> None:
    add_people(store, ANNA)
    mailbox = new_mailbox()
    dispatch(store, ANNA, 5, slots=[(mailbox, new_page())])
    before = store.slots_of(mailbox)
    for serial in (5, 4):
        with pytest.raises(AuthenticityError):
            dispatch(store, ANNA, serial, slots=[(mailbox, new_page())])
    assert store.slots_of(mailbox) == before
    assert store.recipients()[0].last_serial == 5


def test_dispatch_with_slots_out_of_order_changes_nothing(store: Store) -> None:
    add_people(store, ANNA)
    known = new_mailbox()
    dispatch(store, ANNA, 1, slots=[(known, new_page())])
    before = store.slots_of(known)
    rows = DispatchRows(
        recipient=ANNA,
        serial=2,
        slots=[(MailboxId(b"\2" * 16), new_page()), (MailboxId(b"\1" * 16), new_page())],
        acknowledgements=[],
        month=Month(THIS_MONTH),
        empty=new_page,
    )
    with pytest.raises(FormatError):
        store.apply_dispatch(rows)
    assert store.slots_of(known) == before
    assert store.mailbox_count() == 1


def test_dispatch_of_a_retired_recipient_is_refused_and_her_replies_stay(store: Store) -> None:
    add_people(store, ANNA, BEN)
    mailbox, page = new_mailbox(), new_page()
    dispatch(store, ANNA, 1, slots=[(mailbox, page)])
    store.retire_recipient(ANNA)
    with pytest.raises(KeyMaterialError):
        dispatch(store, ANNA, 2)
    dispatch(store, BEN, 1)
    assert store.slots_of(mailbox)[ANNA] == page


def test_notices_of_a_dispatch_replace_the_former_ones(store: Store) -> None:
    add_people(store, ANNA)
    first, second = (Notice(language="en", text=text) for text in ("away", "back"))
    for serial, notices in ((1, (first, second)), (2, (second,))):
        rows = DispatchRows(
            recipient=ANNA,
            serial=serial,
            slots=[],
            acknowledgements=[],
            month=Month(THIS_MONTH),
            empty=new_page,
            notices=notices,
        )
        store.apply_dispatch(rows)
    assert store.notices() == ((ANNA, second),)


def test_successor_in_a_dispatch_follows_unless_it_is_somebody_elses(store: Store) -> None:
    add_people(store, ANNA, BEN)
    anna, ben = store.recipients()
    for serial, successor, accepted in (
        (1, (ben.fingerprint, b"stolen"), False),
        (2, (Fingerprint("D" * 40), b"next"), True),
    ):
        rows = DispatchRows(
            recipient=ANNA,
            serial=serial,
            slots=[],
            acknowledgements=[],
            month=Month(THIS_MONTH),
            empty=new_page,
            successor=successor,
        )
        if accepted:
            store.apply_dispatch(rows)
        else:
            with pytest.raises(KeyMaterialError):
                store.apply_dispatch(rows)
            assert store.recipients()[0] == anna
    assert store.recipients()[0].certificate == b"next"
    assert store.recipients()[0].number == anna.number


def test_envelope_leaves_the_bundle_once_proven_and_acknowledged_by_all(store: Store) -> None:
    add_people(store, ANNA, BEN)
    put = put_envelope(store)
    dispatch(store, ANNA, 1, acknowledgements=[put.proof])
    assert [held.id for held in store.envelopes_to_carry(leaving=OLD)] == [put.id]
    dispatch(store, BEN, 1, acknowledgements=[put.noise])
    assert store.envelopes_to_carry(leaving=OLD) == ()


@pytest.mark.claim("C4")
def test_envelope_acknowledged_by_all_without_proof_stays_in_the_bundle(store: Store) -> None:
    add_people(store, ANNA, BEN)
    put = put_envelope(store)
    dispatch(store, ANNA, 1, acknowledgements=[put.noise])
    dispatch(store, BEN, 1, acknowledgements=[put.noise])
    assert [held.id for held in store.envelopes_to_carry(leaving=OLD)] == [put.id]


@pytest.mark.claim("C2")
def test_acknowledgement_without_any_proof_leaves_no_trace_of_who_gave_it(store: Store) -> None:
    add_people(store, ANNA, BEN)
    put = put_envelope(store)
    dispatch(store, ANNA, 1, acknowledgements=[put.noise])
    with store._reading() as connection:
        row = connection.exec_driver_sql("SELECT proven, acknowledged FROM envelope").one()
    assert (bool(row.proven), row.acknowledged) == (False, 0)
    dispatch(store, BEN, 1, acknowledgements=[put.proof])
    dispatch(store, ANNA, 2, acknowledgements=[put.noise])
    assert store.envelopes_to_carry(leaving=OLD) == ()


@pytest.mark.claim("C3")
def test_acknowledgements_given_before_a_restart_are_waited_for_again(sqlite_url: str) -> None:
    store = open_store(sqlite_url)
    add_people(store, ANNA, BEN)
    put = put_envelope(store)
    dispatch(store, ANNA, 1, acknowledgements=[put.proof])
    store.close()
    store = open_store(sqlite_url)
    dispatch(store, BEN, 1, acknowledgements=[put.noise])
    assert [held.id for held in store.envelopes_to_carry(leaving=OLD)] == [put.id]
    dispatch(store, ANNA, 2, acknowledgements=[put.proof])
    assert store.envelopes_to_carry(leaving=OLD) == ()
    store.close()


@pytest.mark.claim("C4")
def test_acknowledgements_of_a_refused_dispatch_count_for_nothing(store: Store) -> None:
    add_people(store, ANNA, BEN)
    put = put_envelope(store)
    stolen = DispatchRows(
        recipient=BEN,
        serial=1,
        slots=[],
        acknowledgements=[put.proof],
        month=Month(THIS_MONTH),
        empty=new_page,
        successor=(store.recipients()[0].fingerprint, b"stolen"),
    )
    with pytest.raises(KeyMaterialError):
        store.apply_dispatch(stolen)
    for name in (ANNA, BEN):
        dispatch(store, name, 1, acknowledgements=[put.noise])
    assert [held.id for held in store.envelopes_to_carry(leaving=OLD)] == [put.id]


def test_envelopes_to_carry_stand_small_first_then_by_id(store: Store) -> None:
    puts = [put_envelope(store, size) for size in (40_000, 16_384, 20_000, 16_384, 16_384)]
    expected = sorted(puts, key=lambda put: (len(put.ciphertext), put.id))
    carried = store.envelopes_to_carry(leaving=OLD)
    assert [held.id for held in carried] == [put.id for put in expected]


def freeze(store: Store, number: int = 1) -> Cut:
    carried = store.envelopes_to_carry(leaving=OLD)
    cut = Cut(
        number=number, day=TODAY, hour=6, head=b"head", signature=b"signed", envelopes=carried
    )
    store.save_cut(cut)
    return cut


def test_cut_saved_comes_back_with_its_envelopes_in_order(store: Store) -> None:
    assert store.current_cut() is None
    for _ in range(3):
        put_envelope(store)
    saved = freeze(store)
    put_envelope(store)
    assert store.current_cut() == saved


def test_cut_whose_number_does_not_follow_is_refused(store: Store) -> None:
    freeze(store)
    with pytest.raises(StorageError):
        freeze(store)
    freeze(store, number=2)
    assert store.last_cut() is not None


def test_policy_in_force_is_the_last_one_set(store: Store) -> None:
    assert store.policy_in_force() is None
    store.set_policy("generic", "1")
    store.set_policy("ddp", "2")
    assert store.policy_in_force() == ("ddp", "2")
