"""A counselor writes under another's name; her own dispatch carries it, rightly signed."""

from io import BytesIO

import pytest
from counselor import NOW, seal_to
from office import Office, Visitor

from keys.certificate import verify_certificate
from protocol.replypage import Reply, ReplyPage, seal_reply_page

pytestmark = pytest.mark.claim("C4")


def brings_a_page(office: Office, *, signer: str, named: str, serial: int) -> int:
    """Bring a dispatch of one counselor with a page that names somebody as its writer."""
    who, relay = office.people[signer], office.parts.deployment
    (found,) = office.readable(who).values()
    page = ReplyPage(
        mailbox=found.report.mailbox,
        recipient=office.people[named].name,
        day=NOW.date(),
        status="",
        acknowledge_by=None,
        feedback_by=None,
        replies=(Reply(number=1, day=NOW.date(), text=f"I am {named}."),),
    )
    slots = [(found.report.mailbox, seal_reply_page(page, found.report.reply_public))]
    head = who.dispatch_head(relay.relay_id, serial, slots=slots)
    certificate = verify_certificate(
        relay.relay_key.certificate, pinned=relay.relay_key.fingerprint, now=NOW
    )
    sealed = seal_to(certificate, who.pack(head, slots=slots))
    fields = {"dispatch": (BytesIO(sealed), "dispatch")}
    return office.courier().post("/dispatch", data=fields).status_code


def test_a_page_that_names_another_counselor_is_not_shown(office: Office, visitor: Visitor) -> None:
    visitor.opens_the_form()
    visitor.sends("words", to=["counselor-1", "counselor-2"])
    assert brings_a_page(office, signer="counselor-2", named="counselor-1", serial=1) == 200
    assert "I am counselor-1." not in visitor.opens_the_mailbox().text
    assert brings_a_page(office, signer="counselor-2", named="counselor-2", serial=2) == 200
    assert "I am counselor-2." in visitor.opens_the_mailbox().text
