"""A letter never reaches somebody who was left out, whatever happened in between."""

import pytest
from counselor import new_key
from office import Office, Visitor

from keys.packets import read_packets
from protocol.unsealing import read_sealed
from relay.rows import Month

pytestmark = [pytest.mark.clause("P16"), pytest.mark.claim("C2")]

LEFT_OUT = "head"
READERS = ("counselor-1", "counselor-2")


def reports(visitor: Visitor, *, to: tuple[str, ...] = READERS) -> None:
    visitor.opens_the_form()
    assert visitor.sends("first", to=to).status_code == 200


def test_a_report_opens_for_its_readers_and_not_for_the_one_left_out(
    office: Office, visitor: Visitor
) -> None:
    reports(visitor)
    assert office.texts("counselor-1") == office.texts("counselor-2") == ["first"]
    assert office.texts(LEFT_OUT) == []


@pytest.mark.parametrize("to", [(LEFT_OUT,), READERS, (*READERS, LEFT_OUT)])
def test_locks_are_one_for_everybody_in_the_order_of_the_roster_whoever_may_read(
    office: Office, visitor: Visitor, to: tuple[str, ...]
) -> None:
    reports(visitor, to=to)
    (sealed,) = office.held().values()
    locks = [read_packets(lock)[0].body for lock in read_sealed(lambda: [sealed]).locks]
    roster = [one.encryption_key_id for _, one in office.parts.roster.valid(office.clock[0])]
    assert [lock[1:9] for lock in locks] == roster
    assert len({len(lock) for lock in locks}) == 1


def test_a_follow_up_that_ticks_the_one_left_out_goes_to_the_others_alone(
    office: Office, visitor: Visitor
) -> None:
    reports(visitor)
    sent = visitor.acts("message", text="second", recipients=["counselor-1", LEFT_OUT])
    assert "Sent and locked" in sent.text
    assert office.texts("counselor-1") == ["first", "second"]
    assert office.texts("counselor-2") == ["first"]
    assert office.texts(LEFT_OUT) == []


def test_a_follow_up_for_the_one_left_out_alone_asks_instead_of_sending(
    office: Office, visitor: Visitor
) -> None:
    reports(visitor)
    page = visitor.acts("message", text="second", recipients=[LEFT_OUT])
    assert page.status_code == 400
    assert "Choose at least one person" in page.text
    assert "second" in page.text
    assert len(office.held()) == 1


def test_going_back_and_sending_the_form_again_with_more_readers_does_not_widen_them(
    office: Office, visitor: Visitor
) -> None:
    reports(visitor)
    again = visitor.sends("first, edited", to=(*READERS, LEFT_OUT))
    assert "nothing was lost or replaced" in again.text
    assert office.texts("counselor-1") == ["first", "first, edited"]
    assert office.texts(LEFT_OUT) == []


def test_sending_the_form_again_for_the_one_left_out_alone_asks_instead(
    office: Office, visitor: Visitor
) -> None:
    reports(visitor)
    again = visitor.sends("first, edited", to=(LEFT_OUT,))
    assert again.status_code == 400
    assert "first, edited" in again.text
    assert len(office.held()) == 1


def test_a_new_key_of_the_one_left_out_opens_nothing_that_follows(
    office: Office, visitor: Visitor
) -> None:
    reports(visitor)
    successor = new_key("head", None, 1)
    store = office.parts.store
    store.replace_certificate(
        office.people[LEFT_OUT].name, successor.certificate, successor.fingerprint
    )
    visitor.acts("message", text="second", recipients=[*READERS, LEFT_OUT])
    assert office.texts("counselor-1") == ["first", "second"]
    relay = office.parts.deployment.relay_id
    newly = type(office.people[LEFT_OUT])(office.people[LEFT_OUT].name, successor)
    assert all(newly.open(sealed, name, relay) is None for name, sealed in office.held().items())


def test_the_retirement_of_one_reader_leaves_the_follow_up_to_the_other(
    office: Office, visitor: Visitor
) -> None:
    reports(visitor)
    office.parts.store.retire_recipient(office.people["counselor-2"].name)
    visitor.acts("message", text="second", recipients=[*READERS, LEFT_OUT])
    assert office.texts("counselor-1") == ["first", "second"]
    assert office.texts(LEFT_OUT) == []


def test_the_retirement_of_all_readers_makes_the_page_ask_without_the_one_left_out(
    office: Office, visitor: Visitor
) -> None:
    reports(visitor, to=("counselor-2",))
    offer = 'name="recipients" value="{}"'
    assert offer.format("counselor-2") in visitor.opens_the_mailbox().text
    office.parts.store.retire_recipient(office.people["counselor-2"].name)
    page = visitor.opens_the_mailbox()
    for name in ("counselor-1", LEFT_OUT):
        assert offer.format(name) not in page.text
    assert "checked" not in page.text
    answer = visitor.acts("message", text="second", recipients=["counselor-1", LEFT_OUT])
    assert answer.status_code == 400
    assert office.texts("counselor-1") == office.texts(LEFT_OUT) == []


def test_a_memo_that_expired_makes_the_page_ask_without_a_default(
    office: Office, visitor: Visitor
) -> None:
    """The reply keeps the mailbox open when the row of the first envelope has gone."""
    reports(visitor)
    for name in ("counselor-1", "counselor-2", LEFT_OUT):
        assert "Accepted" in office.answers(name, "A reply.", serial=1).text
    office.answers(LEFT_OUT, "", serial=2)  # acknowledged by all, once it was proven
    _expire_rows(office)
    page = visitor.opens_the_mailbox()
    assert page.status_code == 200
    assert "checked" not in page.text
    assert visitor.acts("message", text="second", recipients=[]).status_code == 400
    assert "second" not in office.texts("counselor-1")


def test_a_mailbox_whose_memo_expired_opens_after_whatever_was_sent_first_since(
    office: Office, visitor: Visitor
) -> None:
    reports(visitor)
    for name in ("counselor-1", "counselor-2", LEFT_OUT):
        assert "Accepted" in office.answers(name, "A reply.", serial=1).text
    office.answers(LEFT_OUT, "", serial=2)
    _expire_rows(office)
    assert visitor.acts("escalate", rung="head", text="second").status_code == 200
    assert len(office.held()) == 1
    page = visitor.opens_the_mailbox()
    assert page.status_code == 200
    assert 'value="withdraw"' not in page.text


def test_a_procedure_that_changed_brings_nobody_back_who_was_left_out(
    office: Office, visitor: Visitor
) -> None:
    """Later the procedure names other people: that her tick was taken away still stands."""
    reports(visitor, to=("counselor-2",))
    former = office.parts.policies["en"]
    tracks = {
        name: track.model_copy(update={"recipients": ("counselor-2",)})
        for name, track in former.tracks.items()
    }
    changed = former.model_copy(update={"tracks": tracks})
    assert "counselor-1" in changed.rungs["head"].copy_to
    assert isinstance(office.parts.policies, dict)
    office.parts.policies["en"] = changed
    assert visitor.acts("escalate", rung="head", text="second").status_code == 200
    assert office.texts(LEFT_OUT) == ["second"]
    assert office.texts("counselor-1") == []


def _expire_rows(office: Office) -> None:
    store = office.parts.store
    for _ in range(2):  # the content first, then the bare row
        store.purge(now=Month(10**6), leaving=10**6, unlisted_months=10**7)
    assert office.held() == {}
