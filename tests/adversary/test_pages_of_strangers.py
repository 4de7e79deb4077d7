"""A page of somebody else posts in a visitor's name, with words that its maker knows."""

import pytest
from office import Office, Visitor
from werkzeug.test import TestResponse

from tests.journeys.web import hidden_fields, receipt_words

pytestmark = pytest.mark.claim("C4")

STRANGER = [
    {"Sec-Fetch-Site": "cross-site", "Origin": "null"},
    {"Sec-Fetch-Site": "same-site"},
    {"Origin": "http://report-here.example"},
]
OUR_OWN = [
    {},
    {"Sec-Fetch-Site": "same-origin", "Origin": "null"},
    {"Sec-Fetch-Site": "none"},
    {"Origin": "http://localhost"},
]


def comes_with_known_words(office: Office, headers: dict[str, str]) -> tuple[bool, TestResponse]:
    """Take words at the form, post them from elsewhere, and look whether the page shows them."""
    form = office.visitor().get("/en/report").text
    fields = hidden_fields(form) | {"language": "en"}
    kind = "multipart/form-data"
    answer = office.visitor().post("/en/report", data=fields, content_type=kind, headers=headers)
    known = receipt_words(form)
    return answer.status_code == 200 and receipt_words(answer.text) == known, answer


@pytest.mark.parametrize("headers", STRANGER)
def test_a_form_posted_by_another_site_never_shows_the_words_it_brought(
    office: Office, headers: dict[str, str]
) -> None:
    shown, answer = comes_with_known_words(office, headers)
    assert (shown, answer.status_code) == (False, 404)


@pytest.mark.parametrize("headers", OUR_OWN)
def test_a_form_posted_by_our_own_page_keeps_its_words(
    office: Office, headers: dict[str, str]
) -> None:
    assert comes_with_known_words(office, headers)[0]


def test_another_site_cannot_open_its_own_mailbox_in_front_of_a_visitor(
    office: Office, visitor: Visitor
) -> None:
    visitor.opens_the_form()
    visitor.sends("bait", to=["counselor-1"])
    words = {"receipt": " ".join(visitor.paper)}
    headers = {"Sec-Fetch-Site": "cross-site"}
    assert office.visitor().post("/en/receipt", data=words, headers=headers).status_code == 404
    assert office.visitor().post("/en/receipt", data=words).status_code == 200
