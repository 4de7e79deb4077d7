"""How recipients, certificates and relays are named, checked in one place.

Names from outside end up in file names, pages and dictionaries; one strict spelling each
keeps two spellings of one person apart from nobody. PROTOCOL.md, «Vocabulary».
"""

import re

from protocol.errors import FormatError
from protocol.names import Fingerprint, RecipientName, RelayId

_RECIPIENT = re.compile(r"[a-z0-9-]{1,32}")
_FINGERPRINT = re.compile(r"(?:[0-9A-F]{40}|[0-9A-F]{64})")  # OpenPGP version 4, or 6


def read_recipient_name(text: str) -> RecipientName:
    """Return the name of a recipient.

    Raises:
        FormatError: not 1 to 32 of a–z, 0–9 and hyphen.
    """
    if not _RECIPIENT.fullmatch(text):
        raise FormatError("a recipient is named in 1 to 32 letters a to z, digits and hyphens")
    return RecipientName(text)


def read_fingerprint(text: str) -> Fingerprint:
    """Return a full OpenPGP fingerprint.

    Raises:
        FormatError: not 40 or 64 digits 0–9, A–F.
    """
    if not _FINGERPRINT.fullmatch(text):
        raise FormatError("a fingerprint is written in full, in 40 or 64 digits 0 to F")
    return Fingerprint(text)


def read_relay_id(text: str) -> RelayId:
    """Return the name of a relay, which is the fingerprint of its certificate.

    Raises:
        FormatError: not a full fingerprint.
    """
    return RelayId(read_fingerprint(text))
