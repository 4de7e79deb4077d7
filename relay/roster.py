"""Who may be sealed to at this moment: certificates checked again while the relay runs.

A key that expires or a revocation that arrives must close the door by itself.
Verifying takes a few milliseconds for each certificate, so the answer is kept
for an hour, or until a recipient changes, whichever comes first.
"""

import threading
from dataclasses import dataclass
from datetime import UTC, datetime

from keys.certificate import Certificate, verify_certificate
from protocol.errors import KeyMaterialError
from protocol.names import RecipientName
from relay.store import Store


@dataclass(frozen=True)
class _Checked:
    """What was found for one hour and one revision of the roster."""

    stamp: tuple[int, str]
    valid: tuple[tuple[RecipientName, Certificate], ...]
    refused: tuple[tuple[RecipientName, str], ...]


class Roster:
    """The recipients of one relay with certificates that hold today."""

    def __init__(self, *, store: Store) -> None:
        """Read from this store; nothing is verified yet."""
        self._store = store
        self._lock = threading.Lock()
        self._checked: _Checked | None = None

    def valid(self, now: datetime) -> tuple[tuple[RecipientName, Certificate], ...]:
        """Return who may be sealed to, in the fixed order of locks.

        Args:
            now: with a time zone.

        Raises:
            KeyMaterialError: nobody is left; the site has to say that it is closed.
            StorageError: the store cannot be read.
        """
        valid = self._check(now).valid
        if not valid:
            raise KeyMaterialError("No recipient has a valid key; add or renew a certificate.")
        return valid

    def refused(self, now: datetime) -> tuple[tuple[RecipientName, str], ...]:
        """Return active recipients who are left out today, each with the reason."""
        return self._check(now).refused

    def _check(self, now: datetime) -> _Checked:
        stamp = (self._store.roster_revision(), now.astimezone(UTC).strftime("%Y-%m-%d %H"))
        with self._lock:
            if self._checked is None or self._checked.stamp != stamp:
                self._checked = self._verify_all(stamp, now)
            return self._checked

    def _verify_all(self, stamp: tuple[int, str], now: datetime) -> _Checked:
        valid, refused = [], []
        for one in self._store.recipients():
            try:
                verified = verify_certificate(one.certificate, pinned=one.fingerprint, now=now)
                valid.append((one.name, verified))
            except KeyMaterialError as error:
                refused.append((one.name, str(error)))
        return _Checked(stamp, tuple(valid), tuple(refused))


def valid_recipients(store: Store, now: datetime) -> tuple[tuple[RecipientName, Certificate], ...]:
    """Verify the recipients once, for a command that does not keep running."""
    return Roster(store=store).valid(now)
