"""What the posted forms of the reporter's site have in common.

Every form can come back: a problem names its field and says in one sentence what to do.
"""

from dataclasses import dataclass
from urllib.parse import parse_qs

from flask import g, request

from protocol.derivation import ReporterKeys, derive_reporter_keys, receipt_root
from protocol.errors import CapacityError, FormatError, KeyMaterialError
from protocol.names import Receipt, ReceiptRoot, RecipientName
from relay.circuit import circuit_of
from relay.gate import Purpose
from relay.intake import Form, FormLimits, read_form
from relay.languages import _
from relay.multipart import Body
from relay.parts import parts
from relay.refusals import BusyError, ProblemError
from relay.rendering import policy

SMALL_FORM_BYTES = 64 * 1024  # FACTS: large urlencoded bodies cost memory out of proportion
SMALL_FORM = "application/x-www-form-urlencoded"


@dataclass(frozen=True, kw_only=True)
class Person:
    """Someone who may be ticked as a reader, as the page names her."""

    name: RecipientName
    title: str
    about: str = ""


def read_posted() -> Form:
    """Read the form of this request as a stream; small forms without files may be urlencoded.

    Raises:
        FormatError: not a form of ours.
        CapacityError: the text alone is too large.
    """
    settings = parts().settings
    limits = FormLimits(
        # In any script, and so much more that what is too long comes back; but a page that
        # brings back a mebibyte holds six while somebody takes it slowly.
        text_bytes=4 * settings.text_chars + SMALL_FORM_BYTES,
        files=settings.attachments_count,
        files_bytes=settings.attachments_bytes,
    )
    if request.mimetype == SMALL_FORM:
        form = Form(fields=_read_small(), files=iter(()), body=Body(request.stream, 0))
    else:
        form = read_form(request.stream, request.content_type, request.content_length, limits)
    g.kept = form.get("text")
    return form


def _read_small() -> dict[str, tuple[str, ...]]:
    if request.content_length is None or request.content_length > SMALL_FORM_BYTES:
        raise FormatError("This form is too large to be sent this way.")
    body = request.stream.read(request.content_length)
    if len(body) != request.content_length:
        raise FormatError("This form broke off.")
    try:
        fields = parse_qs(
            body.decode("ascii"), keep_blank_values=True, max_num_fields=200, errors="strict"
        )
    except ValueError:
        raise FormatError("This form must be sent as UTF-8.") from None
    return {name: tuple(values) for name, values in fields.items()}


def require_text(text: str, field: str = "text") -> None:
    """Refuse a text that is longer than the page says.

    Args:
        text: what was typed.
        field: where, so that the sentence stands there.

    Raises:
        ProblemError: with the page's sentence.
    """
    most = parts().settings.text_chars
    if len(text) > most:
        sentence = _(
            "This is %(length)s characters long; %(most)s fit. Put the rest in a file.",
            length=len(text),
            most=most,
        )
        raise ProblemError(413, {field: sentence})


def root_of(receipt: Receipt, purpose: Purpose) -> ReceiptRoot:
    """Run Argon2 behind the gate, which bounds memory and keeps room for sending.

    Raises:
        BusyError: too many people wait.
    """
    count_attempt()
    try:
        with parts().gate.admit(purpose, circuit=circuit_of(request.environ)):
            return receipt_root(receipt, parts().salt)
    except CapacityError:
        raise BusyError("Many people are here; try again in a minute.") from None


def count_attempt() -> None:
    """Count words tried, or a letter under a token: each costs the relay more than the sender.

    Raises:
        BusyError: too many came through this circuit.
    """
    try:
        parts().circuits.derivation(circuit_of(request.environ))
    except CapacityError:
        raise BusyError("Too many at once; try again in a minute.") from None


def keys_of(receipt: Receipt, purpose: Purpose) -> ReporterKeys:
    """Derive a reporter's keys from the words."""
    return derive_reporter_keys(root_of(receipt, purpose))


def active_names() -> tuple[RecipientName, ...]:
    """Return who has a valid key today, in fixed order; nobody where the site is closed."""
    try:
        return tuple(name for name, _ in parts().roster.valid(parts().clock()))
    except KeyMaterialError:
        return ()


def require_open() -> None:
    """Refuse to take a report that nobody could read.

    Raises:
        KeyMaterialError: no recipient has a valid key.
    """
    parts().roster.valid(parts().clock())


def persons(names: tuple[RecipientName, ...]) -> list[Person]:
    """Return the people of these names as the policy describes them, else by name."""
    known = policy().recipients
    return [
        Person(name=name, title=known[name].title, about=known[name].about)
        if name in known
        else Person(name=name, title=name)
        for name in names
    ]
