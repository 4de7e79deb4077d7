"""Ready reply texts of the policy, in the reporter's language, with what is known filled in."""

from desk.casework.rules import policy_of, track_of
from desk.casework.work import read_file
from desk.records import CaseRecord
from desk.vault import Vault
from policies.casework import Template
from policies.schema import Policy


def reply_templates(vault: Vault, case: CaseRecord) -> list[Template]:
    """Return the ready texts for a case, in its language as far as the policy speaks it."""
    return list(_policy(vault, case).templates.values())


def filled_template(vault: Vault, case: CaseRecord, name: str) -> str:
    """Return one ready text; what is not known stays as `{word}`, to be seen and replaced."""
    policy = _policy(vault, case)
    found = policy.templates.get(name) or next(
        (one for one in policy.templates.values() if one.moment == name), None
    )
    if found is None:
        return ""
    return found.fill({key: value for key, value in _values(vault, case, policy).items() if value})


def _policy(vault: Vault, case: CaseRecord) -> Policy:
    return policy_of(vault, case, language=case.language)


def _values(vault: Vault, case: CaseRecord, policy: Policy) -> dict[str, str]:
    track, decision = track_of(policy, case), read_file(vault, case).decision
    ladder = policy.ladders.get(track.ladder) if track and track.ladder else None
    outcomes = decision.outcomes if decision else ()
    return {
        "organisation": policy.organisation,
        "track": track.title if track else "",
        "received": case.received.isoformat(),
        "acknowledge_by": case.acknowledge_by.isoformat(),
        "feedback_by": case.feedback_by.isoformat(),
        "outcome": ", ".join(policy.outcomes[o].title for o in outcomes if o in policy.outcomes),
        "next_rung": policy.rungs[ladder.rungs[0]].title if ladder else "",
    }
