"""After a conflict of interest was declared: what is refused, and what is left to do (P17)."""

from collections.abc import Callable
from pathlib import Path

import pytest
from twodesks import DAY, Desk, Kind, affected, answer, arrive, new_reporter

from desk.casework import acting, deleting, handling, noting
from desk.casework.clocks import decide_window
from desk.casework.concurrence import export_request
from desk.casework.conflicts import declare_conflict, record_agreement
from desk.casework.errors import ProcedureError
from desk.casework.handover import export_case, export_record, hand_over_on_paper
from desk.casework.merging import merge_cases
from desk.casework.proposals import Proposal
from desk.casework.sharing import export_copy
from desk.casework.verifying import read_record
from desk.records import CaseRecord
from protocol.derivation import ReporterKeys

Act = Callable[[Desk, CaseRecord, Path], object]


def other_case(desk: Desk) -> CaseRecord:
    return arrive(desk, new_reporter())


REFUSED: dict[str, Act] = {
    "propose": lambda d, c, _: acting.propose_action(
        d.vault, c, "mute", target="x", reason="y", now=d.now
    ),
    "set a status": lambda d, c, _: handling.set_case_status(d.vault, c, "looking", now=d.now),
    "decide an outcome": lambda d, c, _: handling.decide_outcome(
        d.vault, c, ["warning"], reasons="x", now=d.now
    ),
    "close": lambda d, c, _: handling.close_case(
        d.vault, c, "closed", question="?", reason="x", now=d.now
    ),
    "decide about the window": lambda d, c, _: decide_window(d.vault, c, "x", now=d.now),
    "note a duty": lambda d, c, _: handling.tick_duty(d.vault, c, "support", "x", now=d.now),
    "lower the risk": lambda d, c, _: handling.set_risk(d.vault, c, "none", "x", now=d.now),
    "answer for the one reported": lambda d, c, _: noting.add_answer_of_reported(
        d.vault, c, "x", now=d.now
    ),
    "tell the reporter otherwise": lambda d, c, _: noting.tell_otherwise(
        d.vault, c, "x", now=d.now
    ),
    "record a consent": lambda d, c, _: handling.record_consent(
        d.vault, c, ["name"], by_survivor=True, how="x", now=d.now
    ),
    "let somebody in": lambda d, c, _: record_agreement(d.vault, c, "head", "x", now=d.now),
    "join a case": lambda d, c, _: merge_cases(d.vault, c, other_case(d), "x", now=d.now),
    "release the hold": lambda d, c, _: deleting.release_hold(d.vault, c, "x", now=d.now),
    "propose to delete": lambda d, c, _: deleting.propose_deletion(
        d.vault, c, "spam", "x", now=d.now
    ),
    "export": lambda d, c, out: export_case(d.vault, c, out, why="x", now=d.now),
    "hand over outside": lambda d, c, _: hand_over_on_paper(
        d.vault, c, to="x", reason="y", now=d.now
    ),
}
LEFT_TO_DO: dict[str, Act] = {
    "note": lambda d, c, _: noting.add_note(d.vault, c, "x", now=d.now),
    "copy": lambda d, c, out: export_copy(d.vault, c, "counselor-2", out, now=d.now),
    "record": lambda d, c, out: export_record(d.vault, c, out, redacted=True, now=d.now),
    "declare": lambda d, c, _: declare_conflict(d.vault, c, "And more.", now=d.now),
}


@pytest.fixture
def partial(first: Desk, reporter: ReporterKeys) -> CaseRecord:
    """Give a held case in which the counselor declared a conflict of interest."""
    case = arrive(first, reporter, *affected())
    first.confirms_everybody()
    deleting.hold_case(first.vault, case, "A court asks.", now=first.now)
    declare_conflict(first.vault, case, "We are friends.", now=first.now)
    return case


@pytest.mark.clause("P17")
@pytest.mark.parametrize("act", REFUSED.values(), ids=REFUSED)
def test_whoever_is_partial_decides_nothing_and_the_record_stays(
    first: Desk, partial: CaseRecord, tmp_path: Path, act: Act
) -> None:
    with pytest.raises(ProcedureError, match="conflict of interest"):
        act(first, partial, tmp_path / "out")
    assert read_record(first.vault, partial.name)[-1].act == "conflict"
    assert not (tmp_path / "out").exists()


@pytest.mark.clause("P17")
@pytest.mark.parametrize("act", LEFT_TO_DO.values(), ids=LEFT_TO_DO)
def test_whoever_is_partial_still_hands_on_what_there_is(
    first: Desk, partial: CaseRecord, tmp_path: Path, act: Act
) -> None:
    act(first, partial, tmp_path / "out")
    assert read_record(first.vault, partial.name)[-1].act != "hold"


@pytest.mark.clause("P17")
@pytest.mark.parametrize(
    "finish",
    [
        pytest.param(lambda d, p: deleting.delete_case(d.vault, p, now=d.now), id="delete"),
        pytest.param(lambda d, p: acting.carry_out(d.vault, p, "x", now=d.now), id="carry out"),
        pytest.param(
            lambda d, p: acting.agree_by_word_of_mouth(d.vault, p, "counselor-2", "x", now=d.now),
            id="word of mouth",
        ),
        pytest.param(
            lambda d, p: export_request(
                d.vault, p, "counselor-2", d.office.stick("request"), now=d.now
            ),
            id="ask",
        ),
    ],
)
def test_what_was_proposed_before_the_conflict_is_not_gone_on_with(
    first: Desk, reporter: ReporterKeys, finish: Callable[[Desk, Proposal], object]
) -> None:
    case = arrive(first, reporter, *affected())
    first.confirms_everybody()
    proposal = deleting.propose_deletion(first.vault, case, "spam", "Spam.", now=first.now)
    declare_conflict(first.vault, case, "We are friends.", now=first.now)
    with pytest.raises(ProcedureError, match="conflict of interest"):
        finish(first, proposal)
    assert first.has(reporter)


@pytest.mark.clause("P39")
def test_a_receipt_replaced_in_a_case_with_a_conflict_is_followed_all_the_same(
    first: Desk, reporter: ReporterKeys
) -> None:
    arrive(first, reporter)
    new = new_reporter()
    announced = answer("replaces", reporter.mailbox_id.hex())
    case = arrive(first, new, announced, later=True, text="", envelope=new.report_id)
    declare_conflict(first.vault, case, "We are friends.", now=first.now)
    agreed = answer("replaced-by", new.mailbox_id.hex())
    first.office.writes(reporter, agreed, later=True, kind=Kind.CLOSING, text="")
    assert any("goes on as" in one for one in first.imports().told)
    assert first.case(reporter).received == DAY
