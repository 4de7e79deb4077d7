"""`sotto relay`: make a relay, run it, keep it."""

import sys
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

import click

from desk.files import read_small
from keys.secretkey import read_secret_key
from onion.places import Places
from onion.process import RelayTor
from policies.checker import check_policy
from policies.loader import load_policy
from protocol.limits import CERTIFICATE_BYTES
from relay.app import policy_folder
from relay.deployment import SETTINGS_NAME, init_deployment
from relay.settings import Settings, load_settings
from sotto.backup import make_backup
from sotto.doctor import Visit, examine
from sotto.ending import hear_both_signals
from sotto.options import data_option
from sotto.purging import purge_now
from sotto.restore import restore_backup
from sotto.screen import print_checks
from sotto.serving import RelaySites, WebProcess
from sotto.status import ask_sites, read_status
from sotto.telling import TorTeller

_FILE = click.Path(dir_okay=False, path_type=Path)
_FOLDER = click.Path(file_okay=False, path_type=Path)
_json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON for programs.")


@click.group(name="relay")
def group() -> None:
    """Run the relay: the site for reporters and the site for couriers."""


@group.command()
@data_option
@click.option("--policy", default="generic", show_default=True, help="Shipped name, or a folder.")
@click.option("--database", default="", help="A PostgreSQL URL; SQLite where it is empty.")
def init(data: Path, policy: str, database: str) -> None:
    """Make a relay: its key, its salt, its settings, an empty store."""
    if Path(policy).is_dir():
        policy = str(Path(policy).absolute())
    languages = load_policy(policy_folder(policy), "en").languages
    chosen = Settings(policy=policy, languages=languages, database=database)
    fingerprint = init_deployment(data, now=datetime.now(UTC), settings=chosen)
    click.echo(f"The relay's fingerprint, which every desk compares: {fingerprint}")
    click.echo(f"Next: edit {data}/relay.toml, then `sotto keys add NAME CERTIFICATE`.")


@group.command()
@data_option
@click.option(
    "--system-tor",
    is_flag=True,
    help="The system's tor serves, and may open the sockets by its group; start none.",
)
def serve(data: Path, system_tor: bool) -> None:
    """Serve both sites behind Tor until SIGTERM or Ctrl-C."""
    load_settings(data / SETTINGS_NAME)  # before a folder that holds no relay is written to
    relay = RelaySites(data)
    Places(data).prepare()
    sites = relay.onion_sites(for_group=system_tor)
    web = WebProcess(sites, started=relay.started, ended=relay.ended)
    hear_both_signals()
    with ExitStack() as running:
        running.callback(web.stop)
        try:
            web.wait_ready()
            click.echo("The relay serves.")
            if not system_tor:
                teller = running.enter_context(TorTeller())
                tor = running.enter_context(RelayTor(data=data, tell=teller))
                tor.wait_published(120)
            sys.exit(web.wait())
        except KeyboardInterrupt:
            click.echo("Stopping.", err=True)


@group.command()
@data_option
@_json_option
def status(data: Path, as_json: bool) -> None:
    """Show on one screen how the relay is; exit with 1 if something is wrong."""
    print_checks(read_status(data, Places(data), _now()), as_json=as_json)


@group.command()
@data_option
@_json_option
@click.option("--folder", type=_FOLDER, envvar="SOTTO_ONION", help="Of the system's tor.")
@click.option("--control", type=_FILE, help="The control socket of the system's tor.")
def doctor(data: Path, as_json: bool, folder: Path | None, control: Path | None) -> None:
    """Look at the machine, the relay and Tor, and say what to mend; exit with 1 if anything."""
    places = Places(data, system_services=folder, system_control=control)
    print_checks(examine(Visit(data=data, places=places, now=_now())), as_json=as_json)


@group.command()
@data_option
def ping(data: Path) -> None:
    """Ask both sites over their sockets whether they answer; for health checks."""
    ask_sites(Places(data))


@group.command()
@data_option
def purge(data: Path) -> None:
    """Let go what the month-end rules let go, now; nothing that nobody has read."""
    purged = purge_now(data, now=_now())
    click.echo(
        f"Gone: {purged.contents} contents, {purged.rows} rows, {purged.mailboxes} mailbox slots."
    )
    if purged.unproven:
        click.echo(f"Kept though their time is over: {purged.unproven} that nobody has read.")


@group.command()
@data_option
@click.option("--to", type=_FILE, required=True, help="The file to write; it must not exist.")
@click.option("--recipient", type=_FILE, required=True, help="Certificate of a key kept off line.")
@click.option("--secrets-only", is_flag=True, help="Without the database.")
def backup(data: Path, to: Path, recipient: Path, secrets_only: bool) -> None:
    """Write a backup that only the key of RECIPIENT opens; the relay may be running."""
    certificate = read_small(recipient, CERTIFICATE_BYTES, what="The certificate")
    made = make_backup(data, to, certificate=certificate, now=_now(), secrets_only=secrets_only)
    click.echo(f"Backed up: {made.files} files in {made.volumes} sealed volume(s), first {to}.")


@group.command()
@click.argument("file", type=_FILE)
@click.option("--key", type=_FILE, required=True, help="The secret key that opens it.")
@click.option("--passphrase-file", type=_FILE, help="Holds the key's passphrase, if it has one.")
@click.option("--data", type=_FOLDER, required=True, help="The new folder.")
def restore(file: Path, key: Path, passphrase_file: Path | None, data: Path) -> None:
    """Make a relay in a new folder from a backup FILE."""
    opened = read_secret_key(
        read_small(key, CERTIFICATE_BYTES, what="The secret key"), _passphrase(passphrase_file)
    )
    restored = restore_backup(file, key=opened, to=data, now=_now())
    click.echo(f"Restored: {len(restored.files)} files of {restored.day} into {data}.")
    click.echo(f"The relay's fingerprint, which must be yours: {restored.relay}")


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


def _passphrase(file: Path | None) -> str | None:
    if file is None:
        return None
    return read_small(file, 4096, what="The passphrase").decode().rstrip("\r\n")


def _now() -> datetime:
    return datetime.now(UTC)
