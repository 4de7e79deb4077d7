"""What an operator sees of Tor on a terminal, and in a log."""

import io

import pytest
from rich.console import Console

from onion.address import OnionAddress
from onion.notices import News, Notice
from sotto.telling import TorTeller

ADDRESS = OnionAddress("a" * 56)


def bootstrap(percent: int) -> Notice:
    return Notice(News.BOOTSTRAP, "Loading relay descriptors", percent=percent)


def test_bootstrap_on_a_terminal_is_a_bar_that_ends_when_tor_is_in() -> None:
    screen = io.StringIO()
    with TorTeller(console=Console(file=screen, force_terminal=True, width=100)) as teller:
        for percent in (5, 50, 100):
            teller(bootstrap(percent))
        shown = screen.getvalue()
        assert "━" in shown and " 50%" in shown and "100%" in shown
        assert shown.endswith("\x1b[?25h")  # the cursor is back: the bar has ended


def test_bootstrap_in_a_log_is_a_line_for_each_step_and_none_twice(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with TorTeller() as teller:
        for percent in (5, 14, 14, 14, 100):
            teller(bootstrap(percent))
    lines = capsys.readouterr().err.splitlines()
    assert [line.split()[0] for line in lines] == ["5", "14", "100"]


def test_news_in_the_middle_of_a_bar_ends_it_and_is_told_whole() -> None:
    screen = io.StringIO()
    teller = TorTeller(console=Console(file=screen, force_terminal=True, width=100))
    teller(bootstrap(14))
    teller(Notice(News.TROUBLE, "This machine's clock is 3 minutes fast."))
    assert screen.getvalue().endswith("\x1b[?25h")


@pytest.mark.parametrize("names", [True, False], ids=["named", "left to others"])
def test_address_that_is_published_is_named_on_standard_output(
    names: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    teller = TorTeller(names_addresses=names)
    teller(Notice(News.PUBLISHED, "The address is published.", address=ADDRESS))
    assert (ADDRESS in capsys.readouterr().out) is names
