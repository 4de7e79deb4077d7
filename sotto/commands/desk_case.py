"""`sotto desk case`: what the procedure asks of a counselor, without a browser."""

from datetime import datetime
from pathlib import Path
from typing import TextIO, cast, get_args

import click

from desk.cases import find_case
from desk.casework import handling
from desk.casework.casefile import Risk, Way
from desk.casework.clocks import case_clocks, decide_window
from desk.casework.conflicts import declare_conflict
from desk.casework.deleting import hold_case, release_hold
from desk.casework.manual import FILES_BYTES, enter_report
from desk.casework.merging import merge_cases
from desk.casework.replytexts import closing_text, require_filled
from desk.casework.rules import choose_policy, final_statuses, import_policy, policy_of
from desk.casework.said import case_top
from desk.casework.verifying import read_record, verify_record
from desk.files import read_small
from desk.legible import make_visible
from desk.vault import Vault
from sotto.commands import desk_agree, desk_leaving, desk_said
from sotto.commands.desk_options import FILE, FOLDER, TEXT, now, why_option, with_vault, words


@click.group()
def group() -> None:
    """Duties, decisions, agreements and the record of a case."""


for _command in (*desk_said.COMMANDS, *desk_agree.COMMANDS, *desk_leaving.COMMANDS):
    group.add_command(_command)


@group.command()
@with_vault
@click.argument("case")
def top(vault: Vault, case: str) -> None:
    """Show what stands above everything else: wishes, consents, who was left out, clocks."""
    found = find_case(vault, case)
    said = case_top(vault, found)
    clocks = case_clocks(vault, found, today=now().date())
    rows = (
        ("Wishes", " / ".join(said.wishes) or "none said"),
        ("Consents", ", ".join(said.consents) or "none"),
        ("Contact", said.contact or "nothing said"),
        ("Left out", ", ".join(said.left_out) or "nobody"),
        ("Asks for", ", ".join(said.requests) or "nothing"),
        ("Duties open", ", ".join(handling.open_duties(vault, found)) or "none"),
        ("Clock", clocks.running),
        ("Event", clocks.window.value),
    )
    for name, value in rows:
        click.echo(f"{name}: {make_visible(value)}")


@group.command()
@with_vault
@why_option
@click.argument("case")
@click.argument("duty")
def duty(vault: Vault, case: str, duty: str, why: TextIO) -> None:
    """Note that a duty was seen to, and how."""
    handling.tick_duty(vault, find_case(vault, case), duty, words(why), now=now())


@group.command()
@with_vault
@why_option
@click.argument("case")
@click.argument("status")
def status(vault: Vault, case: str, status: str, why: TextIO) -> None:
    """Say where the case stands; the reporter reads it with the next dispatch."""
    handling.set_case_status(vault, find_case(vault, case), status, reason=words(why), now=now())


@group.command()
@with_vault
@why_option
@click.argument("case")
@click.argument("level", type=click.Choice(["none", "some", "high"]))
def risk(vault: Vault, case: str, level: str, why: TextIO) -> None:
    """Say how great the risk of harm is."""
    found = find_case(vault, case)
    handling.set_risk(vault, found, cast(Risk, level), words(why), now=now())


@group.command()
@with_vault
@why_option
@click.argument("case")
def window(vault: Vault, case: str, why: TextIO) -> None:
    """Decide about an event that is older than the procedure's window, or not dated."""
    decide_window(vault, find_case(vault, case), words(why), now=now())


@group.command()
@with_vault
@why_option
@click.option("--factor", "factors", multiple=True, help="One for each, as severity=grave.")
@click.option("--conclusion", type=click.Choice(["yes", "no"]), required=True)
@click.argument("case")
def assess(vault: Vault, case: str, factors: tuple[str, ...], conclusion: str, why: TextIO) -> None:
    """Record the assessment: every factor, the conclusion, the reasons."""
    handling.assess(
        vault,
        find_case(vault, case),
        factors={one.partition("=")[0]: one.partition("=")[2] for one in factors},
        conclusion=conclusion == "yes",
        reasons=words(why),
        now=now(),
    )


@group.command()
@with_vault
@why_option
@click.option("--outcome", "outcomes", multiple=True, help="An outcome of the policy.")
@click.option("--tell", type=TEXT, help="What the reporter reads of it.")
@click.argument("case")
def decide(
    vault: Vault, *, case: str, outcomes: tuple[str, ...], tell: TextIO | None, why: TextIO
) -> None:
    """Record the outcome and its reasons, and what the reporter is told of it."""
    handling.decide_outcome(
        vault,
        find_case(vault, case),
        outcomes,
        reasons=words(why),
        tell_reporter=words(tell) if tell else "",
        now=now(),
    )


@group.command()
@with_vault
@why_option
@click.option("--status", help="One that ends a case; the first of the policy without it.")
@click.option("--ask", type=TEXT, help="The closing reply; else the ready text.")
@click.argument("case")
def close(vault: Vault, *, case: str, status: str | None, ask: TextIO | None, why: TextIO) -> None:
    """Close a case: ask the reporter whether they are satisfied, and set a final status."""
    found = find_case(vault, case)
    handling.close_case(
        vault,
        found,
        status or final_statuses(policy_of(vault, found))[0].id,
        question=require_filled(words(ask) if ask else closing_text(vault, found)),
        reason=words(why),
        now=now(),
    )


@group.command()
@with_vault
@why_option
@click.argument("case")
def conflict(vault: Vault, case: str, why: TextIO) -> None:
    """Declare a conflict of interest; afterwards you can only hand the case over."""
    declare_conflict(vault, find_case(vault, case), words(why), now=now())


@group.command()
@with_vault
@why_option
@click.option("--release", is_flag=True, help="End the hold instead.")
@click.argument("case")
def hold(vault: Vault, case: str, release: bool, why: TextIO) -> None:
    """Put a case under legal hold: nothing of it is deleted."""
    act = release_hold if release else hold_case
    act(vault, find_case(vault, case), words(why), now=now())


@group.command()
@with_vault
@why_option
@click.argument("kept")
@click.argument("joined")
def join(vault: Vault, kept: str, joined: str, why: TextIO) -> None:
    """Join a case to another, after checking that they belong together."""
    merge_cases(vault, find_case(vault, kept), find_case(vault, joined), words(why), now=now())


@group.command()
@with_vault
@why_option
@click.option("--way", type=click.Choice(get_args(Way)), required=True)
@click.option("--track", required=True, help="A track of the policy chosen for this desk.")
@click.option("--received", type=click.DateTime(["%Y-%m-%d"]), help="The day on which it came.")
@click.option("--answer", "answers", multiple=True, help="As standing=affected; again for more.")
@click.option("--category", "categories", multiple=True, help="A category of the policy.")
@click.option("--consent", "consents", multiple=True, help="Given by the person affected.")
@click.option("--left-out", multiple=True, help="A colleague who is not to learn of it.")
@click.option(
    "--file", "files", type=FILE, multiple=True, help="A scan or a file that came with it."
)
def enter(
    vault: Vault,
    *,
    way: str,
    track: str,
    received: datetime | None,
    answers: tuple[str, ...],
    categories: tuple[str, ...],
    consents: tuple[str, ...],
    left_out: tuple[str, ...],
    files: tuple[Path, ...],
    why: TextIO,
) -> None:
    """Enter a report that came by telephone or on paper, or what staff saw."""
    answered: dict[str, list[str]] = {}
    for question, _, value in (one.partition("=") for one in answers):
        answered.setdefault(question, []).append(value)
    case = enter_report(
        vault,
        way=cast(Way, way),
        track=track,
        text=words(why),
        received=(received or now()).date(),
        answers=answered,
        categories=categories,
        consents=consents,
        left_out=left_out,
        files={one.name: read_small(one, FILES_BYTES, what="A file") for one in files},
        now=now(),
    )
    click.echo(f"Case {case.name}.")


@group.command()
@with_vault
@click.argument("case")
def verify(vault: Vault, case: str) -> None:
    """Verify the record of a case, a deleted one too, and print it."""
    print_record(vault, case)


def print_record(vault: Vault, case: str) -> None:
    """Print a record after every link and signature was verified."""
    entries = verify_record(vault, case.upper()) or read_record(vault, find_case(vault, case).name)
    for one in entries:
        said = "(taken out)" if one.redacted else f"{one.act} by {one.by}: {one.why}"
        click.echo(f"{one.number:4}  {one.moment:%Y-%m-%d %H:%M}  {make_visible(said)}")
    click.echo(f"{len(entries)} entries, every link and signature is whole.")


@group.command()
@with_vault
@click.option("--import", "folder", type=FOLDER, help="Take a policy from this folder first.")
@click.argument("name", required=False)
def policy(vault: Vault, folder: Path | None, name: str | None) -> None:
    """Choose the policy for reports that name none which this desk knows."""
    if folder is not None:
        name = name or import_policy(vault, folder).id
    choose_policy(vault, name or "")
