"""Replies and clocks: written, taken back, bounded by one page, counted in words."""

import re
from datetime import timedelta
from itertools import cycle, islice
from pathlib import Path

import pytest
from babel.messages.pofile import read_po
from relayside import DAY, NOW, Counselor, FakeRelay, open_page

import templates
from desk.cases import case_name, clock
from desk.casework.triage import triage
from desk.exporting import export_dispatch, plan_dispatch
from desk.importing import import_bundle
from desk.records import CaseRecord
from desk.replies import PAGE_HOLDS, queue_reply, take_back, take_off_page
from desk.vault import Vault
from protocol.derivation import ReporterKeys, generate_throwaway_keys
from protocol.errors import CapacityError, FormatError, StorageError

CATALOGUES = Path(templates.__file__).parent.parent / "locale"


def _case(desk: Vault) -> CaseRecord:
    (case,) = desk.all(CaseRecord)
    return case


def says(desk: Vault, case: CaseRecord, *, status: str, outcome: str) -> None:
    """File what casework files once its rules are kept."""
    with desk.changes():
        desk.put(case.model_copy(update={"status": status, "outcome": outcome}))


@pytest.fixture
def case(desk: Vault, relay: FakeRelay, reporter: ReporterKeys, bundle: Path) -> CaseRecord:
    import_bundle(desk, relay.cut(bundle, [relay.send(reporter)]), now=NOW)
    return _case(desk)


def test_a_reply_is_taken_back_until_a_dispatch_carried_it(
    desk: Vault, case: CaseRecord, dispatch: Path
) -> None:
    queue_reply(desk, case, "Too hasty.", today=DAY)
    assert take_back(desk, case).text == "Too hasty."
    with pytest.raises(StorageError, match="cannot be taken back"):
        take_back(desk, case)
    queue_reply(desk, case, "Considered.", today=DAY)
    export_dispatch(desk, dispatch, now=NOW)
    with pytest.raises(StorageError, match="cannot be taken back"):
        take_back(desk, case)


@pytest.mark.parametrize(
    ("language", "parts", "between"),
    [
        pytest.param("tr", 1_900, " ", id="Latin words, the longest"),
        pytest.param("uk", 1_400, " ", id="Cyrillic words"),
        pytest.param("ar", 1_400, " ", id="Arabic words"),
        pytest.param("zh_Hans", 5_000, "", id="Chinese characters"),
    ],
)
def test_a_page_holds_what_a_counselor_is_told_it_holds(
    desk: Vault, case: CaseRecord, language: str, parts: int, between: str
) -> None:
    """It said 2,500 words, and 1,400 Ukrainian ones filled it."""
    with (CATALOGUES / language / "LC_MESSAGES" / "messages.po").open("rb") as written:
        texts = [str(one.string) for one in read_po(written) if one.id]
    text = re.sub(r"%\(\w+\)s", " ", " ".join(texts))
    found = text.split() if between else re.findall("[\u4e00-\u9fff]", text)
    text = between.join(islice(cycle(found), parts))
    queue_reply(desk, case, text, today=DAY)
    assert f"{parts:,}" in PAGE_HOLDS


@pytest.mark.parametrize("text", ["x" * 17_000, "ж" * 8_500, "\\" * 8_500], ids=["x", "ж", "\\"])
def test_a_reply_that_does_not_fit_is_refused_while_it_is_written(
    desk: Vault, case: CaseRecord, text: str
) -> None:
    with pytest.raises(CapacityError, match="shorten the reply"):
        queue_reply(desk, case, text, today=DAY)
    assert _case(desk).replies == ()


def test_an_older_reply_taken_off_the_page_makes_room_and_stays_in_the_case(
    *,
    desk: Vault,
    relay: FakeRelay,
    anna: Counselor,
    case: CaseRecord,
    reporter: ReporterKeys,
    dispatch: Path,
) -> None:
    queue_reply(desk, case, "a" * 10_000, today=DAY)
    export_dispatch(desk, dispatch, now=NOW)
    with pytest.raises(CapacityError, match="as number 1"):
        queue_reply(desk, case, "b" * 10_000, today=DAY)
    take_off_page(desk, case, 1)
    with pytest.raises(StorageError, match="No reply of that number"):
        take_off_page(desk, case, 1)
    assert queue_reply(desk, case, "b" * 10_000, today=DAY).number == 2
    export_dispatch(desk, dispatch, now=NOW)
    page = open_page(relay.read_dispatch(dispatch, anna), reporter)
    assert [one.number for one in page.replies] == [2]
    assert [one.number for one in _case(desk).replies] == [1, 2]


def test_a_reply_that_a_browser_sends_twice_is_queued_once(desk: Vault, case: CaseRecord) -> None:
    queue_reply(desk, case, "Once.", today=DAY)
    with pytest.raises(FormatError, match="already"):
        queue_reply(desk, case, "Once.\r\n", today=DAY)
    assert [one.text for one in _case(desk).replies] == ["Once."]


@pytest.mark.parametrize("text", ["\u200b\u2060", "", " \n\t\r\n"])
def test_an_empty_reply_is_refused(desk: Vault, case: CaseRecord, text: str) -> None:
    with pytest.raises(FormatError, match="empty"):
        queue_reply(desk, case, text, today=DAY)


@pytest.mark.clause("P31")
def test_status_and_outcome_reach_the_reporter(
    *,
    desk: Vault,
    relay: FakeRelay,
    anna: Counselor,
    case: CaseRecord,
    reporter: ReporterKeys,
    dispatch: Path,
) -> None:
    says(desk, case, status="closed", outcome="A warning was given.")
    crossing = plan_dispatch(desk, now=NOW, without_backup=False)
    assert crossing.words == ((case.name, "closed", "A warning was given."),)
    export_dispatch(desk, dispatch, now=NOW)
    page = open_page(relay.read_dispatch(dispatch, anna), reporter)
    assert (page.status, page.outcome) == ("closed", "A warning was given.")
    assert plan_dispatch(desk, now=NOW, without_backup=False).words == ()


@pytest.mark.clause("P4")
@pytest.mark.parametrize(
    ("days", "words"),
    [
        (0, "14 days left to acknowledge"),
        (13, "1 day left to acknowledge"),
        (14, "acknowledge today"),
        (16, "2 days overdue to acknowledge"),
    ],
)
def test_the_desk_counts_down_to_the_acknowledgement(
    case: CaseRecord, days: int, words: str
) -> None:
    assert clock(case, today=DAY + timedelta(days=days)) == words


@pytest.mark.clause("P4")
@pytest.mark.clause("P29")
def test_a_clock_runs_until_a_dispatch_carried_what_stops_it(
    desk: Vault, case: CaseRecord, dispatch: Path
) -> None:
    queue_reply(desk, case, "We got it.", today=DAY)
    assert clock(_case(desk), today=DAY) == "14 days left to acknowledge"
    export_dispatch(desk, dispatch, now=NOW)
    assert clock(_case(desk), today=DAY) == "92 days left to give feedback"
    says(desk, _case(desk), status="closed", outcome="Done.")
    assert clock(_case(desk), today=DAY) == "92 days left to give feedback"
    export_dispatch(desk, dispatch, now=NOW)
    assert clock(_case(desk), today=DAY) == "no clock runs"


@pytest.mark.clause("P4")
def test_what_is_overdue_is_listed_before_what_is_due(
    desk: Vault, relay: FakeRelay, case: CaseRecord, bundle: Path
) -> None:
    older = generate_throwaway_keys()
    sent = relay.send(older, relay.report(older, day=DAY - timedelta(days=20)))
    import_bundle(desk, relay.cut(bundle, [sent], number=2), now=NOW)
    late, due = (line.case for line in triage(desk, today=DAY))
    assert (late.received, due.name) == (DAY - timedelta(days=20), case.name)
    queue_reply(desk, late, "Sorry for the wait.", today=DAY)
    export_dispatch(desk, bundle.with_name("dispatch"), now=NOW)
    assert [line.case.name for line in triage(desk, today=DAY)] == [case.name, late.name]


def test_a_case_has_the_same_name_at_another_desk_and_none_that_a_relay_could_know(
    case: CaseRecord, reporter: ReporterKeys
) -> None:
    assert case.name == case_name(reporter.reply_public)
    assert case.name != case_name(reporter.mailbox_id)
    assert len(case.name) == 9 and not set(case.name) & set("ILOU")
