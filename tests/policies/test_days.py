"""Days in words: nobody takes the day for the month, and no sentence ends in two points."""

from datetime import date
from pathlib import Path

import pytest

import templates
from policies.days import written_day


@pytest.mark.parametrize(
    ("language", "written"),
    [
        ("en", "5 November 2026"),
        ("ar", "5 نوفمبر 2026"),
        ("ru", "5 ноября 2026"),
        ("uk", "5 листопада 2026"),
        ("zh-Hans", "2026年11月5日"),
        ("xx", "2026-11-05"),
    ],
)
def test_days_are_written_so_that_nobody_mistakes_the_month(language: str, written: str) -> None:
    assert written_day(date(2026, 11, 5), language) == written


def test_no_language_of_ours_ends_a_day_with_a_point() -> None:
    catalogues = Path(templates.__file__).parent.parent / "locale"
    languages = [found.name.replace("_", "-") for found in catalogues.iterdir() if found.is_dir()]
    assert len(languages) == 12
    assert not [one for one in languages if written_day(date(2026, 11, 5), one).endswith(".")]
