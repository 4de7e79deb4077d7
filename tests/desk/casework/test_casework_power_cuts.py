"""A plug that is pulled at any step of any work leaves a desk that is whole and goes on."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

import pytest
from twodesks import ALL_CONSENTS, DAY, Desk, Office, affected, arrive, new_reporter

from desk.backup import back_up
from desk.cases import read_thread
from desk.casework.acting import propose_action
from desk.casework.answering import answer_request, import_request
from desk.casework.concurrence import export_request, import_answer
from desk.casework.deleting import delete_case, propose_deletion
from desk.casework.following import catch_up
from desk.casework.manual import enter_report
from desk.casework.merging import merge_cases
from desk.casework.noting import add_note
from desk.casework.proposals import proposals_of
from desk.casework.record import RecordHead
from desk.casework.sharing import hand_over, import_colleague_file
from desk.casework.verifying import read_record, verify_record
from desk.casework.work import read_file
from desk.exporting import export_dispatch
from desk.files import StagedFile
from desk.objects import ObjectWriter
from desk.records import CaseRecord, EnvelopeRecord
from desk.replies import queue_reply
from desk.vault import Vault
from protocol.derivation import ReporterKeys

Work = Callable[[Desk, Desk, ReporterKeys], None]


class PowerCutError(BaseException):
    """The plug was pulled; nobody catches it."""


def writes(first: Desk, second: Desk, reporter: ReporterKeys) -> None:
    add_note(first.vault, first.case(reporter), "A note.", now=first.now)


def imports(first: Desk, second: Desk, reporter: ReporterKeys) -> None:
    if len(first.office.sent) < 3:
        first.office.writes(new_reporter(), *affected(), files={"a": b"1"})
    first.imports()


def enters(first: Desk, second: Desk, reporter: ReporterKeys) -> None:
    enter_report(
        first.vault, way="paper", track="concern", text="A letter.", received=DAY, now=first.now
    )


def dispatches(first: Desk, second: Desk, reporter: ReporterKeys) -> None:
    if not first.case(reporter).replies:
        queue_reply(first.vault, first.case(reporter), "Read.", today=DAY)
    export_dispatch(first.vault, first.office.folder / "dispatch", now=first.now)
    catch_up(first.vault, now=first.now)


def copies(first: Desk, second: Desk, reporter: ReporterKeys) -> None:
    back_up(first.vault, first.office.folder / "second-copy", now=first.now)


def hands_over(first: Desk, second: Desk, reporter: ReporterKeys) -> None:
    path = first.office.stick("hand-over")
    hand_over(first.vault, first.case(reporter), second.name, "x", path, now=first.now)
    import_colleague_file(second.vault, path, now=second.now)


def agrees(first: Desk, second: Desk, reporter: ReporterKeys) -> None:
    request, answer = first.office.stick("request"), first.office.stick("answer")
    proposal = propose_action(
        first.vault, first.case(reporter), "mute", target="x", reason="y", now=first.now
    )
    export_request(first.vault, proposal, second.name, request, now=first.now)
    asked = import_request(second.vault, request, now=second.now)
    answer_request(second.vault, asked, answer, agrees=True, reason="x", now=second.now)
    import_answer(first.vault, answer, now=first.now)


def joins(first: Desk, second: Desk, reporter: ReporterKeys) -> None:
    other = enter_report(
        first.vault, way="paper", track="concern", text="A letter.", received=DAY, now=first.now
    )
    merge_cases(first.vault, first.case(reporter), other, "One evening.", now=first.now)


def deletes(first: Desk, second: Desk, reporter: ReporterKeys) -> None:
    if first.has(reporter):
        case = first.case(reporter)
        (proposal,) = proposals_of(first.vault, case) or (
            propose_deletion(first.vault, case, "spam", "Spam.", now=first.now),
        )
        delete_case(first.vault, proposal, now=first.now)


WORKS: list[Work] = [
    writes, imports, enters, dispatches, copies, hands_over, agrees, joins, deletes,
]  # fmt: skip


@contextmanager
def plug_pulled(step: int, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Pull the plug before the given one of all steps that put something on a disk."""
    left = count(step, -1)

    def or_cut(real: Callable[..., object]) -> Callable[..., object]:
        def doing(*arguments: object, **named: object) -> object:
            if next(left) == 0:
                raise PowerCutError
            return real(*arguments, **named)

        return doing

    with monkeypatch.context() as patched:
        for owner, name in (
            (StagedFile, "write"),
            (StagedFile, "publish"),
            (ObjectWriter, "commit"),
            (Vault, "put"),
            (Vault, "remove"),
        ):
            patched.setattr(owner, name, or_cut(getattr(owner, name)))
        yield


def check(vault: Vault, stick: Path) -> None:
    """Look whether everything that the vault names is there, and what it signed is whole."""
    for envelope in vault.all(EnvelopeRecord):
        assert envelope.content is None or envelope.content.name in vault.objects.names()
    for case in vault.all(CaseRecord):
        assert list(read_thread(vault, case))
        notes = [one for one in read_record(vault, case.name) if one.act == "note"]
        assert len(read_file(vault, case).notes) == len(notes)
    for head in vault.all(RecordHead):
        assert len(verify_record(vault, head.case)) == head.count
    assert list(stick.glob(".*.part")) == []


@pytest.mark.parametrize("work", WORKS)
def test_a_plug_pulled_before_any_write_leaves_a_desk_that_is_whole_and_goes_on(
    *,
    both: tuple[Desk, Desk],
    office: Office,
    reporter: ReporterKeys,
    monkeypatch: pytest.MonkeyPatch,
    work: Work,
) -> None:
    first, second = both
    arrive(first, reporter, *affected(*ALL_CONSENTS), readers=(first.name,), files={"a": b"1"})
    for step in count():
        try:
            with plug_pulled(step, monkeypatch):
                work(first, second, reporter)
            break
        except PowerCutError:
            for desk in both:
                check(desk.vault, office.folder)
                catch_up(desk.vault, now=desk.now)  # as the next import does
    assert step > 0
    work(first, second, reporter)
    for desk in both:
        check(desk.vault, office.folder)
