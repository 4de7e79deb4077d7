"""Say in time that a key ends: nothing is sealed to an expired one, and nobody is answered.

Sixty days are enough to make a successor and let its certificate reach the relay with the
next stick but one; the last week is for whoever was away.
"""

from datetime import datetime

from desk.casework.colleagues import colleagues
from desk.desk import read_desk
from desk.vault import Vault
from keys.certificate import verify_certificate
from protocol.errors import KeyMaterialError
from protocol.names import Fingerprint

WARN_DAYS = (7, 30, 60)


def expiry_warnings(vault: Vault, *, now: datetime) -> list[str]:
    """Return a sentence for her own certificate, and for each colleague's, that ends soon.

    The sentence grows with how little time is left: from 60, 30 and 7 days on.
    """
    desk = read_desk(vault)
    own = _days_left(vault.secret_key.certificate, desk.fingerprint, now)
    told = []
    if isinstance(own, str):
        told.append(f"Your certificate does not hold any more. {own}")
    elif own is not None and own <= max(WARN_DAYS) and desk.successor is None:
        told.append(f"{_how(own)}your key ends in {own} days: let a new one follow.")
    elif own is not None and own <= max(WARN_DAYS):
        told.append(f"{_how(own)}your key ends in {own} days; export, so that its successor goes.")
    for one in colleagues(vault):
        left = _days_left(one.certificate, one.fingerprint, now)
        if isinstance(left, str):
            told.append(f"The certificate of {one.name} does not hold any more. {left}")
        elif left is not None and left <= max(WARN_DAYS):
            told.append(f"{_how(left)}the key of {one.name} ends in {left} days: tell her.")
    return told


def _days_left(certificate: bytes, pinned: Fingerprint, now: datetime) -> int | str | None:
    try:
        expires = verify_certificate(certificate, pinned=pinned, now=now).expires
    except KeyMaterialError as error:
        return str(error)
    return None if expires is None else (expires - now.date()).days


def _how(left: int) -> str:
    soonest, soon, _ = WARN_DAYS
    return "At once: " if left <= soonest else "Soon: " if left <= soon else "In time: "
