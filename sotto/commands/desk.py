"""`sotto desk`: the whole daily round of a counselor, without a network and without a browser."""

import json
import resource
import sys
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TextIO

import click
from rich.console import Console

from desk import terminal
from desk.backup import back_up, restore
from desk.cases import find_case
from desk.casework.expiry import expiry_warnings
from desk.casework.following import after_import
from desk.casework.replytexts import require_filled
from desk.cleaning import can_clean
from desk.desk import create_desk, create_gpg_desk, read_desk
from desk.exporting import export_dispatch, plan_dispatch
from desk.extracting import extract_case
from desk.files import random_access
from desk.importing import check_envelopes, import_bundle, verify_bundle
from desk.legible import make_visible
from desk.replies import queue_reply, take_back, take_off_page
from desk.screens.serving import open_desk
from desk.showing import case_view, list_lines
from desk.unlocking import asks_passphrase
from desk.vault import Vault
from keys.certificate import read_fingerprint
from protocol import limits
from protocol.archive import ArchiveReader
from sotto.commands.desk_case import group as case_group
from sotto.commands.desk_case import print_record
from sotto.commands.desk_key import key as key_group
from sotto.commands.desk_leaving import figures
from sotto.commands.desk_options import (
    FILE,
    FOLDER,
    TEXT,
    passphrase_option,
    read_passphrase,
    unlock,
    words,
)
from sotto.ending import hear_both_signals
from sotto.options import data_option

_json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON for programs.")


WIDEST_CHARS = 2 * limits.TEXT_CHARS


@click.group()
def group() -> None:
    """Read and answer reports, offline."""
    # A core of such a process would hold keys and letters, in the clear, on the disk.
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


@group.command()
@data_option
@passphrase_option
@click.option("--key", "key_path", type=FILE, help="Your secret key (.asc).")
@click.option("--gpg", "gpg_key", metavar="FINGERPRINT", help="Your key in gpg, or on its card.")
@click.option("--relay", "relay_path", type=FILE, required=True, help="The relay's certificate.")
def init(
    *,
    data: Path,
    passphrase_file: Path | None,
    key_path: Path | None,
    gpg_key: str | None,
    relay_path: Path,
) -> None:
    """Make a desk for you and one relay in a new folder."""
    if (key_path is None) == (gpg_key is None):
        raise click.UsageError("Give your key: either --key FILE or --gpg FINGERPRINT.")
    if gpg_key is not None:
        fingerprint = read_fingerprint(gpg_key)
        vault = create_gpg_desk(data, fingerprint=fingerprint, relay_path=relay_path, now=_now())
    elif key_path is not None:
        passphrase = read_passphrase(passphrase_file)
        vault = create_desk(
            data, key_path=key_path, relay_path=relay_path, passphrase=passphrase, now=_now()
        )
    with vault:
        terminal.print_desk(_console(), read_desk(vault))


group.add_command(key_group)
group.add_command(case_group, "case")
group.add_command(figures, "stats")


@group.command("open")
@data_option
@click.option("--port", default=0, help="A port of this machine; any free one without it.")
@click.option("--idle-minutes", default=10, show_default=True, type=click.IntRange(1, 60))
@click.option("--no-browser", is_flag=True, help="Only print the address.")
def open_command(data: Path, port: int, idle_minutes: int, no_browser: bool) -> None:
    """Open the desk in a browser of this machine; makes a desk where there is none."""
    hear_both_signals()
    open_desk(
        data, port=port, idle_seconds=idle_minutes * 60, browser=not no_browser, say=click.echo
    )


@group.command("import")
@data_option
@passphrase_option
@click.argument("bundle", type=FILE)
def import_command(data: Path, passphrase_file: Path | None, bundle: Path) -> None:
    """Import a bundle that the courier brought."""
    with unlock(data, passphrase_file) as vault:
        with terminal.import_progress(Console(stderr=True)) as progress:
            report = import_bundle(vault, bundle, now=_now(), progress=progress)
        terminal.print_import(_console(), report)
        for sentence in after_import(vault, bundle, now=_now()).told:
            click.echo(make_visible(sentence))


@group.command("list")
@data_option
@passphrase_option
@_json_option
def list_command(data: Path, passphrase_file: Path | None, as_json: bool) -> None:
    """List the cases, the most urgent first."""
    with unlock(data, passphrase_file) as vault:
        lines = list_lines(vault, today=_today())
        _warn(vault)
    if as_json:
        _print_json(lines)
    else:
        terminal.print_list(_console(), lines)


@group.command()
@data_option
@passphrase_option
@_json_option
@click.argument("case")
def show(data: Path, passphrase_file: Path | None, as_json: bool, case: str) -> None:
    """Show a case: its thread, its clocks, its files by name, size and SHA-256."""
    with unlock(data, passphrase_file) as vault:
        view = case_view(vault, find_case(vault, case), today=_today())
    if as_json:
        _print_json(view)
    else:
        terminal.print_case(_console(), view)


@group.command()
@data_option
@passphrase_option
@click.argument("case")
@click.option("--out", type=FOLDER, required=True, help="A new folder for the files.")
@click.option("--cleaned", is_flag=True, help="Without their metadata, by mat2 (and bubblewrap).")
def extract(data: Path, passphrase_file: Path | None, case: str, out: Path, cleaned: bool) -> None:
    """Write the texts and files of a case as ordinary files. They are not sealed any more."""
    if cleaned and not can_clean():
        raise click.UsageError("Install mat2 and bubblewrap first; Tails has both.")
    with unlock(data, passphrase_file) as vault:
        for path in extract_case(vault, find_case(vault, case), out, cleaned=cleaned):
            click.echo(str(path))


@group.command()
@data_option
@passphrase_option
@click.argument("case")
@click.option("--text-file", type=TEXT, help="The reply; - for the keyboard.")
@click.option("--undo", is_flag=True, help="Take back the newest reply that is not exported yet.")
@click.option("--take-off", type=int, metavar="NUMBER", help="Leave an older reply off the page.")
def reply(
    *,
    data: Path,
    passphrase_file: Path | None,
    case: str,
    text_file: TextIO | None,
    undo: bool,
    take_off: int | None,
) -> None:
    """Queue a reply, which the next dispatch brings to the reporter."""
    if not (text_file or undo or take_off is not None):
        raise click.UsageError("Give the reply with --text-file FILE, or - to type it.")
    text = words(text_file) if text_file else None
    with unlock(data, passphrase_file) as vault:
        found = find_case(vault, case)
        if undo:
            click.echo(f"Reply {take_back(vault, found).number} is taken back.")
        if take_off is not None:
            take_off_page(vault, found, take_off)
            click.echo(f"Reply {take_off} is off the page with the next dispatch.")
        if text is not None:
            queued = queue_reply(vault, found, require_filled(text), today=_today())
            click.echo(
                f"Reply {queued.number} of case {found.name} waits for the next dispatch: "
                "sotto desk export --out DISPATCH. Until then --undo takes it back."
            )


@group.command()
@data_option
@passphrase_option
@click.option("--out", type=FILE, help="The file to write, on the courier's stick.")
@click.option("--without-backup", is_flag=True, help="Acknowledge what lies on no second copy.")
@click.option("--preview", is_flag=True, help="Only say what would cross.")
def export(
    data: Path, passphrase_file: Path | None, out: Path | None, without_backup: bool, preview: bool
) -> None:
    """Write a dispatch for the courier: your replies, signed by you, sealed to the relay."""
    if out is None and not preview:
        raise click.UsageError("Say where to write the dispatch: --out FILE.")
    with unlock(data, passphrase_file) as vault:
        if preview or out is None:
            crossing = plan_dispatch(vault, now=_now(), without_backup=without_backup)
        else:
            crossing = export_dispatch(vault, out, now=_now(), without_backup=without_backup)
        terminal.print_crossing(_console(), crossing)
        _warn(vault)


@group.command()
@data_option
@passphrase_option
@click.option("--out", type=FOLDER, required=True, help="A folder on another disk or stick.")
def backup(data: Path, passphrase_file: Path | None, out: Path) -> None:
    """Bring a second copy of the desk up to date, sealed as the desk is."""
    with unlock(data, passphrase_file) as vault:
        terminal.print_backup(_console(), back_up(vault, out, now=_now()))


@group.command("restore")
@data_option
@passphrase_option
@click.option("--from", "source", type=FOLDER, required=True, help="The folder of the copy.")
def restore_command(data: Path, passphrase_file: Path | None, source: Path) -> None:
    """Make the desk again from a second copy, in a new folder."""
    asks = passphrase_file is not None or asks_passphrase(source)
    passphrase = read_passphrase(passphrase_file) if asks else ""
    with restore(source, data, passphrase=passphrase) as vault:
        terminal.print_desk(_console(), read_desk(vault))


@group.command()
@data_option
@passphrase_option
@click.argument("thing", metavar="CASE|BUNDLE")
def verify(data: Path, passphrase_file: Path | None, thing: str) -> None:
    """Verify the record of a case, or a bundle's signature and digests; opens nothing."""
    with unlock(data, passphrase_file) as vault:
        if not Path(thing).is_file():
            print_record(vault, thing)
            return
        told = _verify_bundle(vault, Path(thing))
    for sentence in told:
        click.echo(f"sotto: {sentence}", err=True)
    if told:
        sys.exit(1)


def _verify_bundle(vault: Vault, bundle: Path) -> list[str]:
    """Return what is wrong with a bundle, or say that nothing is."""
    with random_access(bundle) as (read_at, size_bytes):
        reader = verify_bundle(vault, ArchiveReader(read_at, size_bytes), now=_now())
        told = check_envelopes(reader)
    head = reader.head
    if not told:
        click.echo(f"Signed by the relay: cut {head.cut} of {head.day}, every envelope is whole.")
    return told


def _warn(vault: Vault) -> None:
    """Say on the side which keys end soon; the lists for programs stay as they are."""
    for sentence in expiry_warnings(vault, now=_now()):
        click.echo(f"sotto: {make_visible(sentence)}", err=True)


def _console() -> Console:
    """Return a console that uses colour on a terminal only, and never interprets text.

    Into a file or a pipe every line goes whole: a terminal's width would cut it off.
    """
    width = None if sys.stdout.isatty() else WIDEST_CHARS
    return Console(markup=False, emoji=False, highlight=False, width=width)


def _print_json(value: object) -> None:
    """Print ASCII: a terminal obeys nothing in it, and a program reads it whole."""
    click.echo(json.dumps(value, ensure_ascii=True, indent=2))


def _now() -> datetime:
    return datetime.now(UTC)


def _today() -> date:
    return _now().date()
