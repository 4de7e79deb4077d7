"""A key that gpg keeps: in its agent, or on a smartcard. The desk never sees the secret.

gpg has no command that opens a lock alone. It is given the lock before a body of random
octets: it takes the session key out of the lock, says it, and fails at the body, which is
nothing. What it says is believed only when it is a key for AES-256; gpg compares the
checksum before, so that a blind lock says nothing (decision 0014).

Refused: to guess. Whether a lock is not hers, or her card is not there, gpg does not always
tell apart; so in doubt a lock that is hers for certain is opened first. Nothing in the clear
is written, neither to a file nor to a command line; the PIN is between her and gpg-agent.
"""

import os
import secrets
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime

from desk.ownkey import addressed, key_ids
from keys.armor import PUBLIC_BLOCK, read_armor
from keys.certificate import read_certificate, verify_certificate
from keys.lock import AES256, SESSION_KEY_BYTES, generate_session_key, make_lock
from keys.packets import encode_packet
from keys.parts import read_parts
from keys.signature import verify_detached
from protocol.errors import FormatError, KeyMaterialError
from protocol.names import Fingerprint, SessionKey

# Options of hers are not read: one of them could write what is signed into a file or show it.
_GPG = (
    *("gpg", "--no-options", "--batch", "--no-tty", "--disable-dirmngr"),
    *("--no-auto-key-retrieve", "--no-auto-check-trustdb"),
    # What gpg logs repeats session keys; only its status is read.
    *("--logger-file", os.devnull, "--status-fd", "2"),
)
_STATUS = "[GNUPG:] "
_SEALED_DATA = 18  # RFC 9580 section 5.13
_RANDOM_BODY_BYTES = 40  # the prefix of CFB and the MDC packet fill 40: there is no content
_WRONG_CHECKSUM = 18  # GPG_ERR_WRONG_SECKEY: opened, and it was no session key
_ERROR_CODE = 0xFFFF  # the rest of the number says which part of GnuPG reports it
_PATIENCE_SECONDS = 300  # to find the card and type its PIN
_RELOAD_SECONDS = 10
_TRIAL = b"This desk may sign with this key.\n"


class GpgKey:
    """A key whose secret gpg uses for us; kept by its certificate."""

    def __init__(self, *, certificate: bytes) -> None:
        """Name the key; nothing is asked of gpg yet.

        Args:
            certificate: as it lies in the desk's folder.

        Raises:
            KeyMaterialError: not one certificate.
        """
        self._certificate = read_certificate(certificate)
        self._ids = key_ids(certificate)
        # Every request of a browser opens the vault anew, and a card takes a second for it.
        # Whoever holds the vault's key in memory has everything else that is opened here.
        self._opened: dict[bytes, SessionKey] = {}

    def __repr__(self) -> str:
        """Name the key."""
        return f"GpgKey({self.fingerprint})"

    @property
    def fingerprint(self) -> Fingerprint:
        """The fingerprint of the primary key."""
        return self._certificate.fingerprint

    @property
    def certificate(self) -> bytes:
        """The public half, armoured."""
        return self._certificate.armored.encode()

    def sign_detached(self, data: bytes, *, created: datetime) -> bytes:
        """Let gpg sign, and verify it: gpg may have found a newer subkey than the desk knows.

        Raises:
            KeyMaterialError: gpg did not sign, or not with a key of this certificate.
        """
        moment = created.astimezone(UTC)
        done = _run(
            *("--armor", "--digest-algo", "SHA512", "--no-emit-version", "--no-comments"),
            *("--faked-system-time", f"{moment:%Y%m%dT%H%M%S}!"),
            *("--local-user", self.fingerprint, "--output", "-", "--detach-sign"),
            feed=data,
        )
        if done.returncode != 0 or not done.stdout:
            raise KeyMaterialError(
                "gpg did not sign with your key; connect its card, enter the PIN when gpg asks, "
                "and check that the key has not expired."
            )
        verify_detached(
            data, done.stdout, certificate=self.certificate, pinned=self.fingerprint, now=created
        )
        return done.stdout

    def open_lock(self, locks: Sequence[bytes]) -> SessionKey | None:
        """Open one of the locks through gpg.

        Returns:
            The session key; None when none of the locks is for this key, blind ones included.

        Raises:
            KeyMaterialError: gpg cannot use the key now, so that nothing can be said.
        """
        mine = addressed(locks, self._ids)
        if not mine:
            return None
        joined = b"".join(mine)
        if joined in self._opened:
            return self._opened[joined]
        session_key, certain = _session_key(joined)
        if session_key is None and not certain:
            self._rehearse_opening()
            # The PIN may have been refused before and given just now.
            session_key, _ = _session_key(joined)
        if session_key is not None:
            self._opened[joined] = session_key
        return session_key

    def forget(self) -> None:
        """Forget what was opened, and let gpg-agent and the card forget the PIN.

        A desk that is locked would otherwise open again for whoever sits before it.
        """
        self._opened.clear()
        for program in ("gpg-agent", "scdaemon"):
            # Without gpg there is nothing to forget.
            with suppress(FileNotFoundError, subprocess.TimeoutExpired):
                subprocess.run(
                    ["gpgconf", "--reload", program],
                    capture_output=True,
                    check=False,
                    timeout=_RELOAD_SECONDS,
                )

    def rehearse(self, *, now: datetime) -> None:
        """Open and sign something once, before a desk depends on it.

        Raises:
            KeyMaterialError: gpg does not hold this secret, or the card is not there.
        """
        self._rehearse_opening()
        self.sign_detached(_TRIAL, created=now)

    def _rehearse_opening(self) -> None:
        """Open a lock that is certainly hers, made to each subkey that can be sealed to."""
        for subkey in read_parts(self.certificate).subkeys:
            if subkey.key is None:
                continue
            session_key = generate_session_key()
            with suppress(KeyMaterialError):
                # Expired or not does not matter here, so this certificate is not verified.
                trial = replace(self._certificate, encryption_key=subkey.key)
                if _session_key(make_lock(trial, session_key))[0] == session_key:
                    return
        raise KeyMaterialError(
            "gpg cannot open anything with your key now; connect its card, enter the PIN when "
            "gpg asks, and check GNUPGHOME."
        )


def find_gpg_key(fingerprint: Fingerprint, *, now: datetime) -> GpgKey:
    """Take a key from gpg by its fingerprint, and rehearse that gpg can use it.

    Args:
        fingerprint: of the primary key, complete.
        now: the certificate must be valid at this time.

    Raises:
        KeyMaterialError: gpg does not know the key, cannot use it, or it is not fit.
    """
    options = ("--armor", "--export-options", "export-minimal", "--output", "-")
    done = _run(*options, "--export", fingerprint, feed=b"")
    if done.returncode != 0 or not done.stdout:
        raise KeyMaterialError(
            "gpg has no certificate with this fingerprint; import it into gpg, or check GNUPGHOME."
        )
    key = GpgKey(
        certificate=verify_certificate(done.stdout, pinned=fingerprint, now=now).armored.encode()
    )
    key.rehearse(now=now)
    return key


def is_certificate(data: bytes) -> bool:
    """Tell whether a key file holds a certificate only: then the secret is gpg's."""
    with suppress(FormatError):
        return read_armor(data).block == PUBLIC_BLOCK
    return False


def _session_key(locks: bytes) -> tuple[SessionKey | None, bool]:
    """Ask gpg for the session key in some locks.

    Returns:
        The key or None, and whether None is certain: gpg opened every lock and found no key.
    """
    body = bytes([1]) + secrets.token_bytes(_RANDOM_BODY_BYTES)
    done = _run(
        *("--show-session-key", "--output", os.devnull, "--decrypt"),
        feed=locks + encode_packet(_SEALED_DATA, body),
    )
    # gpg fails always, at the body: its exit status says nothing.
    status = [
        line.removeprefix(_STATUS).split()
        for line in done.stderr.decode("latin-1").split("\n")
        if line.startswith(_STATUS)
    ]
    said = [words[1] for words in status if words[0] == "SESSION_KEY" and len(words) > 1]
    errors = [words[-1] for words in status if words[:2] == ["ERROR", "pkdecrypt_failed"]]
    if len(said) == 1:
        cipher, _, digits = said[0].partition(":")
        with suppress(ValueError):
            found = bytes.fromhex(digits)
            if cipher == str(AES256) and len(found) == SESSION_KEY_BYTES:
                return SessionKey(found), True
        return None, True
    codes = {int(code) & _ERROR_CODE if code.isdigit() else 0 for code in errors}
    return None, codes == {_WRONG_CHECKSUM}


def _run(*words: str, feed: bytes) -> subprocess.CompletedProcess[bytes]:
    environment = {**os.environ, "LC_ALL": "C"}
    if "GPG_TTY" not in environment and sys.stdin is not None and sys.stdin.isatty():
        # gpg reads from a pipe here, so it must be told where pinentry may ask.
        environment["GPG_TTY"] = os.ttyname(sys.stdin.fileno())
    try:
        return subprocess.run(
            [*_GPG, *words],
            input=feed,
            capture_output=True,
            env=environment,
            check=False,
            timeout=_PATIENCE_SECONDS,
        )
    except FileNotFoundError as error:
        raise KeyMaterialError("gpg is not installed on this machine; install gnupg.") from error
    except subprocess.TimeoutExpired as error:
        raise KeyMaterialError("gpg did not answer; connect the card and try again.") from error
