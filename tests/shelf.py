"""Rows for the tests of the store: ciphertext is random here, its meaning does not matter."""

import hashlib
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from protocol.limits import MEMO_BYTES, SLOT_BYTES
from protocol.names import EnvelopeId, Fingerprint, MailboxId, RecipientName
from relay.rows import EnvelopeRow, Month, month_of
from relay.store import DispatchRows, Store
from relay.store_contents import ContentWriter

TODAY = date(2026, 11, 20)
THIS_MONTH = month_of(TODAY)
EXPIRY_MONTHS = 24
ANNA, BEN, CARA = RecipientName("anna"), RecipientName("ben"), RecipientName("cara")


@dataclass(frozen=True)
class Put:
    """An envelope that was committed, with what only a test may know."""

    id: EnvelopeId
    token: bytes
    memo: bytes
    ciphertext: bytes

    @property
    def proof(self) -> tuple[EnvelopeId, bytes]:
        return self.id, hashlib.sha256(self.token).digest()

    @property
    def noise(self) -> tuple[EnvelopeId, bytes]:
        """What a counselor sends who could not open it."""
        return self.id, hashlib.sha256(secrets.token_bytes(32)).digest()


def row_for(writer: ContentWriter, put: Put, expiry: int) -> EnvelopeRow:
    writer.write(put.ciphertext)
    stored = writer.finish()
    return EnvelopeRow(
        id=put.id,
        memo=put.memo,
        token_hash=put.proof[1],
        content=stored.content,
        size_bytes=stored.size_bytes,
        sha256=stored.sha256,
        crc32=stored.crc32,
        expiry=Month(expiry),
    )


def new_put(size_bytes: int = 16_384, envelope_id: bytes | None = None) -> Put:
    return Put(
        EnvelopeId(envelope_id or secrets.token_bytes(16)),
        secrets.token_bytes(32),
        secrets.token_bytes(MEMO_BYTES),
        secrets.token_bytes(size_bytes),
    )


def put_envelope(
    store: Store,
    size_bytes: int = 16_384,
    *,
    envelope_id: bytes | None = None,
    month: int = THIS_MONTH,
) -> Put:
    """Commit an envelope of random bytes, as if it had come in a month."""
    put = new_put(size_bytes, envelope_id)
    store.commit_envelope(row_for(ContentWriter(store=store), put, month + EXPIRY_MONTHS))
    return put


def add_people(store: Store, *names: RecipientName) -> None:
    for name in names:
        fingerprint = Fingerprint(hashlib.sha256(name.encode()).hexdigest()[:40].upper())
        store.add_recipient(name, f"certificate of {name}".encode(), fingerprint)


def new_page() -> bytes:
    return secrets.token_bytes(SLOT_BYTES)


def dispatch(
    store: Store,
    name: RecipientName,
    serial: int,
    *,
    slots: Iterable[tuple[MailboxId, bytes]] = (),
    acknowledgements: Iterable[tuple[EnvelopeId, bytes]] = (),
    month: int = THIS_MONTH,
) -> None:
    store.apply_dispatch(
        DispatchRows(
            recipient=name,
            serial=serial,
            slots=sorted(slots),
            acknowledgements=acknowledgements,
            month=Month(month),
            empty=new_page,
        )
    )


def new_mailbox() -> MailboxId:
    return MailboxId(secrets.token_bytes(16))


def read_whole(store: Store, envelope_id: EnvelopeId) -> bytes:
    held = store.find_held(envelope_id)
    assert held is not None
    return b"".join(store.read_content(envelope_id, 0, held.size_bytes))
