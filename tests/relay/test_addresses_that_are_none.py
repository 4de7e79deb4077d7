"""An address that is mistyped, or was only posted to, leads on instead of breaking off."""

import pytest
from office import Office


@pytest.mark.parametrize("action", ["message", "escalate", "consent", "close", "replace"])
def test_mailbox_form_opened_as_a_page_leads_to_the_nine_words(office: Office, action: str) -> None:
    answer = office.visitor().get(f"/en/mailbox/{action}")
    assert (answer.status_code, answer.location) == (303, "/en/receipt")


@pytest.mark.parametrize(("path", "status"), [("/dispatch", 405), ("/nowhere", 404)])
def test_courier_at_a_wrong_address_sees_the_bundle_and_where_to_bring_a_dispatch(
    office: Office, path: str, status: int
) -> None:
    answer = office.courier().get(path)
    assert answer.status_code == status
    assert "Take the bundle" in answer.text
    assert 'action="/dispatch"' in answer.text
