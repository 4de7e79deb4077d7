"""`sotto relay`: make a relay, run it, keep it."""

import signal
import sys
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType

import click

from onion.address import url
from onion.notices import News, Notice
from onion.places import Places
from onion.process import RelayTor
from policies.checker import check_policy
from relay.deployment import init_deployment
from relay.settings import Settings
from sotto.options import data_option
from sotto.serving import RelaySites, WebProcess


@click.group(name="relay")
def group() -> None:
    """Run the relay: the site for reporters and the site for couriers."""


@group.command()
@data_option
@click.option("--policy", default="generic", show_default=True, help="Shipped name, or a folder.")
@click.option("--database", default="", help="A PostgreSQL URL; SQLite where it is empty.")
def init(data: Path, policy: str, database: str) -> None:
    """Make a relay: its key, its salt, its settings, an empty store."""
    chosen = Settings(policy=policy, database=database)
    fingerprint = init_deployment(data, now=datetime.now(UTC), settings=chosen)
    click.echo(f"The relay's fingerprint, which every desk compares: {fingerprint}")
    click.echo(f"Next: edit {data}/relay.toml, then `sotto keys add NAME CERTIFICATE`.")


@group.command()
@data_option
@click.option("--system-tor", is_flag=True, help="The system's tor serves; start none.")
def serve(data: Path, system_tor: bool) -> None:
    """Serve both sites behind Tor until SIGTERM or Ctrl-C."""
    relay = RelaySites(data)
    Places(data).prepare()
    web = WebProcess(relay.onion_sites(), started=relay.started, ended=relay.ended)
    signal.signal(signal.SIGTERM, _leave)
    with ExitStack() as running:
        running.callback(web.stop)
        try:
            web.wait_ready()
            if not system_tor:
                tor = running.enter_context(RelayTor(data=data, tell=_tell))
                tor.wait_published(120)
            sys.exit(web.wait())
        except KeyboardInterrupt:
            click.echo("Stopping.", err=True)


@group.group()
def policy() -> None:
    """The organisation's procedure."""


@policy.command("check")
@click.argument("directory", type=click.Path(exists=True, file_okay=False, path_type=Path))
def policy_check(directory: Path) -> None:
    """Name every mistake in a policy's folder, with file, line and what to write instead."""
    mistakes = check_policy(directory)
    for mistake in mistakes:
        click.echo(f"{mistake.file}:{mistake.line}: {mistake.message} {mistake.instead}")
    if mistakes:
        sys.exit(1)
    click.echo("This policy is complete.")


def _tell(notice: Notice) -> None:
    if notice.news is News.PUBLISHED and notice.address:
        click.echo(f"Published: {url(notice.address)}")
    else:
        click.echo(notice.sentence, err=True)


def _leave(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt
