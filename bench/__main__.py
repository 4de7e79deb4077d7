"""Run every measurement, or those named, and print one table: `python -m bench [NAME …]`."""

import importlib
import sys

from rich.console import Console
from rich.table import Table

MEASUREMENTS = ("cover", "sealing", "relay", "desk", "onion")


def main(names: tuple[str, ...]) -> None:
    """Measure and print as it goes; the table repeats it in the end."""
    table = Table("what", "here", "beside it", "ratio", "aim")
    console = Console(width=150)
    for name in names:
        for figure in importlib.import_module(f"bench.{name}").measure():
            console.print(f"{figure.name}: {figure.ours}; {figure.beside}; {figure.ratio}")
            table.add_row(figure.name, figure.ours, figure.beside, figure.ratio, figure.aim)
    console.print(table)


if __name__ == "__main__":
    main(tuple(sys.argv[1:]) or MEASUREMENTS)
