"""A report that the whole organisation must not learn of, neither now nor later (P16)."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from office import Office, Visitor, make_office

from protocol.report import Report

pytestmark = pytest.mark.clause("P16")

BOX = 'name="outside-only"'
INSIDE = ("counselor-2", "head")


@pytest.fixture
def ddp(tmp_path: Path, cheap_argon2_never_in_production: None) -> Iterator[Office]:
    office = make_office(tmp_path / "ddp", policy="ddp")
    yield office
    office.parts.deployment.close()


def complains(office: Office, **fields: str) -> Visitor:
    visitor = Visitor(office.visitor())
    assert BOX in visitor.opens_the_form("?track=complaint").text
    assert visitor.sends("first", to=["counselor-1"], **fields).status_code == 200
    return visitor


def received(office: Office) -> Report:
    (found,) = office.readable(office.people["counselor-1"]).values()
    return found.report


def test_organisation_that_was_only_not_ticked_can_be_asked_later(ddp: Office) -> None:
    visitor = complains(ddp)
    assert received(ddp).left_out == ()
    assert 'value="head"' in visitor.opens_the_mailbox().text


def test_organisation_that_must_not_learn_of_it_is_left_out_with_all_its_people(
    ddp: Office,
) -> None:
    complains(ddp, **{"outside-only": "yes"})
    report = received(ddp)
    assert report.readers == ("counselor-1",)
    assert report.left_out == INSIDE
    assert [answer.question for answer in report.answers] == ["outside-only"]


def test_no_rung_leads_back_to_an_organisation_that_must_not_learn_of_it(ddp: Office) -> None:
    visitor = complains(ddp, **{"outside-only": "yes"})
    mailbox = visitor.opens_the_mailbox().text
    assert 'name="rung"' not in mailbox
    assert "Complaints committee of Partos" in mailbox
    for rung in ("head", "management"):
        assert visitor.acts("escalate", rung=rung, text="Look again.").status_code == 400
    visitor.acts("message", text="second", recipients=["counselor-1", *INSIDE])
    assert ddp.texts("counselor-1") == ["first", "second"]
    assert [ddp.texts(name) for name in INSIDE] == [[], []]


def test_somebody_of_the_organisation_who_is_ticked_all_the_same_is_asked_about(
    ddp: Office,
) -> None:
    visitor = Visitor(ddp.visitor())
    visitor.opens_the_form("?track=complaint")
    told = {"outside-only": "yes", "own-choice": "yes"}
    asked = visitor.sends("first", to=["counselor-1", "head"], **told)
    assert asked.status_code == 400
    assert "Then take the tick away from: Head of the department." in asked.text
    assert f'{BOX} value="yes" checked' in asked.text
    assert 'name="own-choice" value="yes" checked' in asked.text
    assert "first" in asked.text
    assert ddp.held() == {}


def test_category_that_belongs_inside_does_not_ask_who_wants_the_organisation_kept_out(
    ddp: Office,
) -> None:
    complains(ddp, categories="decision", **{"outside-only": "yes"})
    assert received(ddp).left_out == INSIDE


def test_policy_without_anybody_independent_does_not_offer_to_leave_everybody_out(
    tmp_path: Path, cheap_argon2_never_in_production: None
) -> None:
    office = make_office(tmp_path / "ifes", policy="ifes")
    assert BOX not in Visitor(office.visitor()).opens_the_form().text
    office.parts.deployment.close()
