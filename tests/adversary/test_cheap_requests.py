"""Requests that cost their sender next to nothing and the relay a thread, a disk or a page."""

import os
import socket
import tempfile
from pathlib import Path

import pytest
from office import Office, Visitor
from served import connect, get, serving

from relay.site import Plan
from tests.journeys.web import hidden_fields

CIRCUIT = {"REMOTE_ADDR": "fc00:dead:beef:4dad::1c"}
SHORT_FORMS = (
    "/en/report",
    "/en/receipt",
    "/en/mailbox/message",
    "/en/mailbox/escalate",
    "/en/mailbox/consent",
    "/en/mailbox/close",
    "/en/mailbox/replace",
)


@pytest.mark.claim("C5")
@pytest.mark.parametrize("length", [b"0000000000000000000100000", b"9" * 19, b"9" * 4000])
def test_a_length_of_many_digits_takes_no_thread_from_pages(length: bytes) -> None:
    held: list[socket.socket] = []
    with tempfile.TemporaryDirectory() as name:
        bind = f"unix:{name}/site.sock"
        plan = {"threads": 2, "uploads": 2}
        with serving(Path(name), sites=[{"name": "site", "bind": bind}], plan=plan):
            try:
                for _ in range(3):
                    held.append(connect(bind))
                    head = (
                        b"POST /count HTTP/1.1\r\nHost: x\r\nContent-Length: %s\r\n\r\nx" % length
                    )
                    held[-1].sendall(head)
                assert get(bind)[0] == 200
            finally:
                for sock in held:
                    sock.close()


@pytest.mark.claim("C5")
def test_those_who_wait_at_the_gate_leave_threads_for_pages(office: Office) -> None:
    gate = office.parts.gate
    both_purposes = 2 * gate._waiting + (os.cpu_count() or 1)
    assert both_purposes < Plan(sites=()).threads


@pytest.mark.claim("C5")
def test_one_circuit_cannot_fill_the_disk_with_letters_under_one_token(
    office: Office, visitor: Visitor
) -> None:
    visitor.opens_the_form()
    visitor.sends("first", to=["counselor-1"])
    visitor.client.environ_base.update(CIRCUIT)
    answers = [
        visitor.acts("message", text=f"{n}", recipients="counselor-1").status_code for n in range(4)
    ]
    assert answers == [200, 200, 200, 200]
    refused = visitor.client.post("/en/receipt", data={"receipt": " ".join(visitor.paper)})
    assert refused.status_code == 503
    assert len(office.held()) == 5


@pytest.mark.claim("C5")
def test_letter_that_is_too_many_comes_back_with_its_text(office: Office, visitor: Visitor) -> None:
    visitor.opens_the_form()
    visitor.sends("first", to=["counselor-1"])
    page = visitor.opens_the_mailbox()
    fields = {"token": hidden_fields(page.text)["token"], "recipients": "counselor-1"}
    visitor.client.environ_base.update(CIRCUIT)
    answers = [visitor.posts("/en/mailbox/message", fields | {"text": "kept"}) for _ in range(10)]
    assert [one.status_code for one in answers] == [200] * 8 + [413] * 2
    assert "kept" in answers[-1].text
    assert len(office.held()) == 9


@pytest.mark.claim("C5")
@pytest.mark.parametrize("path", SHORT_FORMS)
def test_fields_that_no_page_offers_never_break_a_page(
    office: Office, visitor: Visitor, path: str
) -> None:
    visitor.opens_the_form()
    visitor.sends("first", to=["counselor-1"])
    token = hidden_fields(visitor.opens_the_mailbox().text)["token"]
    odd = ("", "x", "\x00", "\u202e", "../..", "9" * 300, "<b>")
    names = ("receipt", "requests", "categories", "consents", "closing", "rung", "track", "form")
    for value in odd:
        for name in (*names, "recipients", "language", "hand-over", "text", "own-choice"):
            known = {"recipients": "counselor-1", "text": "t", "closing": "close"}
            fields = visitor.form | known | {"token": token, name: value}
            assert visitor.posts(path, fields).status_code < 500, (name, value)


@pytest.mark.claim("C3")
def test_a_receipt_whose_readers_have_all_gone_says_so_instead_of_breaking(
    office: Office, visitor: Visitor
) -> None:
    visitor.opens_the_form()
    visitor.sends("first", to=["counselor-1"])
    office.parts.store.retire_recipient(office.people["counselor-1"].name)
    visitor_form = visitor.acts("replace").text
    answer = visitor.posts("/en/mailbox/replace", hidden_fields(visitor_form))
    assert answer.status_code == 400


@pytest.mark.claim("C5")
def test_a_text_far_beyond_the_limit_is_not_held_as_a_page_for_whoever_reads_slowly(
    office: Office, visitor: Visitor
) -> None:
    visitor.opens_the_form()
    too_long = visitor.sends('"' * 300_000, to=["counselor-1"])
    assert (too_long.status_code, "&#34;" * 300_000 in too_long.text) == (413, True)
    far_too_long = visitor.sends('"' * 470_000, to=["counselor-1"])
    assert (far_too_long.status_code, len(far_too_long.data) < 100_000) == (413, True)
