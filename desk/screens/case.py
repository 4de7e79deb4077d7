"""One case on one page: who must not know on top, then what was said, beside it what to do."""

from collections.abc import Sequence

from flask import Blueprint, render_template

from desk.cases import find_case
from desk.casework.casefile import CaseFile
from desk.casework.clocks import Window, case_clocks
from desk.casework.colleagues import colleagues
from desk.casework.handling import open_duties
from desk.casework.merging import suggested_joins
from desk.casework.phrasing import REQUESTED, word_of
from desk.casework.proposals import proposals_of
from desk.casework.rules import policy_of, track_of
from desk.casework.said import Top, case_top, categories, is_manual
from desk.casework.work import read_file
from desk.records import CaseRecord
from desk.screens.casethread import threads
from desk.screens.preview import language_of
from desk.screens.session import today, vault
from desk.screens.tasks import links_of
from policies.parts import Meaning
from policies.schema import Policy
from protocol.names import RecipientName

pages = Blueprint("case", __name__, url_prefix="/case")

_CONTACT = {
    "follow-up": "May be contacted about the case.",
    "inform-only": "Contact only to say what was done; ask nothing.",
}


@pages.get("/<name>")
def show(name: str) -> str:
    """Show a case."""
    opened = vault()
    case = find_case(opened, name)
    file, policy, top = read_file(opened, case), policy_of(opened, case), case_top(opened, case)
    clocks = case_clocks(opened, case, today=today())
    return render_template(
        "desk/case.html",
        case=case,
        file=file,
        policy=policy,
        manual=is_manual(file),
        clocks=clocks,
        decide_window=clocks.window is Window.DECIDE,
        open_duties=open_duties(opened, case),
        assessments=_assessments(policy, file),
        proposals=proposals_of(opened, case),
        threads=threads(opened, case, file, policy),
        links=links_of(opened, case),
        suggested=suggested_joins(opened, case, top.earlier) if top.earlier else [],
        unasked=_people(policy, _unasked(top)),
        **_in_words(policy, case, top),
        **_named(policy, case, file),
        categories=[policy.categories[one].title for one in categories(opened, case)],
    )


def _in_words(policy: Policy, case: CaseRecord, top: Top) -> dict[str, object]:
    """Say what the reporter wishes, without an id of the policy."""
    return {
        "top": top,
        "asks": [REQUESTED.get(one, one) for one in top.requests],
        "readers": _people(policy, top.readers),
        "left_out": _people(policy, top.left_out),
        "contact": _CONTACT.get(top.contact, ""),
        "standing": word_of(policy, case.track, Meaning.STANDING, top.standing),
        "formality": word_of(policy, case.track, Meaning.FORMALITY, top.formality),
        "consented": [policy.consents[one].label for one in top.consents],
        "refused": _refused(policy, case, top),
    }


def _named(policy: Policy, case: CaseRecord, file: CaseFile) -> dict[str, object]:
    """Name track, status and outcome as the policy does."""
    track, status = track_of(policy, case), policy.statuses.get(case.status)
    decided = file.decision.outcomes if file.decision else ()
    return {
        "track": track.title if track else case.track,
        "language": language_of(case),
        "status": status.title if status else case.status,
        "outcomes": [policy.outcomes[one].title for one in decided if one in policy.outcomes],
    }


def _people(policy: Policy, names: Sequence[RecipientName]) -> list[str]:
    """Name people as the procedure does, with the relay's name for them."""
    titles = {name: one.title for name, one in policy.recipients.items()}
    return [f"{titles[one]} ({one})" if one in titles else one for one in names]


def _unasked(top: Top) -> list[RecipientName]:
    """Return the colleagues who cannot read it and were not left out either (decision 0011)."""
    names = [one.name for one in colleagues(vault())]
    return [one for one in names if one not in (*top.readers, *top.left_out)]


def _refused(policy: Policy, case: CaseRecord, top: Top) -> list[str]:
    """Return what the procedure asks about and nobody who may has consented to."""
    if case.track not in policy.tracks:
        return []
    asked = policy.consents_of(case.track)
    return [one.label for one in asked if one.id not in top.consents]


def _assessments(policy: Policy, file: CaseFile) -> list[dict[str, object]]:
    return [
        {
            "day": one.day,
            "by": one.by,
            "reasons": one.reasons,
            "conclusion": "Yes" if one.conclusion else "No",
            "question": policy.assessment.conclusion if policy.assessment else "Conclusion",
            "factors": [
                (policy.factors[name].title, policy.factors[name].option_labels.get(chosen, chosen))
                for name, chosen in one.factors.items()
                if name in policy.factors
            ],
        }
        for one in reversed(file.assessments)
    ]
