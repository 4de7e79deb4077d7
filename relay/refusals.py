"""Say in the reader's language why something was not done, and what to do now."""

from collections.abc import Mapping
from dataclasses import dataclass

from protocol.errors import (
    CapacityError,
    FormatError,
    KeyMaterialError,
    SottoError,
    StorageError,
    UnknownReceiptError,
)
from relay.budget import NoRoomError
from relay.languages import _
from relay.parts import parts
from relay.rendering import size_words
from relay.store_envelopes import CollectedError
from relay.submission import SupersededError


class BusyError(CapacityError):
    """Too many people wait for the gate."""


class ProblemError(Exception):
    """The form has to come back: sentences by the field that they belong to."""

    def __init__(self, status: int, problems: Mapping[str, str]) -> None:
        super().__init__(status)
        self.status = status
        self.problems = dict(problems)


@dataclass(frozen=True, kw_only=True)
class Refusal:
    """A page's worth of explanation."""

    heading: str
    sentence: str
    status: int


def limit_reached(error: CapacityError) -> dict[str, str]:
    """Say which limit was reached, beside the field that it belongs to."""
    if isinstance(error, BusyError):
        return {"text": _("Many people are here right now. Wait a minute, then send again.")}
    if isinstance(error, SupersededError):
        return {"text": _("This was sent a second time meanwhile. Look at the newer page.")}
    if isinstance(error, CollectedError):
        return {"closing-close": _("It has been collected already and cannot be taken back.")}
    if isinstance(error, NoRoomError):
        room = _("There is no room for files today. Send the words alone, and the files later.")
        return {"attachments": room}
    most = size_words(parts().settings.attachments_bytes)
    return {"attachments": _("The files are too large or too many: %(most)s fit.", most=most)}


def explain(error: SottoError) -> Refusal:
    """Say what happened, for a page of its own.

    Raises:
        SottoError: the error itself, where no sentence of ours is true: a bug.
    """
    if isinstance(error, KeyMaterialError):
        sentence = _(
            "Nobody can read new reports at the moment, so none are taken. "
            "Come back later, or use another way."
        )
        return Refusal(heading=_("Closed for now"), sentence=sentence, status=503)
    if isinstance(error, StorageError):
        sentence = _(
            "This server could not store it. Nothing was accepted. "
            "Keep your text and try again later."
        )
        return Refusal(heading=_("Not sent"), sentence=sentence, status=503)
    if isinstance(error, CapacityError):
        sentence = _("It was too large, or too many people are here. Nothing was accepted.")
        return Refusal(heading=_("Not sent"), sentence=sentence, status=413)
    if isinstance(error, UnknownReceiptError):
        sentence = _("Enter your nine words once more.")
        return Refusal(heading=_("No mailbox opens"), sentence=sentence, status=404)
    if isinstance(error, FormatError):
        sentence = _("What arrived was not complete. Go back and send it again.")
        return Refusal(heading=_("Not sent"), sentence=sentence, status=400)
    raise error
