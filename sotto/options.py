"""Options that several command groups share."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

Command = TypeVar("Command", bound=Callable[..., Any])


def data_option(command: Command) -> Command:
    """Add `--data DIR` (or SOTTO_DATA): the one folder that a relay or a desk lives in.

    Args:
        command: a click command that takes the keyword `data`, a `Path`.

    Returns:
        The command with the option; the default is `./data`.
    """
    return click.option(
        "--data",
        type=click.Path(file_okay=False, path_type=Path),
        envvar="SOTTO_DATA",
        default=Path("data"),
        show_default=True,
        help="The folder that holds everything.",
    )(command)
