"""`sotto courier`: carry bundles and dispatches through a SOCKS port."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import click
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

from desk.legible import make_visible
from sotto.courier_tool import fetch_bundle, push_dispatch
from sotto.socks import read_way

_site_option = click.option(
    "--site",
    required=True,
    envvar="SOTTO_COURIER_SITE",
    help="The couriers' site: its onion address.",
)
_socks_option = click.option(
    "--socks",
    default="127.0.0.1:9050",
    show_default=True,
    help="Tor's SOCKS port (Tor Browser: 127.0.0.1:9150); `none` for a site on this machine.",
)
_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.group()
def group() -> None:
    """Carry bundles and dispatches."""


@group.command()
@_site_option
@_socks_option
@click.option("--relay", type=_FILE, required=True, help="The relay's certificate.")
@click.option(
    "--to",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    required=True,
    help="The folder for the bundle, for instance on the stick.",
)
def fetch(site: str, socks: str, relay: Path, to: Path) -> None:
    """Take the current bundle, and check that the relay signed all of it."""
    with _progress("bundle") as told:
        fetched = fetch_bundle(
            read_way(site, socks),
            certificate=relay.read_bytes(),
            folder=to,
            now=datetime.now(UTC),
            progress=told,
        )
    head = fetched.head
    click.echo(
        f"{fetched.path}: cut {head.cut} of {head.day}, {len(head.envelopes)} envelopes,"
        " signed by the relay and whole."
    )
    for warning in head.warnings:
        click.echo(f"For the operator: {make_visible(warning)}")


@group.command()
@_site_option
@_socks_option
@click.argument("file", type=_FILE)
def push(site: str, socks: str, file: Path) -> None:
    """Bring a dispatch FILE, and print what the relay says."""
    way = read_way(site, socks)
    with _progress("dispatch") as told:
        sentence = push_dispatch(way, file, progress=told)
    click.echo(sentence)


@contextmanager
def _progress(what: str) -> Iterator[Callable[[int, int], None]]:
    """Show a bar on the terminal, and nothing where there is none."""
    bar = Progress(
        TextColumn(what),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        console=Console(stderr=True),
        disable=not sys.stderr.isatty(),
    )
    with bar:
        task = bar.add_task(what, total=None)
        yield lambda have, total: bar.update(task, completed=have, total=total)
