"""Findings on a terminal: one line each, and the exit code that a watching program needs."""

import json
import sys
from collections.abc import Sequence

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from onion.status import Check


def print_checks(checks: Sequence[Check], *, as_json: bool) -> None:
    """Print findings and exit with 1 if one of them must be mended."""
    if as_json:
        click.echo(encode_checks(checks))
    else:
        table = Table(show_header=False, box=None)
        table.add_column()
        table.add_column()
        table.add_column(overflow="fold")
        for check in checks:
            mark = Text("ok", style="green") if check.is_well else Text("look", style="bold red")
            table.add_row(mark, Text(check.subject), Text(check.sentence))
        Console().print(table)
    if not all(check.is_well for check in checks):
        sys.exit(1)


def encode_checks(checks: Sequence[Check]) -> str:
    """Write findings as JSON for a program that watches."""
    found = [
        {"subject": one.subject, "well": one.is_well, "sentence": one.sentence} for one in checks
    ]
    return json.dumps(found, indent=2, ensure_ascii=False)
