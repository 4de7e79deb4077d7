"""Cases that come otherwise, join, go to others, and are deleted in the end."""

from datetime import timedelta
from pathlib import Path

import pytest
from twodesks import ALL_CONSENTS, DAY, Desk, Kind, Office, affected, answer, arrive, new_reporter

from desk.backup import back_up
from desk.casework.answering import answer_request, import_request
from desk.casework.clocks import case_clocks
from desk.casework.concurrence import export_request, import_answer
from desk.casework.conflicts import declare_conflict
from desk.casework.deleting import (
    Tombstone,
    delete_case,
    expired_cases,
    hold_case,
    propose_deletion,
    release_hold,
)
from desk.casework.errors import ProcedureError
from desk.casework.handling import (
    assess,
    close_case,
    decide_outcome,
    set_case_status,
    set_risk,
    tick_duty,
)
from desk.casework.leftout import left_out
from desk.casework.manual import enter_report
from desk.casework.merging import merge_cases, suggested_joins
from desk.casework.noting import add_note, tell_otherwise
from desk.casework.originals import originals_of
from desk.casework.proposals import Proposal
from desk.casework.rules import choose_policy
from desk.casework.said import case_top
from desk.casework.sharing import (
    export_copy,
    hand_over,
    import_colleague_file,
    may_pass_on,
)
from desk.casework.threads import own_reports, threads_of
from desk.casework.triage import triage
from desk.casework.verifying import read_record, verify_record
from desk.casework.work import read_file
from desk.exporting import plan_dispatch
from desk.extracting import extract_case
from desk.importing import import_bundle
from desk.records import CaseRecord, EnvelopeRecord, MailboxRecord, ReadingRecord
from desk.replies import case_page, queue_reply
from protocol.derivation import ReporterKeys
from protocol.errors import AuthenticityError, FormatError, StorageError

FACTORS = {
    "frequency": "once",
    "severity": "mild",
    "threatening": "no",
    "well-being": "little",
    "power": "equal",
}


# --- P9: reports that came otherwise -------------------------------------------------


@pytest.mark.clause("P9")
def test_a_report_by_telephone_is_a_case_with_clocks_files_and_no_mailbox(
    first: Desk, tmp_path: Path
) -> None:
    first.imports()
    choose_policy(first.vault, "ddp")
    case = enter_report(
        first.vault,
        way="telephone",
        track="complaint",
        text="A caller says that …",
        received=DAY - timedelta(days=1),
        answers={
            "standing": ["affected"],
            "wishes": ["Call back at night."],
            "support": ["talk", "legal"],
        },
        categories=["bullying"],
        consents=["pass-on"],
        left_out=["head"],
        files={"note.txt": b"scan"},
        now=first.now,
    )
    assert case.acknowledge_by == DAY + timedelta(days=13)
    top = case_top(first.vault, case)
    assert (top.wishes, top.consents, top.left_out) == (
        ("Call back at night.",),
        ("pass-on",),
        ("head",),
    )
    assert read_file(first.vault, case).origin == "telephone"
    assert read_file(first.vault, case).support
    (report,) = own_reports(first.vault, case)
    assert report.answers[2].values == ("talk", "legal")
    assert read_record(first.vault, case.name)[0].act == "opened"
    assert first.vault.get(MailboxRecord, case.mailbox.hex()) is None
    with pytest.raises(StorageError, match="no mailbox"):
        queue_reply(first.vault, case, "Nobody would read it.", today=DAY)
    assert plan_dispatch(first.vault, now=first.now, without_backup=True).pages == 0
    written = extract_case(first.vault, case, tmp_path / "out")
    assert b"scan" in {path.read_bytes() for path in written}
    back_up(first.vault, tmp_path / "copy", now=first.now)
    assert first.imports().changed == ()


@pytest.mark.clause("P4")
@pytest.mark.clause("P9")
def test_whoever_rang_is_answered_by_telephone_and_the_clocks_follow(first: Desk) -> None:
    case = enter_report(
        first.vault,
        way="telephone",
        track="concern",
        text="A caller.",
        received=DAY - timedelta(days=20),
        now=first.now,
    )
    assert "overdue to acknowledge" in case_clocks(first.vault, case, today=DAY).running
    with pytest.raises(ProcedureError, match="what they were told"):
        tell_otherwise(first.vault, case, " ", now=first.now)
    tell_otherwise(first.vault, case, "Rang back: what happens next.", now=first.now)
    (case,) = first.vault.all(CaseRecord)
    assert case_clocks(first.vault, case, today=DAY).running.endswith("give feedback")
    assert read_record(first.vault, case.name)[-1].act == "told"
    decide_outcome(
        first.vault,
        case,
        ["no-breach"],
        reasons="x",
        tell_reporter="Nothing was found; said on the telephone.",
        now=first.now,
    )
    (case,) = first.vault.all(CaseRecord)
    assert case_clocks(first.vault, case, today=DAY).running == "no clock runs"


@pytest.mark.clause("P9")
@pytest.mark.clause("P17")
def test_a_report_by_telephone_that_is_handed_over_has_no_mailbox_there_either(
    both: tuple[Desk, Desk],
) -> None:
    first, second = both
    case = enter_report(
        first.vault,
        way="telephone",
        track="concern",
        text="A caller.",
        received=DAY,
        answers={"standing": ["affected"]},
        consents=["pass-on"],
        now=first.now,
    )
    path = first.office.stick("hand-over")
    hand_over(first.vault, case, second.name, "I am away.", path, now=first.now)
    taken = import_colleague_file(second.vault, path, now=second.now)
    assert read_file(second.vault, taken).origin == "telephone"
    assert plan_dispatch(second.vault, now=second.now, without_backup=True).pages == 0


@pytest.mark.clause("P9")
@pytest.mark.parametrize(
    "wrong",
    [
        pytest.param({"track": "gossip"}, id="no track of the policy"),
        pytest.param({"text": " "}, id="nothing reported"),
        pytest.param({"received": DAY + timedelta(days=1)}, id="a day to come"),
        pytest.param({"answers": {"shoe-size": ["42"]}}, id="a question nobody asks"),
        pytest.param({"consents": ["everything"]}, id="a consent of nobody's"),
    ],
)
def test_a_manual_report_that_the_policy_does_not_know_leaves_nothing_behind(
    first: Desk, wrong: dict[str, object]
) -> None:
    ordinary: dict[str, object] = {
        "way": "staff",
        "track": "concern",
        "text": "Seen in the chat.",
        "received": DAY,
    }
    with pytest.raises(ProcedureError):
        enter_report(first.vault, **{**ordinary, **wrong}, now=first.now)  # type: ignore[arg-type]
    assert list(first.vault.all(CaseRecord)) == []
    assert first.vault.objects.names() == set()


@pytest.mark.clause("P9")
def test_a_case_without_a_mailbox_closes_without_asking_anybody(first: Desk) -> None:
    case = enter_report(
        first.vault, way="paper", track="concern", text="A letter.", received=DAY, now=first.now
    )
    decide_outcome(first.vault, case, ["no-breach"], reasons="x", now=first.now)
    close_case(first.vault, case, "closed", question="", reason="Done.", now=first.now)
    assert read_file(first.vault, case).closed_on == DAY


# --- P39, P18: joining ----------------------------------------------------------------


def replaces(office: Office, old: ReporterKeys, new: ReporterKeys, *, agreed: bool = True) -> None:
    """Send the two letters that the mailbox sends when a receipt is replaced."""
    announced = answer("replaces", old.mailbox_id.hex())
    office.writes(new, announced, later=True, text="", envelope=new.report_id)
    if agreed:
        answered = answer("replaced-by", new.mailbox_id.hex())
        office.writes(old, answered, later=True, kind=Kind.CLOSING, text="", left_out=["head"])


@pytest.mark.clause("P39")
def test_a_replaced_receipt_joins_both_cases_when_both_letters_agree(
    first: Desk, reporter: ReporterKeys
) -> None:
    old = arrive(first, reporter, *affected("pass-on"), left_out=["head"])
    queue_reply(first.vault, old, "Read by a thief?", today=DAY)
    new_keys = new_reporter()
    replaces(first.office, reporter, new_keys)
    told = first.imports().told
    new = first.case(new_keys)
    assert any(f"{old.name} goes on as {new.name}" in one for one in told)
    assert read_file(first.vault, old).merged_into == new.name
    assert [line.case.name for line in triage(first.vault, today=DAY)] == [new.name]
    assert left_out(first.vault, new) == ("head",)
    assert len(threads_of(first.vault, new)) == 3
    page = case_page(first.case(reporter), counselor=first.counselor.name, today=DAY)
    assert page.replies == ()
    with pytest.raises(ProcedureError, match="joined"):
        add_note(first.vault, old, "x", now=first.now)


@pytest.mark.clause("P39")
def test_whoever_only_claims_to_replace_a_receipt_gets_no_case(
    first: Desk, reporter: ReporterKeys
) -> None:
    old = arrive(first, reporter)
    thief = new_reporter()
    replaces(first.office, reporter, thief, agreed=False)
    told = first.imports().told
    assert any("nothing was joined" in one for one in told)
    assert read_file(first.vault, old).merged_into == ""


@pytest.mark.clause("P39")
def test_an_agreement_to_replace_in_another_voice_joins_nothing(
    first: Desk, reporter: ReporterKeys
) -> None:
    from dataclasses import replace

    old = arrive(first, reporter)
    thief = new_reporter()
    forger = replace(reporter, voice=thief.voice)
    replaces(first.office, reporter, thief, agreed=False)
    first.office.writes(
        forger,
        answer("replaced-by", thief.mailbox_id.hex()),
        later=True,
        kind=Kind.CLOSING,
        voice_public=thief.voice_public,
    )
    first.imports()
    assert read_file(first.vault, old).merged_into == ""


@pytest.mark.clause("P39")
def test_a_lost_receipt_is_joined_by_the_counselor_after_checking(
    first: Desk, reporter: ReporterKeys
) -> None:
    old = arrive(first, reporter, answer("danger", "yes"), left_out=["head"])
    new_keys = new_reporter()
    arrive(first, new_keys, answer("earlier", f"my case was {old.name}"))
    new = first.case(new_keys)
    mentioned = case_top(first.vault, new).earlier
    assert [one.name for one in suggested_joins(first.vault, new, mentioned)] == [old.name]
    with pytest.raises(ProcedureError, match="checked"):
        merge_cases(first.vault, new, old, "", now=first.now)
    merge_cases(first.vault, new, old, "Knew what only she can know.", now=first.now)
    assert left_out(first.vault, new) == ("head",)
    assert read_file(first.vault, new).danger
    for name in (new.name, old.name):
        assert read_record(first.vault, name)[-1].act == "joined"
    with pytest.raises(ProcedureError, match="before"):
        merge_cases(first.vault, new, old, "Again.", now=first.now)


@pytest.mark.clause("P29")
@pytest.mark.clause("P39")
def test_a_case_that_goes_on_keeps_the_earlier_promise_and_everything_noted_in_both(
    first: Desk, reporter: ReporterKeys
) -> None:
    old = arrive(first, reporter, day=DAY - timedelta(days=30))
    tick_duty(first.vault, old, "support", "A doctor.", now=first.now)
    set_risk(first.vault, old, "high", "Same house.", now=first.now)
    new_keys = new_reporter()
    new, newest = arrive(first, new_keys), arrive(first, new_reporter())
    for joined in (old, newest):
        merge_cases(first.vault, new, joined, "Checked.", now=first.now)
    (line,) = triage(first.vault, today=DAY)
    assert line.reasons == ("high risk of harm", "23 days overdue to acknowledge")
    assert "support" in read_file(first.vault, new).duties
    first.office.writes(new_keys, later=True)
    first.imports()
    assert first.case(new_keys).acknowledge_by == old.acknowledge_by


@pytest.mark.clause("P39")
def test_a_case_whose_reporter_can_be_answered_is_not_joined_to_one_without_a_mailbox(
    first: Desk, reporter: ReporterKeys
) -> None:
    case = arrive(first, reporter)
    rang = enter_report(
        first.vault, way="telephone", track="concern", text="Again.", received=DAY, now=first.now
    )
    with pytest.raises(ProcedureError, match="instead"):
        merge_cases(first.vault, rang, case, "Same voice.", now=first.now)
    merge_cases(first.vault, case, rang, "Same voice.", now=first.now)
    assert read_file(first.vault, rang).merged_into == case.name


@pytest.mark.clause("P39")
def test_what_still_comes_under_the_older_receipt_is_recorded_and_raises_the_joined_case(
    first: Desk, reporter: ReporterKeys
) -> None:
    old = arrive(first, reporter)
    new_keys = new_reporter()
    new = arrive(first, new_keys)
    merge_cases(first.vault, new, old, "Checked.", now=first.now)
    first.office.writes(reporter, answer("danger", "yes"), later=True)
    first.imports()
    assert read_file(first.vault, new).danger
    assert read_record(first.vault, new.name)[-1].what == {"joined": old.name}


# --- P17, P25, P7: copies and hand-overs ---------------------------------------------


@pytest.mark.clause("P25")
def test_a_colleague_gets_replies_and_shared_notes_in_the_same_case_and_no_others(
    both: tuple[Desk, Desk], reporter: ReporterKeys
) -> None:
    first, second = both
    case = arrive(first, reporter)
    second.imports()
    queue_reply(first.vault, case, "My reply.", today=DAY)
    add_note(first.vault, case, "For both of us.", shared=True, now=first.now)
    add_note(first.vault, case, "Mine alone.", now=first.now)
    older, newer = first.office.stick("older"), first.office.stick("newer")
    first.exports()
    export_copy(first.vault, case, second.name, older, now=first.now)
    queue_reply(first.vault, case, "A second one.", today=DAY)
    first.exports()
    queue_reply(first.vault, case, "Perhaps taken back.", today=DAY)
    first.now += timedelta(hours=1)
    export_copy(first.vault, case, second.name, newer, now=first.now)
    taken = import_colleague_file(second.vault, newer, now=second.now)
    assert taken.name == case.name
    import_colleague_file(second.vault, older, now=second.now)  # late, and changes nothing
    (copy,) = read_file(second.vault, taken).copies
    assert [one.text for one in copy.replies] == ["My reply.", "A second one."]
    assert [one.text for one in copy.notes] == ["For both of us."]
    assert case_clocks(second.vault, second.case(reporter), today=DAY).running.endswith(
        "give feedback"
    )


@pytest.mark.clause("P25")
def test_a_copy_never_opens_a_case_and_is_never_made_for_one_left_out(
    both: tuple[Desk, Desk], reporter: ReporterKeys
) -> None:
    first, second = both
    case = arrive(first, reporter)
    path = first.office.stick("copy")
    export_copy(first.vault, case, second.name, path, now=first.now)
    with pytest.raises(StorageError, match="no case of that name"):
        import_colleague_file(second.vault, path, now=second.now)
    other = new_reporter()
    shut = arrive(first, other, *affected(*ALL_CONSENTS), left_out=[second.name])
    for send in (
        lambda: export_copy(first.vault, shut, second.name, path, now=first.now),
        lambda: hand_over(first.vault, shut, second.name, "x", path, now=first.now),
    ):
        with pytest.raises(ProcedureError, match="left this person out"):
            send()


@pytest.mark.clause("P16")
@pytest.mark.clause("P17")
def test_a_desk_refuses_a_file_about_a_case_that_its_counselor_was_left_out_of(
    both: tuple[Desk, Desk], reporter: ReporterKeys, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The sender's desk is made to break its own rule."""
    first, second = both
    case = arrive(first, reporter, *affected(*ALL_CONSENTS), left_out=[second.name])
    from desk.casework import sharing
    from desk.casework.colleagues import confirmed_colleague

    monkeypatch.setattr(sharing, "require_permitted", lambda v, c, n: confirmed_colleague(v, n))
    path = first.office.stick("hand-over")
    hand_over(first.vault, case, second.name, "x", path, now=first.now)
    with pytest.raises(AuthenticityError, match="left you out"):
        import_colleague_file(second.vault, path, now=second.now)
    assert not second.has(reporter)


@pytest.mark.clause("P2")
@pytest.mark.clause("P7")
def test_a_case_handed_over_with_consent_brings_the_originals_and_can_then_be_assessed(
    both: tuple[Desk, Desk], reporter: ReporterKeys, tmp_path: Path
) -> None:
    """The reporter wrote to counselor-1 when the relay had nobody else to offer."""
    first, second = both
    written = first.office.writes(
        reporter,
        *affected(),
        policy="ddp",
        readers=("counselor-1",),
        files={"photo.jpg": b"picture"},
    )
    first.imports()
    case = first.case(reporter)
    path = first.office.stick("hand-over")
    with pytest.raises(ProcedureError, match="has not agreed"):
        hand_over(first.vault, case, second.name, "To be assessed.", path, now=first.now)
    first.office.writes(
        reporter,
        answer("consents", "pass-on"),
        later=True,
        kind=Kind.CONSENT,
        policy="ddp",
        readers=("counselor-1",),
        text="",
    )
    first.imports()
    hand_over(first.vault, case, second.name, "To be assessed.", path, now=first.now)
    taken = import_colleague_file(second.vault, path, now=second.now)
    assert taken.name == case.name
    assert len(threads_of(second.vault, taken)) == 2
    files = extract_case(second.vault, taken, tmp_path / "out")
    assert b"picture" in {one.read_bytes() for one in files}
    assess(second.vault, taken, factors=FACTORS, conclusion=False, reasons="Once.", now=second.now)
    received = read_file(second.vault, taken).received_from
    assert received is not None
    assert received.name == "counselor-1"
    # The relay's bundle brings the same envelope afterwards: nothing is taken twice.
    assert second.imports().changed == ()
    record = second.vault.get(EnvelopeRecord, written.id.hex())
    assert record is not None
    assert record.read_token == written.token
    assert read_record(first.vault, case.name)[-1].act == "handed over"


@pytest.mark.clause("P5")
def test_an_escalation_reaches_the_next_rung_with_the_file_only_if_the_reporter_says_so(
    both: tuple[Desk, Desk], reporter: ReporterKeys
) -> None:
    """Counselor-2 stands for the rung here: she could not read what was written before."""
    first, second = both
    first.office.writes(reporter, policy="ddp", left_out=[second.name])
    escalation = {"later": True, "kind": Kind.ESCALATION, "policy": "ddp", "text": "Not enough."}
    first.office.writes(reporter, answer("rung", "head"), **escalation)  # type: ignore[arg-type]
    for desk in both:
        desk.imports()
    case = first.case(reporter)
    assert len(second.case(reporter).items) == 1
    path = first.office.stick("hand-over")
    for send in (
        lambda: hand_over(first.vault, case, second.name, "Escalated.", path, now=first.now),
        lambda: export_copy(first.vault, case, second.name, path, now=first.now),
    ):
        with pytest.raises(ProcedureError):
            send()
    first.office.writes(
        reporter,
        answer("rung", "head"),
        answer("hand-over", "yes"),
        **{**escalation, "text": "And give them my file."},  # type: ignore[arg-type]
    )
    for desk in both:
        desk.imports()
    hand_over(first.vault, case, second.name, "Escalated.", path, now=first.now)
    import_colleague_file(second.vault, path, now=second.now)
    assert len(second.case(reporter).items) == 3
    assert read_record(first.vault, case.name)[-1].what["originals"] != []


@pytest.mark.clause("P5")
def test_an_escalation_to_one_person_is_no_consent_to_hand_the_file_to_another(
    both: tuple[Desk, Desk], reporter: ReporterKeys, office: Office
) -> None:
    first, _ = both
    arrive(first, reporter, policy="ddp", readers=("counselor-1",))
    office.writes(
        reporter,
        answer("hand-over", "yes"),
        later=True,
        kind=Kind.ESCALATION,
        policy="ddp",
        readers=("counselor-1", "head"),
    )
    first.imports()
    case = first.case(reporter)
    allowed = {name: may_pass_on(first.vault, case, to=name) for name in ("head", "counselor-2")}
    assert allowed == {"head": True, "counselor-2": False}


def test_a_hand_over_that_brings_a_letter_of_another_case_is_refused_whole(
    both: tuple[Desk, Desk], reporter: ReporterKeys, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The sender's desk is made to put in what belongs to somebody else's case."""
    from desk.casework import sharing

    first, second = both
    other = new_reporter()
    for one in (reporter, other):
        first.office.writes(one, *affected("pass-on"), readers=("counselor-1",))
    first.imports()
    foreign = originals_of(first.vault, first.case(other))
    monkeypatch.setattr(sharing, "originals_of", lambda *_, **__: foreign)
    path = first.office.stick("hand-over")
    hand_over(first.vault, first.case(reporter), second.name, "x", path, now=first.now)
    with pytest.raises(AuthenticityError, match="another case"):
        import_colleague_file(second.vault, path, now=second.now)
    assert not second.has(other)
    assert second.vault.objects.names() == set()


@pytest.mark.clause("P17")
def test_after_a_conflict_the_case_is_handed_to_another_reader_and_both_records_say_so(
    both: tuple[Desk, Desk], reporter: ReporterKeys
) -> None:
    first, second = both
    case = arrive(first, reporter)
    second.imports()
    declare_conflict(first.vault, case, "My brother is named.", now=first.now)
    path = first.office.stick("hand-over")
    hand_over(first.vault, case, second.name, "My brother is named.", path, now=first.now)
    taken = import_colleague_file(second.vault, path, now=second.now)
    assert [one.act for one in read_record(first.vault, case.name)][-2:] == [
        "conflict",
        "handed over",
    ]
    assert read_record(second.vault, taken.name)[-1].act == "received"
    with pytest.raises(AuthenticityError, match="imported before"):
        import_colleague_file(second.vault, path, now=second.now)


def test_a_bundle_is_no_colleague_file(both: tuple[Desk, Desk]) -> None:
    first, second = both
    path = second.office.relay.cut(second.office.stick("bundle"), [], number=9)
    with pytest.raises(FormatError):
        import_colleague_file(first.vault, path, now=first.now)


# --- P10, P35: the end of a case -----------------------------------------------------


def agree(first: Desk, second: Desk, proposal: Proposal) -> Proposal:
    request, answered = first.office.stick("request"), first.office.stick("answer")
    export_request(first.vault, proposal, second.name, request, now=first.now)
    asked = import_request(second.vault, request, now=second.now)
    answer_request(second.vault, asked, answered, agrees=True, reason="Yes.", now=second.now)
    return import_answer(first.vault, answered, now=first.now)


@pytest.mark.clause("P10")
@pytest.mark.clause("P35")
def test_erasure_on_request_takes_two_signatures_and_leaves_only_the_chain(
    both: tuple[Desk, Desk], reporter: ReporterKeys
) -> None:
    first, second = both
    case = arrive(first, reporter, *affected(), files={"a.txt": b"x"})
    add_note(first.vault, case, "Something personal.", now=first.now)
    proposal = propose_deletion(first.vault, case, "request", "She asked for it.", now=first.now)
    with pytest.raises(ProcedureError, match="1 more must agree"):
        delete_case(first.vault, proposal, now=first.now)
    delete_case(first.vault, agree(first, second, proposal), now=first.now)
    assert not first.has(reporter)
    assert first.vault.get(ReadingRecord, case.items[0].envelope.hex()) is None
    assert first.vault.objects.names() == set()
    entries = verify_record(first.vault, case.name)
    assert [one.redacted for one in entries] == [True] * (len(entries) - 1) + [False]
    assert entries[-1].what["signed_by"] == ["counselor-1", "counselor-2"]
    assert first.vault.get(Tombstone, case.name) is not None
    mailbox = first.vault.get(MailboxRecord, case.mailbox.hex())
    assert mailbox is not None
    assert mailbox.case is None
    first.imports()
    assert not first.has(reporter)  # the relay still lists it, and it does not come back


@pytest.mark.clause("P35")
def test_a_lone_counselor_signs_alone(first: Desk, reporter: ReporterKeys, office: Office) -> None:
    office.relay.counselors = [first.counselor]
    case = arrive(first, reporter)
    proposal = propose_deletion(first.vault, case, "other", "Sent by mistake.", now=first.now)
    assert proposal.needed == 0
    delete_case(first.vault, proposal, now=first.now)
    assert not first.has(reporter)


@pytest.mark.clause("P35")
def test_spam_needs_no_second_signature(first: Desk, reporter: ReporterKeys) -> None:
    case = arrive(first, reporter)
    proposal = propose_deletion(first.vault, case, "spam", "Advertising.", now=first.now)
    delete_case(first.vault, proposal, now=first.now)
    assert read_record(first.vault, case.name)[-1].what["ground"] == "spam"


@pytest.mark.clause("P35")
def test_a_legal_hold_stops_every_deletion_until_it_is_released(
    first: Desk, reporter: ReporterKeys
) -> None:
    case = arrive(first, reporter)
    proposal = propose_deletion(first.vault, case, "spam", "Advertising.", now=first.now)
    hold_case(first.vault, case, "A court asked.", now=first.now)
    with pytest.raises(ProcedureError, match="legal hold"):
        delete_case(first.vault, proposal, now=first.now)
    with pytest.raises(ProcedureError, match="legal hold"):
        propose_deletion(first.vault, case, "other", "x", now=first.now)
    assert first.has(reporter)
    release_hold(first.vault, case, "The court is done.", now=first.now)
    delete_case(first.vault, proposal, now=first.now)
    assert not first.has(reporter)


@pytest.mark.clause("P10")
def test_retention_runs_from_closing_by_the_track_and_expiry_needs_no_signature(
    first: Desk, reporter: ReporterKeys
) -> None:
    case = arrive(first, reporter)
    with pytest.raises(ProcedureError, match="retention"):
        propose_deletion(first.vault, case, "expiry", "Time.", now=first.now)
    decide_outcome(first.vault, case, ["warning"], reasons="x", now=first.now)
    close_case(first.vault, case, "closed", question="Well?", reason="x", now=first.now)
    assert expired_cases(first.vault, today=DAY + timedelta(days=364)) == []
    first.waits(365)
    today = first.now.date()
    assert [one.name for one in expired_cases(first.vault, today=today)] == [case.name]
    proposal = propose_deletion(first.vault, case, "expiry", "Time.", now=first.now)
    delete_case(first.vault, proposal, now=first.now)
    assert not first.has(reporter)


@pytest.mark.clause("P35")
def test_a_case_proposed_for_deletion_before_it_was_joined_does_not_go_from_under_a_hold(
    first: Desk, reporter: ReporterKeys
) -> None:
    joined = arrive(first, reporter)
    proposal = propose_deletion(first.vault, joined, "spam", "Spam.", now=first.now)
    kept = arrive(first, new_reporter())
    merge_cases(first.vault, kept, joined, "One evening.", now=first.now)
    hold_case(first.vault, kept, "A court asks.", now=first.now)
    with pytest.raises(ProcedureError, match="joined"):
        delete_case(first.vault, proposal, now=first.now)
    assert first.has(reporter)


@pytest.mark.clause("P10")
def test_a_case_that_was_taken_up_again_is_not_deleted_for_its_age(
    first: Desk, reporter: ReporterKeys
) -> None:
    case = arrive(first, reporter)
    decide_outcome(first.vault, case, ["warning"], reasons="x", now=first.now)
    close_case(first.vault, case, "closed", question="Well?", reason="x", now=first.now)
    first.waits(365)
    proposal = propose_deletion(first.vault, case, "expiry", "Time.", now=first.now)
    set_case_status(first.vault, case, "looking", now=first.now)
    with pytest.raises(ProcedureError, match="retention"):
        delete_case(first.vault, proposal, now=first.now)
    assert first.has(reporter)


@pytest.mark.clause("P16")
def test_a_deletion_is_never_asked_of_somebody_left_out(
    both: tuple[Desk, Desk], reporter: ReporterKeys, office: Office
) -> None:
    first, second = both
    case = arrive(first, reporter, left_out=[second.name])
    proposal = propose_deletion(first.vault, case, "other", "x", now=first.now)
    with pytest.raises(ProcedureError, match="left this person out"):
        export_request(first.vault, proposal, second.name, office.stick("request"), now=first.now)


def test_a_late_bundle_after_a_deletion_still_imports(
    first: Desk, reporter: ReporterKeys, office: Office
) -> None:
    case = arrive(first, reporter)
    delete_case(
        first.vault,
        propose_deletion(first.vault, case, "spam", "x", now=first.now),
        now=first.now,
    )
    path = office.relay.cut(office.stick("bundle"), office.sent, number=20)
    assert import_bundle(first.vault, path, now=first.now).arrivals == []
    office.writes(reporter, later=True)
    first.imports()
    assert first.has(reporter)  # a new letter opens a new case of the same name
    assert [one.act for one in read_record(first.vault, case.name)][-2:] == ["opened", "arrived"]
