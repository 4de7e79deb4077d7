"""`sotto onion`: addresses, courier keys, health, and a Tor network to rehearse on."""

import sys
import threading
from pathlib import Path

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from onion.address import Addresses, create_addresses, qr_terminal, url, write_qr_png
from onion.client import ClientTor
from onion.courier_keys import (
    CourierSecret,
    add_courier,
    read_courier_keys,
    revoke_courier,
    verify_courier_keys,
)
from onion.places import Places
from onion.status import read_health
from onion.testnet import RehearsalNetwork
from onion.torrc import system_torrc
from protocol.errors import OnionError
from sotto.ending import hear_both_signals
from sotto.options import data_option

folder_option = click.option(
    "--folder",
    type=click.Path(file_okay=False, path_type=Path),
    envvar="SOTTO_ONION",
    help="Where the system's tor keeps reporter/ and courier/; leave out for the relay's own tor.",
)


@click.group()
def group() -> None:
    """Tor: addresses, courier keys, a rehearsal network."""


@group.command()
@data_option
@folder_option
@click.option(
    "--png",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Also write the reporters' QR code, for a poster.",
)
@click.option("--torrc", is_flag=True, help="Print the torrc lines for the system's tor, no more.")
def address(data: Path, folder: Path | None, png: Path | None, torrc: bool) -> None:
    """Print both addresses, the reporters' one with a QR code."""
    places = Places(data, system_services=folder)
    if torrc:
        verify_courier_keys(places.courier)  # without one, these lines let everybody in
        lines = system_torrc(
            folder=places.services,
            reporter_socket=places.reporter_socket,
            courier_socket=places.courier_socket,
        )
        click.echo("\n".join(lines))
        return
    addresses = _addresses(places)
    click.echo(f"Reporters: {url(addresses.reporter)}")
    click.echo(f"Couriers:  {url(addresses.courier)} (opens only with a courier's key)\n")
    click.echo(qr_terminal(addresses.reporter))
    if png is not None:
        try:
            write_qr_png(addresses.reporter, png)
        except OSError as error:
            raise OnionError("The picture cannot be written there: choose another file.") from error
        click.echo(f"The QR code for posters is in {png}.")


@group.command()
@data_option
@folder_option
@click.option(
    "--control",
    type=click.Path(path_type=Path),
    help="The control socket of the system's tor, for instance /run/tor/control.",
)
def status(data: Path, folder: Path | None, control: Path | None) -> None:
    """Show the health of Tor on one screen; exit with 1 if something is wrong."""
    health = read_health(Places(data, system_services=folder, system_control=control))
    table = Table(show_header=False, box=None)
    for check in health:
        mark = "[green]ok[/]" if check.is_well else "[bold red]look[/]"
        table.add_row(mark, check.subject, check.sentence)
    Console().print(table)
    if not all(check.is_well for check in health):
        sys.exit(1)


@group.command()
@click.option("--socks", type=click.IntRange(1024, 65535), help="The visitors' SOCKS port.")
def testnet(socks: int | None) -> None:
    """Run a private Tor network on this machine until Ctrl-C.

    It prints the torrc lines with which a relay joins, and a SOCKS port for visitors.
    """
    hear_both_signals()
    bar = Progress(
        BarColumn(),
        TextColumn("{task.description}"),
        TimeElapsedColumn(),
        console=Console(stderr=True),
    )
    with bar:
        task = bar.add_task("starting", total=110)
        network = RehearsalNetwork(
            progress=lambda percent, words: bar.update(task, completed=percent, description=words)
        )
        network.start()
        try:
            bar.update(task, description="starting a visitor's tor")
            client = ClientTor(lines=network.lines, socks_port=socks)
            client.start()
        except BaseException:
            network.stop()
            raise
        bar.update(task, completed=110, description="ready")
    try:
        click.echo("\n".join(network.lines))
        click.echo(
            f"\nVisitors: SOCKS 127.0.0.1:{client.socks_port}. "
            "A relay joins with the lines above in the file torrc of its data folder. "
            "End it with Ctrl-C."
        )
        sys.stdout.flush()
        threading.Event().wait()
    except KeyboardInterrupt:
        click.echo("", err=True)
    finally:
        client.stop()
        network.stop()


@group.group()
def courier() -> None:
    """Say who may reach the couriers' site."""


@courier.command("add")
@data_option
@folder_option
@click.argument("name")
def courier_add(data: Path, folder: Path | None, name: str) -> None:
    """Give the courier NAME a key; its private half is shown once."""
    places = Places(data, system_services=folder)
    addresses = _addresses(places)
    secret = add_courier(places.courier, name, addresses.courier)
    click.echo(_instructions(name, addresses, secret))
    _tell_restart(folder)


@courier.command("list")
@data_option
@folder_option
@click.option("--verify", is_flag=True, help="Refuse also when there is none: tor lets all in.")
def courier_list(data: Path, folder: Path | None, verify: bool) -> None:
    """List the couriers; exit with 1 if a key is damaged."""
    read = verify_courier_keys if verify else read_courier_keys
    for key in read(Places(data, system_services=folder).courier):
        click.echo(key.name)


@courier.command("revoke")
@data_option
@folder_option
@click.argument("name")
def courier_revoke(data: Path, folder: Path | None, name: str) -> None:
    """Take the key of the courier NAME away."""
    revoke_courier(Places(data, system_services=folder).courier, name)
    click.echo("The key is gone.")
    _tell_restart(folder)


def _addresses(places: Places) -> Addresses:
    """Make missing addresses in a relay's folder, never a relay's folder out of nothing."""
    if places.system_services is None and not places.data.is_dir():
        raise OnionError("There is no relay in this folder: run `sotto relay init` or give --data.")
    return create_addresses(places)


def _instructions(name: str, addresses: Addresses, secret: CourierSecret) -> str:
    return f"""This is shown once and kept nowhere. Hand it over in person.

In Tor Browser: open {url(addresses.courier)}
and give this key when it asks:

    {secret.key}

For a tor of the courier's own: a file {name}.auth_private in its
ClientOnionAuthDir, readable to nobody else, with this line:

    {secret.line}
"""


def _tell_restart(folder: Path | None) -> None:
    if folder is None:
        click.echo("A running relay follows within seconds: it starts Tor again.")
    else:
        click.echo("Now run `systemctl restart tor@default`; until then nothing changes.")
