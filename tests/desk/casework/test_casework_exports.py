"""What leaves the desk: redacted exports, hand-overs outside, figures that name nobody."""

import csv
import hashlib
import io
import subprocess
import zipfile
from collections import defaultdict
from itertools import product
from pathlib import Path
from xml.etree import ElementTree

import pytest
from relayside import MADE, NOW
from twodesks import ALL_CONSENTS, DAY, Desk, affected, answer, new_reporter

from desk.casework.errors import ProcedureError
from desk.casework.figures import (
    EVERY,
    counted,
    figures_csv,
    figures_svg,
    suppress,
    yearly_figures,
)
from desk.casework.handling import decide_outcome
from desk.casework.handover import export_case, hand_over_on_paper, hand_over_sealed
from desk.casework.noting import add_answer_of_reported, add_note
from desk.casework.verifying import read_record, verify_folder
from desk.records import CaseRecord
from keys.certificate import read_certificate
from keys.secretkey import SecretKey, generate_secret_key, read_secret_key
from keys.signature import verify_detached
from protocol.derivation import ReporterKeys
from protocol.errors import KeyMaterialError
from protocol.sealing import read_sealed

STORY = "Ms Testname saw Mr Accused take it; <b>Accused</b> knows."


@pytest.fixture(scope="module")
def court() -> SecretKey:
    armored = generate_secret_key(user_id="court", passphrase=None, created=MADE, expires=None)
    return read_secret_key(armored, None)


def case_with(desk: Desk, reporter: ReporterKeys, *consents: str) -> CaseRecord:
    desk.office.writes(
        reporter,
        *affected(*consents),
        answer("name", "Testname"),
        answer("person", "Mr Accused"),
        answer("when", "2026-11-01"),
        text=STORY,
        files={"proof-of-testname.txt": b"evidence"},
    )
    desk.imports()
    return desk.case(reporter)


def exported(desk: Desk, case: CaseRecord, out: Path, **options: bool) -> str:
    export_case(desk.vault, case, out, why="The committee.", now=desk.now, **options)
    return (out / "case.html").read_text()


@pytest.mark.clause("P24")
@pytest.mark.parametrize(
    ("consents", "seen", "unseen"),
    [
        pytest.param((), [], ["Testname", "took", "saw", "proof-of", "Accused"], id="none"),
        pytest.param(("account",), ["████ saw"], ["Testname", "proof-of"], id="account"),
        pytest.param(("name",), ["Testname"], ["saw", "proof-of"], id="name"),
        pytest.param(("documents",), ["proof-of-"], ["saw", "Accused"], id="documents"),
    ],
)
def test_an_export_shows_what_is_consented_to_item_by_item(
    *,
    first: Desk,
    reporter: ReporterKeys,
    tmp_path: Path,
    consents: tuple[str, ...],
    seen: list[str],
    unseen: list[str],
) -> None:
    page = exported(first, case_with(first, reporter, *consents), tmp_path / "out")
    assert all(one in page for one in seen)
    assert not [one for one in unseen if one in page]


@pytest.mark.clause("P24")
def test_an_export_after_a_consent_was_taken_back_withholds_again(
    first: Desk, reporter: ReporterKeys, tmp_path: Path
) -> None:
    from twodesks import consents_later

    case = case_with(first, reporter, *ALL_CONSENTS)
    assert "Testname" in exported(first, case, tmp_path / "before")
    consents_later(first.office, reporter, "account")
    first.imports()
    assert "Testname" not in exported(first, case, tmp_path / "after")


@pytest.mark.clause("P34")
def test_an_export_presumes_innocence_and_names_the_person_reported_only_where_needed(
    first: Desk, reporter: ReporterKeys, tmp_path: Path
) -> None:
    case = case_with(first, reporter, *ALL_CONSENTS)
    add_answer_of_reported(first.vault, case, "I was abroad.", now=first.now)
    page = exported(first, case, tmp_path / "out")
    assert "presumed innocent" in page
    assert "I was abroad." in page
    assert "Accused" not in page
    assert "Mr Accused" in exported(first, case, tmp_path / "named", name_reported=True)


@pytest.mark.clause("P10")
@pytest.mark.clause("P25")
def test_an_export_leaves_notes_out_unless_asked_and_its_record_verifies(
    first: Desk, reporter: ReporterKeys, tmp_path: Path
) -> None:
    case = case_with(first, reporter, "account")
    add_note(first.vault, case, "My private thought.", now=first.now)
    page = exported(first, case, tmp_path / "out")
    assert "private thought" not in page
    assert "private thought" in exported(first, case, tmp_path / "all", with_notes=True)
    trusted = [first.counselor.secret_key.fingerprint]
    entries = verify_folder(tmp_path / "out" / "record", trusted=trusted)
    assert [one.redacted for one in entries] == [False, False, True, True]
    for path in (tmp_path / "out" / "record").iterdir():
        assert b"private thought" not in path.read_bytes()


def test_an_export_is_text_that_runs_nothing_and_loads_nothing(
    first: Desk, reporter: ReporterKeys, tmp_path: Path
) -> None:
    page = exported(first, case_with(first, reporter, *ALL_CONSENTS), tmp_path / "out")
    assert "<b>" not in page
    assert "default-src 'none'" in page
    assert "http" not in page.replace("http-equiv", "")


@pytest.mark.clause("P38")
@pytest.mark.parametrize(
    ("lacking", "words"),
    [
        ("pass-on", "passing the case on"),
        ("name", "saying the name"),
        ("account", "showing the account"),
        ("documents", "showing the files"),
    ],
    ids=ALL_CONSENTS,
)
def test_a_hand_over_outside_is_refused_while_one_consent_is_missing(
    *,
    first: Desk,
    reporter: ReporterKeys,
    tmp_path: Path,
    court: SecretKey,
    lacking: str,
    words: str,
) -> None:
    given = [one for one in ALL_CONSENTS if one != lacking]
    case = case_with(first, reporter, *given)
    before = len(read_record(first.vault, case.name))
    out = tmp_path / "out.pgp"
    with pytest.raises(ProcedureError, match=words):
        hand_over_sealed(
            first.vault,
            case,
            out,
            certificate=court.certificate,
            fingerprint=court.fingerprint,
            to="Court",
            reason="Summons.",
            now=NOW,
        )
    with pytest.raises(ProcedureError, match=words):
        hand_over_on_paper(first.vault, case, to="Court", reason="Summons.", now=NOW)
    assert not out.exists()
    assert len(read_record(first.vault, case.name)) == before


@pytest.mark.clause("P38")
def test_a_hand_over_outside_is_sealed_and_holds_originals_manifest_and_custody_log(
    *, first: Desk, reporter: ReporterKeys, tmp_path: Path, court: SecretKey
) -> None:
    case = case_with(first, reporter, *ALL_CONSENTS)
    out = tmp_path / "out.pgp"
    with pytest.raises(KeyMaterialError):
        hand_over_sealed(
            first.vault,
            case,
            out,
            certificate=court.certificate,
            fingerprint=first.counselor.secret_key.fingerprint,
            to="Court",
            reason="x",
            now=NOW,
        )
    hand_over_sealed(
        first.vault,
        case,
        out,
        certificate=court.certificate,
        fingerprint=court.fingerprint,
        to="Court",
        reason="Summons.",
        now=NOW,
    )
    message = read_sealed(lambda: [out.read_bytes()])
    assert first.counselor.secret_key.open_lock(message.locks) is None
    session_key = court.open_lock(message.locks)
    assert session_key is not None
    archive = zipfile.ZipFile(io.BytesIO(b"".join(message.unseal(session_key))))
    folder = tmp_path / "opened"
    archive.extractall(folder)
    subprocess.run(["sha256sum", "--check", "--strict", "SHA256SUMS"], cwd=folder, check=True)
    key = first.counselor.secret_key
    verify_detached(
        (folder / "SHA256SUMS").read_bytes(),
        (folder / "SHA256SUMS.asc").read_bytes(),
        certificate=key.certificate,
        pinned=key.fingerprint,
        now=NOW,
    )
    log = verify_folder(folder / "record", trusted=[key.fingerprint])
    assert (log[-1].act, log[-1].why, log[-1].what["to"]) == ("handed over", "Summons.", "Court")
    (original,) = (folder / "originals").iterdir()
    digest = hashlib.sha256(original.read_bytes()).hexdigest()
    assert log[-1].what["originals"] == [f"{digest}  originals/{original.name}"]
    assert b"evidence" in zipfile.ZipFile(original).read("attachments/001-proof-of-testname.txt")
    assert "Mr Accused" in (folder / "case.html").read_text()


@pytest.mark.clause("P38")
def test_a_hand_over_on_paper_prints_the_case_the_digests_and_the_custody_log(
    first: Desk, reporter: ReporterKeys
) -> None:
    case = case_with(first, reporter, *ALL_CONSENTS)
    to, reason = "Police", "She wants it."
    page = hand_over_on_paper(first.vault, case, to=to, reason=reason, now=NOW).decode()
    assert "handed over by counselor-1; " in page
    assert "to: Police" in page
    assert f"originals/001-{case.items[0].envelope.hex()}.zip" in page
    assert "Testname saw Mr Accused" in page


# --- P28: figures --------------------------------------------------------------------


@pytest.mark.clause("P28")
@pytest.mark.parametrize(
    ("counts", "total", "shown", "shown_total"),
    [
        pytest.param({"a": 9, "b": 7}, 16, {"a": 9, "b": 7}, 16, id="nothing small"),
        pytest.param({"a": 9, "b": 0}, 9, {"a": 9, "b": 0}, 9, id="zero points at nobody"),
        pytest.param({"a": 9, "b": 7, "c": 2}, 18, {"a": 9, "b": None, "c": None}, 18, id="two"),
        pytest.param({"a": 9, "b": 1, "c": 1}, 11, {"a": None, "b": None, "c": None}, 11, id="sum"),
        pytest.param({"a": 9, "b": 3, "c": 3}, 15, {"a": 9, "b": None, "c": None}, 15, id="both"),
        pytest.param(
            {"a": 9, "b": 4, "c": 4}, 17, {"a": None, "b": None, "c": None}, 17, id="all four"
        ),
        pytest.param(
            {"a": 8, "b": 8, "c": 4}, 20, {"a": None, "b": None, "c": None}, 20, id="of one size"
        ),
        pytest.param({"a": 3}, 3, {"a": None}, None, id="too few altogether"),
        pytest.param({}, 0, {}, 0, id="an empty year"),
    ],
)
def test_small_counts_are_hidden_with_as_many_others_as_it_takes(
    counts: dict[str, int], total: int, shown: dict[str, int | None], shown_total: int | None
) -> None:
    assert suppress(counts, total=total) == (shown, shown_total)


@pytest.mark.clause("P28")
def test_no_hidden_count_follows_from_what_is_shown_to_whoever_knows_the_rule() -> None:
    """Five rows and a total of five said that each is one."""
    shown: defaultdict[object, list[tuple[int, ...]]] = defaultdict(list)
    for counts in (*product(range(21), repeat=4), *product(range(9), repeat=5)):
        if sum(counts) > (20 if len(counts) == 4 else 8):
            continue  # beyond, the possible ones are not all here
        named = {row: count for row, count in zip("abcde", counts, strict=False) if count}
        table = counted("Track", named, sum(counts))
        shown[len(counts), table.cells, table.total].append(counts)
    for (_, cells, _total), possible in shown.items():
        for place, row in enumerate("abcde"[: len(possible[0])]):
            seen = dict(cells).get(row, None if dict(cells).get(EVERY, 0) is None else 0)
            assert seen is not None or len({one[place] for one in possible}) > 1


@pytest.mark.clause("P28")
def test_the_figures_of_a_year_count_cases_and_name_nobody(first: Desk) -> None:
    reporters = [new_reporter() for _ in range(7)]
    for number, reporter in enumerate(reporters):
        picked = "threats" if number < 6 else "stalking"
        first.office.writes(reporter, answer("categories", picked), answer("name", "Testname"))
    first.imports()
    for reporter in reporters:
        decide_outcome(first.vault, first.case(reporter), ["warning"], reasons="x", now=first.now)
    tables = yearly_figures(first.vault, DAY.year)
    cells = {table.title: (table.total, dict(table.cells)) for table in tables}
    assert cells["Track"] == (7, {"incident": 7})
    assert cells["Category"] == (7, {EVERY: None})
    assert cells["Outcome"] == (7, {"warning": 7})
    assert cells["Acknowledged"] == (7, {"not yet": 7})
    rows = list(csv.reader(io.StringIO(figures_csv(tables, year=DAY.year).decode())))
    assert ["2026", "Category", "every row", "suppressed"] in rows
    picture = figures_svg(tables, year=DAY.year)
    assert ElementTree.fromstring(picture).tag.endswith("svg")  # noqa: S314  # our own picture
    everything = picture + figures_csv(tables, year=DAY.year)
    assert b"Testname" not in everything
    assert not any(first.case(one).name.encode() in everything for one in reporters)
    assert yearly_figures(first.vault, DAY.year - 1)[0].total == 0


@pytest.mark.clause("P28")
def test_a_deleted_case_still_counts_under_a_name_that_leads_nowhere(
    first: Desk, reporter: ReporterKeys
) -> None:
    from desk.casework.deleting import delete_case, propose_deletion
    from desk.casework.figures import Tally

    for one in [reporter, *(new_reporter() for _ in range(5))]:
        first.office.writes(one)
    first.imports()
    case = first.case(reporter)
    delete_case(
        first.vault,
        propose_deletion(first.vault, case, "spam", "x", now=first.now),
        now=first.now,
    )
    assert yearly_figures(first.vault, DAY.year)[0].total == 6
    (tally,) = first.vault.all(Tally)
    assert case.name not in tally.model_dump_json()


def test_the_certificate_of_a_body_outside_is_shown_before_it_is_used(court: SecretKey) -> None:
    assert read_certificate(court.certificate).fingerprint == court.fingerprint
