"""A counselor with a real key, who can read a bundle and make dispatches, honest or not."""

import hashlib
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import cache

from keys.certificate import Certificate, verify_certificate
from keys.lock import generate_session_key, make_lock
from keys.secretkey import SecretKey, generate_secret_key, read_secret_key
from protocol.archive import ArchiveReader
from protocol.derivation import generate_throwaway_keys
from protocol.dispatch import Acknowledgement, DispatchHead, Notice, SlotDigest, encode_dispatch
from protocol.envelope import Envelope, Kind, Report, read_envelope
from protocol.memo import random_memo
from protocol.names import EnvelopeId, MailboxId, ReadToken, RecipientName, RelayId
from protocol.sealing import Sealer
from protocol.unsealing import read_sealed
from relay.rows import EnvelopeRow, Month, month_of
from relay.store import Store
from relay.store_contents import ContentWriter
from relay.submission import seal_report

MADE = datetime(2026, 1, 1, tzinfo=UTC)
NOW = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
TODAY = NOW.date()


@cache
def new_key(name: str, expires: datetime | None = None, number: int = 0) -> SecretKey:
    """A key for tests, made once in a run: `number` tells several of one name apart."""
    armored = generate_secret_key(
        user_id=f"{name} {number}", passphrase=None, created=MADE, expires=expires
    )
    return read_secret_key(armored, None)


@dataclass(frozen=True)
class Counselor:
    """A recipient and her own key."""

    name: RecipientName
    key: SecretKey

    @staticmethod
    def make(name: str, expires: datetime | None = None) -> "Counselor":
        return Counselor(RecipientName(name), new_key(name, expires))

    @property
    def certificate(self) -> Certificate:
        pinned = self.key.fingerprint
        return verify_certificate(self.key.certificate, pinned=pinned, now=MADE)

    def join(self, store: Store) -> "Counselor":
        store.add_recipient(self.name, self.key.certificate, self.key.fingerprint)
        return self

    def open(self, ciphertext: bytes, envelope: EnvelopeId, relay: RelayId) -> Envelope | None:
        """Read an envelope as a desk does; None when its lock is blind."""
        message = read_sealed(lambda: [ciphertext])
        session_key = self.key.open_lock(message.locks)
        if session_key is None:
            return None
        plain = b"".join(message.unseal(session_key))
        archive = ArchiveReader(lambda at, length: plain[at : at + length], len(plain))
        return read_envelope(archive, expected=envelope, relay=relay)

    def dispatch_head(
        self,
        relay: RelayId,
        serial: int,
        *,
        slots: Iterable[tuple[MailboxId, bytes]] = (),
        tokens: Iterable[tuple[EnvelopeId, bytes]] = (),
        day: date = TODAY,
        notices: tuple[Notice, ...] = (),
        successor: bytes | None = None,
    ) -> DispatchHead:
        return DispatchHead(
            relay=relay,
            counselor=self.name,
            serial=serial,
            day=day,
            acknowledgements=tuple(Acknowledgement(envelope=e, token=t) for e, t in tokens),
            slots=tuple(SlotDigest(m, hashlib.sha256(page).digest()) for m, page in slots),
            notices=notices,
            successor=successor,
        )

    def pack(
        self,
        head: DispatchHead,
        *,
        slots: Iterable[tuple[MailboxId, bytes]] = (),
        signer: SecretKey | None = None,
        signature: bytes | None = None,
    ) -> bytes:
        """Sign a head, or not, and put it into its archive, not sealed yet."""
        encoded = head.encode()
        if signature is None:
            signature = (signer or self.key).sign_detached(encoded, created=NOW)
        return b"".join(encode_dispatch(encoded, signature, sorted(slots)))


def seal_to(certificate: Certificate, plain: bytes) -> bytes:
    session_key = generate_session_key()
    sealer = Sealer(
        session_key=session_key,
        locks=make_lock(certificate, session_key),
        file_name="dispatch.zip",
    )
    return sealer.update(plain) + sealer.finish()


def send_report(
    store: Store, relay: RelayId, people: Iterable[Counselor], readers: Iterable[Counselor]
) -> Report:
    """Seal a report to some people and commit it, as intake does."""
    keys = generate_throwaway_keys()
    everyone, permitted = list(people), [one.name for one in readers]
    report = Report(
        envelope=keys.report_id,
        read_token=ReadToken(secrets.token_bytes(32)),
        kind=Kind.REPORT,
        day=NOW.date(),
        relay=relay,
        reply_public=keys.reply_public,
        voice_public=keys.voice_public,
        policy="generic",
        policy_version="1",
        track="whistleblowing",
        language="en",
        answers=(),
        text="What I saw on Tuesday.",
        readers=tuple(permitted),
        left_out=tuple(one.name for one in everyone if one.name not in permitted),
    )
    writer = ContentWriter(store=store)
    locks = [(one.name, one.certificate) for one in everyone]
    for piece in seal_report(report=report, voice=keys.voice, recipients=locks):
        writer.write(piece)
    stored = writer.finish()
    store.commit_envelope(
        EnvelopeRow(
            id=report.envelope,
            memo=random_memo(),
            token_hash=hashlib.sha256(report.read_token).digest(),
            expiry=Month(month_of(NOW.date()) + 24),
            **vars(stored),
        )
    )
    return report
