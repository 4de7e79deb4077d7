"""When nobody holds a valid key the site says so, takes nothing, and still shows replies."""

from datetime import timedelta

import pytest
from counselor import MADE, new_key
from office import Office, Visitor

pytestmark = pytest.mark.claim("C3")


def retire_everybody(office: Office) -> None:
    for person in office.people.values():
        office.parts.store.retire_recipient(person.name)


def test_form_is_closed_while_running_once_nobody_can_read(
    office: Office, visitor: Visitor
) -> None:
    assert visitor.opens_the_form().status_code == 200
    retire_everybody(office)
    page = visitor.client.get("/en/report")
    assert page.status_code == 503
    assert "Closed for now" in page.text


def test_text_that_was_typed_comes_back_when_the_site_closed_meanwhile(
    office: Office, visitor: Visitor
) -> None:
    visitor.opens_the_form()
    retire_everybody(office)
    page = visitor.sends("what I typed", to=["counselor-1"])
    assert page.status_code == 503
    assert "what I typed" in page.text
    assert office.held() == {}


def test_replies_can_be_read_and_nothing_sent_while_the_site_is_closed(
    office: Office, visitor: Visitor
) -> None:
    visitor.opens_the_form()
    visitor.sends("first", to=["counselor-1"])
    office.answers("counselor-1", "An answer.")
    retire_everybody(office)
    assert "An answer." in visitor.opens_the_mailbox().text
    page = visitor.acts("message", text="kept words", recipients="counselor-1")
    assert page.status_code == 503
    assert "kept words" in page.text
    assert visitor.client.get("/en/safety").status_code == 200


def test_a_key_that_expires_while_running_closes_the_door_to_it(
    office: Office, visitor: Visitor
) -> None:
    expiring = new_key("head", MADE + timedelta(days=330), 2)
    store = office.parts.store
    store.replace_certificate(
        office.people["head"].name, expiring.certificate, expiring.fingerprint
    )
    assert 'value="head"' in visitor.opens_the_form().text
    office.clock[0] += timedelta(days=30)
    assert 'value="head"' not in visitor.opens_the_form().text
    refused = visitor.sends("x", to=["head"])
    assert refused.status_code == 400
    assert office.held() == {}
