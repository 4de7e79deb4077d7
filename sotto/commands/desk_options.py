"""What the commands of casework share: an unlocked desk, the words typed, the time."""

import functools
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, TextIO

import click

from desk.files import read_small
from desk.unlocking import asks_passphrase, open_vault
from desk.vault import Vault
from protocol.errors import FormatError
from sotto.options import data_option

P = ParamSpec("P")
PASSPHRASE_BYTES = 4096
WORDS_CHARS = 1 << 20

FILE = click.Path(dir_okay=False, path_type=Path)
FOLDER = click.Path(file_okay=False, path_type=Path)
TEXT = click.File(encoding="utf-8-sig")  # some editors begin a file with a mark

passphrase_option = click.option(
    "--passphrase-file",
    type=FILE,
    help="Read the passphrase of the secret key from a file; without it you are asked.",
)
# Not an argument: what is typed behind a command stays in the shell's history.
why_option = click.option(
    "--why",
    type=TEXT,
    default="-",
    help="A file with the reason or text; without it you type it, and end with Ctrl-D.",
)


def with_vault(command: Callable[Concatenate[Vault, P], None]) -> Callable[..., None]:
    """Open the desk for a command and lock it again when it ends.

    Args:
        command: takes the unlocked vault first, then its own arguments.
    """

    @data_option
    @passphrase_option
    @functools.wraps(command)
    def run(data: Path, passphrase_file: Path | None, **arguments: Any) -> None:
        with unlock(data, passphrase_file) as vault:
            command(vault, **arguments)  # type: ignore[call-arg]  # click passes by name

    return run


def words(source: TextIO) -> str:
    """Read what was typed or lies in the file.

    Raises:
        FormatError: it is written in some other encoding.
    """
    try:
        return source.read(WORDS_CHARS)
    except UnicodeDecodeError:
        raise FormatError("This text is not UTF-8; save it as UTF-8, then try again.") from None


def now() -> datetime:
    """Return the time of this machine."""
    return datetime.now(UTC)


def unlock(data: Path, passphrase_file: Path | None) -> Vault:
    """Open the desk; where gpg keeps the key, gpg asks for what it needs and we do not."""
    asks = passphrase_file is not None or asks_passphrase(data)
    return open_vault(data, read_passphrase(passphrase_file) if asks else "")


def read_passphrase(path: Path | None, *, prompt: str = "Passphrase of your secret key") -> str:
    """Read a passphrase; one line end belongs to the editor that wrote the file."""
    if path is None:
        typed: str = click.prompt(prompt, hide_input=True, err=True)
        return typed
    text = read_small(path, PASSPHRASE_BYTES, what="The passphrase")
    return text.decode("utf-8", errors="surrogateescape").removesuffix("\n").removesuffix("\r")
