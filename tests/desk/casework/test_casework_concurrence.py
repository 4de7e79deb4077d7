"""Two real desks with two real keys agree, refuse, forge and fail to agree."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from relayside import Counselor
from twodesks import Desk, Office, affected, answer, new_reporter, signed_by

from desk.casework.acting import (
    agree_by_word_of_mouth,
    carry_out,
    propose_action,
    repeat_action,
)
from desk.casework.answering import answer_request, import_request, requests_asked
from desk.casework.colleagues import colleagues, confirm_colleague
from desk.casework.concurrence import export_request, import_answer
from desk.casework.conflicts import declare_conflict, record_agreement
from desk.casework.errors import ProcedureError
from desk.casework.handover import export_record
from desk.casework.proposals import Proposal, find_proposal, overdue_signatures
from desk.casework.sharing import export_copy, hand_over
from desk.casework.verifying import read_record
from desk.vault import Vault
from keys.signature import verify_detached
from protocol.derivation import ReporterKeys
from protocol.errors import AuthenticityError, StorageError

CASE = "A login that must go"


@pytest.fixture
def shared(both: tuple[Desk, Desk], office: Office, reporter: ReporterKeys) -> ReporterKeys:
    """Give both desks one IFES case."""
    office.writes(reporter, *affected("pass-on"), text=CASE)
    for desk in both:
        desk.imports()
    return reporter


def propose(desk: Desk, reporter: ReporterKeys, **changes: str) -> Proposal:
    fields = {
        "target": "login «rude»",
        "reason": "Threatens a speaker.",
        "ground": "threat",
        "harm": "May lose contact with the team.",
    }
    return propose_action(
        desk.vault,
        desk.case(reporter),
        "revoke-access",
        **{**fields, **changes},
        now=desk.now,
    )


def ask(first: Desk, second: Desk, proposal: Proposal) -> Path:
    path = first.office.stick("request")
    export_request(first.vault, proposal, second.name, path, now=first.now)
    return path


def answered(first: Desk, second: Desk, proposal: Proposal, *, agrees: bool) -> Path:
    asked = import_request(second.vault, ask(first, second, proposal), now=second.now)
    path = first.office.stick("answer")
    answer_request(second.vault, asked, path, agrees=agrees, reason="I looked.", now=second.now)
    return path


def acts(desk: Desk, reporter: ReporterKeys) -> list[str]:
    return [one.act for one in read_record(desk.vault, desk.case(reporter).name)]


@pytest.mark.clause("P22")
def test_an_action_is_carried_out_only_after_the_second_desk_signed(
    both: tuple[Desk, Desk], shared: ReporterKeys
) -> None:
    first, second = both
    proposal = propose(first, shared)
    with pytest.raises(ProcedureError, match="1 more must agree"):
        carry_out(first.vault, proposal, "Done.", now=first.now)
    path = answered(first, second, proposal, agrees=True)
    agreed = import_answer(first.vault, path, now=first.now)
    assert agreed.agreed_by == ("counselor-2",)
    done = carry_out(first.vault, agreed, "Access revoked at noon.", now=first.now)
    assert done.carried_out == first.now.date()
    assert acts(first, shared)[-4:] == ["proposed", "asked", "agreed", "carried out"]
    assert acts(second, shared)[-1] == "signed"
    with pytest.raises(ProcedureError, match="before"):
        carry_out(first.vault, agreed, "Again.", now=first.now)


@pytest.mark.clause("P22")
@pytest.mark.clause("P35")
def test_the_record_of_the_proposer_holds_both_signatures_and_both_verify(
    both: tuple[Desk, Desk], shared: ReporterKeys, tmp_path: Path
) -> None:
    first, second = both
    path = answered(first, second, propose(first, shared), agrees=True)
    import_answer(first.vault, path, now=first.now)
    export_record(first.vault, first.case(shared), tmp_path / "r", redacted=False, now=first.now)
    signers = {}
    for document in sorted((tmp_path / "r" / "record").glob("*.signed.json")):
        certificate = document.with_name(document.name[:4] + ".signer.asc").read_bytes()
        for desk in both:
            key = desk.counselor.secret_key
            if key.certificate == certificate:
                verify_detached(
                    document.read_bytes(),
                    Path(f"{document}.asc").read_bytes(),
                    certificate=certificate,
                    pinned=key.fingerprint,
                    now=first.now,
                )
                signers[document.name] = desk.name
    assert list(signers.values()) == ["counselor-1", "counselor-2"]
    assert second.name in signers.values()


@pytest.mark.clause("P22")
def test_a_refusal_leaves_the_action_forbidden_and_says_why(
    both: tuple[Desk, Desk], shared: ReporterKeys
) -> None:
    first, second = both
    path = answered(first, second, propose(first, shared), agrees=False)
    refused = import_answer(first.vault, path, now=first.now)
    assert refused.signed[0].reason == "I looked."
    with pytest.raises(ProcedureError):
        carry_out(first.vault, refused, "Done.", now=first.now)
    assert acts(first, shared)[-1] == "refused"


@pytest.mark.clause("P22")
@pytest.mark.parametrize("last", [True, False], ids=["agrees", "refuses"])
def test_the_answer_that_she_signed_last_holds_in_whatever_order_they_come(
    both: tuple[Desk, Desk], shared: ReporterKeys, *, last: bool
) -> None:
    first, second = both
    proposal = propose(first, shared)
    earlier = answered(first, second, proposal, agrees=not last)
    for desk in both:
        desk.now += timedelta(hours=1)
    later = answered(first, second, proposal, agrees=last)
    import_answer(first.vault, later, now=first.now)
    with pytest.raises(AuthenticityError, match="that one holds"):
        import_answer(first.vault, earlier, now=first.now)
    assert bool(find_proposal(first.vault, proposal.id).agreed_by) is last


@pytest.mark.clause("P22")
@pytest.mark.clause("P35")
def test_nothing_signed_leaves_a_desk_whose_record_could_not_be_written(
    both: tuple[Desk, Desk], shared: ReporterKeys, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = both
    proposal = propose(first, shared)
    asked = import_request(second.vault, ask(first, second, proposal), now=second.now)
    out = first.office.folder / "out"

    changes = Vault.changes

    @contextmanager
    def full(vault: Vault) -> Iterator[None]:
        with changes(vault):
            yield
            raise StorageError("The disk is full.")  # at the last moment

    monkeypatch.setattr(Vault, "changes", full)
    case = first.case(shared)
    for leave in (
        lambda: export_request(first.vault, proposal, second.name, out, now=first.now),
        lambda: answer_request(second.vault, asked, out, agrees=True, reason="x", now=second.now),
        lambda: export_copy(first.vault, case, second.name, out, now=first.now),
        lambda: hand_over(first.vault, case, second.name, "x", out, now=first.now),
    ):
        with pytest.raises(StorageError, match="full"):
            leave()
        assert list(first.office.folder.glob("*out*")) == []
    monkeypatch.undo()
    assert acts(second, shared)[-1] == "arrived"


@pytest.mark.clause("P22")
def test_an_answer_is_taken_once_and_only_by_the_desk_that_asked(
    both: tuple[Desk, Desk], shared: ReporterKeys
) -> None:
    first, second = both
    path = answered(first, second, propose(first, shared), agrees=True)
    with pytest.raises(AuthenticityError, match="sealed to somebody else"):
        import_answer(second.vault, path, now=second.now)
    import_answer(first.vault, path, now=first.now)
    with pytest.raises(AuthenticityError, match="imported before"):
        import_answer(first.vault, path, now=first.now)


@pytest.mark.clause("P22")
def test_an_answer_of_a_colleague_who_was_not_asked_counts_for_nothing(
    both: tuple[Desk, Desk], shared: ReporterKeys, people: dict[str, Counselor]
) -> None:
    first, second = both
    proposal = propose(first, shared)
    ask(first, second, proposal)
    body = {
        "agrees": True,
        "proposal": proposal.id,
        "proposal_sha256": proposal.digest.hex(),
        "reason": "Of course.",
    }
    head = Desk(people["head"], second.vault, first.office)
    said = {"type": "sotto answer", "case": proposal.case, "body": body}
    with pytest.raises(AuthenticityError, match="did not ask"):
        import_answer(first.vault, signed_by(head, first, **said), now=first.now)
    import_answer(first.vault, signed_by(second, first, **said), now=first.now)


@pytest.mark.clause("P22")
def test_an_answer_to_another_wording_than_was_proposed_is_refused(
    both: tuple[Desk, Desk], shared: ReporterKeys
) -> None:
    first, second = both
    proposal = propose(first, shared)
    path = answered(first, second, proposal, agrees=True)
    with first.vault.changes():
        current = find_proposal(first.vault, proposal.id)
        first.vault.put(current.model_copy(update={"target": "somebody else"}))
    with pytest.raises(AuthenticityError, match="something else"):
        import_answer(first.vault, path, now=first.now)


@pytest.mark.clause("P22")
def test_a_file_with_a_flipped_octet_is_refused(
    both: tuple[Desk, Desk], shared: ReporterKeys
) -> None:
    first, second = both
    path = ask(first, second, propose(first, shared))
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(bytes(data))
    with pytest.raises(AuthenticityError):
        import_request(second.vault, path, now=second.now)
    assert requests_asked(second.vault) == []


@pytest.mark.clause("P16")
@pytest.mark.clause("P22")
def test_no_request_is_made_for_somebody_left_out_until_the_reporter_agrees(
    both: tuple[Desk, Desk], office: Office, reporter: ReporterKeys
) -> None:
    first, second = both
    office.writes(reporter, *affected(), left_out=["counselor-2"])
    first.imports()
    proposal = propose(first, reporter)
    path = office.stick("request")
    with pytest.raises(ProcedureError, match="left this person out"):
        export_request(first.vault, proposal, second.name, path, now=first.now)
    assert not path.exists()
    with pytest.raises(ProcedureError, match="Name the letter"):
        record_agreement(first.vault, first.case(reporter), second.name, "Surely.", now=first.now)
    letter = office.writes(reporter, later=True, text="She may know.", left_out=["counselor-2"])
    first.imports()
    record_agreement(
        first.vault,
        first.case(reporter),
        second.name,
        "She may know.",
        envelope=letter.id,
        now=first.now,
    )
    export_request(first.vault, proposal, second.name, path, now=first.now)
    assert import_request(second.vault, path, now=second.now).target == "login «rude»"


@pytest.mark.clause("P16")
def test_the_first_letter_itself_is_no_agreement_to_let_somebody_in(
    both: tuple[Desk, Desk], office: Office, reporter: ReporterKeys
) -> None:
    first, second = both
    letter = office.writes(reporter, *affected(), left_out=["counselor-2"])
    first.imports()
    case = first.case(reporter)
    with pytest.raises(ProcedureError, match="Name the letter"):
        record_agreement(first.vault, case, second.name, "Yes.", envelope=letter.id, now=first.now)


@pytest.mark.clause("P22")
def test_nothing_is_sealed_to_a_colleague_whose_fingerprint_nobody_compared(
    first: Desk, second: Desk, office: Office, reporter: ReporterKeys
) -> None:
    office.writes(reporter, *affected())
    first.imports()
    proposal = propose(first, reporter)
    with pytest.raises(ProcedureError, match="by voice"):
        export_request(first.vault, proposal, second.name, office.stick("request"), now=first.now)
    wrong = first.counselor.secret_key.fingerprint
    with pytest.raises(ProcedureError, match="not the fingerprint"):
        confirm_colleague(first.vault, second.name, wrong, now=first.now)


@pytest.mark.clause("P22")
def test_a_changed_key_of_a_colleague_must_be_confirmed_again(
    both: tuple[Desk, Desk], office: Office
) -> None:
    from relayside import Counselor

    first, _ = both
    office.relay.counselors = [
        Counselor.make("counselor-2") if one.name == "counselor-2" else one
        for one in office.relay.counselors
    ]
    told = first.imports().told
    assert any("another key" in one for one in told)
    (second,) = [one for one in colleagues(first.vault) if one.name == "counselor-2"]
    assert second.confirmed is None


@pytest.mark.clause("P22")
def test_word_of_mouth_counts_at_once_and_is_listed_until_it_is_signed(
    both: tuple[Desk, Desk], shared: ReporterKeys
) -> None:
    first, second = both
    proposal = propose(first, shared)
    spoken = agree_by_word_of_mouth(
        first.vault, proposal, second.name, "On the phone at 12:10.", now=first.now
    )
    done = carry_out(first.vault, spoken, "Revoked during the session.", now=first.now)
    assert overdue_signatures(first.vault, today=first.now.date()) == []
    for desk in both:
        desk.waits(4)
    ((late, _),) = overdue_signatures(first.vault, today=first.now.date())
    assert late.id == done.id
    path = answered(first, second, done, agrees=True)
    import_answer(first.vault, path, now=first.now)
    assert overdue_signatures(first.vault, today=first.now.date()) == []


@pytest.mark.clause("P22")
def test_word_of_mouth_is_refused_where_the_policy_wants_a_signature(
    both: tuple[Desk, Desk], office: Office, reporter: ReporterKeys
) -> None:
    first, second = both
    office.writes(reporter, *affected(), policy="ddp")
    first.imports()
    proposal = propose_action(
        first.vault,
        first.case(reporter),
        "separate",
        target="two offices",
        reason="Until it is clear.",
        now=first.now,
    )
    with pytest.raises(ProcedureError, match="signature first"):
        agree_by_word_of_mouth(first.vault, proposal, second.name, "In the hall.", now=first.now)


@pytest.mark.clause("P23")
def test_a_repeat_under_a_new_login_needs_no_second_signature_and_names_the_first_action(
    both: tuple[Desk, Desk], shared: ReporterKeys
) -> None:
    first, second = both
    proposal = propose(first, shared)
    with pytest.raises(ProcedureError, match="not carried out"):
        repeat_action(
            first.vault, proposal, target="login «rude2»", reason="Same words.", now=first.now
        )
    path = answered(first, second, proposal, agrees=True)
    done = carry_out(
        first.vault, import_answer(first.vault, path, now=first.now), "Done.", now=first.now
    )
    again = repeat_action(
        first.vault, done, target="login «rude2»", reason="Same words.", now=first.now
    )
    third = repeat_action(
        first.vault, again, target="login «rude3»", reason="Same words.", now=first.now
    )
    assert (again.repeat_of, third.repeat_of) == (done.id, done.id)
    assert again.signed == ()
    entry = read_record(first.vault, first.case(shared).name)[-1]
    assert (entry.act, entry.what["repeat_of"]) == ("repeated", done.id)


@pytest.mark.clause("P23")
def test_a_repeat_does_not_rest_on_an_agreement_that_was_never_signed(
    both: tuple[Desk, Desk], shared: ReporterKeys
) -> None:
    first, second = both
    spoken = agree_by_word_of_mouth(
        first.vault, propose(first, shared), second.name, "Said so.", now=first.now
    )
    done = carry_out(first.vault, spoken, "Done.", now=first.now)
    with pytest.raises(ProcedureError, match="not signed"):
        repeat_action(first.vault, done, target="new", reason="Same voice.", now=first.now)


@pytest.mark.clause("P26")
@pytest.mark.parametrize(
    "lacking",
    [
        pytest.param({"ground": ""}, id="no ground"),
        pytest.param({"ground": "dislike"}, id="a ground of nobody's"),
        pytest.param({"reason": "  "}, id="no reason"),
        pytest.param({"harm": ""}, id="no harm considered"),
        pytest.param({"target": ""}, id="nobody it is about"),
    ],
)
def test_revoking_access_is_not_even_proposed_without_ground_reason_and_harm(
    first: Desk, office: Office, reporter: ReporterKeys, lacking: dict[str, str]
) -> None:
    office.writes(reporter, *affected())
    first.imports()
    with pytest.raises(ProcedureError):
        propose(first, reporter, **lacking)
    assert "proposed" not in acts(first, reporter)


@pytest.mark.clause("P26")
def test_the_record_of_a_revoked_access_holds_ground_reason_and_harm(
    first: Desk, office: Office, reporter: ReporterKeys
) -> None:
    office.writes(reporter, *affected())
    first.imports()
    propose(first, reporter)
    entry = read_record(first.vault, first.case(reporter).name)[-1]
    assert (entry.why, entry.what["ground"]) == ("Threatens a speaker.", "threat")
    assert entry.what["harm"] == "May lose contact with the team."


@pytest.mark.clause("P17")
def test_a_counselor_with_a_conflict_of_interest_neither_proposes_nor_agrees(
    both: tuple[Desk, Desk], shared: ReporterKeys
) -> None:
    first, second = both
    path = ask(first, second, propose(first, shared))
    asked = import_request(second.vault, path, now=second.now)
    declare_conflict(second.vault, second.case(shared), "My cousin.", now=second.now)
    with pytest.raises(ProcedureError, match="conflict"):
        answer_request(
            second.vault,
            asked,
            first.office.stick("answer"),
            agrees=True,
            reason="Yes.",
            now=second.now,
        )
    with pytest.raises(ProcedureError, match="conflict"):
        propose(second, shared)


def test_an_action_that_the_policy_does_not_name_is_refused(first: Desk, office: Office) -> None:
    reporter = new_reporter()
    office.writes(reporter, answer("how", "slowly"))
    first.imports()
    with pytest.raises(ProcedureError, match="no such action"):
        propose_action(
            first.vault, first.case(reporter), "exile", target="x", reason="y", now=first.now
        )
