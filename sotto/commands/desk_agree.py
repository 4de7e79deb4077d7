"""Commands of `sotto desk case` in which two desks meet: requests, answers, copies, deletion."""

from pathlib import Path
from typing import TextIO, cast

import click

from desk.cases import find_case
from desk.casework.acting import (
    agree_by_word_of_mouth,
    carry_out,
    propose_action,
    repeat_action,
)
from desk.casework.answering import answer_request, find_request, import_request, requests_asked
from desk.casework.colleagues import colleagues, confirm_colleague
from desk.casework.concurrence import export_request, import_answer
from desk.casework.deleting import Ground, delete_case, propose_deletion
from desk.casework.proposals import Proposal, awaited_signatures, find_proposal, proposals_of
from desk.casework.sharing import export_copy, hand_over, import_colleague_file
from desk.desk import spoken_fingerprint
from desk.legible import make_visible
from desk.records import CaseRecord
from desk.vault import Vault
from sotto.commands.desk_options import FILE, now, why_option, with_vault, words

_ID_CHARS = 8


@click.command("colleagues")
@with_vault
def list_colleagues(vault: Vault) -> None:
    """List the other counselors and the fingerprints to compare by voice."""
    for one in colleagues(vault):
        state = f"confirmed {one.confirmed}" if one.confirmed else "not confirmed"
        click.echo(f"{one.name}  {spoken_fingerprint(one.fingerprint)}  {state}")


@click.command()
@with_vault
@click.argument("name")
@click.argument("fingerprint")
def confirm(vault: Vault, name: str, fingerprint: str) -> None:
    """Confirm a colleague's fingerprint as she read it out."""
    confirm_colleague(vault, name, fingerprint, now=now())
    click.echo("Confirmed.")


@click.command()
@with_vault
@why_option
@click.option("--target", required=True, help="The login, post or organisation it is about.")
@click.option("--ground", default="", help="A ground of the policy, to revoke access.")
@click.option("--harm", default="", help="The harm considered, to revoke access.")
@click.argument("case")
@click.argument("action")
def propose(
    vault: Vault, *, case: str, action: str, target: str, ground: str, harm: str, why: TextIO
) -> None:
    """Propose an action of the policy."""
    found = find_case(vault, case)
    _print(
        propose_action(
            vault,
            found,
            action,
            target=target,
            reason=words(why),
            ground=ground,
            harm=harm,
            now=now(),
        )
    )


@click.command()
@with_vault
@click.option("--to", required=True, help="The colleague's name at the relay.")
@click.option("--out", type=FILE, required=True)
@click.argument("proposal")
def ask(vault: Vault, proposal: str, to: str, out: Path) -> None:
    """Write the request for a colleague, signed by you and sealed to her."""
    export_request(vault, find_proposal(vault, proposal), to, out, now=now())


@click.command()
@with_vault
@click.argument("file", type=FILE)
def asked(vault: Vault, file: Path) -> None:
    """Import a colleague's request and show what she asks."""
    one = import_request(vault, file, now=now())
    click.echo(f"{one.id[:_ID_CHARS]}: {one.by} asks for your agreement.")
    for label, value in one.facts():
        click.echo(make_visible(f"{label}: {value or 'none'}"))


@click.command()
@with_vault
@why_option
@click.option("--agree/--refuse", "agrees", required=True)
@click.option("--out", type=FILE, required=True)
@click.argument("request")
def answer(vault: Vault, request: str, agrees: bool, out: Path, why: TextIO) -> None:
    """Sign your answer to a request and write it for the colleague who asked."""
    found = find_request(vault, request)
    answer_request(vault, found, out, agrees=agrees, reason=words(why), now=now())


@click.command()
@with_vault
@click.argument("file", type=FILE)
def answered(vault: Vault, file: Path) -> None:
    """Import a colleague's answer."""
    _print(import_answer(vault, file, now=now()))


@click.command()
@with_vault
@why_option
@click.argument("proposal")
@click.argument("colleague")
def word(vault: Vault, proposal: str, colleague: str, why: TextIO) -> None:
    """Record that a colleague agreed by word of mouth; she signs later."""
    found = find_proposal(vault, proposal)
    _print(agree_by_word_of_mouth(vault, found, colleague, words(why), now=now()))


@click.command()
@with_vault
@why_option
@click.argument("proposal")
def done(vault: Vault, proposal: str, why: TextIO) -> None:
    """Record that an action was carried out; only after enough others agreed."""
    _print(carry_out(vault, find_proposal(vault, proposal), words(why), now=now()))


@click.command()
@with_vault
@why_option
@click.option("--target", required=True, help="The new login.")
@click.argument("proposal")
def repeat(vault: Vault, proposal: str, target: str, why: TextIO) -> None:
    """Do the same to the same person under a new login, on the earlier agreement."""
    found = find_proposal(vault, proposal)
    _print(repeat_action(vault, found, target=target, reason=words(why), now=now()))


@click.command()
@with_vault
@click.argument("case", required=False)
def pending(vault: Vault, case: str | None) -> None:
    """List a case's proposals; without one, unanswered requests and missing signatures."""
    if case is not None:
        for proposal in proposals_of(vault, find_case(vault, case)):
            _print(proposal)
        return
    today = now().date()
    for one in requests_asked(vault):
        if one.answered is None:
            line = f"{one.id[:_ID_CHARS]}: {one.by} waits for your answer: {one.title}"
            click.echo(make_visible(line))
    for proposal, spoken in awaited_signatures(vault):
        late = ", overdue" if spoken.sign_by < today else ""
        click.echo(f"{proposal.id[:_ID_CHARS]}: {spoken.by} signs by {spoken.sign_by}{late}")


@click.command()
@with_vault
@click.option("--to", required=True)
@click.option("--out", type=FILE, required=True)
@click.argument("case")
def share(vault: Vault, case: str, to: str, out: Path) -> None:
    """Write a copy of your replies and shared notes for a colleague."""
    export_copy(vault, find_case(vault, case), to, out, now=now())


@click.command("hand-over")
@with_vault
@why_option
@click.option("--to", required=True)
@click.option("--out", type=FILE, required=True)
@click.argument("case")
def hand_over_command(vault: Vault, case: str, to: str, out: Path, why: TextIO) -> None:
    """Hand a case to a colleague, with the originals if she does not have them."""
    hand_over(vault, find_case(vault, case), to, words(why), out, now=now())


@click.command()
@with_vault
@click.argument("file", type=FILE)
def received(vault: Vault, file: Path) -> None:
    """Import a colleague's copy or hand-over."""
    case: CaseRecord = import_colleague_file(vault, file, now=now())
    click.echo(f"Case {case.name}.")


@click.command()
@with_vault
@why_option
@click.option("--ground", type=click.Choice(["expiry", "spam", "request", "other"]), required=True)
@click.argument("case")
def delete(vault: Vault, case: str, ground: str, why: TextIO) -> None:
    """Propose to delete a case; carry it out with: sotto desk case deleted PROPOSAL."""
    found = find_case(vault, case)
    _print(propose_deletion(vault, found, cast(Ground, ground), words(why), now=now()))


@click.command()
@with_vault
@click.argument("proposal")
@click.confirmation_option(prompt="Delete this case? Nothing brings it back.")
def deleted(vault: Vault, proposal: str) -> None:
    """Delete a case once enough have signed."""
    delete_case(vault, find_proposal(vault, proposal), now=now())
    click.echo("Deleted. The second copy loses it with the next: sotto desk backup.")


COMMANDS: tuple[click.Command, ...] = (
    list_colleagues,
    confirm,
    propose,
    ask,
    asked,
    answer,
    answered,
    word,
    done,
    repeat,
    pending,
    share,
    hand_over_command,
    received,
    delete,
    deleted,
)


def _print(proposal: Proposal) -> None:
    missing = proposal.needed - len(proposal.agreed_by)
    if proposal.carried_out is not None:
        state = f"carried out on {proposal.carried_out}"
    else:
        state = f"{missing} more must agree" if missing > 0 else "may be carried out"
    line = f"{proposal.id[:_ID_CHARS]}: {proposal.title}, {proposal.target}: {state}"
    click.echo(make_visible(line))
