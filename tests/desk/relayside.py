"""A relay in memory, made of protocol and keys alone: it seals, cuts and reads dispatches.

Honest by default. A hostile table asks it for one wrong thing at a time.
"""

import hashlib
import io
import secrets
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from pathlib import Path

from desk.desk import create_desk
from desk.vault import Vault
from keys.certificate import Certificate, verify_certificate
from keys.lock import generate_session_key, make_blind_lock, make_lock
from keys.secretkey import SecretKey, generate_secret_key, read_secret_key
from keys.signature import verify_detached
from protocol.archive import ArchiveFrame, ArchiveReader, StoredEntry
from protocol.bundle import BundleEnvelope, BundleHead, RecipientCertificate
from protocol.derivation import ReporterKeys, generate_throwaway_keys
from protocol.dispatch import DispatchReader
from protocol.envelope import Answer, EnvelopeWriter, Kind, Report
from protocol.names import EnvelopeId, Fingerprint, ReadToken, RecipientName, RelayId
from protocol.replypage import ReplyPage, open_slot
from protocol.sealing import Sealer, read_sealed

NOW = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
MADE = datetime(2026, 1, 1, tzinfo=UTC)
DAY = date(2026, 11, 20)
PASSPHRASE = "correct horse"


def answer(question: str, *values: str) -> Answer:
    """Return an answer that was shown as it is meant."""
    return Answer(question=question, label=f"About {question}?", values=values, shown=values)


@dataclass(frozen=True)
class Counselor:
    """A recipient with her key, as the relay and her own machine know her."""

    name: RecipientName
    armored: bytes
    secret_key: SecretKey
    certificate: Certificate

    @staticmethod
    def make(name: str) -> "Counselor":
        armored = generate_secret_key(
            user_id=name, passphrase=PASSPHRASE, created=MADE, expires=None
        )
        return Counselor.of(name, armored, read_secret_key(armored, PASSPHRASE))

    @staticmethod
    def of(name: str, armored: bytes, opened: SecretKey) -> "Counselor":
        return Counselor(RecipientName(name), armored, opened, _verified(opened))


@dataclass
class SealedEnvelope:
    """An envelope as the relay stores it, with what only a test may know."""

    id: EnvelopeId
    ciphertext: bytes
    token: ReadToken

    def listed(self) -> BundleEnvelope:
        return BundleEnvelope(
            id=self.id,
            size_bytes=len(self.ciphertext),
            sha256=hashlib.sha256(self.ciphertext).digest(),
        )


@dataclass
class FakeRelay:
    """A relay with its key and recipients; `send` seals, `cut` writes a bundle."""

    counselors: Sequence[Counselor]
    secret_key: SecretKey = field(init=False)
    serials: dict[RecipientName, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        armored = generate_secret_key(user_id="relay", passphrase=None, created=MADE, expires=None)
        self.secret_key = read_secret_key(armored, None)

    @property
    def id(self) -> RelayId:
        return RelayId(self.secret_key.fingerprint)

    def report(self, reporter: ReporterKeys, **changes: object) -> Report:
        """Return an ordinary first report, with some fields changed."""
        readers = tuple(one.name for one in self.counselors)
        ordinary = Report(
            format=1,
            envelope=reporter.report_id,
            read_token=ReadToken(secrets.token_bytes(32)),
            kind=Kind.REPORT,
            day=DAY,
            relay=self.id,
            reply_public=reporter.reply_public,
            voice_public=reporter.voice_public,
            policy="generic",
            policy_version="1",
            track="report",
            language="en",
            answers=(answer("how", "slowly"),),
            text="Something happened.",
            readers=readers,
            left_out=(),
        )
        return replace(ordinary, **changes)  # type: ignore[arg-type]  # fields by name, in tests

    def follow_up(self, reporter: ReporterKeys, **changes: object) -> Report:
        """Return a follow-up of the same reporter, under a random id."""
        fresh = {"envelope": EnvelopeId(secrets.token_bytes(16)), "kind": Kind.FOLLOW_UP}
        return self.report(reporter, **{**fresh, **changes})

    def send(
        self,
        reporter: ReporterKeys,
        report: Report | None = None,
        *,
        files: Mapping[str, bytes] | None = None,
        under: EnvelopeId | None = None,
        blind: Sequence[str] = (),
    ) -> SealedEnvelope:
        """Seal a report as the relay does: a lock for every recipient, blind for some.

        Args:
            under: another id to file it under than the one it says.
            blind: names that get a lock that opens nothing; those left out always do.
        """
        report = report or self.report(reporter)
        session_key = generate_session_key()
        shut = {*blind, *report.left_out}
        locks = b"".join(
            make_blind_lock(one.certificate)
            if one.name in shut
            else make_lock(one.certificate, session_key)
            for one in self.counselors
        )
        sealer = Sealer(session_key=session_key, locks=locks, file_name="envelope.zip")
        writer = EnvelopeWriter(report=report, voice=reporter.voice, sealer=sealer)
        out = io.BytesIO()
        out.write(writer.start())
        for name, content in (files or {}).items():
            out.write(writer.begin_attachment(name))
            out.write(writer.update(content))
            out.write(writer.end_attachment())
        out.write(writer.finish())
        return SealedEnvelope(under or report.envelope, out.getvalue(), report.read_token)

    def cover(self) -> SealedEnvelope:
        """Seal a cover envelope with a throw-away mailbox, opening for everybody."""
        keys = generate_throwaway_keys()
        return self.send(keys, self.follow_up(keys, kind=Kind.COVER, text=""))

    def cut(
        self,
        path: Path,
        envelopes: Sequence[SealedEnvelope],
        *,
        number: int = 1,
        signer: SecretKey | None = None,
        drop: Sequence[EnvelopeId] = (),
        **changes: object,
    ) -> Path:
        """Write a bundle.

        Args:
            signer: another key to sign with.
            drop: envelopes that the head lists and the file lacks.
            changes: fields of the head that shall be wrong.
        """
        ordinary = BundleHead(
            relay=self.id,
            cut=number,
            day=DAY,
            envelopes=tuple(one.listed() for one in envelopes),
            serials=dict(self.serials),
            certificates=tuple(
                RecipientCertificate(
                    one.name, one.certificate.fingerprint, one.certificate.armored.encode()
                )
                for one in self.counselors
            ),
            policy="generic",
            policy_version="1.0",
            warnings=(),
        )
        head = replace(ordinary, **changes).encode()  # type: ignore[arg-type]  # by name, in tests
        signature = (signer or self.secret_key).sign_detached(head, created=NOW)
        there = [one for one in envelopes if one.id not in drop]
        write_bundle(path, head, signature, there)
        return path

    def read_dispatch(self, path: Path, counselor: Counselor) -> DispatchReader:
        """Unseal a dispatch with the relay's key and verify the counselor's signature."""
        sealed = path.read_bytes()
        message = read_sealed(lambda: [sealed])
        session_key = self.secret_key.open_lock(message.locks)
        assert session_key is not None
        plain = b"".join(message.unseal(session_key))
        reader = DispatchReader(ArchiveReader(lambda at, n: plain[at : at + n], len(plain)))
        verify_detached(
            reader.head_bytes,
            reader.signature,
            certificate=counselor.secret_key.certificate,
            pinned=counselor.secret_key.fingerprint,
            now=NOW,
        )
        self.serials[counselor.name] = reader.head.serial
        return reader


def write_bundle(
    path: Path, head: bytes, signature: bytes, envelopes: Sequence[SealedEnvelope]
) -> None:
    """Write the archive of a bundle, whether or not the head lists what is in it."""
    ordered = sorted(envelopes, key=lambda one: (len(one.ciphertext), one.id))
    frame = ArchiveFrame(
        [
            StoredEntry("bundle.json", len(head), zlib.crc32(head)),
            StoredEntry("bundle.json.asc", len(signature), zlib.crc32(signature)),
            *(
                StoredEntry(
                    one.listed().entry_name, len(one.ciphertext), zlib.crc32(one.ciphertext)
                )
                for one in ordered
            ),
        ]
    )
    with path.open("wb") as out:
        for header, body in zip(
            frame.headers, [head, signature, *(one.ciphertext for one in ordered)], strict=True
        ):
            out.write(header + body)
        out.write(frame.tail)


def open_page(reader: DispatchReader, reporter: ReporterKeys) -> ReplyPage:
    """Open the page that a dispatch brings for a reporter, with the receipt's keys."""
    return open_slot(dict(reader.slots())[reporter.mailbox_id], reporter)


def make_desk(folder: Path, counselor: Counselor, relay: FakeRelay) -> Vault:
    """Make a desk from two files, as init does."""
    key, certificate = folder / "key.secret.asc", folder / "relay.asc"
    key.write_bytes(counselor.armored)
    certificate.write_bytes(relay.secret_key.certificate)
    return create_desk(
        folder / "desk", key_path=key, relay_path=certificate, passphrase=PASSPHRASE, now=NOW
    )


def _verified(secret_key: SecretKey) -> Certificate:
    return verify_certificate(
        secret_key.certificate, pinned=Fingerprint(secret_key.fingerprint), now=NOW
    )
