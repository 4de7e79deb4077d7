"""Ready replies of the policy, in the reporter's language, with what the desk knows filled in.

What the desk cannot know stays in braces to be seen; a reply in which braces are left
is not sent (P4, P31).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from desk.casework.errors import ProcedureError
from desk.casework.rules import policy_of, track_of
from desk.casework.work import read_file
from desk.records import CaseRecord
from desk.vault import Vault
from policies.casework import TEMPLATE_PLACEHOLDERS
from policies.days import written_day


@dataclass(frozen=True, kw_only=True)
class ReadyReply:
    """A template filled as far as possible.

    Attributes:
        id, title, moment: of the template; the title is in the desk's language.
        text: in the reporter's language.
        unfilled: the names of what the counselor must still write.
        in_their_language: the policy has texts in the reporter's language.
    """

    id: str
    title: str
    moment: str
    text: str
    unfilled: tuple[str, ...]
    in_their_language: bool


def ready_replies(
    vault: Vault, case: CaseRecord, given: Mapping[str, str] | None = None
) -> tuple[ReadyReply, ...]:
    """Fill the templates of a case's policy, in the policy's order.

    Args:
        given: what the counselor wrote for placeholders that the desk cannot know:
            next_steps, question, reasons, outcome.
    """
    ours, theirs = policy_of(vault, case), policy_of(vault, case, language=case.language)
    track = track_of(theirs, case)
    file = read_file(vault, case)
    outcomes = file.decision.outcomes if file.decision else ()
    ladder = theirs.ladder_of(case.track) if track else ()
    values = {
        "organisation": theirs.organisation,
        "track": track.title if track else case.track,
        "received": written_day(case.received, theirs.shown_in),
        "acknowledge_by": written_day(case.acknowledge_by, theirs.shown_in),
        "feedback_by": written_day(case.feedback_by, theirs.shown_in),
    }
    if outcomes:
        values["outcome"] = ", ".join(theirs.outcomes[one].title for one in outcomes)
    if ladder:
        values["next_rung"] = ladder[0].title
    values |= {key: text for key, text in (given or {}).items() if text.strip()}
    filled = []
    for one in theirs.templates.values():
        text = one.fill(values).strip()
        filled.append(
            ReadyReply(
                id=one.id,
                title=ours.templates[one.id].title,
                moment=one.moment,
                text=text,
                unfilled=unfilled(text),
                in_their_language=theirs.shown_in == case.language,
            )
        )
    return tuple(filled)


def closing_text(vault: Vault, case: CaseRecord) -> str:
    """Return the ready text that asks whether the reporter is satisfied, "" without one (P31)."""
    return next((one.text for one in ready_replies(vault, case) if one.moment == "closing"), "")


def unfilled(text: str) -> tuple[str, ...]:
    """Return the placeholders of the policy that still stand in a text."""
    names = "|".join(TEMPLATE_PLACEHOLDERS)
    return tuple(dict.fromkeys(re.findall(rf"\{{({names})\}}", text)))


def require_filled(text: str) -> str:
    """Return a reply in which nothing is left to fill in.

    Raises:
        ProcedureError: something in braces is left; the reporter would read it.
    """
    left = unfilled(text)
    if left:
        raise ProcedureError(f"Fill in what stands in braces first: {', '.join(left)}.")
    return text
