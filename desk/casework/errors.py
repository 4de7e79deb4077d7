"""The one error of casework that is nobody's fault: the procedure says no."""

from protocol.errors import SottoError


class ProcedureError(SottoError):
    """A rule of the procedure forbids this, or something that it asks for is missing.

    The caller shows the sentence beside what was asked for; nothing was changed.
    """
