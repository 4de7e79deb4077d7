"""`sotto demo`: everything on this machine, to try it."""

import sys
from collections.abc import Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

import click

from onion.address import url
from onion.client import ClientTor
from onion.process import RelayTor
from onion.testnet import RehearsalNetwork
from protocol.errors import OnionError
from sotto.demo import COURIER_FILE, PASSPHRASE, Ports, courier_line, demo_sites, prepare
from sotto.ending import hear_both_signals
from sotto.options import data_option
from sotto.serving import RelaySites, WebProcess
from sotto.telling import TorTeller

PUBLISH_SECONDS = 60.0


@click.command(name="demo")
@data_option
@click.option(
    "--port",
    type=click.IntRange(1, 65533),
    default=8080,
    show_default=True,
    help="The first of three ports.",
)
@click.option("--policy", default="generic", show_default=True, help="generic, ddp or ifes.")
@click.option("--rehearse", is_flag=True, help="Publish on a private Tor network on this machine.")
def group(data: Path, port: int, policy: str, rehearse: bool) -> None:
    """Try everything on this machine: relay, courier, desk, with keys that are no secret."""
    ports = Ports(first=port)
    prepare(data, policy=policy, now=datetime.now(UTC))
    relay = RelaySites(data)
    web = WebProcess(demo_sites(data, relay, ports), started=relay.started, ended=relay.ended)
    hear_both_signals()
    with ExitStack() as running:
        running.callback(web.stop)
        try:
            web.wait_ready()
            click.echo(_greeting(data, ports))
            sys.stdout.flush()
            _publish(data, running, rehearse=rehearse)
            sys.stdout.flush()
            sys.exit(web.wait())
        except KeyboardInterrupt:
            click.echo("\nStopping.", err=True)


def _publish(data: Path, running: ExitStack, *, rehearse: bool) -> None:
    """Put the sites on Tor; where that cannot be done, say why and carry on without."""
    teller = running.enter_context(TorTeller(names_addresses=False))
    try:
        lines: Sequence[str] = ()
        if rehearse:
            network = running.enter_context(RehearsalNetwork(progress=teller.advance))
            lines = network.lines
        tor = RelayTor(data=data, tell=teller, extra=lines)
        running.callback(tor.stop)
        addresses = tor.start()
        tor.wait_published(PUBLISH_SECONDS)
        tor.wait_published(PUBLISH_SECONDS, courier=True)
        if rehearse:
            visitor = ClientTor(lines=lines, courier_line=courier_line(data))
            running.enter_context(visitor)
    except OnionError as error:
        teller.finish()
        click.echo(f"  Not on Tor: {error}\n  Everything on this machine works without it.\n")
        return
    click.echo("  On Tor, too:\n")
    click.echo(f"    Reporters   {url(addresses.reporter)}")
    click.echo(f"    Couriers    {url(addresses.courier)}   key: {data}/demo/{COURIER_FILE}")
    if rehearse:
        click.echo(f"    SOCKS       127.0.0.1:{visitor.socks_port}   (opens both)")
    click.echo("")


def _greeting(data: Path, ports: Ports) -> str:
    return f"""
  Sotto is running as a demonstration. Do not send anything real.

    Reporters   http://127.0.0.1:{ports.reporter}
    Couriers    http://127.0.0.1:{ports.courier}
    Desk        http://127.0.0.1:{ports.desk}   (unlock it with: {PASSPHRASE})

  A counselor's secret key   {data}/demo/counselor.secret.asc   passphrase: {PASSPHRASE}
  The relay's certificate    {data}/relay.asc

  Next: open the reporters' site and send a report, take the bundle from the couriers'
  site, import it at the desk, answer, bring the dispatch back, read with the nine words.
  The command is .venv/bin/sotto. Stop with Ctrl-C.
"""
