"""Tell the operator what Tor does: a bar while it starts, one line for everything else."""

import threading
from types import TracebackType
from typing import Self

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn

from onion.address import url
from onion.notices import News, Notice


class TorTeller:
    """Hears the supervisor's notices, from several threads; a context that ends with its bar."""

    def __init__(self, *, console: Console | None = None, names_addresses: bool = True) -> None:
        """Begin in silence.

        Args:
            console: standard error where None; without a terminal there, each step is a line.
            names_addresses: print each address on standard output once it is published.
        """
        self._console = console or Console(stderr=True)
        self._names_addresses = names_addresses
        self._lock = threading.Lock()
        self._bar: Progress | None = None
        self._last: tuple[int, str] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.finish()

    def finish(self) -> None:
        """Take a bar that is not full from the screen's last line."""
        with self._lock:
            self._end_bar()

    def __call__(self, notice: Notice) -> None:
        """Tell one notice."""
        if notice.news is News.BOOTSTRAP:
            self.advance(notice.percent, f"Tor: {notice.sentence}")
            return
        with self._lock:
            self._end_bar()
            if notice.news is not News.PUBLISHED or notice.address is None:
                click.echo(f"  Tor: {notice.sentence}", err=True)
            elif self._names_addresses:
                click.echo(f"Published: {url(notice.address)}")

    def advance(self, percent: float, words: str) -> None:
        """Show how far something is; what was shown already is not shown again."""
        with self._lock:
            if self._last == (step := (int(percent), words)):
                return
            self._last = step
            if not self._console.is_terminal:
                click.echo(f"  {percent:3.0f} %  {words}", err=True)
                return
            bar = self._bar or self._start_bar()
            bar.update(bar.task_ids[0], completed=percent, description=words, refresh=True)
            if percent >= 100:
                self._end_bar()

    def _start_bar(self) -> Progress:
        self._bar = Progress(
            TextColumn("  "),
            BarColumn(),
            TaskProgressColumn(),
            TextColumn("{task.description}", markup=False),
            console=self._console,
            auto_refresh=False,
        )
        self._bar.add_task("", total=100)
        self._bar.start()
        return self._bar

    def _end_bar(self) -> None:
        if self._bar is not None:
            self._bar.stop()
            self._bar = None
