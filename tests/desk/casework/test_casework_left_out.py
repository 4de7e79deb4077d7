"""Who was left out stays out, and consents hold for whom they were given, in joined cases too."""

from dataclasses import replace
from datetime import timedelta

import pytest
from relayside import Counselor
from twodesks import (
    ALL_CONSENTS,
    DAY,
    Desk,
    Kind,
    affected,
    answer,
    arrive,
    consents_later,
    new_reporter,
)

from desk.casework.colleagues import permitted_colleagues
from desk.casework.conflicts import record_agreement
from desk.casework.errors import ProcedureError
from desk.casework.handling import record_consent
from desk.casework.handover import hand_over_sealed
from desk.casework.leftout import left_out
from desk.casework.manual import enter_report
from desk.casework.merging import merge_cases
from desk.casework.said import consents
from desk.casework.sharing import hand_over
from desk.records import CaseRecord
from protocol.derivation import ReporterKeys
from protocol.names import RecipientName

LATER = DAY + timedelta(days=1)


@pytest.fixture
def joined(first: Desk, reporter: ReporterKeys) -> tuple[CaseRecord, ReporterKeys]:
    """Give a case that leaves the head out, joined to that of somebody who does not."""
    shut = arrive(first, reporter, *affected(), left_out=["head"])
    other = new_reporter()
    arrive(first, other, *affected(*ALL_CONSENTS), day=LATER)
    open_to_all = arrive(first, other, later=True, day=LATER, text="And one thing more.")
    merge_cases(first.vault, open_to_all, shut, "They tell of one evening.", now=first.now)
    return first.case(other), other


@pytest.mark.clause("P16")
def test_a_follow_up_of_another_reporter_lets_nobody_into_the_case_joined_to_it(
    first: Desk, joined: tuple[CaseRecord, ReporterKeys]
) -> None:
    assert left_out(first.vault, joined[0]) == ("head",)


@pytest.mark.clause("P24")
def test_what_another_reporter_consents_to_is_no_consent_of_hers(
    first: Desk, joined: tuple[CaseRecord, ReporterKeys]
) -> None:
    case, other = joined
    assert consents(first.vault, case) == ()
    consents_later(first.office, other, *ALL_CONSENTS, day=LATER + timedelta(days=1))
    first.imports()
    assert consents(first.vault, case) == ()


@pytest.mark.clause("P24")
def test_a_consent_recorded_for_the_joined_case_holds_for_both_threads(
    first: Desk, joined: tuple[CaseRecord, ReporterKeys]
) -> None:
    first.waits(2)
    record_consent(first.vault, joined[0], ["name"], by_survivor=True, how="Both.", now=first.now)
    assert consents(first.vault, joined[0]) == ("name",)


@pytest.mark.clause("P24")
def test_a_consent_recorded_before_the_joining_holds_for_its_own_case_only(
    first: Desk, reporter: ReporterKeys
) -> None:
    silent, other = arrive(first, reporter, *affected()), new_reporter()
    heard = arrive(first, other, *affected())
    first.waits(1)
    record_consent(first.vault, heard, ["name"], by_survivor=True, how="She.", now=first.now)
    assert consents(first.vault, heard) == ("name",)
    merge_cases(first.vault, heard, silent, "One evening.", now=first.now)
    assert consents(first.vault, heard) == ()


@pytest.mark.clause("P16")
def test_a_report_of_staff_joined_to_it_does_not_spare_the_reporters_own_letter(
    first: Desk, reporter: ReporterKeys
) -> None:
    case = arrive(first, reporter, *affected(), left_out=["head"])
    seen = enter_report(
        first.vault,
        way="staff",
        track="concern",
        text="Seen.",
        received=DAY,
        left_out=["head"],
        now=first.now,
    )
    merge_cases(first.vault, case, seen, "One evening.", now=first.now)
    with pytest.raises(ProcedureError, match="Name the letter"):
        record_agreement(first.vault, case, "head", "Surely.", now=first.now)
    letter = arrive(first, reporter, later=True, left_out=["head"], text="She may.").items[-1]
    record_agreement(first.vault, case, "head", "She may.", envelope=letter.envelope, now=first.now)
    assert left_out(first.vault, case) == ()


@pytest.mark.clause("P9")
@pytest.mark.clause("P16")
def test_somebody_left_out_of_a_report_by_telephone_is_let_in_by_word(first: Desk) -> None:
    case = enter_report(
        first.vault,
        way="telephone",
        track="concern",
        text="Told.",
        received=DAY,
        left_out=["head"],
        now=first.now,
    )
    record_agreement(first.vault, case, "head", "Said so at noon.", now=first.now)
    assert left_out(first.vault, case) == ()


@pytest.mark.clause("P9")
@pytest.mark.clause("P16")
@pytest.mark.parametrize("slip", ["haed", "Head", "head ", ""])
def test_a_report_by_telephone_leaves_nobody_out_by_a_name_that_nobody_has(
    first: Desk, slip: str
) -> None:
    with pytest.raises(ProcedureError, match="Nobody is called that"):
        enter_report(
            first.vault,
            way="telephone",
            track="concern",
            text="Told.",
            received=DAY,
            left_out=["head", slip],
            now=first.now,
        )
    assert list(first.vault.all(CaseRecord)) == []


@pytest.mark.clause("P9")
def test_a_report_by_telephone_has_no_answer_that_its_question_does_not_offer(first: Desk) -> None:
    with pytest.raises(ProcedureError, match="no such option"):
        enter_report(
            first.vault,
            way="telephone",
            track="concern",
            text="Told.",
            received=DAY,
            answers={"standing": ["Affected"]},
            now=first.now,
        )


@pytest.mark.clause("P16")
def test_an_agreement_about_one_case_lets_nobody_into_another_joined_later(
    first: Desk, reporter: ReporterKeys
) -> None:
    shut = arrive(first, reporter, left_out=["head"])
    other = new_reporter()
    arrive(first, other, left_out=["head"])
    letter = arrive(first, other, later=True, left_out=["head"], text="She may.").items[-1]
    opened = first.case(other)
    record_agreement(
        first.vault, opened, "head", "She may.", envelope=letter.envelope, now=first.now
    )
    assert left_out(first.vault, opened) == ()
    merge_cases(first.vault, opened, shut, "One evening.", now=first.now)
    assert left_out(first.vault, opened) == ("head",)


@pytest.mark.clause("P16")
@pytest.mark.clause("P39")
def test_an_escalation_under_the_new_words_of_a_replaced_receipt_counts_for_the_old_case(
    first: Desk, reporter: ReporterKeys
) -> None:
    arrive(first, reporter, *affected("pass-on"), left_out=["head"])
    new = new_reporter()
    first.office.writes(
        new,
        answer("replaces", reporter.mailbox_id.hex()),
        later=True,
        text="",
        envelope=new.report_id,
        left_out=["head"],
    )
    first.office.writes(
        reporter,
        answer("replaced-by", new.mailbox_id.hex()),
        later=True,
        kind=Kind.CLOSING,
        text="",
        left_out=["head"],
    )
    first.imports()
    assert left_out(first.vault, first.case(new)) == ("head",)
    assert consents(first.vault, first.case(new)) == ("pass-on",)
    case = arrive(first, new, later=True, kind=Kind.ESCALATION, text="Take it further.")
    assert left_out(first.vault, case) == ()


@pytest.mark.clause("P16")
def test_a_reader_whose_tick_a_follow_up_took_away_gets_nothing_more_of_the_case(
    both: tuple[Desk, Desk], reporter: ReporterKeys
) -> None:
    first, second = both
    arrive(first, reporter, *affected("pass-on"))
    others = tuple(RecipientName(one) for one in ("counselor-1", "head"))
    case = arrive(first, reporter, later=True, text="It is about her.", readers=others, day=LATER)
    consents_later(first.office, reporter, "pass-on", day=LATER + timedelta(days=1))
    first.imports()
    assert left_out(first.vault, case) == (second.name,)
    with pytest.raises(ProcedureError, match="left this person out"):
        hand_over(
            first.vault, case, second.name, "x", first.office.stick("hand-over"), now=first.now
        )
    case = arrive(first, reporter, later=True, text="It was not.", day=LATER + timedelta(days=2))
    assert left_out(first.vault, case) == ()


@pytest.mark.clause("P16")
@pytest.mark.clause("P38")
def test_a_body_outside_with_the_key_of_somebody_left_out_gets_nothing(
    first: Desk, reporter: ReporterKeys, people: dict[str, Counselor]
) -> None:
    case = arrive(first, reporter, *affected(*ALL_CONSENTS), left_out=["head"])
    key, out = people["head"].secret_key, first.office.stick("hand-over")
    with pytest.raises(ProcedureError, match="left this person out"):
        hand_over_sealed(
            first.vault,
            case,
            out,
            certificate=key.certificate,
            fingerprint=key.fingerprint,
            to="An outside body",
            reason="x",
            now=first.now,
        )
    assert not out.exists()


@pytest.mark.clause("P16")
def test_somebody_left_out_stays_out_under_another_name_of_the_relays(
    first: Desk, reporter: ReporterKeys, people: dict[str, Counselor]
) -> None:
    case = arrive(first, reporter, *affected("pass-on"), left_out=["head"])
    renamed = replace(people["head"], name=RecipientName("advisor"))
    first.office.relay.counselors = [people["counselor-1"], renamed]
    told = first.imports().told
    assert any("advisor has the key that head had" in one for one in told)
    first.confirms_everybody()
    assert permitted_colleagues(first.vault, case) == []
    with pytest.raises(ProcedureError, match="left this person out"):
        hand_over(first.vault, case, "advisor", "x", first.office.stick("x"), now=first.now)


@pytest.mark.clause("P16")
def test_of_two_follow_ups_of_one_day_the_one_that_takes_the_tick_away_holds(
    first: Desk, reporter: ReporterKeys
) -> None:
    arrive(first, reporter)
    for text, readers in (("Not to her.", ("counselor-1",)), ("To all.", ("counselor-1", "head"))):
        arrive(first, reporter, later=True, text=text, day=LATER, readers=readers)
    assert left_out(first.vault, first.case(reporter)) == ("counselor-2", "head")


@pytest.mark.clause("P16")
def test_an_agreement_in_words_lets_a_reader_in_again_until_the_next_follow_up(
    first: Desk, reporter: ReporterKeys
) -> None:
    arrive(first, reporter)
    without = {"later": True, "readers": ("counselor-1", "head")}
    case = arrive(first, reporter, text="Not to her.", day=LATER, **without)
    first.waits(1)
    record_agreement(
        first.vault,
        case,
        "counselor-2",
        "She may after all.",
        envelope=case.items[-1].envelope,
        now=first.now,
    )
    assert left_out(first.vault, case) == ()
    case = arrive(first, reporter, text="No.", day=LATER + timedelta(days=1), **without)
    assert left_out(first.vault, case) == ("counselor-2",)
