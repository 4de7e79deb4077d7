"""What a person typed is still there after everything that can go wrong."""

import re
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import pytest
from office import Office, Visitor, make_office

from relay.app import assemble, create_reporter_app
from relay.deployment import open_deployment
from relay.formkey import TOKEN_LIFE
from relay.progress import new_form_id
from tests.journeys.web import hidden_fields, receipt_words

pytestmark = pytest.mark.claim("C6")

TYPED = 'Ein langer Text, النص الطويل, <b>kept</b> & "quoted"'
SHOWN = "Ein langer Text, النص الطويل, &lt;b&gt;kept&lt;/b&gt; &amp; &#34;quoted&#34;"


@pytest.fixture
def speaking(tmp_path: Path, cheap_argon2_never_in_production: None) -> Iterator[Office]:
    """A relay that shows several languages."""
    office = make_office(tmp_path / "data", languages=("en", "ar", "es"))
    yield office
    office.parts.deployment.close()


def test_wrong_receipt_keeps_the_words_that_were_typed(visitor: Visitor) -> None:
    page = visitor.posts("/en/receipt", {"receipt": "these are not the words of anybody here ok"})
    assert page.status_code == 404
    assert "these are not the words of anybody here ok" in page.text


def test_an_expired_mailbox_page_keeps_the_message_through_the_words(
    office: Office, visitor: Visitor
) -> None:
    visitor.opens_the_form()
    visitor.sends("first", to=["counselor-1"])
    token = hidden_fields(visitor.opens_the_mailbox().text)["token"]
    office.clock[0] += TOKEN_LIFE
    form_id = new_form_id()
    late = {"token": token, "text": TYPED, "form": form_id}
    page = visitor.posts("/en/mailbox/message", late)
    assert page.status_code == 403
    assert SHOWN in page.text
    frame = visitor.client.get(f"/en/progress/{form_id}").text
    assert "Copy your text, then enter your nine words once more." in frame
    assert "send again" not in frame  # the page that stays can send nothing any more
    words = {"receipt": " ".join(visitor.paper), "text": TYPED}
    assert SHOWN in visitor.posts("/en/receipt", words).text
    assert office.texts("counselor-1") == ["first"]


def test_a_file_that_is_too_large_leaves_the_text_the_answers_and_the_receipt(
    office: Office, visitor: Visitor
) -> None:
    page = visitor.opens_the_form()
    object.__setattr__(office.parts.settings, "attachments_bytes", 1000)
    fields = [*visitor.form.items(), ("text", TYPED), ("recipients", "counselor-1")]
    data = dict(fields) | {
        "when": "in spring",
        "attachments": (BytesIO(b"x" * 200_000), "big.bin"),
    }
    refused = visitor.client.post("/en/report", data=data, content_type="multipart/form-data")
    assert refused.status_code == 413
    assert SHOWN in refused.text
    assert "in spring" in refused.text
    assert receipt_words(refused.text) == receipt_words(page.text)
    assert "Files have to be chosen again" in refused.text
    assert office.held() == {}
    frame = visitor.client.get(f"/en/progress/{visitor.form['form']}")
    assert "too large" in frame.text


def test_a_restart_of_the_relay_keeps_the_form_and_its_receipt(
    office: Office, visitor: Visitor
) -> None:
    visitor.opens_the_form()
    _restart(office)
    later = Visitor(office.visitor(), paper=visitor.paper, form=visitor.form)
    assert later.sends("first", to=["counselor-1"]).status_code == 200
    assert office.texts("counselor-1") == ["first"]
    assert later.opens_the_mailbox().status_code == 200


def test_a_restart_of_the_relay_keeps_the_message_and_asks_for_the_words(
    office: Office, visitor: Visitor
) -> None:
    visitor.opens_the_form()
    visitor.sends("first", to=["counselor-1"])
    token = hidden_fields(visitor.opens_the_mailbox().text)["token"]
    _restart(office)
    page = office.visitor().post(
        "/en/mailbox/message",
        data={"token": token, "text": TYPED},
        content_type="multipart/form-data",
    )
    assert page.status_code == 403
    assert SHOWN in page.text


def test_no_reader_chosen_asks_and_keeps_everything(office: Office, visitor: Visitor) -> None:
    page = visitor.opens_the_form()
    refused = visitor.sends(TYPED, to=[], when="in spring")
    assert refused.status_code == 400
    assert "Choose at least one person" in refused.text
    assert SHOWN in refused.text
    assert "in spring" in refused.text
    assert receipt_words(refused.text) == receipt_words(page.text)


def test_an_answer_that_is_too_long_comes_back_at_its_question(
    office: Office, visitor: Visitor
) -> None:
    page = visitor.opens_the_form()
    assert visitor.sends(TYPED, to=["counselor-1"], how="x" * 100_000).status_code == 200
    refused = visitor.sends(TYPED, to=["counselor-1"], how="x" * 100_001)
    assert refused.status_code == 413
    assert "This is 100001 characters long; 100000 fit." in refused.text
    assert 'id="how-error"' in refused.text
    assert "x" * 100_001 in refused.text
    assert SHOWN in refused.text
    assert receipt_words(refused.text) == receipt_words(page.text)
    assert len(office.held()) == 1


def test_a_statement_that_is_too_long_comes_back_in_its_own_place(visitor: Visitor) -> None:
    visitor.opens_the_form()
    visitor.sends("first", to=["counselor-1"])
    refused = visitor.acts("escalate", rung="head", text="x" * 100_001)
    assert refused.status_code == 413
    assert 'id="statement-error"' in refused.text
    message, _, statement = refused.text.partition('<section aria-labelledby="further">')
    assert "xxx" not in message
    assert "x" * 100_001 in statement
    assert 'value="head" checked' in statement


def test_switching_the_language_keeps_text_receipt_and_readers(speaking: Office) -> None:
    visitor = Visitor(speaking.visitor())
    page = visitor.opens_the_form()
    typed = visitor.form | {"text": TYPED, "recipients": ["counselor-2"], "language": "ar"}
    switched = visitor.posts("/ar/report", typed)
    assert switched.status_code == 200
    assert 'dir="rtl"' in switched.text
    assert SHOWN in switched.text
    assert receipt_words(switched.text) == receipt_words(page.text)
    assert 'value="counselor-2" checked' in switched.text.replace(
        ' id="recipients-counselor-2"', ""
    ).replace(' id="reader-counselor-2"', "")
    assert speaking.held() == {}


def test_switching_the_language_of_the_mailbox_keeps_the_message_and_its_ticks(
    speaking: Office,
) -> None:
    visitor = Visitor(speaking.visitor())
    visitor.opens_the_form()
    visitor.sends("first", to=["counselor-1", "counselor-2"])
    token = hidden_fields(visitor.opens_the_mailbox().text)["token"]
    typed = {"token": token, "text": TYPED, "recipients": ["counselor-2"], "requests": "stop"}
    switched = visitor.posts("/ar/mailbox/message", typed | {"language": "ar"})
    assert switched.status_code == 200
    assert 'dir="rtl"' in switched.text
    assert SHOWN in switched.text
    assert 'value="stop" checked' in switched.text
    assert 'value="counselor-2" checked' in switched.text
    assert 'value="counselor-1" checked' not in switched.text
    assert speaking.texts("counselor-1") == ["first"]


def test_switching_the_language_keeps_the_nine_words_and_the_message_beside_them(
    speaking: Office,
) -> None:
    typed = {"receipt": "abacus abdomen", "text": TYPED, "language": "es"}
    switched = Visitor(speaking.visitor()).posts("/es/receipt", typed)
    assert switched.status_code == 200
    assert 'lang="es"' in switched.text
    assert "abacus abdomen" in switched.text
    assert SHOWN in switched.text


def test_no_page_that_answers_a_form_offers_a_link_that_would_lose_what_was_typed(
    speaking: Office,
) -> None:
    visitor = Visitor(speaking.visitor())
    assert 'href="/es/safety"' in visitor.client.get("/en/safety").text
    visitor.opens_the_form()
    pages = [visitor.sends(TYPED, to=[]), visitor.sends(TYPED, to=["counselor-1"])]
    pages.append(visitor.posts("/en/receipt", {"receipt": "none of ours"}))
    pages += [visitor.opens_the_mailbox(), visitor.acts("replace")]
    assert [page.request.path for page in pages if 'hreflang="es"' in page.text] == []


def test_what_became_of_a_form_is_told_right_above_its_button(visitor: Visitor) -> None:
    form = visitor.opens_the_form().text
    visitor.sends("first", to=["counselor-1"])
    for page in (form, visitor.opens_the_mailbox().text):
        frame, button = page.index('class="progress"'), page.index('formtarget="sink"')
        assert page.index('id="attachments"') < frame < button
        between = page[frame:button]
        assert between.count("<button") == 1
        # A frame that a broken circuit left with the browser's own words is begun again by hand.
        told = re.search('name="progress" src="([^"]+)"', between)
        assert told
        assert f'<a href="{told[1]}" target="progress">Look again</a>' in between


def _restart(office: Office) -> None:
    """Close the relay and open it again: a new form key, the same folder."""
    circuits = office.parts.circuits
    office.parts.deployment.close()
    deployment = open_deployment(office.data)
    office.parts = assemble(deployment, circuits=circuits, clock=lambda: office.clock[0])
    assert create_reporter_app(office.parts)
