"""Seal what a reporter sends, while it arrives, and commit it whole.

The order of events is the promise C3: chunks first, the envelope's row last, the
page that says «sent» only after that row is on the disk. Whatever breaks before
leaves unfinished chunks that nobody can see and that are swept.
docs/PROTOCOL.md, Envelope.
"""

import hashlib
import secrets
import threading
import zlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from keys.certificate import Certificate
from keys.lock import generate_session_key, make_blind_lock, make_lock
from protocol.envelope import EnvelopeWriter, Report
from protocol.errors import CapacityError, KeyMaterialError
from protocol.limits import CHUNK_ROW_BYTES
from protocol.names import EnvelopeId, RecipientName
from protocol.sealing import Sealer
from relay.store import ContentId, EnvelopeRow, Month, Store

Recipients = Sequence[tuple[RecipientName, Certificate]]
Files = Iterable[tuple[str, Iterable[bytes]]]


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
        """Raise `CapacityError` once a newer attempt has taken over."""
        if self._latest.get(attempt.report_id) is not attempt:
            raise CapacityError("This was sent a second time; look at the newer page.")

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
    session_key: bytes, recipients: Recipients, readers: Iterable[RecipientName]
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


class ContentWriter:
    """Cut a stream of ciphertext into rows of the store, counting and hashing it."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.content: ContentId = store.begin_content()
        self._pending = bytearray()
        self._number = 0
        self._sha256 = hashlib.sha256()
        self._crc32 = 0
        self._size = 0

    def write(self, ciphertext: bytes) -> None:
        self._sha256.update(ciphertext)
        self._crc32 = zlib.crc32(ciphertext, self._crc32)
        self._size += len(ciphertext)
        self._pending += ciphertext
        while len(self._pending) >= CHUNK_ROW_BYTES:
            self._add(bytes(self._pending[:CHUNK_ROW_BYTES]))
            del self._pending[:CHUNK_ROW_BYTES]

    def _add(self, chunk: bytes) -> None:
        self._store.add_chunk(self.content, self._number, chunk)
        self._number += 1

    def row(self, *, report: Report, memo: bytes, expiry: Month) -> EnvelopeRow:
        """Store what is pending and describe the whole as the row that makes it visible."""
        if self._pending:
            self._add(bytes(self._pending))
            self._pending.clear()
        return EnvelopeRow(
            id=report.envelope,
            memo=memo,
            token_hash=hashlib.sha256(report.read_token).digest(),
            content=self.content,
            size_bytes=self._size,
            sha256=self._sha256.digest(),
            crc32=self._crc32,
            expiry=expiry,
        )

    def discard(self) -> None:
        self._store.discard_content(self.content)


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
    yield writer.finish()


def store_envelope(  # what the page may call «sent» once this returns
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
    content = ContentWriter(store)
    try:
        for piece in ciphertext:
            attempt.attempts.require_latest(attempt)
            content.write(piece)
        row = content.row(report=report, memo=memo, expiry=expiry)
        with attempt.attempts.committing(attempt):
            if replace:
                store.replace_content(row)
            else:
                store.commit_envelope(row)
    except BaseException:
        content.discard()
        raise


def month_of(day: date) -> Month:
    """Count months since year 0, the finest time that the relay's disk knows."""
    return Month(day.year * 12 + day.month - 1)


def new_envelope_id() -> EnvelopeId:
    """Draw the id of an envelope that no receipt names: follow-ups and cover."""
    return EnvelopeId(secrets.token_bytes(16))
