"""Take an upload: tell its progress, and its refusal, to the frame that watches.

Shared by the report form and the mailbox's message form, the two that carry files.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from flask import Blueprint, Response, g, request

from protocol.errors import CapacityError, SottoError
from relay.circuit import circuit_of
from relay.headers import PageKind, present
from relay.intake import FilePart, Form, drain
from relay.parts import parts
from relay.progress import Phase
from relay.refusals import ProblemError, explain, limit_reached
from relay.rendering import page, track_of

blueprint = Blueprint("upload", __name__, url_prefix="/<lang>")

WATCHED_SECONDS = 2  # while it arrives
IDLE_SECONDS = 4  # before anything was sent
OVERSHOOT_BYTES = 8 * 1024 * 1024  # taken and forgotten, so that the answer is seen


@blueprint.get("/progress/<form_id>")
def show_progress(form_id: str) -> Response:
    """Tell how far a form has come; refreshes itself, for it may be sent once more."""
    present(PageKind.REPLY, framed=True)
    state = parts().progress.look(form_id)
    seconds = WATCHED_SECONDS if state.phase is Phase.RECEIVING else IDLE_SECONDS
    asked = request.args.get("track")
    track = track_of(asked) if asked else None
    form_url = f"/{g.lang}/report?track={track.id}" if track and "same" in request.args else ""
    return page("progress", state=state, seconds=seconds, track=track, form_url=form_url)


@contextmanager
def watched(form: Form) -> Iterator[Iterator[FilePart]]:
    """Hand out the files of a form while the frame tells how far they have come.

    Raises:
        ProblemError: the form has to come back; the frame tells why, and what is left of
            a small body is taken so that the page is seen too.
        SottoError: what no form can mend; the frame tells that as well.
    """
    form_id = form.get("form")
    progress = parts().progress
    progress.begin(form_id, request.content_length or 0)
    try:
        with parts().circuits.body(circuit_of(request.environ)):
            yield (
                FilePart(part.name, progress.count(form_id, part.chunks)) for part in form.files()
            )
    except ProblemError as problem:
        _refuse(form_id, problem.problems)
        raise
    except CapacityError as error:
        problems = limit_reached(error)
        _refuse(form_id, problems)
        raise ProblemError(413, problems) from None
    except SottoError as error:
        _refuse(form_id, {"form": explain(error).sentence})
        raise
    progress.finish(form_id)


def _refuse(form_id: str, problems: Mapping[str, str]) -> None:
    parts().progress.refuse(form_id, problems)
    drain(request.stream, OVERSHOOT_BYTES)
