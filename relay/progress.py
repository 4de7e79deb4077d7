"""How far an upload has come, told without JavaScript.

The form posts into a hidden frame, and a second frame that refreshes itself asks here. A
browser shows the answer to an upload only after it has handed over all of it; what is
refused earlier would never be seen, and chosen files would be lost with the page. All of
this lives in memory, under a random id of the form that opens nothing (decision 0009).
"""

import secrets
import threading
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

FORMS = 10_000  # forms remembered; about a hundred bytes each
ID_CHARS = 32


class Phase(StrEnum):
    """What became of a form."""

    OPEN = "open"
    RECEIVING = "receiving"
    REFUSED = "refused"
    SENT = "sent"


@dataclass(frozen=True, kw_only=True)
class State:
    """What the frame tells.

    Args:
        received_bytes: of the files, so far.
        total_bytes: of the whole form, as announced.
        problems: sentences for the reader, in the language of the form.
    """

    phase: Phase = Phase.OPEN
    received_bytes: int = 0
    total_bytes: int = 0
    problems: Mapping[str, str] = field(default_factory=dict)

    @property
    def percent(self) -> int:
        """How much has arrived, 0 to 99: the rest is known only when it is stored."""
        return min(99, 100 * self.received_bytes // max(1, self.total_bytes))


class Progress:
    """The states of all forms that are being sent, or were a while ago."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._states: OrderedDict[str, State] = OrderedDict()

    def look(self, form_id: str) -> State:
        """Return the state of a form; one that is not known was not sent yet."""
        with self._lock:
            return self._states.get(form_id, State())

    def begin(self, form_id: str, total_bytes: int) -> None:
        """Note that a form begins to arrive, for the first time or again."""
        self._set(form_id, State(phase=Phase.RECEIVING, total_bytes=total_bytes))

    def refuse(self, form_id: str, problems: Mapping[str, str]) -> None:
        """Note why a form was not taken; nothing of it was stored."""
        self._set(form_id, State(phase=Phase.REFUSED, problems=dict(problems)))

    def finish(self, form_id: str) -> None:
        """Note that it lies in the store."""
        self._set(form_id, State(phase=Phase.SENT))

    def count(self, form_id: str, chunks: Iterator[bytes]) -> Iterator[bytes]:
        """Pass a file on and count what has arrived."""
        for chunk in chunks:
            with self._lock:
                state = self._states.get(form_id)
                if state is not None:
                    received = state.received_bytes + len(chunk)
                    self._states[form_id] = replace(state, received_bytes=received)
            yield chunk

    def _set(self, form_id: str, state: State) -> None:
        if len(form_id) != ID_CHARS:
            return  # a form without frames, or not of ours: nobody will ask
        with self._lock:
            self._states[form_id] = state
            self._states.move_to_end(form_id)
            while len(self._states) > FORMS:
                self._states.popitem(last=False)


def new_form_id() -> str:
    """Draw the id of a form."""
    return secrets.token_hex(ID_CHARS // 2)
