"""How long the counselor's own key holds, and when to say that it ends."""

from datetime import date

from desk.screens.session import now, today
from desk.vault import Vault
from keys.certificate import verify_certificate
from protocol.errors import KeyMaterialError

WARN_DAYS = 60  # the operator needs a dispatch and a bundle, each by a courier


def key_expires(vault: Vault) -> date | None:
    """Return the last day of the counselor's key; None if it has none.

    Raises:
        KeyMaterialError: it cannot be used any more.
    """
    key = vault.secret_key
    return verify_certificate(key.certificate, pinned=key.fingerprint, now=now()).expires


def key_warning(vault: Vault) -> str:
    """Say that the key ends, or has ended; "" while there is time."""
    try:
        expires = key_expires(vault)
    except KeyMaterialError as error:
        return (
            f"Your own key cannot be used any more, and nothing can be exported: {error} "
            "What is here stays readable."
        )
    left = (expires - today()).days if expires else WARN_DAYS + 1
    if left > WARN_DAYS:
        return ""
    return f"Your key expires in {left} days. Make a new one with the operator in time."
