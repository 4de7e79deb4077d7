"""Import a bundle, and say meanwhile how far it is.

The import runs beside the pages. The page that tells of it asks again by itself, every
second, as long as it runs; no script is needed. Whoever locks the desk stops it: what was
filed stays, and importing the bundle again goes on from there.
"""

import os
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from threading import Event, Thread

from flask import Blueprint, g, redirect, render_template, url_for
from werkzeug.wrappers import Response

from desk.casework.following import Followed, after_import
from desk.casework.triage import triage
from desk.filing import Arrival
from desk.importing import ImportReport, import_bundle
from desk.screens.delivery import FILE_FIELDS, chosen_handle
from desk.screens.forms import Answer, Form, Task, Typed, perform, show
from desk.screens.session import session, today, vault
from desk.vault import Vault
from protocol.errors import SottoError, StorageError

PATIENCE_SECONDS = 1.0  # a small bundle is done by then, and no other page comes between

pages = Blueprint("importing", __name__, url_prefix="/import")


class Import:
    """One import beside the pages.

    Attributes:
        typed: the place on the stick that was typed, if any.
        done, total: octets of envelopes looked at, and of all.
        report, followed: what it brought, once it ended well.
        failure: why it did not.
    """

    def __init__(
        self,
        path: Path,
        *,
        typed: str,
        opened_vault: Callable[[], AbstractContextManager[Vault]],
        clock: Callable[[], datetime],
        ended: Callable[[], None],
    ) -> None:
        """Start.

        Args:
            path: of the bundle; it must stay until the end.
            typed: what is shown again with a refusal.
            opened_vault: holds the desk open in the import's own thread.
            clock: time of this machine, UTC.
            ended: is called at the end, however it comes.
        """
        self.path, self.typed = path, typed
        self.done = self.total = 0
        self.report: ImportReport | None = None
        self.followed: Followed | None = None
        self.failure: Exception | None = None
        self._opened_vault, self._clock, self._ended = opened_vault, clock, ended
        self._stopped = Event()
        self._thread = Thread(target=self._run, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Let it end before the next envelope."""
        self._stopped.set()

    def is_running_after(self, seconds: float) -> bool:
        """Wait for the end, at most so long; tell whether it still runs."""
        self._thread.join(seconds)
        return self._thread.is_alive()

    def _run(self) -> None:
        try:
            with self._opened_vault() as opened:
                self.report = import_bundle(
                    opened, self.path, now=self._clock(), progress=self._tell
                )
                self.followed = after_import(opened, self.path, now=self._clock())
        except Exception as failure:  # the page that asks raises it
            self.failure = failure
        finally:
            self._ended()

    def _tell(self, done: int, total: int) -> None:
        if self._stopped.is_set():
            raise StorageError("The import was stopped; import the bundle again to go on.")
        self.done, self.total = done, total


@pages.route("", methods=["GET", "POST"])
def choose() -> Answer:
    """Import a bundle that lies on the stick, or that the browser hands over."""
    running = session().importing
    if running is not None and running.is_running_after(0):
        return redirect(url_for("importing.progress"), code=303)
    return perform(Task(form=_form(), do=_start))


@pages.get("/progress")
def progress() -> Answer:
    """Say how far the import is, and at its end what it brought."""
    running = session().importing
    if running is None:
        return redirect(url_for("importing.choose"), code=303)
    if running.is_running_after(PATIENCE_SECONDS):
        g.refresh = f"1; url={url_for('importing.progress')}"
        return render_template("desk/importing.html", running=running)
    if isinstance(running.failure, SottoError):
        session().importing = None
        return show(_form(running.typed), problem=str(running.failure)), 400
    if running.failure is not None:
        raise running.failure
    return render_template(
        "desk/imported.html",
        report=running.report,
        followed=running.followed,
        arrivals=_by_urgency(running.report.arrivals if running.report else ()),
    )


@dataclass(frozen=True, kw_only=True)
class Brought:
    """A letter that came, and why it should be read first, if it should."""

    arrival: Arrival
    urgent: str


def _by_urgency(arrivals: Sequence[Arrival]) -> list[Brought]:
    """Put what speaks of danger first, as the inbox does."""
    order = {one.case.name: (n, one) for n, one in enumerate(triage(vault(), today=today()))}
    found = [(*order.get(one.case, (len(order), None)), one) for one in arrivals]
    return [
        Brought(arrival=one, urgent=line.reasons[0] if line and line.file.danger else "")
        for _, line, one in sorted(found, key=lambda each: each[0])
    ]


def _form(typed: str = "") -> Form:
    choose_file, place = FILE_FIELDS
    return Form(
        title="Import a bundle",
        lead=("The relay's signature is verified before anything is opened.",),
        fields=(choose_file, replace(place, value=(typed,))),
        button="Import",
        back=url_for("inbox.inbox"),
    )


def _start(typed: Typed) -> Response:
    kept = session()
    handle = chosen_handle(typed)
    # By its handle: what the browser handed over has no name any more when the request ends.
    path = Path(f"/proc/self/fd/{handle}")
    kept.importing = Import(
        path,
        typed=typed.one("path"),
        opened_vault=kept.opened_vault,
        clock=kept.clock,
        ended=lambda: os.close(handle),
    )
    return redirect(url_for("importing.progress"), code=303)
