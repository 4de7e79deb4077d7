"""Files from the other side of the table: damaged, forged, replayed, or well-formed and wrong."""

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from relayside import Counselor
from twodesks import NOW, Desk, Office, affected, answer, arrive, signed_by

from desk.cases import case_name
from desk.casework.answering import answer_request, import_request, requests_asked
from desk.casework.concurrence import import_answer
from desk.casework.errors import ProcedureError
from desk.casework.sharing import export_copy, import_colleague_file
from desk.casework.verifying import read_record, verify_files
from desk.vault import Vault
from protocol.derivation import ReporterKeys
from protocol.errors import AuthenticityError, FormatError, SottoError

IMPORTS: list[Callable[..., object]] = [import_request, import_answer, import_colleague_file]


def forge(first: Desk, second: Desk, *, extra: bytes | None = None, **changes: object) -> Path:
    """Write a request that the second counselor really signed, with some members wrong."""
    parts = {} if extra is None else {"extra": extra}
    return signed_by(
        second,
        first,
        **{"body": request_body(second), "parts": [], "case": "AAAA-BBBB", **changes},
        beside=parts,
    )


def request_body(sender: Desk, **changes: object) -> dict[str, object]:
    """Return the body of an honest request, with some members of the proposal changed."""
    proposal = {
        "action": "mute",
        "case": "AAAA-BBBB",
        "day": "2026-11-20",
        "ground": "",
        "harm": "",
        "kind": "action",
        "proposal": "00" * 16,
        "proposed_by": sender.name,
        "reason": "x",
        "target": "y",
        "title": "Mute",
    }
    return {"left_out": [], "proposal": {**proposal, **changes}, "spoken": False}


def test_the_forger_of_this_table_writes_a_file_that_is_taken_when_nothing_is_wrong(
    both: tuple[Desk, Desk],
) -> None:
    first, second = both
    asked = import_request(first.vault, forge(first, second), now=NOW)
    assert (asked.by, asked.target) == ("counselor-2", "y")


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        pytest.param({"to": "head"}, AuthenticityError, id="made for another counselor"),
        pytest.param({"to_fingerprint": "A" * 40}, AuthenticityError, id="for another key"),
        pytest.param({"relay": "B" * 40}, AuthenticityError, id="of another relay"),
        pytest.param({"type": "sotto answer"}, AuthenticityError, id="another kind"),
        pytest.param({"type": "sotto love letter"}, AuthenticityError, id="no kind"),
        pytest.param({"format": 2}, FormatError, id="a future format"),
        pytest.param({"case": "AAAA-CCCC"}, AuthenticityError, id="two cases in one"),
        pytest.param({"case": "A\n0  x"}, FormatError, id="a line for the record to sign"),
        pytest.param({"made": "tomorrow"}, FormatError, id="no time"),
        pytest.param({"from": "head"}, AuthenticityError, id="in somebody else's name"),
        pytest.param({"from": "nobody"}, SottoError, id="in nobody's name"),
        pytest.param({"body": []}, FormatError, id="no body"),
        pytest.param({"more": 1}, FormatError, id="a member that nobody knows"),
        pytest.param({"extra": b"x"}, AuthenticityError, id="a part that is not listed"),
        pytest.param(
            {"parts": [{"name": "gone", "sha256": "00" * 32}]},
            AuthenticityError,
            id="a part that is not there",
        ),
    ],
)
def test_a_well_signed_request_with_a_wrong_member_is_refused_and_leaves_nothing(
    both: tuple[Desk, Desk], changes: dict[str, object], error: type[SottoError]
) -> None:
    first, second = both
    path = forge(first, second, **changes)  # type: ignore[arg-type]  # members by name
    with pytest.raises(error):
        import_request(first.vault, path, now=NOW)
    assert requests_asked(first.vault) == []
    assert first.vault.objects.names() == set()


@pytest.mark.clause("P22")
def test_a_request_in_anothers_name_is_refused_though_it_says_so_everywhere(
    both: tuple[Desk, Desk], office: Office, people: dict[str, Counselor]
) -> None:
    first, second = both
    head = Desk(people["head"], second.vault, office)
    with pytest.raises(AuthenticityError, match="did not sign"):
        import_request(
            first.vault,
            forge(first, second, **{"from": "head", "body": request_body(head)}),
            now=NOW,
        )
    assert import_request(first.vault, forge(first, head, body=request_body(head)), now=NOW)


@pytest.mark.clause("P16")
def test_a_request_about_a_case_that_leaves_her_out_is_refused_by_her_own_desk(
    both: tuple[Desk, Desk],
) -> None:
    first, second = both
    body = {**request_body(second), "left_out": [first.name]}
    with pytest.raises(AuthenticityError, match="left you out"):
        import_request(first.vault, forge(first, second, body=body), now=NOW)
    assert requests_asked(first.vault) == []


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"kind": "love letter"}, id="a kind that nobody knows"),
        pytest.param({"proposal": ""}, id="without a number"),
        pytest.param({"proposal": "AB" * 16}, id="a number in capitals"),
        pytest.param({"proposal": "../" * 10 + "aa"}, id="a path for a number"),
    ],
)
def test_a_request_that_could_not_be_answered_is_not_taken(
    both: tuple[Desk, Desk], changes: dict[str, object]
) -> None:
    first, second = both
    with pytest.raises(FormatError):
        import_request(
            first.vault, forge(first, second, body=request_body(second, **changes)), now=NOW
        )
    assert requests_asked(first.vault) == []


@pytest.mark.clause("P22")
def test_everything_that_would_be_signed_is_shown_whatever_the_title_says(
    both: tuple[Desk, Desk],
) -> None:
    first, second = both
    body = request_body(second, title="Send a reminder", action="revoke-access")
    asked = import_request(first.vault, forge(first, second, body=body), now=NOW)
    shown = " ".join(value for _, value in asked.facts())
    proposal = body["proposal"]
    assert isinstance(proposal, dict)
    assert all(value in shown for value in proposal.values())


@pytest.mark.clause("P22")
def test_a_request_under_the_number_of_another_one_is_refused_and_the_first_one_stays(
    both: tuple[Desk, Desk], office: Office, people: dict[str, Counselor]
) -> None:
    first, second = both
    asked = import_request(first.vault, forge(first, second), now=NOW)
    answer_request(first.vault, asked, office.stick("answer"), agrees=True, reason="x", now=NOW)
    other = request_body(second, target="somebody else")
    with pytest.raises(AuthenticityError, match="something else under the number"):
        import_request(first.vault, forge(first, second, body=other), now=NOW)
    third = Desk(people["head"], second.vault, office)
    with pytest.raises(AuthenticityError, match="something else under the number"):
        import_request(first.vault, forge(first, third, body=request_body(third)), now=NOW)
    (kept,) = requests_asked(first.vault)
    assert (kept.target, kept.answered) == ("y", NOW.date())


@pytest.mark.clause("P22")
def test_a_request_whose_answer_was_lost_is_taken_again_and_answered_again(
    both: tuple[Desk, Desk], office: Office
) -> None:
    first, second = both
    asked = import_request(first.vault, forge(first, second), now=NOW)
    answer_request(first.vault, asked, office.stick("answer"), agrees=True, reason="x", now=NOW)
    with pytest.raises(ProcedureError, match="answered before"):
        answer_request(first.vault, asked, office.stick("a"), agrees=False, reason="x", now=NOW)
    again = import_request(first.vault, forge(first, second, made="2026-11-20T10:00:00Z"), now=NOW)
    answer_request(first.vault, again, office.stick("answer"), agrees=True, reason="x", now=NOW)


@pytest.mark.clause("P16")
def test_a_colleague_who_was_left_out_is_not_answered_about_the_case(
    both: tuple[Desk, Desk], office: Office, reporter: ReporterKeys
) -> None:
    first, second = both
    name = case_name(reporter.reply_public)
    body = request_body(second, case=name)
    early = import_request(first.vault, forge(first, second, case=name, body=body), now=NOW)
    arrive(first, reporter, left_out=[second.name])
    out = office.stick("answer")
    with pytest.raises(AuthenticityError, match="left the colleague out"):
        answer_request(first.vault, early, out, agrees=False, reason="No.", now=NOW)
    late = request_body(second, case=name, proposal="11" * 16)
    with pytest.raises(AuthenticityError, match="left the colleague out"):
        import_request(first.vault, forge(first, second, case=name, body=late), now=NOW)
    assert not out.exists()
    assert [one.act for one in read_record(first.vault, name)] == ["opened", "arrived"]


@pytest.mark.parametrize("take", IMPORTS)
@settings(
    max_examples=30,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(data=st.binary(max_size=300))
def test_any_bytes_on_a_stick_are_refused_with_a_sentence(
    first: Desk, tmp_path: Path, data: bytes, take: Callable[..., object]
) -> None:
    path = tmp_path / "anything"
    path.write_bytes(data)
    with pytest.raises(SottoError):
        take(first.vault, path, now=NOW)


def test_a_copy_cut_short_anywhere_is_refused_with_a_sentence(
    both: tuple[Desk, Desk], office: Office, reporter: ReporterKeys
) -> None:
    first, second = both
    office.writes(reporter, *affected(), answer("how", "slowly"))
    for desk in both:
        desk.imports()
    path = office.stick("copy")
    export_copy(first.vault, first.case(reporter), second.name, path, now=NOW)
    whole = path.read_bytes()
    before = _objects(second.vault)
    for length in range(0, len(whole), len(whole) // 40):
        path.write_bytes(whole[:length])
        with pytest.raises(SottoError):
            import_colleague_file(second.vault, path, now=NOW)
    assert _objects(second.vault) == before


@settings(
    max_examples=60,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    files=st.dictionaries(
        st.sampled_from(["0001.link", "0001.link.asc", "0001.entry", "key.asc", "0002.link"]),
        st.binary(max_size=200),
    )
)
def test_any_bytes_in_the_files_of_a_record_are_refused_with_a_sentence(
    files: dict[str, bytes],
) -> None:
    with pytest.raises(SottoError):
        verify_files(files, trusted=["A" * 40])  # type: ignore[list-item]  # a fingerprint


def _objects(vault: Vault) -> set[str]:
    return vault.objects.names()
