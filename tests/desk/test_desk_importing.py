"""What comes in a bundle: filed where it belongs, and every fault told in a sentence."""

import secrets
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest
from relayside import DAY, NOW, FakeRelay, answer

from desk.cases import find_case, read_thread
from desk.casework.triage import triage
from desk.filing import draw_cover_months
from desk.importing import ImportReport, import_bundle
from desk.records import CaseRecord, EnvelopeRecord, EnvelopeState, MailboxRecord
from desk.showing import case_view
from desk.vault import Vault
from protocol.derivation import ReporterKeys, generate_throwaway_keys
from protocol.envelope import Answer
from protocol.errors import StorageError
from protocol.names import RecipientName


def _take(desk: Vault, path: Path) -> ImportReport:
    return import_bundle(desk, path, now=NOW)


def _only_case(desk: Vault) -> str:
    (case,) = desk.all(CaseRecord)
    return case.name


def test_a_report_opens_a_case_with_its_clocks(
    desk: Vault, relay: FakeRelay, reporter: ReporterKeys, bundle: Path
) -> None:
    told = _take(desk, relay.cut(bundle, [relay.send(reporter)]))
    (arrival,) = told.arrivals
    assert (arrival.opened_case, arrival.kind, told.told) == (True, "report", [])
    case = find_case(desk, arrival.case.lower().replace("-", " "))
    assert case.received == DAY
    assert case.acknowledge_by == DAY + timedelta(days=14)
    assert case.feedback_by == date(2027, 2, 20)
    (item,) = read_thread(desk, case)
    assert item.report.text == "Something happened."


def test_files_are_listed_with_name_size_and_digest(
    desk: Vault, relay: FakeRelay, reporter: ReporterKeys, bundle: Path
) -> None:
    files = {"صورة.jpg": b"picture", "empty": b""}
    _take(desk, relay.cut(bundle, [relay.send(reporter, files=files)]))
    view = case_view(desk, find_case(desk, _only_case(desk)), today=DAY)
    assert [(one["name"], one["size"]) for one in view["attachments"]] == [
        ("صورة.jpg", 7),
        ("empty", 0),
    ]


def test_a_follow_up_joins_the_case_whatever_its_place_in_the_bundle(
    desk: Vault, relay: FakeRelay, reporter: ReporterKeys, bundle: Path
) -> None:
    first = relay.send(reporter, files={"large": secrets.token_bytes(80_000)})
    second = relay.send(reporter, relay.follow_up(reporter, text="More.", day=DAY))
    told = _take(desk, relay.cut(bundle, [first, second]))
    assert [one.kind for one in told.arrivals] == ["follow-up", "report"]  # small ones first
    case = find_case(desk, _only_case(desk))
    assert (case.kind, [one.kind for one in case.items]) == ("report", ["report", "follow-up"])


def test_a_follow_up_in_another_voice_is_shown_as_a_strangers(
    desk: Vault, relay: FakeRelay, reporter: ReporterKeys, bundle: Path
) -> None:
    stranger = replace(generate_throwaway_keys(), reply_public=reporter.reply_public)
    false = relay.send(stranger, relay.follow_up(stranger, text="I take it all back."))
    told = _take(desk, relay.cut(bundle, [relay.send(reporter), false]))
    assert {one.kind: one.same_reporter for one in told.arrivals} == {
        "report": True,
        "follow-up": False,
    }
    view = case_view(desk, find_case(desk, _only_case(desk)), today=DAY)
    assert [(one["by"], one["kind"]) for one in view["messages"]] == [
        ("reporter", "report"),
        ("not the same reporter", "follow-up"),
    ]


def test_a_stranger_who_comes_first_does_not_become_the_reporter(
    desk: Vault, relay: FakeRelay, reporter: ReporterKeys, bundle: Path
) -> None:
    stranger = replace(generate_throwaway_keys(), reply_public=reporter.reply_public)
    answers = (answer("danger", "yes"),)
    false = relay.send(stranger, relay.follow_up(stranger, answers=answers))
    _take(desk, relay.cut(bundle, [false]))
    assert find_case(desk, _only_case(desk)).urgent
    _take(desk, relay.cut(bundle, [false, relay.send(reporter)], number=2))
    case = find_case(desk, _only_case(desk))
    assert [case.is_same_reporter(one) for one in case.items] == [True, False]
    assert not case.urgent


def test_the_same_words_sent_twice_are_folded_and_both_acknowledged_later(
    desk: Vault, relay: FakeRelay, reporter: ReporterKeys, bundle: Path
) -> None:
    first = relay.send(reporter, files={"a": b"1"})
    again = relay.send(reporter, relay.follow_up(reporter), files={"a": b"1"})
    told = _take(desk, relay.cut(bundle, [first, again]))
    assert sorted(one.folded for one in told.arrivals) == [False, True]
    case = find_case(desk, _only_case(desk))
    assert len(case.items) == 1
    assert len(desk.objects.names()) == 1
    tokens = {one.read_token for one in desk.all(EnvelopeRecord)}
    assert tokens == {first.token, again.token}


@pytest.mark.parametrize("report_first", [True, False], ids=["report first", "report second"])
def test_a_report_and_its_repetition_are_a_report_whichever_is_read_first(
    desk: Vault, relay: FakeRelay, reporter: ReporterKeys, bundle: Path, report_first: bool
) -> None:
    report = relay.send(reporter)
    again = relay.send(reporter, relay.follow_up(reporter))
    first, second = (report, again) if report_first else (again, report)
    _take(desk, relay.cut(bundle, [first]))
    _take(desk, relay.cut(bundle, [first, second], number=2))
    case = find_case(desk, _only_case(desk))
    assert (case.kind, case.received) == ("report", DAY)
    assert [(one.kind, one.day) for one in case.items] == [("report", DAY)]


def test_the_same_words_in_another_voice_are_not_folded_into_hers(
    desk: Vault, relay: FakeRelay, reporter: ReporterKeys, bundle: Path
) -> None:
    stranger = replace(generate_throwaway_keys(), reply_public=reporter.reply_public)
    same = relay.send(stranger, relay.follow_up(stranger))
    _take(desk, relay.cut(bundle, [relay.send(reporter), same]))
    case = find_case(desk, _only_case(desk))
    assert sorted(case.is_same_reporter(one) for one in case.items) == [False, True]


def test_a_changed_choice_of_readers_is_not_folded(
    desk: Vault, relay: FakeRelay, reporter: ReporterKeys, bundle: Path
) -> None:
    first = relay.send(reporter)
    fewer = relay.follow_up(
        reporter, readers=(RecipientName("anna"),), left_out=(RecipientName("berta"),)
    )
    _take(desk, relay.cut(bundle, [first, relay.send(reporter, fewer)]))
    case = find_case(desk, _only_case(desk))
    assert len(case.items) == 2
    assert case_view(desk, case, today=DAY)["left_out"] == ["berta"]


@pytest.mark.claim("C2")
def test_cover_and_what_leaves_her_out_are_filed_without_a_word(
    desk: Vault, relay: FakeRelay, reporter: ReporterKeys, bundle: Path
) -> None:
    left_out = relay.send(reporter, blind=["anna"])
    told = _take(desk, relay.cut(bundle, [relay.cover(), left_out]))
    assert (told.arrivals, told.told, told.notes) == ([], [], [])
    assert list(desk.all(CaseRecord)) == []
    states = {one.state for one in desk.all(EnvelopeRecord)}
    assert states == {EnvelopeState.COVER, EnvelopeState.UNOPENED}
    assert desk.objects.names() == set()


def test_a_cover_mailbox_is_remembered_for_months(
    desk: Vault, relay: FakeRelay, bundle: Path
) -> None:
    _take(desk, relay.cut(bundle, [relay.cover() for _ in range(3)]))
    month = DAY.year * 12 + DAY.month - 1
    until = [one.until_month for one in desk.all(MailboxRecord)]
    assert len(until) == 3
    assert all(one is not None and one > month for one in until)


def test_cover_lives_three_months_on_average_and_never_less_than_one() -> None:
    lives = [draw_cover_months() for _ in range(5_000)]
    assert min(lives) == 1
    assert 2.8 < sum(lives) / len(lives) < 3.2  # six standard errors either way
    assert max(lives) > 12


def test_importing_again_adds_nothing(
    desk: Vault, relay: FakeRelay, reporter: ReporterKeys, bundle: Path
) -> None:
    relay.cut(bundle, [relay.send(reporter), relay.cover()])
    _take(desk, bundle)
    before = (sorted(desk.objects.names()), list(desk.all(EnvelopeRecord)))
    told = _take(desk, bundle)
    assert (told.arrivals, told.told) == ([], [])
    assert (sorted(desk.objects.names()), list(desk.all(EnvelopeRecord))) == before


def test_an_import_that_was_cut_off_goes_on_and_sweeps_its_remains(
    desk: Vault,
    relay: FakeRelay,
    reporter: ReporterKeys,
    bundle: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    other = generate_throwaway_keys()
    relay.cut(bundle, [relay.send(reporter), relay.send(other)])
    commits = desk.objects.writer

    def cut_off() -> object:
        if desk.objects.names():
            raise KeyboardInterrupt
        return commits()

    monkeypatch.setattr(desk.objects, "writer", cut_off)
    with pytest.raises(KeyboardInterrupt):
        _take(desk, bundle)
    monkeypatch.undo()
    (desk.directory / "objects" / secrets.token_hex(16)).write_bytes(b"remains")
    assert len(_take(desk, bundle).arrivals) == 1
    assert len(list(desk.all(CaseRecord))) == 2
    assert len(desk.objects.names()) == 2


def test_a_disk_that_fails_at_any_write_loses_nothing_and_files_nothing_by_half(
    *,
    desk: Vault,
    relay: FakeRelay,
    reporter: ReporterKeys,
    bundle: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    others = [relay.send(generate_throwaway_keys()) for _ in range(2)]
    relay.cut(bundle, [relay.send(reporter), *others, relay.cover()])
    left = list(range(1, 20))  # the number of the write that fails, one more each time

    def failing(_: int) -> None:
        left[0] -= 1
        if left[0] == 0:
            raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", failing)
    failures = 0
    while True:
        try:
            _take(desk, bundle)
            break
        except StorageError as error:
            assert "nothing was filed" in str(error)
            failures += 1
            left.pop(0)
            filed = {one.content.name for one in desk.all(EnvelopeRecord) if one.content}
            assert filed <= desk.objects.names()
            for case in desk.all(CaseRecord):
                assert list(read_thread(desk, case))
    assert failures >= 3
    assert len(list(desk.all(CaseRecord))) == len(desk.objects.names()) == 3


@pytest.mark.clause("P6")
@pytest.mark.parametrize(
    ("answers", "urgent"),
    [
        (answer("danger", "yes"), True),
        (answer("support", "doctor", "lawyer"), True),
        (answer("danger", "no"), False),
        (answer("support", ""), False),
        (answer("how", "danger"), False),
    ],
    ids=["danger", "support", "no danger", "nothing said", "another question"],
)
def test_danger_and_calls_for_support_are_listed_first(
    *,
    desk: Vault,
    relay: FakeRelay,
    reporter: ReporterKeys,
    bundle: Path,
    answers: Answer,
    urgent: bool,
) -> None:
    older = generate_throwaway_keys()
    first = relay.send(older, relay.report(older, day=DAY - timedelta(days=30)))
    second = relay.send(reporter, relay.report(reporter, answers=(answers,)))
    _take(desk, relay.cut(bundle, [first, second]))
    top = triage(desk, today=DAY)[0].case
    assert top.urgent is urgent
    assert (top.received == DAY) is urgent


def test_an_import_tells_how_far_it_is_and_goes_on_where_it_was_stopped(
    desk: Vault, relay: FakeRelay, reporter: ReporterKeys, bundle: Path
) -> None:
    sent = [relay.send(reporter), relay.send(generate_throwaway_keys())]
    sizes = [len(one.ciphertext) for one in sent]
    relay.cut(bundle, sent)
    told: list[tuple[int, int]] = []

    def stops_at_the_second(done: int, total: int) -> None:
        told.append((done, total))
        if done:
            raise StorageError("stopped")

    with pytest.raises(StorageError, match="stopped"):
        import_bundle(desk, bundle, now=NOW, progress=stops_at_the_second)
    assert told == [(0, sum(sizes)), (sizes[0], sum(sizes))]
    assert len(_take(desk, bundle).arrivals) == 1
    assert len(list(desk.all(CaseRecord))) == 2
