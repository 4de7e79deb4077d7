"""Yearly figures that name nobody, as tables, as CSV and as one picture."""

from flask import Blueprint, Response, render_template, request

from desk.casework.figures import (
    HIDDEN,
    SMALLEST_SHOWN,
    figures_csv,
    figures_svg,
    row_titles,
    yearly_figures,
)
from desk.screens.session import today, vault

pages = Blueprint("figures", __name__, url_prefix="/figures")


@pages.get("/")
def figures() -> str:
    """Show the figures of a year."""
    year = request.args.get("year", today().year, type=int)
    return render_template(
        "desk/figures.html",
        year=year,
        tables=yearly_figures(vault(), year),
        titles=row_titles(vault()),
        hidden=HIDDEN,
        smallest=SMALLEST_SHOWN,
    )


@pages.get("/<int:year>.csv")
def csv(year: int) -> Response:
    """Hand out the figures as CSV."""
    response = Response(figures_csv(yearly_figures(vault(), year), year=year), mimetype="text/csv")
    response.headers.set("Content-Disposition", "attachment", filename=f"figures-{year}.csv")
    return response


@pages.get("/<int:year>.svg")
def picture(year: int) -> Response:
    """Draw the figures."""
    tables = yearly_figures(vault(), year)
    drawn = figures_svg(tables, year=year, titles=row_titles(vault()))
    return Response(drawn, mimetype="image/svg+xml")
