"""Commands of `sotto desk case` for what was said: ready texts, notes, answers, consents."""

from typing import TextIO

import click

from desk.cases import find_case
from desk.casework import handling, noting
from desk.casework.conflicts import record_agreement
from desk.casework.errors import ProcedureError
from desk.casework.replytexts import ready_replies
from desk.showing import case_view
from desk.vault import Vault
from protocol.names import EnvelopeId
from sotto.commands.desk_options import now, why_option, with_vault, words


@click.command()
@with_vault
@click.argument("case")
@click.argument("text", required=False)
def ready(vault: Vault, case: str, text: str | None) -> None:
    """List the ready texts of the procedure, or print one in the reporter's language."""
    replies = ready_replies(vault, find_case(vault, case))
    found = [one for one in replies if text in (None, one.id)]
    if text and not found:
        raise ProcedureError("The procedure of this case has no such ready text.")
    for one in found:
        click.echo(one.text if text else f"{one.id}  {one.title}")


@click.command()
@with_vault
@why_option
@click.argument("case")
def reported(vault: Vault, case: str, why: TextIO) -> None:
    """Write down what the person reported answers."""
    noting.add_answer_of_reported(vault, find_case(vault, case), words(why), now=now())


@click.command()
@with_vault
@why_option
@click.argument("case")
def told(vault: Vault, case: str, why: TextIO) -> None:
    """Note what the reporter was told by telephone, in person or by letter."""
    noting.tell_otherwise(vault, find_case(vault, case), words(why), now=now())


@click.command()
@with_vault
@why_option
@click.option("--in-person", is_flag=True, help="The person affected said so themselves.")
@click.argument("case")
@click.argument("consents", nargs=-1)
def consent(
    vault: Vault, *, case: str, consents: tuple[str, ...], in_person: bool, why: TextIO
) -> None:
    """Record the consents given otherwise than in the mailbox; what is not named is withdrawn."""
    found = find_case(vault, case)
    handling.record_consent(
        vault, found, consents, by_survivor=in_person, how=words(why), now=now()
    )


@click.command("let-in")
@with_vault
@why_option
@click.option("--letter", type=int, help="The letter that says so, as sotto desk show counts.")
@click.argument("case")
@click.argument("name")
def let_in(vault: Vault, *, case: str, name: str, letter: int | None, why: TextIO) -> None:
    """Record that the reporter lets somebody in who was left out."""
    found = find_case(vault, case)
    messages = case_view(vault, found, today=now().date())["messages"]
    named = [one["envelope"] for one in messages[letter - 1 : letter]] if letter else []
    envelope = EnvelopeId(bytes.fromhex(named[0])) if named and named[0] else None
    record_agreement(vault, found, name, words(why), envelope=envelope, now=now())


@click.command()
@with_vault
@why_option
@click.option("--shared", is_flag=True, help="Colleagues who share the case get it too.")
@click.argument("case")
def note(vault: Vault, case: str, shared: bool, why: TextIO) -> None:
    """Add a note to a case."""
    noting.add_note(vault, find_case(vault, case), words(why), shared=shared, now=now())


COMMANDS: tuple[click.Command, ...] = (ready, note, reported, told, consent, let_in)
