"""One case on one page: who must not know on top, then what to do, then what was said."""

from collections.abc import Sequence
from dataclasses import dataclass

from flask import Blueprint, render_template

from desk.cases import find_case, read_thread
from desk.casework.casefile import CaseFile
from desk.casework.clocks import Window, case_clocks
from desk.casework.handling import open_duties
from desk.casework.merging import suggested_joins
from desk.casework.proposals import proposals_of
from desk.casework.rules import policy_of, track_of
from desk.casework.said import Top, case_top, categories, is_manual, joined_cases
from desk.casework.work import read_file
from desk.records import AttachmentRecord, CaseRecord
from desk.screens.attachments import is_picture, may_be_cleaned, may_be_shown, type_of
from desk.screens.session import today, vault
from desk.screens.tasks import links_of
from desk.showing import CaseView, case_view
from desk.vault import Vault
from policies.schema import Policy
from protocol.names import RecipientName

pages = Blueprint("case", __name__, url_prefix="/case")

# What a reporter asked for in the mailbox, as the relay's form words it.
_REQUESTS = {
    "meeting": "asks for a meeting",
    "stop": "asks you to stop",
    "retaliation": "says that somebody retaliates",
}
_CONTACT = {
    "follow-up": "May be contacted about the case.",
    "inform-only": "Contact only to say what was done; ask nothing.",
}


@dataclass(frozen=True, kw_only=True)
class FileLine:
    """A file as the page lists it: `item` and `number` find it again."""

    file: AttachmentRecord
    item: int
    number: int
    type: str
    is_text: bool
    is_picture: bool
    may_be_cleaned: bool


@dataclass(frozen=True, kw_only=True)
class Thread:
    """What was said under one receipt."""

    view: CaseView
    files: Sequence[FileLine]
    joined: bool


@pages.get("/<name>")
def show(name: str) -> str:
    """Show a case."""
    opened = vault()
    case = find_case(opened, name)
    file, policy, top = read_file(opened, case), policy_of(opened, case), case_top(opened, case)
    track = track_of(policy, case)
    clocks = case_clocks(opened, case, today=today())
    known = {one.id: one.title for one in policy.categories.values()}
    return render_template(
        "desk/case.html",
        case=case,
        file=file,
        policy=policy,
        top=top,
        asks=[_REQUESTS.get(one, one) for one in top.requests],
        readers=_people(policy, top.readers),
        left_out=_people(policy, top.left_out),
        contact=_CONTACT.get(top.contact, ""),
        consented=[policy.consents[one].label for one in top.consents],
        refused=_refused(policy, case, top),
        status=policy.statuses[case.status].title if case.status in policy.statuses else "",
        track=track.title if track else case.track,
        clocks=clocks,
        decide_window=clocks.window is Window.DECIDE,
        categories=[known[one] for one in categories(opened, case)],
        duties=policy.duties,
        open_duties=open_duties(opened, case),
        assessments=_assessments(policy, file),
        outcomes=[
            policy.outcomes[one].title for one in file.decision.outcomes if one in policy.outcomes
        ]
        if file.decision
        else [],
        proposals=proposals_of(opened, case),
        manual=is_manual(file),
        threads=_threads(opened, case),
        links=links_of(opened, case),
        suggested=suggested_joins(opened, case, top.earlier) if top.earlier else [],
    )


def _people(policy: Policy, names: Sequence[RecipientName]) -> list[str]:
    """Name people as the procedure does, with the relay's name for them."""
    titles = {name: one.title for name, one in policy.recipients.items()}
    return [f"{titles[one]} ({one})" if one in titles else one for one in names]


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


def _threads(opened: Vault, case: CaseRecord) -> list[Thread]:
    return [
        Thread(
            view=case_view(opened, one, today=today()),
            files=list(_files(opened, one)),
            joined=one.name != case.name,
        )
        for one in (case, *joined_cases(opened, case))
    ]


def _files(opened: Vault, case: CaseRecord) -> list[FileLine]:
    return [
        FileLine(
            file=file,
            item=item,
            number=number,
            type=type_of(file),
            is_text=may_be_shown(file),
            is_picture=is_picture(file),
            may_be_cleaned=may_be_cleaned(file),
        )
        for item, one in enumerate(read_thread(opened, case), start=1)
        for number, file in enumerate(one.reading.attachments, start=1)
    ]
