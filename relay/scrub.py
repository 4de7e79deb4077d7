"""Logs that cannot hold what a person sent.

Frameworks put request addresses and exception texts into their messages, and those texts
quote what was posted. Here a record keeps its fixed words, numbers, the class of an error
and the places in the code; texts filled into it are left out, and of the time only the
day. An error of this project keeps its sentence, which by its own law repeats nothing
that was typed (`protocol.errors`). Claim C1 of docs/THREAT_MODEL.md.
"""

import logging
import sys
import threading
import traceback
from datetime import UTC, datetime
from types import TracebackType

from protocol.errors import SottoError

_FRAMES = 8  # of a traceback, the innermost; enough to find the line


class ScrubbingFormatter(logging.Formatter):
    """Formats a record without the texts that were filled into it."""

    def format(self, record: logging.LogRecord) -> str:
        day = datetime.fromtimestamp(record.created, UTC).date().isoformat()
        line = f"{day} {record.levelname} {record.name}: {_fixed_words(record)}"
        error = record.exc_info[1] if record.exc_info else None
        return line if error is None else f"{line} {describe(error)}"


def _fixed_words(record: logging.LogRecord) -> str:
    if isinstance(record.msg, BaseException):
        return describe(record.msg)
    args = record.args
    if not isinstance(record.msg, str):
        return type(record.msg).__name__
    if not args:
        return record.msg
    if not isinstance(args, tuple):
        return record.msg  # filled by name: left as it stands
    try:
        return record.msg % tuple(arg if isinstance(arg, int | float) else "…" for arg in args)
    except (TypeError, ValueError):
        return record.msg


def describe(error: BaseException) -> str:
    """Describe an error by its class and the places it came through, not by its text."""
    words = f"{type(error).__module__}.{type(error).__qualname__}"
    if isinstance(error, SottoError):
        words += f" ({error})"
    frames = traceback.extract_tb(error.__traceback__)[-_FRAMES:]
    places = " < ".join(
        f"{frame.filename.rpartition('/')[2]}:{frame.lineno} {frame.name}"
        for frame in reversed(frames)
    )
    cause = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    return f"{words} at {places or '?'}" + (f" from {describe(cause)}" if cause else "")


def scrub_everything() -> None:
    """Route every log, warning and stray traceback of this process through the formatter."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(ScrubbingFormatter())
    logging.root.handlers[:] = [handler]
    logging.root.setLevel(logging.WARNING)
    logging.captureWarnings(capture=True)
    stray = logging.getLogger("relay.stray")

    def on_error(
        kind: type[BaseException], error: BaseException, trace: TracebackType | None
    ) -> None:
        stray.error("An error escaped.", exc_info=(kind, error, trace))

    def on_thread_error(args: threading.ExceptHookArgs) -> None:
        stray.error("An error escaped from a thread: %s", describe(args.exc_value or SystemExit()))

    def on_unraisable(args: "sys.UnraisableHookArgs") -> None:
        stray.error("An error could not be raised.", exc_info=args.exc_value)

    sys.excepthook = on_error
    threading.excepthook = on_thread_error
    sys.unraisablehook = on_unraisable
