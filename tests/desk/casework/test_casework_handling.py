"""What a counselor does in a case: duties, clocks, assessment, decisions, consents, order."""

from datetime import timedelta

import pytest
from twodesks import ALL_CONSENTS, DAY, Desk, Kind, affected, answer, arrive, consents_later

from desk.casework.clocks import Window, case_clocks, decide_window
from desk.casework.conflicts import declare_conflict
from desk.casework.errors import ProcedureError
from desk.casework.following import after_import
from desk.casework.handling import (
    assess,
    close_case,
    decide_outcome,
    open_duties,
    record_consent,
    set_case_status,
    set_risk,
    tick_duty,
)
from desk.casework.leftout import left_out
from desk.casework.noting import add_answer_of_reported, add_note
from desk.casework.replytexts import ready_replies, require_filled
from desk.casework.rules import choose_policy, chosen_policy, import_policy, policy_of
from desk.casework.said import case_top, consents
from desk.casework.sharing import hand_over
from desk.casework.triage import triage
from desk.casework.verifying import read_record
from desk.casework.work import read_file
from desk.importing import import_bundle
from desk.replies import case_page, queue_reply
from policies.loader import shipped
from protocol.derivation import ReporterKeys, generate_throwaway_keys
from protocol.errors import FormatError

FACTORS = {
    "frequency": "repeated",
    "severity": "grave",
    "threatening": "yes",
    "well-being": "strong",
    "power": "more",
}


# --- P3, P4, P29: clocks -------------------------------------------------------------


@pytest.mark.clause("P3")
@pytest.mark.parametrize(
    ("answers", "window"),
    [
        pytest.param([("when", str(DAY - timedelta(days=183)))], Window.INSIDE, id="last day"),
        pytest.param([("when", str(DAY - timedelta(days=184)))], Window.DECIDE, id="a day late"),
        pytest.param([], Window.DECIDE, id="undated"),
        pytest.param([("when", "last spring")], Window.DECIDE, id="dated in words"),
    ],
)
def test_an_event_outside_the_window_is_marked_and_never_refused(
    first: Desk, reporter: ReporterKeys, answers: list[tuple[str, str]], window: Window
) -> None:
    arrive(first, reporter, *(answer(*one) for one in answers), policy="ddp")
    case = first.case(reporter)
    clocks = case_clocks(first.vault, case, today=DAY)
    assert clocks.window is window
    (line,) = triage(first.vault, today=DAY)
    assert ("outside the window: decide" in line.reasons) == (window is Window.DECIDE)


@pytest.mark.clause("P3")
def test_a_decision_about_a_late_event_is_recorded_with_its_reason(
    first: Desk, reporter: ReporterKeys
) -> None:
    arrive(first, reporter, policy="ddp")
    case = first.case(reporter)
    decide_window(first.vault, case, "Taken on: it went on until May.", now=first.now)
    assert case_clocks(first.vault, case, today=DAY).window is Window.DECIDED
    entry = read_record(first.vault, case.name)[-1]
    assert (entry.act, entry.why) == ("window", "Taken on: it went on until May.")


@pytest.mark.clause("P3")
def test_the_whistleblowing_track_has_no_window(first: Desk, reporter: ReporterKeys) -> None:
    arrive(first, reporter, policy="ddp", track="whistleblowing")
    case = first.case(reporter)
    assert case_clocks(first.vault, case, today=DAY).window is Window.NONE


@pytest.mark.clause("P4")
@pytest.mark.clause("P29")
@pytest.mark.parametrize(
    ("policy", "days"), [("ifes", 7), ("ddp", 14)], ids=["the Directive's", "two weeks"]
)
def test_the_clocks_of_a_case_and_of_its_reply_page_are_those_of_the_policy(
    first: Desk, reporter: ReporterKeys, policy: str, days: int
) -> None:
    arrive(first, reporter, policy=policy)
    case = first.case(reporter)
    assert case.acknowledge_by == DAY + timedelta(days=days)
    page = case_page(case, counselor=first.counselor.name, today=DAY)
    assert (page.acknowledge_by, page.feedback_by) == (
        DAY + timedelta(days=days),
        DAY + timedelta(days=90),
    )
    late = case_clocks(first.vault, case, today=DAY + timedelta(days=days + 1))
    assert (late.overdue, late.running) == (True, "1 day overdue to acknowledge")


@pytest.mark.clause("P4")
def test_a_ready_reply_carries_the_dates_and_is_not_sent_with_braces_in_it(
    first: Desk, reporter: ReporterKeys
) -> None:
    arrive(first, reporter)
    case = first.case(reporter)
    (ready, *_) = ready_replies(first.vault, case)
    assert ready.moment == "acknowledgement"
    assert "by 18 February 2027 at the latest" in ready.text
    assert ready.unfilled == ("next_steps",)
    with pytest.raises(ProcedureError, match="next_steps"):
        require_filled(ready.text)
    (ready, *_) = ready_replies(first.vault, case, {"next_steps": "I call the venue."})
    assert require_filled(ready.text)
    queue_reply(first.vault, case, ready.text, today=DAY)
    first.exports()
    assert case_clocks(first.vault, first.case(reporter), today=DAY).running.endswith(
        "give feedback"
    )


# --- P6, P32: duties and order -------------------------------------------------------


@pytest.mark.clause("P6")
def test_the_three_duties_are_a_checklist_and_each_says_what_was_done(
    first: Desk, reporter: ReporterKeys
) -> None:
    arrive(first, reporter, policy="ddp")
    case = first.case(reporter)
    assert open_duties(first.vault, case) == ("support", "advice", "guidance")
    tick_duty(first.vault, case, "support", "A doctor on Monday.", now=first.now)
    assert open_duties(first.vault, case) == ("advice", "guidance")
    with pytest.raises(ProcedureError, match="what was done"):
        tick_duty(first.vault, case, "advice", " ", now=first.now)
    with pytest.raises(ProcedureError, match="no such duty"):
        tick_duty(first.vault, case, "tea", "Made some.", now=first.now)
    assert open_duties(first.vault, case) == ("advice", "guidance")


@pytest.mark.clause("P6")
@pytest.mark.clause("P32")
def test_triage_puts_danger_before_risk_before_retaliation_before_support_before_the_clock(
    first: Desk,
) -> None:
    kinds: dict[str, tuple[object, ...]] = {
        "plain": (),
        "support": (answer("support", "talk"),),
        "retaliation": (answer("categories", "retaliation"),),
        "risk": (),
        "danger": (answer("danger", "yes"),),
    }
    reporters = {kind: generate_throwaway_keys() for kind in kinds}
    for kind, answers in kinds.items():
        first.office.writes(reporters[kind], *answers)  # type: ignore[arg-type]  # answers
    late = generate_throwaway_keys()
    first.office.writes(late, day=DAY - timedelta(days=30))
    first.imports()
    risky = first.case(reporters["risk"])
    set_risk(first.vault, risky, "high", "Lives with the person reported.", now=first.now)
    expected = ["danger", "risk", "retaliation", "support"]
    names = [first.case(reporters[kind]).name for kind in expected]
    names += [first.case(late).name, first.case(reporters["plain"]).name]
    lines = triage(first.vault, today=DAY)
    assert [line.case.name for line in lines] == names
    assert lines[0].reasons[0] == "says there is danger"
    assert "overdue" in lines[4].reasons[0]


@pytest.mark.clause("P5")
def test_a_case_that_its_reporter_takes_further_says_so_in_the_list(
    first: Desk, reporter: ReporterKeys
) -> None:
    arrive(first, reporter)
    first.office.writes(reporter, later=True, kind=Kind.ESCALATION, text="Not enough.")
    first.imports()
    (line,) = triage(first.vault, today=DAY)
    assert line.reasons == ("takes it further",)


@pytest.mark.clause("P17")
def test_what_was_handed_on_for_a_conflict_of_interest_comes_last_and_says_so(
    both: tuple[Desk, Desk], reporter: ReporterKeys
) -> None:
    first, second = both
    arrive(first, reporter, answer("danger", "yes"))
    other = generate_throwaway_keys()
    arrive(first, other)
    case = first.case(reporter)
    declare_conflict(first.vault, case, "We are friends.", now=first.now)
    assert triage(first.vault, today=DAY)[0].reasons[0] == "your conflict of interest: hand it over"
    path = first.office.stick("hand-over")
    hand_over(first.vault, case, second.name, "We are friends.", path, now=first.now)
    assert [line.case.name for line in triage(first.vault, today=DAY)] == [
        first.case(other).name,
        case.name,
    ]


@pytest.mark.clause("P18")
def test_retaliation_from_the_mailbox_joins_the_earlier_case_and_raises_it(
    first: Desk, reporter: ReporterKeys
) -> None:
    arrive(first, reporter)
    name = first.case(reporter).name
    followed_before = len(triage(first.vault, today=DAY))
    first.office.writes(reporter, answer("requests", "retaliation"), later=True)
    told = first.imports().told
    assert any("retaliation" in one for one in told)
    (line,) = triage(first.vault, today=DAY)
    assert (line.case.name, line.file.retaliation, followed_before) == (name, True, 1)


@pytest.mark.clause("P33")
@pytest.mark.parametrize("wish", ["meeting", "stop"])
def test_what_is_asked_for_in_the_mailbox_stands_on_top_and_in_the_record(
    first: Desk, reporter: ReporterKeys, wish: str
) -> None:
    arrive(first, reporter)
    first.office.writes(reporter, answer("requests", wish), later=True)
    first.imports()
    case = first.case(reporter)
    assert case_top(first.vault, case).requests == (wish,)
    assert read_record(first.vault, case.name)[-1].what == {"requests": [wish]}


@pytest.mark.clause("P33")
@pytest.mark.parametrize(
    ("wish", "left"), [("delete-replies", ["second"]), ("close", [])], ids=["delete", "close"]
)
def test_a_wish_to_remove_replies_takes_them_off_the_page_and_keeps_them_in_the_case(
    first: Desk, reporter: ReporterKeys, wish: str, left: list[str]
) -> None:
    arrive(first, reporter)
    queue_reply(first.vault, first.case(reporter), "first", today=DAY)
    first.exports()
    queue_reply(first.vault, first.case(reporter), "second", today=DAY)
    first.office.writes(reporter, answer("closing", wish), later=True, kind=Kind.CLOSING)
    first.imports()
    case = first.case(reporter)
    page = case_page(case, counselor=first.counselor.name, today=DAY)
    assert [one.text for one in page.replies] == left
    assert len(case.replies) == 2


def test_following_an_import_twice_writes_nothing_twice(
    first: Desk, reporter: ReporterKeys
) -> None:
    arrive(first, reporter)
    before = read_record(first.vault, first.case(reporter).name)
    assert first.imports().changed == ()
    assert read_record(first.vault, first.case(reporter).name) == before


def test_a_stranger_in_the_mailbox_changes_neither_consents_nor_order(
    first: Desk, reporter: ReporterKeys
) -> None:
    arrive(first, reporter, *affected())
    stranger = generate_throwaway_keys()
    forged = first.office.relay.follow_up(
        reporter,
        voice_public=stranger.voice_public,
        policy="ifes",
        track="incident",
        kind=Kind.CONSENT,
        answers=(*affected(*ALL_CONSENTS), answer("danger", "yes")),
    )
    first.office.sent.append(first.office.relay.send(_with_voice(reporter, stranger), forged))
    first.imports()
    case = first.case(reporter)
    assert consents(first.vault, case) == ()
    assert not read_file(first.vault, case).danger
    assert read_record(first.vault, case.name)[-1].what["same_reporter"] is False


def _with_voice(reporter: ReporterKeys, stranger: ReporterKeys) -> ReporterKeys:
    from dataclasses import replace

    return replace(reporter, voice=stranger.voice)


# --- P7: assessment ------------------------------------------------------------------


@pytest.mark.clause("P7")
def test_an_assessment_weighs_all_five_factors_and_draws_a_conclusion(
    second: Desk, reporter: ReporterKeys
) -> None:
    """The policy's route brought this report to the reviewing team alone."""
    arrive(second, reporter, policy="ddp", readers=("counselor-2",), left_out=["counselor-1"])
    case = second.case(reporter)
    with pytest.raises(ProcedureError, match="every factor"):
        assess(
            second.vault,
            case,
            factors={"power": "more"},
            conclusion=True,
            reasons="x",
            now=second.now,
        )
    with pytest.raises(ProcedureError, match="one of the answers"):
        assess(
            second.vault,
            case,
            factors={**FACTORS, "power": "huge"},
            conclusion=True,
            reasons="x",
            now=second.now,
        )
    assess(
        second.vault,
        case,
        factors=FACTORS,
        conclusion=True,
        reasons="Daily, by her boss.",
        now=second.now,
    )
    (assessment,) = read_file(second.vault, case).assessments
    assert (assessment.factors, assessment.conclusion) == (FACTORS, True)
    assert read_record(second.vault, case.name)[-1].why == "Daily, by her boss."


@pytest.mark.clause("P7")
def test_an_assessment_is_refused_to_the_counselor_and_before_the_hand_over(
    both: tuple[Desk, Desk], reporter: ReporterKeys
) -> None:
    first, second = both
    first.office.writes(reporter, policy="ddp")
    for desk, sentence in ((first, "reviewing team"), (second, "not handed this case over")):
        desk.imports()
        with pytest.raises(ProcedureError, match=sentence):
            assess(
                desk.vault,
                desk.case(reporter),
                factors=FACTORS,
                conclusion=True,
                reasons="x",
                now=desk.now,
            )


# --- P13, P31: how it ends -----------------------------------------------------------


@pytest.mark.clause("P13")
@pytest.mark.clause("P31")
def test_outcome_and_reasons_reach_the_reporter_only_in_the_counselors_words(
    first: Desk, reporter: ReporterKeys
) -> None:
    arrive(first, reporter, policy="ddp")
    case = first.case(reporter)
    with pytest.raises(ProcedureError, match="at least one outcome"):
        decide_outcome(first.vault, case, ["exile"], reasons="x", now=first.now)
    decide_outcome(
        first.vault, case, ["warning", "training"], reasons="Internal reasons.", now=first.now
    )
    assert case_page(first.case(reporter), counselor=first.counselor.name, today=DAY).outcome == ""
    decide_outcome(
        first.vault,
        case,
        ["warning"],
        reasons="Internal reasons.",
        tell_reporter="They were warned, because it happened twice.",
        now=first.now,
    )
    page = case_page(first.case(reporter), counselor=first.counselor.name, today=DAY)
    assert page.outcome == "They were warned, because it happened twice."
    assert read_file(first.vault, case).decision is not None


@pytest.mark.clause("P31")
def test_an_outcome_of_spaces_takes_nothing_off_the_page_and_line_ends_are_those_of_replies(
    first: Desk, reporter: ReporterKeys
) -> None:
    case = arrive(first, reporter)
    for tell in ("Warned.\r\nTwice.", " \r\n "):
        decide_outcome(
            first.vault, case, ["warning"], reasons="x", tell_reporter=tell, now=first.now
        )
        assert first.case(reporter).outcome == "Warned.\nTwice."


@pytest.mark.clause("P31")
def test_a_case_closes_only_with_an_outcome_and_after_asking_the_reporter(
    first: Desk, reporter: ReporterKeys
) -> None:
    arrive(first, reporter)
    case = first.case(reporter)
    with pytest.raises(ProcedureError, match="Decide the outcome"):
        close_case(first.vault, case, "closed", question="Well?", reason="x", now=first.now)
    decide_outcome(first.vault, case, ["warning"], reasons="x", now=first.now)
    with pytest.raises(ProcedureError, match="satisfied"):
        close_case(first.vault, case, "closed", question="", reason="x", now=first.now)
    with pytest.raises(ProcedureError, match="ends the case"):
        close_case(first.vault, case, "looking", question="Well?", reason="x", now=first.now)
    with pytest.raises(ProcedureError, match="Close the case"):
        set_case_status(first.vault, case, "closed", now=first.now)
    closing = next(r for r in ready_replies(first.vault, case) if r.moment == "closing")
    close_case(first.vault, case, "closed", question=closing.text, reason="Settled.", now=first.now)
    case = first.case(reporter)
    assert (case.status, case.replies[-1].text) == ("closed", closing.text)
    assert triage(first.vault, today=DAY) == []
    assert [one.case.name for one in triage(first.vault, today=DAY, closed=True)] == [case.name]


@pytest.mark.clause("P31")
def test_a_status_of_the_policy_stands_on_the_reporters_page(
    first: Desk, reporter: ReporterKeys
) -> None:
    arrive(first, reporter)
    set_case_status(first.vault, first.case(reporter), "looking", now=first.now)
    page = case_page(first.case(reporter), counselor=first.counselor.name, today=DAY)
    assert page.status == "looking"
    with pytest.raises(ProcedureError, match="no such status"):
        set_case_status(first.vault, first.case(reporter), "sleeping", now=first.now)


# --- P16, P19, P24, P25, P34: what stands on top -------------------------------------


@pytest.mark.clause("P19")
@pytest.mark.clause("P25")
def test_wishes_contact_and_who_was_left_out_stand_on_top(
    first: Desk, reporter: ReporterKeys
) -> None:
    arrive(
        first,
        reporter,
        *affected("pass-on"),
        answer("wishes", "Nobody is to be told my name."),
        answer("contact-purpose", "inform-only"),
        answer("e-mail", "someone@example.org"),
        answer("support-person", "a friend"),
        left_out=["head"],
    )
    top = case_top(first.vault, first.case(reporter))
    assert top.wishes == ("Nobody is to be told my name.",)
    assert (top.contact, top.support_person) == ("inform-only", "a friend")
    assert [value for _, value in top.contact_details] == ["someone@example.org"]
    assert (top.left_out, top.standing) == (("head",), "affected")


@pytest.mark.clause("P16")
def test_somebody_left_out_stays_out_after_a_follow_up_and_comes_in_by_an_escalation(
    first: Desk, reporter: ReporterKeys
) -> None:
    arrive(first, reporter, left_out=["head", "counselor-2"])
    first.office.writes(reporter, later=True, left_out=["head", "counselor-2"])
    first.imports()
    assert left_out(first.vault, first.case(reporter)) == ("head", "counselor-2")
    first.office.writes(reporter, later=True, kind=Kind.ESCALATION, left_out=["counselor-2"])
    first.imports()
    assert left_out(first.vault, first.case(reporter)) == ("counselor-2",)


@pytest.mark.clause("P24")
def test_consent_of_the_person_affected_holds_until_it_is_taken_back(
    first: Desk, reporter: ReporterKeys
) -> None:
    arrive(first, reporter, *affected("pass-on", "account"))
    assert consents(first.vault, first.case(reporter)) == ("pass-on", "account")
    consents_later(first.office, reporter, "pass-on")
    first.imports()
    assert consents(first.vault, first.case(reporter)) == ("pass-on",)
    consents_later(first.office, reporter)
    first.imports()
    assert consents(first.vault, first.case(reporter)) == ()


@pytest.mark.clause("P24")
def test_a_consent_taken_back_a_second_time_in_the_same_words_is_taken_back(
    first: Desk, reporter: ReporterKeys
) -> None:
    arrive(first, reporter, *affected())
    for days, given in enumerate([(), ("name", "account"), ()], start=1):
        consents_later(first.office, reporter, *given, day=DAY + timedelta(days=days))
        first.imports()
        assert consents(first.vault, first.case(reporter)) == given


@pytest.mark.clause("P33")
def test_who_asks_again_in_the_same_words_on_another_day_is_heard_again(
    first: Desk, reporter: ReporterKeys
) -> None:
    arrive(first, reporter)
    for days in (1, 30):
        first.office.writes(
            reporter,
            answer("requests", "meeting"),
            later=True,
            text="Call me.",
            day=DAY + timedelta(days=days),
        )
        first.imports()
    assert [one.act for one in read_record(first.vault, first.case(reporter).name)].count(
        "requested"
    ) == 2


@pytest.mark.clause("P24")
def test_a_consent_given_later_on_the_day_of_the_report_holds(
    first: Desk, reporter: ReporterKeys
) -> None:
    arrive(first, reporter, *affected())
    consents_later(first.office, reporter, "account")
    first.imports()
    assert consents(first.vault, first.case(reporter)) == ("account",)


@pytest.mark.clause("P24")
def test_a_consent_given_later_holds_when_it_says_that_it_happened_to_the_reporter(
    first: Desk, reporter: ReporterKeys
) -> None:
    arrive(first, reporter)
    consents_later(first.office, reporter, "account")
    first.imports()
    assert consents(first.vault, first.case(reporter)) == ()
    given = {"kind": Kind.CONSENT, "text": "", "day": DAY + timedelta(days=1)}
    first.office.writes(reporter, *affected("account"), later=True, **given)
    first.imports()
    assert consents(first.vault, first.case(reporter)) == ("account",)


@pytest.mark.clause("P24")
@pytest.mark.parametrize("standing", ["witness", "on-behalf"])
def test_a_witness_cannot_consent_for_the_person_affected(
    first: Desk, reporter: ReporterKeys, standing: str
) -> None:
    arrive(first, reporter, answer("standing", standing), answer("consents", *ALL_CONSENTS))
    case = first.case(reporter)
    assert consents(first.vault, case) == ("pass-on",)
    with pytest.raises(ProcedureError, match="witness cannot"):
        record_consent(
            first.vault, case, ["name"], by_survivor=False, how="She said so.", now=first.now
        )
    record_consent(
        first.vault, case, ["name"], by_survivor=True, how="In person, noon.", now=first.now
    )
    assert consents(first.vault, case) == ()  # of one day the narrower holds
    first.waits(1)
    record_consent(first.vault, case, ["name"], by_survivor=True, how="Once more.", now=first.now)
    assert consents(first.vault, case) == ("name",)
    assert read_record(first.vault, case.name)[-1].what["by_survivor"] is True


@pytest.mark.clause("P25")
@pytest.mark.clause("P34")
def test_notes_and_the_answer_of_the_person_reported_are_sealed_on_the_disk(
    first: Desk, reporter: ReporterKeys
) -> None:
    arrive(first, reporter)
    case = first.case(reporter)
    add_note(first.vault, case, "Canary-of-a-note", now=first.now)
    add_answer_of_reported(first.vault, case, "Canary-of-an-answer", now=first.now)
    file = read_file(first.vault, case)
    assert file.notes[0].text == "Canary-of-a-note"
    assert file.answers_of_reported[0].text == "Canary-of-an-answer"
    for path in first.vault.directory.rglob("*"):
        assert not path.is_file() or b"Canary" not in path.read_bytes()


# --- the policy at the desk ----------------------------------------------------------


def test_an_imported_policy_goes_before_the_shipped_one_and_lies_in_the_vault(
    first: Desk, reporter: ReporterKeys, tmp_path: object
) -> None:
    import shutil
    from pathlib import Path

    folder = Path(str(tmp_path)) / "policy"
    shutil.copytree(shipped("ifes"), folder)
    text = (folder / "policy.toml").read_text()
    (folder / "policy.toml").write_text(
        text.replace("acknowledge-days = 7", "acknowledge-days = 3")
    )
    import_policy(first.vault, folder)
    shutil.rmtree(folder)
    arrive(first, reporter)
    case = first.case(reporter)
    assert case.acknowledge_by == DAY + timedelta(days=3)


def test_a_new_desk_follows_the_procedure_of_its_relay_unless_another_was_chosen(
    first: Desk, second: Desk
) -> None:
    choose_policy(second.vault, "ifes")
    for desk in (first, second):
        head = {"policy": "ddp", "policy_version": "1.0"}
        path = desk.office.relay.cut(desk.office.stick("bundle"), [], number=3, **head)
        import_bundle(desk.vault, path, now=desk.now)
        assert after_import(desk.vault, path, now=desk.now).told == ()
    assert [chosen_policy(desk.vault) for desk in (first, second)] == ["ddp", "ifes"]


@pytest.mark.parametrize(
    ("policy", "version", "sentence"),
    [
        ("theirs", "3", "«theirs», which this desk does not know"),
        ("ddp", "9.9", "version 9.9 of the procedure «ddp», and this desk has 1.0"),
    ],
    ids=["unknown", "another version"],
)
def test_a_desk_that_lacks_the_procedure_of_its_relay_says_so_with_every_bundle(
    first: Desk, policy: str, version: str, sentence: str
) -> None:
    for number in (3, 4):
        head = {"policy": policy, "policy_version": version}
        path = first.office.relay.cut(first.office.stick("bundle"), [], number=number, **head)
        import_bundle(first.vault, path, now=first.now)
        (told,) = after_import(first.vault, path, now=first.now).told
        assert sentence in told


def test_a_case_of_an_unknown_policy_follows_the_one_chosen_for_the_desk(
    first: Desk, reporter: ReporterKeys
) -> None:
    choose_policy(first.vault, "ddp")
    arrive(first, reporter, policy="ifes")
    unknown = first.case(reporter).model_copy(update={"policy": "theirs 9"})
    assert policy_of(first.vault, unknown).id == "ddp"
    assert policy_of(first.vault, first.case(reporter)).id == "ifes"
    with pytest.raises(FormatError):
        choose_policy(first.vault, "theirs")
