"""A counselor with a confirmed key who means harm: what her colleague files cannot do."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from relayside import SealedEnvelope
from twodesks import (
    DAY,
    Desk,
    Office,
    affected,
    arrive,
    new_reporter,
    signed_by,
)

from desk.cases import case_name, read_thread
from desk.casework.conflicts import record_agreement
from desk.casework.leftout import left_out
from desk.casework.manual import enter_report
from desk.casework.noting import add_note
from desk.casework.sharing import export_copy, hand_over, import_colleague_file
from desk.casework.triage import triage
from desk.casework.verifying import read_record, verify_record
from desk.casework.work import read_file
from desk.exporting import export_dispatch
from desk.files import alone
from desk.records import CaseRecord, EnvelopeRecord, MailboxRecord
from protocol.derivation import ReporterKeys
from protocol.envelope import Report
from protocol.errors import AuthenticityError, FormatError, SottoError, StorageError
from protocol.sealing import read_sealed

BODY: Mapping[str, object] = {
    "agreements": [],
    "joined": [],
    "left_out": [],
    "notes": [],
    "originals": [],
    "outcome": "",
    "purpose": "hand-over",
    "reason": "x",
    "record": None,
    "replies": [],
    "status": "received",
}


def plain(desk: Desk, envelope: SealedEnvelope) -> bytes:
    """Return the archive that an envelope holds, as its reader may see it."""
    message = read_sealed(lambda: [envelope.ciphertext])
    session_key = desk.counselor.secret_key.open_lock(message.locks)
    assert session_key is not None
    return b"".join(message.unseal(session_key))


def brings(
    sender: Desk,
    to: Desk,
    case: str,
    *letters: SealedEnvelope,
    listed: SealedEnvelope | None = None,
    origin: str = "relay",
    **changes: object,
) -> Path:
    """Write a hand-over of whatever letters, signed by a real counselor.

    Args:
        listed: of which the relay's size and digest are named; else those of the letters.
        origin: how they came, as she says.
        changes: members of the body.
    """
    parts, originals = {}, []
    for number, letter in enumerate(letters, start=1):
        name = f"originals/{number:03d}-{letter.id.hex()}.zip"
        parts[name] = plain(sender, letter)
        described = (listed or letter).listed()
        originals.append(
            {
                "name": name,
                "origin": origin,
                "sealed_bytes": described.size_bytes,
                "sealed_sha256": described.sha256.hex(),
            }
        )
    body = {**BODY, "originals": originals, **changes}
    return signed_by(sender, to, type="sotto colleague", case=case, body=body, beside=parts)


def takes(desk: Desk, path: Path) -> CaseRecord:
    return import_colleague_file(desk.vault, path, now=desk.now)


def forged(office: Office, reporter: ReporterKeys, **changes: object) -> SealedEnvelope:
    """Make a letter in a reporter's mailbox and in another voice, as only a reader could."""
    forger = replace(new_reporter(), reply_public=reporter.reply_public)
    honest = office.relay.report(reporter, policy="ifes", track="incident")
    letter: Report = replace(honest, voice_public=forger.voice_public, **changes)  # type: ignore[arg-type]  # by name
    return office.relay.send(forger, letter)


# --- letters that are not the reporter's -----------------------------------------------------


def test_the_hand_over_of_this_table_is_taken_when_nothing_is_wrong(
    both: tuple[Desk, Desk], office: Office, reporter: ReporterKeys
) -> None:
    first, second = both
    sent = office.writes(reporter, *affected("pass-on"), readers=(first.name,))
    path = brings(first, second, case_name(reporter.reply_public), sent)
    assert len(takes(second, path).items) == 1


@pytest.mark.parametrize("lists_the_relays", [True, False], ids=["the relay's digest", "its own"])
def test_a_letter_forged_before_the_bundle_comes_gives_way_to_the_relays(
    both: tuple[Desk, Desk], office: Office, reporter: ReporterKeys, *, lists_the_relays: bool
) -> None:
    first, second = both
    sent = office.writes(reporter, *affected(), text="The true words.")
    false = forged(office, reporter, text="False words.")
    listed = sent if lists_the_relays else None
    case = takes(
        second, brings(first, second, case_name(reporter.reply_public), false, listed=listed)
    )
    assert [one.report.text for one in read_thread(second.vault, case)] == ["False words."]
    told = second.imports(telling=True).told
    assert any(f"What {first.name} handed over" in one for one in told)
    (only,) = read_thread(second.vault, second.case(reporter))
    assert only.report.text == "The true words."
    assert second.case(reporter).is_same_reporter(only.item)
    assert len(second.vault.objects.names()) == 1
    assert "disowned" in [one.act for one in read_record(second.vault, case.name)]
    assert second.imports().told == ()


def test_a_forged_follow_up_is_taken_out_of_a_case_that_goes_on(
    both: tuple[Desk, Desk], office: Office, reporter: ReporterKeys
) -> None:
    first, second = both
    case = arrive(second, reporter, *affected())
    true = office.writes(reporter, later=True, text="Only this.")
    false = forged(office, reporter, text="False words.", envelope=true.id)
    takes(second, brings(first, second, case.name, false))
    second.imports(telling=True)
    texts = [one.report.text for one in read_thread(second.vault, second.case(reporter))]
    assert texts == ["Something happened.", "Only this."]
    assert verify_record(second.vault, case.name)[-1].act == "arrived"


def test_a_letter_handed_over_early_and_brought_by_the_relay_stays_as_it_is(
    both: tuple[Desk, Desk], office: Office, reporter: ReporterKeys
) -> None:
    first, second = both
    sent = office.writes(reporter, *affected())
    takes(second, brings(first, second, case_name(reporter.reply_public), sent))
    assert second.imports().told == ()
    envelope = second.vault.get(EnvelopeRecord, sent.id.hex())
    assert envelope is not None
    assert (envelope.handed_by, envelope.sha256) == ("", sent.listed().sha256)
    assert len(second.case(reporter).items) == 1


def test_a_letter_with_another_digest_than_the_relay_listed_is_refused(
    both: tuple[Desk, Desk], office: Office, reporter: ReporterKeys
) -> None:
    first, second = both
    sent = office.writes(reporter, readers=(first.name,))
    office.relay.counselors = [first.counselor]  # sealed to her alone, and listed to both
    shut = office.relay.send(reporter, office.relay.follow_up(reporter, readers=(first.name,)))
    office.relay.counselors = [first.counselor, second.counselor]
    office.sent = [sent, shut]
    second.imports()
    path = brings(first, second, case_name(reporter.reply_public), shut, listed=sent)
    with pytest.raises(AuthenticityError, match="listed otherwise"):
        takes(second, path)


def test_a_letter_with_a_reply_key_that_takes_nothing_is_refused_and_dispatches_go_on(
    both: tuple[Desk, Desk], office: Office, reporter: ReporterKeys
) -> None:
    first, second = both
    weak = reporter.reply_public[:-32] + bytes(32)
    letter = office.relay.send(reporter, office.relay.report(reporter, reply_public=weak))
    with pytest.raises(FormatError):
        takes(second, brings(first, second, case_name(weak), letter))
    export_dispatch(second.vault, office.stick("dispatch"), now=second.now)


@pytest.mark.parametrize("day", [date(1, 1, 1), date(9999, 12, 31)])
def test_a_letter_of_a_day_that_no_deadline_counts_from_is_refused_and_the_list_stands(
    both: tuple[Desk, Desk], office: Office, reporter: ReporterKeys, day: date
) -> None:
    first, second = both
    sent = office.writes(reporter)
    octets = plain(first, sent)
    assert b'"day":"2026-11-20"' in octets
    altered = octets.replace(b'"day":"2026-11-20"', f'"day":"{day.isoformat()}"'.encode())
    name = f"originals/001-{sent.id.hex()}.zip"
    original = {"name": name, "origin": "relay", "sealed_bytes": 1, "sealed_sha256": "00" * 32}
    path = signed_by(
        first,
        second,
        type="sotto colleague",
        case=case_name(reporter.reply_public),
        body={**BODY, "originals": [original]},
        beside={name: altered},
    )
    with pytest.raises(SottoError):
        takes(second, path)
    assert triage(second.vault, today=DAY) == []


# --- who may not hand over, or be handed ------------------------------------------------------


@pytest.mark.clause("P16")
def test_the_letters_themselves_say_that_she_was_left_out_whatever_the_file_says(
    both: tuple[Desk, Desk], office: Office, reporter: ReporterKeys
) -> None:
    first, second = both
    sent = office.writes(reporter, *affected("pass-on"), left_out=[second.name])
    with pytest.raises(AuthenticityError, match="left you out"):
        takes(second, brings(first, second, case_name(reporter.reply_public), sent))
    assert not second.has(reporter)
    assert second.vault.objects.names() == set()


@pytest.mark.clause("P16")
def test_what_the_sender_knows_of_who_was_left_out_counts_although_no_letter_here_says_so(
    both: tuple[Desk, Desk], office: Office, reporter: ReporterKeys
) -> None:
    first, second = both
    sent = office.writes(reporter, *affected("pass-on"), readers=(first.name,))
    path = brings(first, second, case_name(reporter.reply_public), sent, left_out=[second.name])
    with pytest.raises(AuthenticityError, match="left you out of this case: nothing"):
        takes(second, path)
    assert not second.has(reporter)


@pytest.mark.clause("P16")
def test_a_colleague_who_was_left_out_writes_nothing_into_the_case(
    both: tuple[Desk, Desk], reporter: ReporterKeys
) -> None:
    first, second = both
    shut = arrive(second, reporter, *affected(), left_out=[first.name])
    note = {"by": first.name, "day": "2026-11-20", "text": "It was nothing."}
    path = brings(first, second, shut.name, purpose="copy", notes=[note])
    with pytest.raises(AuthenticityError, match="left the colleague out"):
        takes(second, path)
    assert read_file(second.vault, shut).copies == ()


@pytest.mark.clause("P16")
def test_a_colleague_who_was_left_out_of_one_case_does_not_join_it_to_another(
    both: tuple[Desk, Desk], office: Office, reporter: ReporterKeys
) -> None:
    first, second = both
    shut = arrive(second, reporter, left_out=[first.name])
    other = new_reporter()
    shared = arrive(second, other)
    path = brings(first, second, shared.name, purpose="copy", joined=[shut.name])
    with pytest.raises(AuthenticityError, match="left the colleague out"):
        takes(second, path)
    assert read_file(second.vault, shut).merged_into == ""


@pytest.mark.clause("P16")
def test_an_agreement_travels_with_its_letter_and_counts_at_the_other_desk(
    both: tuple[Desk, Desk], reporter: ReporterKeys
) -> None:
    first, second = both
    arrive(first, reporter, *affected("pass-on"), left_out=[second.name])
    said = {"later": True, "left_out": [second.name], "text": "Counselor-2 may know."}
    case = arrive(first, reporter, **said)
    record_agreement(
        first.vault,
        case,
        second.name,
        "Counselor-2 may know.",
        envelope=case.items[-1].envelope,
        now=first.now,
    )
    path = first.office.stick("hand-over")
    hand_over(first.vault, case, second.name, "She may.", path, now=first.now)
    taken = takes(second, path)
    assert left_out(second.vault, taken) == ()
    assert read_record(second.vault, taken.name)[-1].what["let_in"] == [second.name]


@pytest.mark.clause("P16")
@pytest.mark.parametrize("letter", ["first", "none", "unknown"])
def test_an_agreement_that_no_letter_bears_out_lets_nobody_in(
    both: tuple[Desk, Desk], office: Office, reporter: ReporterKeys, letter: str
) -> None:
    first, second = both
    sent = office.writes(reporter, *affected("pass-on"), left_out=[second.name])
    name = case_name(reporter.reply_public)
    named = {"first": sent.id.hex(), "none": None, "unknown": "ab" * 16}[letter]
    agreement = {
        "cases": [name],
        "day": "2026-11-20",
        "envelope": named,
        "name": second.name,
        "why": "Surely.",
    }
    with pytest.raises(AuthenticityError, match="no letter here lets you in"):
        takes(second, brings(first, second, name, sent, agreements=[agreement]))


# --- files that are taken by half, or twice ----------------------------------------------------


@pytest.mark.parametrize("joined", ["", "K", "K7QF", "-", "K7QF-2M9A-"])
def test_a_joined_case_that_no_case_is_called_is_refused(
    both: tuple[Desk, Desk], office: Office, reporter: ReporterKeys, joined: str
) -> None:
    first, second = both
    other = new_reporter()
    office.writes(reporter)
    second.imports()
    foreign = office.writes(other, readers=(first.name,))
    path = brings(first, second, case_name(reporter.reply_public), foreign, joined=[joined])
    with pytest.raises(FormatError, match="names a joined case"):
        takes(second, path)
    assert not second.has(other)


def test_a_copy_that_brings_originals_is_refused(
    both: tuple[Desk, Desk], office: Office, reporter: ReporterKeys
) -> None:
    first, second = both
    sent = office.writes(reporter)
    path = brings(first, second, case_name(reporter.reply_public), sent, purpose="copy")
    with pytest.raises(FormatError, match="brings no originals"):
        takes(second, path)


def test_a_copy_that_came_before_its_case_is_taken_when_the_bundle_has_come(
    both: tuple[Desk, Desk], reporter: ReporterKeys
) -> None:
    first, second = both
    case = arrive(first, reporter)
    add_note(first.vault, case, "For both.", shared=True, now=first.now)
    path = first.office.stick("copy")
    export_copy(first.vault, case, second.name, path, now=first.now)
    with pytest.raises(StorageError, match="newest bundle"):
        takes(second, path)
    second.imports()
    (copy,) = read_file(second.vault, takes(second, path)).copies
    assert [one.text for one in copy.notes] == ["For both."]


def test_a_hand_over_without_its_own_case_leaves_nothing(
    both: tuple[Desk, Desk], office: Office, reporter: ReporterKeys
) -> None:
    first, second = both
    sent = office.writes(reporter, readers=(first.name,))
    joined = case_name(reporter.reply_public)
    with pytest.raises(StorageError, match="no case of that name"):
        takes(second, brings(first, second, "AAAA-BBBB", sent, joined=[joined]))
    assert not second.has(reporter)
    assert second.vault.objects.names() == set()


def test_a_power_cut_between_letters_and_the_rest_of_a_hand_over_is_made_good_by_taking_it_again(
    both: tuple[Desk, Desk],
    office: Office,
    reporter: ReporterKeys,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    first, second = both
    office.writes(reporter, *affected("pass-on"), readers=(first.name,))
    first.imports()
    path = office.stick("hand-over")
    hand_over(first.vault, first.case(reporter), second.name, "x", path, now=first.now)

    def cut(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("desk.casework.sharing.catch_up", cut)
    with pytest.raises(KeyboardInterrupt):
        takes(second, path)
    monkeypatch.undo()
    taken = takes(second, path)
    assert read_file(second.vault, taken).received_from is not None
    assert len(taken.items) == 1
    with pytest.raises(AuthenticityError, match="imported before"):
        takes(second, path)


def test_nothing_is_filed_beside_an_import_that_would_sweep_it_away(
    both: tuple[Desk, Desk], office: Office, reporter: ReporterKeys
) -> None:
    first, second = both
    sent = office.writes(reporter, readers=(first.name,))
    path = brings(first, second, case_name(reporter.reply_public), sent)
    with alone(second.vault.directory):
        with pytest.raises(StorageError, match="Another command"):
            takes(second, path)
        with pytest.raises(StorageError, match="Another command"):
            enter_report(
                second.vault,
                way="paper",
                track="concern",
                text="A letter.",
                received=DAY,
                now=second.now,
            )
    assert len(takes(second, path).items) == 1


@pytest.mark.clause("P35")
def test_the_record_holds_the_digest_of_the_senders_record_which_she_cannot_shorten_then(
    both: tuple[Desk, Desk], reporter: ReporterKeys
) -> None:
    import hashlib

    from desk.casework.record import RecordLink

    first, second = both
    case = arrive(first, reporter)
    second.imports()
    newest = first.vault.get(RecordLink, f"{case.name}/{len(read_record(first.vault, case.name))}")
    assert newest is not None
    path = first.office.stick("copy")
    export_copy(first.vault, case, second.name, path, now=first.now)
    takes(second, path)
    entry = read_record(second.vault, case.name)[-1]
    assert entry.what["their_record"] == hashlib.sha256(newest.link).hexdigest()


@pytest.mark.clause("P9")
@pytest.mark.parametrize("knows_the_case", [True, False], ids=["after the bundle", "before it"])
def test_a_colleague_cannot_take_the_mailbox_of_a_case_away_that_came_through_the_relay(
    both: tuple[Desk, Desk], office: Office, reporter: ReporterKeys, *, knows_the_case: bool
) -> None:
    first, second = both
    sent = office.writes(reporter, *affected())
    if knows_the_case:
        second.imports()
        sent = office.writes(reporter, later=True, text="Only this.")
    name = case_name(reporter.reply_public)
    takes(second, brings(first, second, name, sent, origin="telephone"))
    if not knows_the_case:
        second.imports(telling=True)
    case = second.case(reporter)
    assert read_file(second.vault, case).origin == "relay"
    assert second.vault.get(MailboxRecord, case.mailbox.hex()) is not None


@pytest.mark.clause("P9")
def test_a_letter_that_the_relay_listed_was_not_told_by_telephone(
    both: tuple[Desk, Desk], office: Office, reporter: ReporterKeys
) -> None:
    first, second = both
    letter = office.relay.report(reporter, readers=(first.name,))
    sent = office.relay.send(reporter, letter, blind=[second.name])
    office.sent.append(sent)
    second.imports()
    path = brings(first, second, case_name(reporter.reply_public), sent, origin="telephone")
    with pytest.raises(AuthenticityError, match="listed otherwise"):
        takes(second, path)
    assert not second.has(reporter)
