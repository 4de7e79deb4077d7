"""Seal what a reporter sends, while it arrives, and commit it whole.

The order of events is the promise C3: chunks first, the envelope's row last, the
page that says «sent» only after that row is on the disk. Whatever breaks before
leaves unfinished chunks that nobody can see and that are swept.
docs/PROTOCOL.md, Envelope.
"""

import hashlib
import secrets
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from keys.certificate import Certificate
from keys.lock import generate_session_key, make_blind_lock, make_lock
from protocol.envelope import EnvelopeWriter, Report
from protocol.errors import CapacityError, KeyMaterialError
from protocol.names import EnvelopeId, RecipientName, SessionKey
from protocol.sealing import Sealer
from relay.rows import EnvelopeRow, Month
from relay.store import Store
from relay.store_contents import ContentWriter

Recipients = Sequence[tuple[RecipientName, Certificate]]
Files = Iterable[tuple[str, Iterable[bytes]]]


class SupersededError(CapacityError):
    """The same receipt is being sent again; only the newer attempt counts."""


class Attempts:
    """Which sending of a receipt is the latest one.

    Firefox sends a POST again by itself when its connection dies, while the relay may
    still wait for the rest of the first. The newer attempt takes over: the older one is
    stopped before it can be confirmed, so that the first envelope of a receipt is never
    missing behind a follow-up (decision 0008).
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._latest: dict[EnvelopeId, object] = {}

    def claim(self, report_id: EnvelopeId) -> "Attempt":
        """Begin an attempt; every earlier one for the same receipt is stopped."""
        attempt = Attempt(self, report_id)
        with self._lock:
            self._latest[report_id] = attempt
        return attempt

    def require_latest(self, attempt: "Attempt") -> None:
        """Raise `SupersededError` once a newer attempt has taken over."""
        if self._latest.get(attempt.report_id) is not attempt:
            raise SupersededError("This was sent a second time; look at the newer page.")

    @contextmanager
    def committing(self, attempt: "Attempt") -> Iterator[None]:
        """Let the latest attempt commit while no newer one can begin.

        A newer attempt that waits here finds the envelope stored, and becomes a follow-up.
        """
        with self._lock:
            self.require_latest(attempt)
            yield

    def forget(self, attempt: "Attempt") -> None:
        """End an attempt, whatever became of it."""
        with self._lock:
            if self._latest.get(attempt.report_id) is attempt:
                del self._latest[attempt.report_id]


@dataclass(frozen=True, eq=False)
class Attempt:
    """One sending under one receipt; a context manager that ends with it."""

    attempts: Attempts
    report_id: EnvelopeId

    def __enter__(self) -> "Attempt":
        return self

    def __exit__(self, *_: object) -> None:
        self.attempts.forget(self)


def make_locks(
    session_key: SessionKey, recipients: Recipients, readers: Iterable[RecipientName]
) -> bytes:
    """Make one lock for every recipient, blind for those who may not read.

    Every recipient in fixed order, so that the number and order of locks tell nothing
    about who was left out (claim C2).

    Raises:
        KeyMaterialError: no reader has a valid certificate.
    """
    permitted = set(readers)
    if not permitted & {name for name, _ in recipients}:
        raise KeyMaterialError("None of the chosen readers has a valid key; nothing was taken.")
    return b"".join(
        make_lock(certificate, session_key) if name in permitted else make_blind_lock(certificate)
        for name, certificate in recipients
    )


def seal_report(
    *,
    report: Report,
    voice: Ed25519PrivateKey,
    recipients: Recipients,
    files: Files = (),
) -> Iterator[bytes]:
    """Yield the envelope of a report while its files arrive.

    Args:
        report: what report.json will say; its `readers` get real locks.
        voice: signs the manifest.
        recipients: every active recipient, in fixed order.
        files: names and contents, consumed once and in order; never held whole.
    """
    session_key = generate_session_key()
    sealer = Sealer(
        session_key=session_key,
        locks=make_locks(session_key, recipients, report.readers),
        file_name="envelope.zip",
    )
    writer = EnvelopeWriter(report=report, voice=voice, sealer=sealer)
    yield writer.start()
    for name, content in files:
        yield writer.begin_attachment(name)
        for piece in content:
            yield writer.update(piece)
        yield writer.end_attachment()
    yield from writer.finish_in_pieces()


def store_envelope(
    store: Store,
    *,
    ciphertext: Iterable[bytes],
    report: Report,
    memo: bytes,
    expiry: Month,
    attempt: Attempt,
    replace: bool = False,
) -> None:
    """Write an envelope's chunks, then the row that makes it exist.

    Args:
        ciphertext: from `seal_report`; consumed to the end before anything is visible.
        attempt: stops this writing when the same receipt is sent again meanwhile.
        replace: put the envelope in the place of an uncollected one of the same id.

    Raises:
        StorageError: the disk refused; nothing is visible.
        CapacityError: a newer attempt has taken over, or a limit was reached.
    """
    writer = ContentWriter(store=store)
    try:
        for piece in ciphertext:
            attempt.attempts.require_latest(attempt)
            writer.write(piece)
        stored = writer.finish()
        row = EnvelopeRow(
            id=report.envelope,
            memo=memo,
            token_hash=hashlib.sha256(report.read_token).digest(),
            content=stored.content,
            size_bytes=stored.size_bytes,
            sha256=stored.sha256,
            crc32=stored.crc32,
            expiry=expiry,
        )
        # A cut that is being made up must not name what is replaced meanwhile.
        with store.cutting if replace else nullcontext(), attempt.attempts.committing(attempt):
            if replace:
                store.replace_content(report.envelope, row)
            else:
                store.commit_envelope(row)
    except BaseException:
        writer.discard()
        raise


def new_envelope_id() -> EnvelopeId:
    """Draw the id of an envelope that no receipt names: follow-ups and cover."""
    return EnvelopeId(secrets.token_bytes(16))
