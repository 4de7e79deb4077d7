"""The errors of the whole project, grouped by what the caller does about them.

Everything that is raised on purpose descends from `SottoError`; anything else
that escapes is a bug. A message is one sentence, says what to do, and never
repeats what a person typed: messages reach logs and screens.
"""


class SottoError(Exception):
    """The base of every error that this project raises on purpose."""


class FormatError(SottoError):
    """Bytes from outside break docs/PROTOCOL.md; discard them, never repair them."""


class AuthenticityError(SottoError):
    """Well-formed, but the wrong signer, recipient, order or a replay; refuse loudly."""


class UnknownReceiptError(SottoError):
    """No mailbox opens with these words: wrong, expired and purged look the same.

    Attributes:
        positions: which words could not be read, counted from 1; empty when that is not known.
    """

    def __init__(self, message: str, *, positions: tuple[int, ...] = ()) -> None:
        """Say which words to look at again, by their place and never by what was typed."""
        super().__init__(message)
        self.positions = positions


class CapacityError(SottoError):
    """A limit is reached; say what can be done now and keep what was typed."""


class StorageError(SottoError):
    """The disk broke its promise; nothing was accepted."""


class KeyMaterialError(SottoError):
    """A key is missing, expired, revoked, forged, weak, or secret where public belongs."""


class OnionError(SottoError):
    """Tor cannot be reached or serves the wrong address; stay down."""
