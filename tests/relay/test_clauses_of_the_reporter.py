"""What the two procedures owe a reporter, one test for each clause, on the pages themselves."""

import html
import re
import shutil
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from counselor import NOW
from office import Office, Visitor, make_office

from policies.loader import shipped
from policies.schema import Policy
from protocol.memo import Memo
from protocol.names import RecipientName
from protocol.report import Kind, Report
from relay.readers import readers_of_escalation
from tests.journeys.web import hidden_fields, receipt_words

Opened = Callable[[str], tuple[Office, Visitor]]


@pytest.fixture
def opened(tmp_path: Path, cheap_argon2_never_in_production: None) -> Iterator[Opened]:
    """Open a relay with the policy of a name, and a visitor at its door."""
    offices = []

    def make(policy: str) -> tuple[Office, Visitor]:
        offices.append(make_office(tmp_path / Path(policy).name / "data", policy=policy))
        return offices[-1], Visitor(offices[-1].visitor())

    yield make
    for office in offices:
        office.parts.deployment.close()


def words_of(text: str) -> str:
    """Return the visible words of a page."""
    body = re.sub(r"<!--.*?-->", "", text, flags=re.DOTALL)
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", body)).split())


def rules(office: Office) -> Policy:
    return office.parts.policies["en"]


def read(office: Office, name: str) -> list[Report]:
    return [one.report for one in office.readable(office.people[name]).values()]


def answers(report: Report) -> dict[str, tuple[str, ...]]:
    return {answer.question: answer.values for answer in report.answers}


def page(visitor: Visitor, path: str) -> str:
    answer = visitor.client.get(path)
    assert answer.status_code == 200
    return words_of(answer.text)


@pytest.mark.clause("P1")
def test_a_complaint_asks_what_how_who_and_which_relationship_and_forces_nothing(
    opened: Opened,
) -> None:
    office, visitor = opened("ddp")
    form = visitor.opens_the_form("?track=complaint").text
    for meaning in ("how", "when", "name", "telephone", "e-mail", "standing", "relationship"):
        question = rules(office).question_meaning("complaint", meaning)  # type: ignore[arg-type]
        assert question is not None
        assert html.escape(question.label) in form.replace("&#39;", "'")
    assert form.count("Leave this empty to stay anonymous") >= 3
    assert "required" not in form
    assert 'name="standing" value="" checked' in form  # a circle can be left again
    visitor.sends("only words", to=["counselor-1"])
    told = {"standing": "witness", "relationship": "grantee", "name": "Someone"}
    second = Visitor(visitor.client)
    second.opens_the_form("?track=complaint")
    second.sends("with answers", to=["counselor-1"], **told)
    by_text = {report.text: answers(report) for report in read(office, "counselor-1")}
    assert by_text["only words"] == {}
    assert by_text["with answers"]["standing"] == ("witness",)
    assert by_text["with answers"]["name"] == ("Someone",)


@pytest.mark.clause("P2")
def test_a_category_with_a_route_of_its_own_asks_before_it_goes_to_others(opened: Opened) -> None:
    office, visitor = opened("ddp")
    visitor.opens_the_form("?track=complaint")
    told = {"categories": ["harassment"], "formality": "informal", "consents": ["pass-on"]}
    told |= {"standing": "affected"}
    asked = visitor.sends("x", to=["counselor-1", "counselor-2"], **told)
    assert asked.status_code == 400
    assert "usually goes to: Confidential counselor" in words_of(asked.text)
    assert office.held() == {}
    assert visitor.sends("x", to=["counselor-1"], **told).status_code == 200
    (report,) = read(office, "counselor-1")
    assert answers(report)["formality"] == ("informal",)
    assert answers(report)["consents"] == ("pass-on",)
    assert read(office, "counselor-2") == []


@pytest.mark.clause("P2")
@pytest.mark.clause("P16")
def test_the_reporters_own_choice_stands_against_the_route(opened: Opened) -> None:
    office, visitor = opened("ddp")
    visitor.opens_the_form("?track=complaint")
    own = {"categories": ["harassment"], "own-choice": "yes"}
    assert visitor.sends("x", to=["counselor-1", "head"], **own).status_code == 200
    assert len(read(office, "head")) == 1
    assert read(office, "counselor-2") == []


@pytest.mark.clause("P3")
def test_an_old_event_is_told_the_window_and_never_refused(opened: Opened) -> None:
    office, visitor = opened("ddp")
    form = visitor.opens_the_form("?track=complaint")
    assert rules(office).tracks["complaint"].window in html.unescape(form.text)
    assert visitor.sends("x", to=["counselor-1"], when="some years ago").status_code == 200
    assert answers(read(office, "counselor-1")[0])["when"] == ("some years ago",)
    assert not rules(office).tracks["whistleblowing"].window


@pytest.mark.clause("P5")
def test_every_rung_outside_says_in_the_mailbox_how_to_reach_it(opened: Opened) -> None:
    office, visitor = opened("ddp")
    visitor.opens_the_form("?track=complaint")
    visitor.sends("first", to=["counselor-1"])
    mailbox = words_of(visitor.opens_the_mailbox().text)
    outside = [rung for rung in rules(office).ladder_of("complaint") if rung.external]
    assert outside
    for rung in outside:
        assert words_of(rung.title) in mailbox
        assert words_of(rung.reach) in mailbox


@pytest.mark.clause("P5")
@pytest.mark.parametrize(("policy", "track"), [("generic", "concern"), ("ddp", "complaint")])
def test_an_escalation_reaches_its_rung_and_nobody_who_was_left_out(
    opened: Opened, policy: str, track: str
) -> None:
    office, visitor = opened(policy)
    visitor.opens_the_form(f"?track={track}")
    visitor.sends("first", to=["counselor-1"])
    rung = next(r for r in rules(office).ladder_of(track) if r.recipient == "head")
    assert rung.title in visitor.opens_the_mailbox().text
    sent = visitor.acts("escalate", rung=rung.id, text="Look again.", **{"hand-over": "yes"})
    assert sent.status_code == 200
    (escalated,) = read(office, "head")
    assert (escalated.kind, escalated.text) == (Kind.ESCALATION, "Look again.")
    assert answers(escalated) == {"rung": (rung.id,), "hand-over": ("yes",)}
    if policy == "generic":  # her tick was taken away
        assert office.texts("counselor-2") == []
    office.answers("head", "I looked again.")
    assert "I looked again." in visitor.opens_the_mailbox().text
    visitor.acts("message", text="Thank you.", recipients=["head", "counselor-2"])
    assert "Thank you." in office.texts("head")
    assert "Thank you." not in office.texts("counselor-2")


@pytest.mark.clause("P5")
def test_a_rung_whose_office_alone_has_a_key_is_taken_to_that_office(opened: Opened) -> None:
    office, visitor = opened("ddp")
    visitor.opens_the_form("?track=complaint")
    visitor.sends("first", to=["counselor-1"])
    assert rules(office).rungs["management"].reach in words_of(visitor.opens_the_mailbox().text)
    assert visitor.acts("escalate", rung="management", text="Look again.").status_code == 200
    assert office.texts("counselor-2") == ["Look again."]
    assert office.texts("head") == []


@pytest.mark.clause("P5")
def test_a_ladder_that_leads_outside_alone_shows_no_form_that_nobody_could_send(
    opened: Opened,
) -> None:
    _, visitor = opened("ddp")
    visitor.opens_the_form("?track=whistleblowing")
    visitor.sends("fraud", to=["counselor-1"])
    mailbox = visitor.opens_the_mailbox().text
    assert "Complaints committee of Partos" in mailbox
    assert 'name="rung"' not in mailbox
    assert "/mailbox/escalate" not in mailbox


@pytest.mark.clause("P5")
def test_an_escalation_that_comes_back_keeps_the_rung_the_words_and_the_hand_over(
    opened: Opened,
) -> None:
    _, visitor = opened("generic")
    visitor.opens_the_form()
    visitor.sends("first", to=["counselor-1"])
    back = visitor.acts("escalate", rung="head", **{"hand-over": "yes"})
    assert back.status_code == 400
    assert 'value="head" checked' in back.text
    assert 'name="hand-over" value="yes" checked' in back.text
    assert 'value="counselor-1" checked' in back.text  # the message beside it is as it was
    assert "Look again." in visitor.acts("escalate", text="Look again.").text


@pytest.mark.clause("P5")
@pytest.mark.clause("P16")
def test_a_rung_whose_tick_was_taken_away_is_neither_offered_nor_taken() -> None:
    one, two, head = map(RecipientName, ("counselor-1", "counselor-2", "head"))
    memo = Memo(
        kind=Kind.REPORT,
        readers=(one,),
        left_out=(head,),
        not_asked=(two,),
        track="concern",
        language="en",
        day=NOW.date(),
    )
    everybody = (one, two, head)
    assert readers_of_escalation(everybody, memo, {head}) == ()
    assert readers_of_escalation(everybody, memo, {two, head}) == (one, two)


@pytest.mark.clause("P6")
@pytest.mark.clause("P32")
def test_danger_and_need_of_support_travel_inside_and_show_nowhere_outside(
    opened: Opened,
) -> None:
    office, visitor = opened("ddp")
    for told in ({}, {"danger": "yes", "support": ["talk", "legal"]}):
        visitor.opens_the_form("?track=complaint")
        assert visitor.sends("x", to=["counselor-1"], **told).status_code == 200
    told_inside = [answers(report) for report in read(office, "counselor-1")]
    assert {"danger": ("yes",), "support": ("talk", "legal")} in told_inside
    calm, urgent = office.held().values()
    assert len(calm) == len(urgent)


@pytest.mark.clause("P8")
def test_whistleblowing_stays_anonymous_and_is_answered_in_the_mailbox(opened: Opened) -> None:
    office, visitor = opened("ddp")
    visitor.opens_the_form("?track=whistleblowing")
    visitor.sends("fraud", to=["counselor-1"], standing="affected")
    (report,) = read(office, "counselor-1")
    assert report.track == "whistleblowing"
    assert not {"name", "telephone", "e-mail"} & set(answers(report))
    office.answers("counselor-1", "How can we help?")
    assert "How can we help?" in visitor.opens_the_mailbox().text


@pytest.mark.clause("P9")
def test_the_ways_to_report_stand_side_by_side_with_what_each_reveals(opened: Opened) -> None:
    office, visitor = opened("ddp")
    shown = page(visitor, "/en/procedure")
    for track in rules(office).tracks:
        for channel in rules(office).channels_of(track):
            assert words_of(channel.title) in shown
            assert words_of(channel.reveals) in shown


@pytest.mark.clause("P10")
def test_personal_details_are_kept_inside_the_envelope_alone(opened: Opened) -> None:
    office, visitor = opened("ddp")
    visitor.opens_the_form("?track=complaint")
    visitor.sends("x", to=["counselor-1"], name="canary-name", telephone="canary-number")
    assert answers(read(office, "counselor-1")[0])["name"] == ("canary-name",)
    files = [path for path in office.data.rglob("*") if path.is_file()]
    assert any(path.name == "relay.sqlite" for path in files)
    assert not [path for path in files if b"canary" in path.read_bytes()]


@pytest.mark.clause("P11")
@pytest.mark.clause("P27")
@pytest.mark.parametrize(("policy", "track"), [("ddp", "complaint"), ("ifes", "incident")])
def test_the_catalogue_is_browsable_and_several_kinds_can_be_picked(
    opened: Opened, policy: str, track: str
) -> None:
    office, visitor = opened(policy)
    catalogue = rules(office).tracks[track].catalogue
    browsed = page(visitor, f"/en/catalogue/{catalogue}")
    categories = rules(office).categories_of(track)
    form = words_of(visitor.opens_the_form(f"?track={track}").text)
    for category in categories:
        assert words_of(category.title) in form
        assert words_of(category.definition) in browsed
        assert all(words_of(example) in browsed for example in category.examples)
        assert all(words_of(other) in browsed for other in category.not_this)
    picked = [category.id for category in categories[:3]]
    told = {"categories": picked, "own-choice": "yes"}
    assert visitor.sends("x", to=["counselor-1"], **told).status_code == 200
    assert answers(read(office, "counselor-1")[0])["categories"] == tuple(picked)


@pytest.mark.clause("P12")
def test_what_is_not_acted_on_stands_before_the_place_to_write(opened: Opened) -> None:
    office, visitor = opened("ddp")
    form = words_of(visitor.opens_the_form("?track=complaint").text)
    refusals = rules(office).not_acted_on.values()
    assert len(refusals) == 4
    for refusal in refusals:
        assert form.index(words_of(refusal.title)) < form.index("In your own words")


@pytest.mark.clause("P14")
def test_the_published_texts_show_their_version_and_day_and_no_foreign_html(
    opened: Opened,
) -> None:
    office, visitor = opened("ddp")
    listed = page(visitor, "/en/procedure")
    assert rules(office).documents
    for document in rules(office).documents.values():
        assert document.title in listed
        shown = visitor.client.get(f"/en/documents/{document.id}").text
        assert f"Version {document.version}, in force since 22 November 2026." in shown
        assert document.changes in shown
        assert "<script" not in shown
    assert words_of(str(rules(office).changes.html)) in listed
    assert visitor.client.get("/en/documents/none").status_code == 404


@pytest.mark.clause("P18")
def test_retaliation_is_told_from_the_earlier_mailbox_and_joins_its_case(opened: Opened) -> None:
    office, visitor = opened("ifes")
    visitor.opens_the_form()
    visitor.sends("first", to=["counselor-1"])
    visitor.acts("message", requests="retaliation", text="They know.", recipients="counselor-1")
    first, second = sorted(
        read(office, "counselor-1"), key=lambda report: report.kind, reverse=True
    )
    assert answers(second) == {"requests": ("retaliation",)}
    assert (first.mailbox, first.voice_public) == (second.mailbox, second.voice_public)
    assert rules(office).retaliation_categories


@pytest.mark.clause("P19")
def test_contact_for_follow_up_and_only_to_be_informed_are_told_apart(opened: Opened) -> None:
    office, visitor = opened("ifes")
    question = rules(office).question_meaning("incident", "contact-purpose")  # type: ignore[arg-type]
    assert question is not None
    assert {"follow-up", "inform-only"} <= set(question.options)
    visitor.opens_the_form()
    told = {question.id: "inform-only", "e-mail": "someone@example.org"}
    visitor.sends("x", to=["counselor-1"], **told)
    assert answers(read(office, "counselor-1")[0])[question.id] == ("inform-only",)


@pytest.mark.clause("P20")
def test_the_reporter_is_told_what_nobody_will_ask_and_can_name_a_support_person(
    opened: Opened,
) -> None:
    office, visitor = opened("ifes")
    rights = words_of(str(rules(office).rights.html))
    assert rights in page(visitor, "/en/procedure")
    assert "in whatever way is comfortable for you" in rights
    assert "face" in rights
    question = rules(office).question_meaning("incident", "support-person")  # type: ignore[arg-type]
    assert question is not None
    visitor.opens_the_form()
    visitor.sends("x", to=["counselor-1"], **{question.id: "a friend"})
    assert answers(read(office, "counselor-1")[0])[question.id] == ("a friend",)


@pytest.mark.clause("P21")
def test_events_can_be_picked_have_guidelines_and_conduct_beyond_them_is_taken(
    opened: Opened,
) -> None:
    office, visitor = opened("ifes")
    question = rules(office).question_meaning("incident", "event")  # type: ignore[arg-type]
    assert question is not None
    for event in rules(office).events.values():
        assert words_of(str(event.guidelines.html)) in page(visitor, f"/en/events/{event.id}")
    assert "beyond" in rules(office).events
    assert 'href="/en/events/beyond" target="_blank"' in visitor.opens_the_form().text
    visitor.sends("x", to=["counselor-1"], **{question.id: "beyond"})
    assert answers(read(office, "counselor-1")[0])[question.id] == ("beyond",)


@pytest.mark.clause("P24")
def test_only_the_person_concerned_can_agree_to_be_named_and_can_revoke_it(
    opened: Opened,
) -> None:
    office, visitor = opened("ifes")
    own = next(c.id for c in rules(office).consents_of("incident") if c.survivor_only)
    visitor.opens_the_form()
    refused = visitor.sends("x", to=["counselor-1"], standing="witness", consents=own)
    assert refused.status_code == 400
    assert "Only the person whom it happened to" in refused.text
    assert (
        visitor.sends("x", to=["counselor-1"], standing="affected", consents=own).status_code == 200
    )
    visitor.acts("consent", consents=[])
    kinds = {report.kind: answers(report) for report in read(office, "counselor-1")}
    assert kinds[Kind.REPORT]["consents"] == (own,)
    assert kinds[Kind.CONSENT] == {"consents": ()}


@pytest.mark.clause("P24")
def test_a_consent_given_later_says_to_whom_it_happened(opened: Opened) -> None:
    office, visitor = opened("ifes")
    own = next(c.id for c in rules(office).consents_of("incident") if c.survivor_only)
    visitor.opens_the_form()
    visitor.sends("x", to=["counselor-1"])
    refused = visitor.acts("consent", consents=own)
    assert refused.status_code == 400
    assert "Only the person whom it happened to" in refused.text
    assert f'name="consents" value="{own}" checked' in refused.text
    assert visitor.acts("consent", consents=own, standing="affected").status_code == 200
    (given,) = (one for one in read(office, "counselor-1") if one.kind is Kind.CONSENT)
    assert answers(given) == {"consents": (own,), "standing": ("affected",)}


@pytest.mark.clause("P25")
def test_the_limits_of_confidentiality_stand_before_the_place_to_write(opened: Opened) -> None:
    office, visitor = opened("ifes")
    form = words_of(visitor.opens_the_form().text)
    limits = words_of(str(rules(office).confidentiality.html))
    assert form.index(limits[:60]) < form.index("In your own words")


@pytest.mark.clause("P29")
@pytest.mark.clause("P31")
def test_the_mailbox_shows_the_promised_days_the_status_and_where_to_turn(
    opened: Opened,
) -> None:
    office, visitor = opened("ddp")
    visitor.opens_the_form("?track=complaint")
    sent = visitor.sends("x", to=["counselor-1"])
    assert "within 14 days" in sent.text
    assert words_of(rules(office).late) in words_of(visitor.opens_the_mailbox().text)
    assert "satisfied with how it ended" not in visitor.opens_the_mailbox().text
    assert "first answer by 4 December 2026" in visitor.opens_the_mailbox().text
    office.answers(
        "counselor-1", "We are on it.", status="looking", outcome="A warning was given, because …"
    )
    mailbox = words_of(visitor.opens_the_mailbox().text)
    assert "confirm by 4 December 2026" in mailbox
    assert "what was done by 18 February 2027" in mailbox
    assert "first answer by" not in mailbox
    status = rules(office).statuses["looking"]
    assert f"{status.title} : {status.explanation}" in mailbox
    assert "A warning was given" in mailbox
    visitor.acts("message", requests="not-satisfied", text="No.", recipients="counselor-1")
    told = [answers(report) for report in read(office, "counselor-1")]
    assert {"requests": ("not-satisfied",)} in told


@pytest.mark.clause("P30")
def test_an_impartial_person_and_the_authorities_are_named(opened: Opened) -> None:
    office, visitor = opened("ddp")
    shown = page(visitor, "/en/procedure")
    assert words_of(rules(office).impartial.reach) in shown
    assert words_of(rules(office).authorities_intro) in shown
    assert all(words_of(one.title) in shown for one in rules(office).authorities.values())
    assert shown.count("contact@huisvoorklokkenluiders.nl") == 2  # once as a rung


@pytest.mark.clause("P33")
@pytest.mark.parametrize(
    ("action", "fields", "kind"),
    [
        ("message", {"requests": "stop", "recipients": "counselor-1"}, Kind.FOLLOW_UP),
        ("message", {"requests": "meeting", "recipients": "counselor-1"}, Kind.FOLLOW_UP),
        ("consent", {}, Kind.CONSENT),
        ("close", {"closing": "delete-replies"}, Kind.CLOSING),
        ("close", {"closing": "close"}, Kind.CLOSING),
    ],
)
def test_each_thing_that_a_reporter_decides_reaches_the_desk_as_an_envelope(
    opened: Opened, action: str, fields: dict[str, str], kind: Kind
) -> None:
    office, visitor = opened("generic")
    visitor.opens_the_form()
    visitor.sends("first", to=["counselor-1"])
    assert visitor.acts(action, **fields).status_code == 200
    assert kind in {report.kind for report in read(office, "counselor-1")}
    assert office.texts("head") == []


@pytest.mark.clause("P33")
@pytest.mark.clause("P36")
def test_what_nobody_collected_can_be_taken_back_and_what_was_collected_cannot(
    opened: Opened,
) -> None:
    office, visitor = opened("generic")
    visitor.opens_the_form()
    visitor.sends("first", to=["counselor-1"])
    before = {name: len(sealed) for name, sealed in office.held().items()}
    withdrawn = visitor.acts("close", closing="withdraw").text
    assert "taken back" in withdrawn
    assert "first answer by" not in withdrawn
    assert {name: len(sealed) for name, sealed in office.held().items()} == before
    assert all(report.text != "first" for name in office.people for report in read(office, name))

    second = Visitor(visitor.client)
    second.opens_the_form()
    second.sends("second", to=["counselor-1"])
    office.courier().get("/")  # the demonstration cuts a bundle
    assert 'value="withdraw"' not in second.opens_the_mailbox().text
    assert second.acts("close", closing="withdraw").status_code == 413
    assert "second" in office.texts("counselor-1")


@pytest.mark.clause("P37")
def test_danger_reading_rhythm_and_languages_are_told_before_and_after(opened: Opened) -> None:
    office, visitor = opened("ddp")
    before = page(visitor, "/en/")
    form = words_of(visitor.opens_the_form("?track=complaint").text)
    assert visitor.sends("x", to=["counselor-1"]).status_code == 200
    frame = visitor.client.get(f"/en/progress/{visitor.form['form']}?track=complaint").text
    assert 'href="/en/sent?track=complaint" target="_top"' in frame
    after = page(visitor, "/en/sent?track=complaint")
    assert "within 14 days" in after
    for contact in rules(office).emergency.values():
        assert words_of(contact.title) in before
        assert words_of(contact.title) in after
    assert rules(office).read_rhythm in before
    assert rules(office).read_rhythm in after
    assert "English, Español, Français, Nederlands" in form


@pytest.mark.clause("P37")
def test_days_on_which_nobody_reads_are_told_before_and_after(
    tmp_path: Path, opened: Opened
) -> None:
    folder = tmp_path / "policy"
    shutil.copytree(shipped("generic"), folder)
    for file, text in (
        ("policy.toml", "[holiday.autumn]\nfirst = 2026-11-20\nlast = 2026-11-20\n"),
        ("texts/en/strings.toml", '[holiday.autumn]\nnotice = "Nobody reads on Friday."\n'),
    ):
        with (folder / file).open("a") as old:
            old.write(text)
    office, visitor = opened(str(folder))
    told = [path for path in ("/en/", "/en/sent") if "on Friday" in page(visitor, path)]
    office.clock[0] += timedelta(days=1)
    told += [path for path in ("/en/", "/en/sent") if "on Friday" in page(visitor, path)]
    assert told == ["/en/", "/en/sent"]


@pytest.mark.clause("P39")
def test_a_receipt_that_someone_saw_is_replaced_and_both_voices_agree(opened: Opened) -> None:
    office, visitor = opened("generic")
    visitor.opens_the_form()
    visitor.sends("first", to=["counselor-1"])
    offered = visitor.acts("replace")
    assert "If you want to take your report back, do that first" in offered.text
    new = Visitor(visitor.client, paper=receipt_words(offered.text))
    assert len(new.paper) == 9
    fields = dict(re.findall(r'name="(token|receipt)" value="([^"]+)"', offered.text))
    moved = visitor.posts("/en/mailbox/replace", fields).text
    assert "your new words open your mailbox" in moved
    assert 'name="recipients" value="counselor-1" checked' in moved
    note = {"token": hidden_fields(moved)["token"], "text": "later", "recipients": "counselor-1"}
    visitor.posts("/en/mailbox/message", note)
    assert new.opens_the_mailbox().status_code == 200
    told = {
        question: (report, value)
        for report in read(office, "counselor-1")
        for question, (value, *_) in answers(report).items()
    }
    announced, old_mailbox = told["replaces"]
    agreed, new_mailbox = told["replaced-by"]
    assert 'value="withdraw"' not in new.opens_the_mailbox().text  # it would take back no report
    assert "not taken back" not in new.acts("close", closing="withdraw").text
    assert "first" in office.texts("counselor-1")
    assert announced.mailbox.hex() == new_mailbox
    (later,) = [one for one in read(office, "counselor-1") if one.text == "later"]
    assert later.mailbox == announced.mailbox
    assert agreed.mailbox.hex() == old_mailbox
    assert office.texts("head") == []


@pytest.mark.clause("P39")
def test_a_lost_receipt_is_said_to_be_lost_and_a_new_report_can_name_the_earlier_one(
    opened: Opened,
) -> None:
    office, visitor = opened("generic")
    assert "Nobody can restore the words" in page(visitor, "/en/receipt")
    question = rules(office).question_meaning("concern", "earlier")  # type: ignore[arg-type]
    assert question is not None
    visitor.opens_the_form()
    visitor.sends("x", to=["counselor-1"], **{question.id: "in spring"})
    assert answers(read(office, "counselor-1")[0])[question.id] == ("in spring",)
