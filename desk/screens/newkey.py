"""Make a key from what was typed: a name, and a passphrase twice that is strong enough."""

from collections.abc import Mapping
from datetime import UTC, datetime, time, timedelta

from desk.casework.errors import ProcedureError
from desk.screens.forms import Field, Kind, Typed
from desk.screens.passphrase import judge
from desk.screens.session import now
from keys.secretkey import generate_secret_key

KEY_YEARS = 2


def key_fields(typed: Mapping[str, str] | None = None) -> tuple[Field, ...]:
    """Return the fields of a new key.

    Args:
        typed: what stands in them already, when a passphrase was only judged.
    """
    typed = typed or {}
    return (
        Field(
            name="name",
            label="What stands in the key",
            hint="Public, as «Confidential counselor». No e-mail address is needed.",
            value=(typed.get("name", ""),),
        ),
        Field(
            name="passphrase",
            label="Passphrase",
            kind=Kind.PASSWORD,
            hint="At least about 50 bits by our cautious count.",
            value=(typed.get("passphrase", ""),),
        ),
        Field(name="again", label="The same once more", kind=Kind.PASSWORD),
    )


def make_key(typed: Typed) -> tuple[bytes, str]:
    """Make a key of `key_fields`.

    Returns:
        The secret key, armoured and protected, and a sentence about its passphrase.

    Raises:
        ProcedureError: something is missing, or the passphrase is weak.
    """
    passphrase, name = typed.one("passphrase"), typed.one("name").strip()
    if passphrase != typed.one("again"):
        raise ProcedureError("The two passphrases are not the same; type both again.")
    strength = judge(passphrase)
    if not strength.is_enough:
        raise ProcedureError(strength.sentence)
    if not name:
        raise ProcedureError("Write what shall stand in the key, as «Counselor».")
    midnight = datetime.combine(now().date(), time(), UTC)
    armored = generate_secret_key(
        user_id=name,
        passphrase=passphrase,
        created=midnight,
        expires=midnight + timedelta(days=365 * KEY_YEARS),
    )
    return armored, strength.sentence
