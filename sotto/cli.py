"""The command `sotto`: one group for each folder, one way to report a refusal.

Exit codes: 0 done, 1 refused (with one sentence on standard error), 2 usage.
"""

import importlib

import click

from protocol.errors import SottoError

GROUPS = {
    "relay": "Run the relay: the site for reporters and the site for couriers.",
    "keys": "Say whose keys reports are sealed to.",
    "onion": "Tor: addresses, courier keys, a rehearsal network.",
    "desk": "Read and answer reports, offline.",
    "courier": "Carry bundles and dispatches.",
    "demo": "Try everything on this machine.",
}


class _Groups(click.Group):
    """Load a group when it is called: `sotto desk` on an offline machine imports no server."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(GROUPS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in GROUPS:
            return None
        group: click.Command = importlib.import_module(f"sotto.commands.{cmd_name}").group
        return group

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(GROUPS.items()))

    def invoke(self, ctx: click.Context) -> object:
        try:
            return super().invoke(ctx)
        except SottoError as error:
            click.echo(f"sotto: {error}", err=True)
            ctx.exit(1)


@click.group(cls=_Groups, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="sotto")
def main() -> None:
    """Sotto: an anonymous whistleblowing relay over Tor."""
