"""Actions of the procedure, from the proposal to what was done (P22, P23, P26).

Nothing is carried out before enough others agreed. Given by word of mouth at a live
event, an agreement is to be signed within the days of the policy.
"""

import secrets
from datetime import datetime, timedelta

from desk.casework.colleagues import require_permitted
from desk.casework.errors import ProcedureError
from desk.casework.proposals import (
    Proposal,
    Spoken,
    file_proposal,
    proposal_work,
    require_agreement,
)
from desk.casework.record import Act
from desk.casework.rules import policy_of
from desk.casework.work import require_words, working
from desk.records import CaseRecord
from desk.vault import Vault

ID_BYTES = 16


def propose_action(
    vault: Vault,
    case: CaseRecord,
    action: str,
    *,
    target: str,
    reason: str,
    ground: str = "",
    harm: str = "",
    now: datetime,
) -> Proposal:
    """Propose an action of the policy.

    Args:
        target: whom or what it is about: a login, a post, an organisation.
        ground, harm: one of the policy's grounds, and the harm considered; both are asked
            for where the policy says that the action needs a ground.

    Raises:
        ProcedureError: not an action of the policy, or something is missing.
    """
    with working(vault, case, now=now) as work:
        policy = policy_of(vault, case)
        found = policy.actions.get(action)
        if found is None:
            raise ProcedureError("The procedure of this case has no such action.")
        target = require_words(target, "whom or what the action is about")
        reason = require_words(reason, "the reason")
        if found.grounds:
            harm = require_words(harm, "the harm that was considered")
            if ground not in policy.grounds:
                raise ProcedureError("Choose one of the grounds that the procedure names.")
        return file_proposal(
            work,
            Proposal(
                id=secrets.token_hex(ID_BYTES),
                case=work.case.name,
                kind="action",
                action=action,
                title=found.title,
                target=target,
                reason=reason,
                ground=ground if found.grounds else "",
                harm=harm if found.grounds else "",
                by=work.by,
                day=work.today,
                needed=policy.concurrence.others if found.concurrence else 0,
            ),
        )


def agree_by_word_of_mouth(
    vault: Vault, proposal: Proposal, name: str, how: str, *, now: datetime
) -> Proposal:
    """Record at once that a colleague agreed in words; she signs within the policy's days.

    Raises:
        ProcedureError: the policy allows no word of mouth, or the reporter left her out.
    """
    how = require_words(how, "when and how she agreed")
    with proposal_work(vault, proposal, now=now) as (work, current):
        rule = policy_of(vault, work.case).concurrence
        if not rule.word_of_mouth or current.kind == "deletion":
            raise ProcedureError("The procedure asks for a signature first; word is not enough.")
        colleague = require_permitted(vault, work.case, name)
        spoken = Spoken(
            by=colleague.name,
            how=how,
            day=work.today,
            sign_by=work.today + timedelta(days=rule.sign_within_days),
        )
        changed = current.model_copy(update={"spoken": (*current.spoken, spoken)})
        vault.put(changed)
        work.record(
            Act.WORD_OF_MOUTH,
            why=how,
            proposal=current.id,
            agreed_by=colleague.name,
            sign_by=spoken.sign_by.isoformat(),
        )
    return changed


def carry_out(vault: Vault, proposal: Proposal, done: str, *, now: datetime) -> Proposal:
    """Record that an action was carried out; only after enough others agreed.

    Raises:
        ProcedureError: agreements are missing, or it was done before.
    """
    done = require_words(done, "what was done")
    with proposal_work(vault, proposal, now=now) as (work, current):
        if current.kind != "action":
            raise ProcedureError("A deletion is carried out by deleting the case.")
        require_agreement(current)
        changed = current.model_copy(update={"carried_out": work.today})
        vault.put(changed)
        work.record(
            Act.CARRIED_OUT,
            why=done,
            proposal=current.id,
            action=current.action,
            target=current.target,
            agreed_by=current.agreed_by,
            unsigned=[one.by for one in current.unsigned],
        )
    return changed


def repeat_action(
    vault: Vault, earlier: Proposal, *, target: str, reason: str, now: datetime
) -> Proposal:
    """Do the same again to the same person under a new login, on the earlier agreement (P23).

    Args:
        target: the new login.
        reason: how it is known that this is the same person.

    Raises:
        ProcedureError: the policy asks anew each time, the earlier action was not carried
            out, or its agreement was never signed.
    """
    target = require_words(target, "the new login")
    reason = require_words(reason, "how you know that it is the same person")
    with proposal_work(vault, earlier, now=now) as (work, first):
        if not policy_of(vault, work.case).concurrence.repeat_without_asking:
            raise ProcedureError("The procedure asks for an agreement each time; propose anew.")
        if first.kind != "action" or first.carried_out is None:
            raise ProcedureError("The earlier action was not carried out; there is none to repeat.")
        if first.unsigned:
            raise ProcedureError("The earlier agreement is not signed yet; let it be signed first.")
        repeated = first.model_copy(
            update={
                "id": secrets.token_hex(ID_BYTES),
                "target": target,
                "reason": reason,
                "by": work.by,
                "day": work.today,
                "needed": 0,
                "asked": (),
                "signed": (),
                "spoken": (),
                "repeat_of": first.repeat_of or first.id,
                "carried_out": work.today,
            }
        )
        vault.put(repeated)
        work.record(
            Act.REPEATED,
            why=reason,
            proposal=repeated.id,
            action=repeated.action,
            target=target,
            repeat_of=repeated.repeat_of,
        )
    return repeated
