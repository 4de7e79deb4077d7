"""`sotto keys`: say whose keys reports are sealed to.

New people and anyone else's certificate are added here, at the relay's console, and
nowhere else; a counselor's own successor certificate may come by her dispatch.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from keys.certificate import Certificate, describe, read_certificate, verify_certificate
from policies.loader import load_policy
from protocol.errors import KeyMaterialError
from protocol.names import RecipientName
from protocol.naming import read_recipient_name
from relay.app import policy_folder
from relay.deployment import SETTINGS_NAME, open_deployment
from relay.settings import load_settings
from relay.store import Store
from sotto.options import data_option


@click.group(name="keys")
def group() -> None:
    """Say whose keys reports are sealed to."""


@group.command()
@click.argument("name")
@click.argument("certificate", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--fingerprint", help="Add without asking, if the certificate has this fingerprint.")
@click.option("--replace", is_flag=True, help="NAME is there already; this is her new certificate.")
@data_option
def add(
    name: str, certificate: Path, *, fingerprint: str | None, replace: bool, data: Path
) -> None:
    """Add a person by her public CERTIFICATE, after comparing the fingerprint by voice."""
    recipient = read_recipient_name(name)
    content = certificate.read_bytes()
    found = _verify(content)
    for line in describe(found):
        click.echo(line)
    if fingerprint is None:
        click.confirm("Did you compare the fingerprint by voice, and is it the same?", abort=True)
    elif fingerprint.replace(" ", "").upper() != found.fingerprint:
        raise KeyMaterialError("The certificate has another fingerprint; nothing was added.")
    with _store(data) as store:
        change = store.replace_certificate if replace else store.add_recipient
        change(recipient, content, found.fingerprint)
    click.echo(f"Added: reports are sealed to {name} from now on.")
    _tell_unknown(data, name)


@group.command("list")
@data_option
def list_recipients(data: Path) -> None:
    """Show everyone who can be chosen as a reader, and whose key no longer holds."""
    table = Table("name", "fingerprint", "state", box=None)
    with _store(data) as store:
        for one in store.all_recipients():
            state = "retired" if one.retired else _state(one.certificate)
            table.add_row(one.name, one.fingerprint, state)
    Console().print(table)


@group.command()
@click.argument("name")
@data_option
def retire(name: str, data: Path) -> None:
    """Seal nothing more to NAME; what she can read stays readable to her."""
    with _store(data) as store:
        store.retire_recipient(RecipientName(name))
    click.echo(f"Retired: nothing new is sealed to {name}.")


@group.command()
@click.argument("certificate", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def check(certificate: Path) -> None:
    """Say whether a CERTIFICATE would be accepted, and describe it."""
    for line in describe(_verify(certificate.read_bytes())):
        click.echo(line)
    click.echo("This certificate would be accepted.")


def _tell_unknown(data: Path, name: str) -> None:
    """Say so where the policy does not speak of this name: then no form ticks her by itself."""
    known = load_policy(policy_folder(load_settings(data / SETTINGS_NAME).policy), "en").recipients
    if name not in known:
        listed = ", ".join(known)
        click.echo(
            f"Note: the policy does not name {name}, so forms offer her without a tick. "
            f"It names: {listed}.",
            err=True,
        )


def _verify(content: bytes) -> Certificate:
    return verify_certificate(
        content, pinned=read_certificate(content).fingerprint, now=datetime.now(UTC)
    )


def _state(content: bytes) -> str:
    try:
        _verify(content)
    except KeyMaterialError as error:
        return str(error)
    return "good"


@contextmanager
def _store(data: Path) -> Iterator[Store]:
    deployment = open_deployment(data, serving=False)
    try:
        yield deployment.store
    finally:
        deployment.close()
