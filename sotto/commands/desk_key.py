"""`sotto desk key`: which keys are hers, and which one shall follow."""

from datetime import UTC, datetime, time, timedelta
from pathlib import Path

import click

from desk.desk import read_desk, spoken_fingerprint
from desk.files import read_small, write_whole
from desk.gpgkey import find_gpg_key
from desk.screens.passphrase import judge
from desk.succession import her_keys, propose_successor, withdraw_successor
from desk.unlocking import SECRET_KEY_LIMIT_BYTES, asks_passphrase, open_vault
from desk.vault import Vault
from keys.certificate import read_fingerprint
from keys.secretkey import generate_secret_key
from protocol.errors import KeyMaterialError, StorageError
from sotto.commands.desk_options import FILE, now, passphrase_option, read_passphrase, with_vault
from sotto.options import data_option

_NEW = "Passphrase of the new secret key"


@click.group()
def key() -> None:
    """Your keys: which one signs, and which one shall follow it."""


@key.command()
@with_vault
def show(vault: Vault) -> None:
    """Show the fingerprints of your keys, to compare by voice."""
    for what, fingerprint in her_keys(vault):
        click.echo(f"{spoken_fingerprint(fingerprint)}  {what}")


@key.command()
@data_option
@passphrase_option
@click.option("--new", "new_path", type=FILE, help="The new secret key (.asc).")
@click.option("--new-gpg", metavar="FINGERPRINT", help="The new key in gpg, or on its card.")
@click.option("--new-passphrase-file", type=FILE, help="Read the passphrase of the new key.")
@click.option("--generate", metavar="NAME", help="Make a key of this name in the file of --new.")
@click.option("--years", default=3, show_default=True, type=click.IntRange(1, 10))
@click.option("--withdraw", is_flag=True, help="Take back what no dispatch has carried yet.")
def successor(
    *,
    data: Path,
    passphrase_file: Path | None,
    new_path: Path | None,
    new_gpg: str | None,
    new_passphrase_file: Path | None,
    generate: str | None,
    years: int,
    withdraw: bool,
) -> None:
    """Let a new key follow yours: the next dispatch brings it, signed with the old one."""
    asks = asks_passphrase(data)
    passphrase = read_passphrase(passphrase_file) if asks else ""
    with open_vault(data, passphrase) as vault:
        if withdraw:
            withdraw_successor(vault)
            click.echo("Taken back: your key stays as it is.")
            return
        if (new_path is None) == (new_gpg is None):
            raise click.UsageError("Give the new key: --new FILE or --new-gpg FINGERPRINT.")
        if new_gpg is not None:
            file, new_passphrase = _from_gpg(new_gpg), ""
        elif new_path is not None:
            new_passphrase = read_passphrase(new_passphrase_file, prompt=_NEW)
            if generate is not None:
                _make(new_path, name=generate, passphrase=new_passphrase, years=years)
            file = read_small(new_path, SECRET_KEY_LIMIT_BYTES, what="The new secret key")
        propose_successor(
            vault,
            key_file=file,
            passphrase=new_passphrase,
            former_passphrase=passphrase,
            now=now(),
        )
        _print(vault)


def _from_gpg(fingerprint: str) -> bytes:
    return find_gpg_key(read_fingerprint(fingerprint), now=now()).certificate


def _make(path: Path, *, name: str, passphrase: str, years: int) -> None:
    """Make a key in a file of hers: until it lies elsewhere too, this stick is its only place."""
    strength = judge(passphrase)
    if not strength.is_enough:
        raise KeyMaterialError(strength.sentence)
    if path.exists():
        raise StorageError("A file lies there already; give another name to --new.")
    midnight = datetime.combine(now().date(), time(), UTC)
    armored = generate_secret_key(
        user_id=name,
        passphrase=passphrase,
        created=midnight,
        expires=midnight + timedelta(days=365 * years),
    )
    write_whole(path, [armored])
    click.echo("The new key lies in the file of --new, protected; bring it to a second stick.")


def _print(vault: Vault) -> None:
    desk = read_desk(vault)
    click.echo(f"Now      {spoken_fingerprint(desk.fingerprint)}")
    if desk.successor is not None:
        click.echo(f"To come  {spoken_fingerprint(desk.successor)}")
    click.echo(
        "Tell the operator and your colleagues the new fingerprint by voice. Make a backup, then "
        "export: the dispatch brings the new certificate. The old key signs, and opens this desk, "
        "until a bundle lists the new one."
    )
