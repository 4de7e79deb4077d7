"""The three shipped procedures say what their documents ask, and are complete."""

import re
from datetime import date

import pytest

from policies.casework import TEMPLATE_PLACEHOLDERS
from policies.checker import check_policy
from policies.loader import load_policy, shipped
from policies.parts import Meaning
from policies.schema import Policy

NAMES = ["generic", "ddp", "ifes"]


def policy(name: str, language: str = "en") -> Policy:
    return load_policy(shipped(name), language)


def track_ids(name: str) -> list[str]:
    return list(policy(name).tracks)


TRACKS = [(name, track) for name in NAMES for track in track_ids(name)]


@pytest.mark.parametrize("name", NAMES)
def test_shipped_policy_has_no_mistake(name: str) -> None:
    assert check_policy(shipped(name)) == []


@pytest.mark.parametrize("name", NAMES)
def test_shipped_policy_loads_in_every_language_it_shows(name: str) -> None:
    for language in policy(name).languages:
        assert policy(name, language).shown_in == language


@pytest.mark.parametrize("name", NAMES)
def test_shipped_policy_names_the_recipients_of_the_demonstration(name: str) -> None:
    assert list(policy(name).recipients) == ["counselor-1", "counselor-2", "head"]


@pytest.mark.parametrize(("name", "track"), TRACKS)
@pytest.mark.clause("P1")
def test_form_asks_how_when_and_who_without_requiring_any(name: str, track: str) -> None:
    shown = policy(name)
    for meaning in (
        Meaning.HOW,
        Meaning.WHEN,
        Meaning.NAME,
        Meaning.TELEPHONE,
        Meaning.E_MAIL,
        Meaning.STANDING,
        Meaning.RELATIONSHIP,
    ):
        assert shown.question_meaning(track, meaning) is not None
    assert "required" not in type(shown.questions["how"]).model_fields


@pytest.mark.clause("P1")
def test_ddp_complaint_marks_what_would_name_the_reporter() -> None:
    identifying = {q.id for q in policy("ddp").questions_of("complaint") if q.identifies}
    assert identifying == {"name", "telephone", "e-mail", "support-person"}


@pytest.mark.clause("P1")
def test_ddp_complaint_offers_the_relationships_of_the_procedure() -> None:
    relationship = policy("ddp").question_meaning("complaint", Meaning.RELATIONSHIP)
    assert relationship is not None
    assert {"donor", "partner", "grantee", "supplier", "other"} <= set(relationship.options)


@pytest.mark.clause("P2")
@pytest.mark.parametrize(
    ("categories", "readers"),
    [
        ([], ("counselor-1",)),
        (["sexual"], ("counselor-1",)),
        (["decision"], ("counselor-2",)),
        (["decision", "harassment"], ("counselor-1",)),
        (["unheard-of"], ("counselor-1",)),
    ],
    ids=["none", "behaviour", "a decision", "both: the counselor alone", "unknown"],
)
def test_ddp_complaint_goes_by_its_categories(
    categories: list[str], readers: tuple[str, ...]
) -> None:
    assert policy("ddp").recipients_for("complaint", categories) == readers


@pytest.mark.clause("P2")
def test_ddp_complaint_is_passed_on_only_with_consent_and_may_be_informal() -> None:
    ddp = policy("ddp")
    assert "pass-on" in {consent.covers for consent in ddp.consents_of("complaint")}
    formality = ddp.question_meaning("complaint", Meaning.FORMALITY)
    assert formality is not None
    assert {"formal", "informal"} <= set(formality.options)


@pytest.mark.clause("P3")
def test_ddp_complaint_has_a_window_of_six_months_and_whistleblowing_none() -> None:
    ddp = policy("ddp")
    assert ddp.tracks["complaint"].window_days == 183
    assert "six months" in ddp.tracks["complaint"].window
    assert ddp.tracks["whistleblowing"].window_days is None


@pytest.mark.clause("P4")
def test_ddp_complaint_is_acknowledged_within_two_weeks_with_the_next_steps() -> None:
    ddp = policy("ddp")
    assert ddp.tracks["complaint"].acknowledge_days == 14
    (template,) = ddp.templates_for("acknowledgement")
    text = template.fill({"next_steps": "We talk.", "feedback_by": "1 March"})
    assert "We talk." in text
    assert "1 March" in text
    assert "{received}" in text


@pytest.mark.clause("P5")
def test_ddp_complaint_climbs_to_head_management_and_committee() -> None:
    rungs = policy("ddp").ladder_of("complaint")
    assert [rung.id for rung in rungs] == ["head", "management", "committee"]
    assert [rung.copy_to for rung in rungs] == [("counselor-2",), ("counselor-2",), ()]
    assert [rung.external for rung in rungs] == [False, False, True]
    assert all(rung.reach for rung in rungs if rung.recipient is None)


@pytest.mark.clause("P6")
def test_ddp_counselor_has_three_duties_and_is_told_of_danger() -> None:
    ddp = policy("ddp")
    assert list(ddp.duties) == ["support", "advice", "guidance"]
    assert ddp.question_meaning("complaint", Meaning.DANGER) is not None
    assert ddp.question_meaning("complaint", Meaning.SUPPORT) is not None


@pytest.mark.clause("P7")
def test_ddp_assessment_weighs_five_factors_after_hand_over() -> None:
    ddp = policy("ddp")
    assert list(ddp.factors) == ["frequency", "severity", "threatening", "well-being", "power"]
    assert ddp.assessment is not None
    assert ddp.assessment.after_hand_over
    assert ddp.assessment.recipients == ("counselor-2",)
    assert "reasonable person" in ddp.assessment.conclusion


@pytest.mark.clause("P8")
def test_ddp_whistleblowing_takes_reports_of_those_affected_too() -> None:
    ddp = policy("ddp")
    assert ddp.tracks["whistleblowing"].kind == "whistleblowing"
    assert "personally-affected" in {c.id for c in ddp.categories_of("whistleblowing")}
    assert ddp.recipients_for("whistleblowing") == ("counselor-1",)


@pytest.mark.clause("P9")
@pytest.mark.parametrize(("name", "track"), TRACKS)
def test_every_way_to_report_says_what_it_reveals(name: str, track: str) -> None:
    channels = policy(name).channels_of(track)
    assert channels[0].id == "this-site"
    assert len(channels) >= 2
    assert all(channel.reveals for channel in channels)


@pytest.mark.clause("P9")
def test_ddp_whistleblowing_stands_beside_telephone_online_tool_and_e_mail() -> None:
    ways = [channel.id for channel in policy("ddp").channels_of("whistleblowing")]
    assert ways == ["this-site", "service-telephone", "service-online", "service-e-mail"]


@pytest.mark.clause("P11")
def test_ddp_catalogue_defines_the_six_terms_and_says_what_bullying_is_not() -> None:
    ddp = policy("ddp")
    offered = [category.id for category in ddp.categories_of("complaint")]
    assert offered[:6] == [
        "aggression",
        "bullying",
        "discrimination",
        "harassment",
        "victimisation",
        "vilification",
    ]
    assert len(ddp.categories["bullying"].examples) == 10
    assert len(ddp.categories["bullying"].not_this) == 2


@pytest.mark.clause("P12")
def test_ddp_does_not_act_on_four_kinds_of_complaint() -> None:
    assert list(policy("ddp").not_acted_on) == ["reverse", "boundaries", "tone", "criticism"]


@pytest.mark.clause("P13")
def test_ddp_outcomes_hold_the_consequences_of_the_code() -> None:
    outcomes = set(policy("ddp").outcomes)
    assert {"training", "counselling", "warning", "dismissal"} <= outcomes


@pytest.mark.clause("P14")
@pytest.mark.parametrize("name", NAMES)
def test_code_of_conduct_and_privacy_are_published_with_version_and_date(name: str) -> None:
    shown = policy(name)
    assert set(shown.documents) == {"code-of-conduct", "privacy"}
    for document in shown.documents.values():
        assert document.body
        assert document.version
        assert document.effective <= shown.effective
    assert shown.changes


@pytest.mark.clause("P14")
def test_ifes_documents_are_in_effect_since_february_2021() -> None:
    for document in policy("ifes").documents.values():
        assert document.effective == date(2021, 2, 24)


@pytest.mark.clause("P16")
def test_ddp_reporter_can_leave_out_the_whole_organisation() -> None:
    independent = [r.id for r in policy("ddp").recipients.values() if r.independent]
    assert independent == ["counselor-1"]


@pytest.mark.clause("P18")
@pytest.mark.parametrize(("name", "track"), TRACKS)
def test_retaliation_is_a_category_of_every_track(name: str, track: str) -> None:
    shown = policy(name)
    retaliation = {category.id for category in shown.retaliation_categories}
    assert retaliation & {category.id for category in shown.categories_of(track)}


@pytest.mark.clause("P19")
@pytest.mark.parametrize(("name", "track"), TRACKS)
def test_contact_may_be_left_for_follow_up_or_only_to_be_informed(name: str, track: str) -> None:
    purpose = policy(name).question_meaning(track, Meaning.CONTACT_PURPOSE)
    assert purpose is not None
    assert purpose.options == ("follow-up", "inform-only")


@pytest.mark.clause("P20")
@pytest.mark.parametrize("name", NAMES)
def test_reporter_may_bring_someone_and_need_not_confront_anyone(name: str) -> None:
    shown = policy(name)
    assert "bring someone" in shown.rights.source
    assert re.search(r"Nobody will ask you to face", shown.rights.source)
    for track in shown.tracks:
        assert shown.question_meaning(track, Meaning.SUPPORT_PERSON) is not None


@pytest.mark.clause("P21")
def test_ifes_events_have_guidelines_and_reach_beyond_the_event() -> None:
    ifes = policy("ifes")
    assert "beyond" in ifes.events
    assert all(event.guidelines for event in ifes.events.values())
    assert ifes.question_meaning("incident", Meaning.EVENT) is not None


@pytest.mark.clause("P22")
def test_ifes_action_needs_one_other_and_word_of_mouth_may_come_first() -> None:
    ifes = policy("ifes")
    assert {"revoke-access", "delete-posts", "inform-organisation"} <= set(ifes.actions)
    assert all(action.concurrence for action in ifes.actions.values())
    assert ifes.concurrence.others == 1
    assert ifes.concurrence.word_of_mouth


@pytest.mark.clause("P23")
def test_ifes_repeat_offender_needs_no_second_signature() -> None:
    assert policy("ifes").concurrence.repeat_without_asking


@pytest.mark.clause("P24")
@pytest.mark.parametrize(("name", "track"), TRACKS)
def test_only_the_survivor_consents_to_name_account_and_documents(name: str, track: str) -> None:
    own = {c.covers for c in policy(name).consents_of(track) if c.survivor_only}
    assert own == {"name", "account", "documents"}


@pytest.mark.clause("P25")
@pytest.mark.parametrize("name", NAMES)
def test_limits_of_confidentiality_name_the_law_and_imminent_harm(name: str) -> None:
    text = policy(name).confidentiality.source
    assert "law demands" in text
    assert "badly hurt" in text


@pytest.mark.clause("P26")
def test_ifes_access_is_revoked_on_one_of_four_grounds() -> None:
    ifes = policy("ifes")
    assert list(ifes.grounds) == ["threat", "violation", "illegal", "values"]
    assert ifes.actions["revoke-access"].grounds


@pytest.mark.clause("P27")
def test_ifes_catalogue_holds_retaliation_and_encouraging() -> None:
    offered = {category.id for category in policy("ifes").categories_of("incident")}
    assert {"retaliation", "encouraging", "outing", "stalking", "confidence"} <= offered
    assert len(offered) == 13


@pytest.mark.clause("P29")
@pytest.mark.parametrize(("name", "track"), TRACKS)
def test_clocks_are_at_most_two_weeks_and_three_months(name: str, track: str) -> None:
    shown = policy(name)
    assert shown.tracks[track].acknowledge_days <= 14
    assert shown.tracks[track].feedback_days <= 90
    assert shown.late


@pytest.mark.clause("P30")
@pytest.mark.parametrize("name", NAMES)
def test_impartial_person_and_authorities_outside_are_named(name: str) -> None:
    shown = policy(name)
    assert shown.impartial.reach
    assert shown.authorities
    assert "may stop you" in shown.authorities_intro


@pytest.mark.clause("P31")
@pytest.mark.parametrize("name", NAMES)
def test_closing_asks_whether_the_reporter_is_satisfied(name: str) -> None:
    (closing,) = policy(name).templates_for("closing")
    assert "satisfied" in closing.text
    assert any(status.final for status in policy(name).statuses.values())


@pytest.mark.clause("P35")
@pytest.mark.parametrize("name", NAMES)
def test_two_sign_a_deletion_and_a_lone_counselor_alone(name: str) -> None:
    deletion = policy(name).deletion
    assert (deletion.signatures, deletion.signatures_when_alone) == (2, 1)
    assert deletion.exempt == ("expiry", "spam")


@pytest.mark.clause("P37")
@pytest.mark.parametrize("name", NAMES)
def test_emergency_rhythm_and_languages_read_are_told(name: str) -> None:
    shown = policy(name)
    assert shown.emergency
    assert shown.read_rhythm
    assert shown.languages_read[0] == "en"
    assert len(shown.languages_read) == len(set(shown.languages_read))


@pytest.mark.clause("P39")
@pytest.mark.parametrize(("name", "track"), TRACKS)
def test_report_can_say_that_it_belongs_to_an_earlier_one(name: str, track: str) -> None:
    assert policy(name).question_meaning(track, Meaning.EARLIER) is not None


@pytest.mark.parametrize(("name", "track"), TRACKS)
def test_groups_hold_every_question_of_a_track_once(name: str, track: str) -> None:
    shown = policy(name)
    grouped = [q.id for _, questions in shown.groups_of(track) for q in questions]
    assert sorted(grouped) == sorted(shown.tracks[track].questions)


@pytest.mark.parametrize("name", NAMES)
def test_templates_filled_with_everything_leave_no_placeholder(name: str) -> None:
    for template in policy(name).templates.values():
        assert "{" not in template.fill(dict.fromkeys(TEMPLATE_PLACEHOLDERS, "x"))


@pytest.mark.parametrize("name", NAMES)
def test_texts_promise_no_praise_and_no_exclamation(name: str) -> None:
    for path in shipped(name).glob("texts/en/*"):
        text = path.read_text(encoding="utf-8")
        assert "!" not in text
        assert not re.search(r"\b(submit|user|admin)\b", text, re.IGNORECASE)
