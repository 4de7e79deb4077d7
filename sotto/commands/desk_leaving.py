"""Commands of `sotto desk case` by which something of a case, or its count, leaves the desk."""

from pathlib import Path
from typing import TextIO

import click

from desk.cases import find_case
from desk.casework.figures import figures_csv, figures_svg, row_titles, yearly_figures
from desk.casework.handover import (
    export_case,
    export_record,
    hand_over_on_paper,
    hand_over_sealed,
)
from desk.files import read_small, write_whole
from desk.vault import Vault
from protocol import limits
from protocol.errors import StorageError
from sotto.commands.desk_options import FILE, FOLDER, now, why_option, with_vault, words


@click.command()
@with_vault
@why_option
@click.option("--out", type=FOLDER, required=True, help="A new folder.")
@click.option("--name-reported", is_flag=True, help="The reader needs that name.")
@click.option("--with-notes", is_flag=True, help="Your notes too.")
@click.argument("case")
def export(
    vault: Vault, *, case: str, out: Path, name_reported: bool, with_notes: bool, why: TextIO
) -> None:
    """Write one case as a page with its record, redacted by consent. Read it before it leaves."""
    export_case(
        vault,
        find_case(vault, case),
        out,
        name_reported=name_reported,
        with_notes=with_notes,
        why=words(why),
        now=now(),
    )


@click.command()
@with_vault
@click.option("--out", type=FOLDER, required=True, help="A new folder.")
@click.option("--redacted", is_flag=True, help="Leave out what the consents do not cover.")
@click.argument("case")
def record(vault: Vault, case: str, out: Path, redacted: bool) -> None:
    """Write the record as files that gpg and sha256sum verify: docs/RECORD.md."""
    export_record(vault, find_case(vault, case), out, redacted=redacted, now=now())


@click.command()
@with_vault
@why_option
@click.option("--to", required=True, help="What the body is called.")
@click.option("--out", type=FILE, required=True)
@click.option("--certificate", type=FILE, help="Of that body; without it a page to print.")
@click.option("--fingerprint", help="Of the certificate, as compared by voice.")
@click.argument("case")
def outside(
    vault: Vault,
    *,
    case: str,
    to: str,
    out: Path,
    certificate: Path | None,
    fingerprint: str | None,
    why: TextIO,
) -> None:
    """Hand a case to a body outside, sealed to its key or on paper; needs the consents."""
    found = find_case(vault, case)
    if certificate is None:
        page = hand_over_on_paper(vault, found, to=to, reason=words(why), now=now())
        write_whole(out, [page])
        return
    hand_over_sealed(
        vault,
        found,
        out,
        certificate=read_small(certificate, limits.CERTIFICATE_BYTES, what="The certificate"),
        fingerprint=fingerprint or "",
        to=to,
        reason=words(why),
        now=now(),
    )


@click.command()
@with_vault
@click.option("--out", type=FOLDER, required=True)
@click.argument("year", type=int)
def figures(vault: Vault, year: int, out: Path) -> None:
    """Write the figures of a year, small counts hidden: figures.csv and figures.svg."""
    tables = yearly_figures(vault, year)
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StorageError("The folder cannot be made there; look at the disk.") from error
    write_whole(out / "figures.csv", [figures_csv(tables, year=year)])
    write_whole(out / "figures.svg", [figures_svg(tables, year=year, titles=row_titles(vault))])


COMMANDS: tuple[click.Command, ...] = (export, record, outside, figures)
