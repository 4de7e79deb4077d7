"""Two counselors with a desk each, one relay, and reporters who write to them."""

import hashlib
import shutil
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path

from relayside import DAY, NOW, Counselor, FakeRelay, SealedEnvelope, answer

from desk.cases import case_name
from desk.casework.colleagues import colleagues, confirm_colleague
from desk.casework.following import Followed, after_import
from desk.casework.packing import seal_archive
from desk.casework.signedfile import DOCUMENT, SIGNATURE
from desk.exporting import export_dispatch
from desk.importing import import_bundle
from desk.records import CaseRecord
from desk.unlocking import open_with
from desk.vault import Vault
from protocol.archive import ArchiveFrame, StoredEntry
from protocol.canonical import encode_json
from protocol.derivation import ReporterKeys, generate_throwaway_keys
from protocol.envelope import Answer, Kind

TRACKS = {"ifes": "incident", "ddp": "complaint", "generic": "concern"}
ALL_CONSENTS = ("pass-on", "name", "account", "documents")


@dataclass
class Office:
    """What stands between the desks: the relay, its bundles, and a folder as the stick."""

    relay: FakeRelay
    folder: Path
    sent: list[SealedEnvelope] = field(default_factory=list)
    cuts: int = 0
    files: int = 0

    def stick(self, name: str) -> Path:
        """Return a path for a new file."""
        self.files += 1
        return self.folder / f"{self.files:03d}-{name}"

    def writes(
        self,
        reporter: ReporterKeys,
        *answers: Answer,
        policy: str = "ifes",
        track: str | None = None,
        left_out: Sequence[str] = (),
        files: dict[str, bytes] | None = None,
        later: bool = False,
        **changes: object,
    ) -> SealedEnvelope:
        """Let a reporter write: the first report, or a follow-up when `later`."""
        make = self.relay.follow_up if later else self.relay.report
        readers = [one.name for one in self.relay.counselors if one.name not in left_out]
        ordinary = {
            "policy": policy,
            "policy_version": "1.0",
            "track": track or TRACKS[policy],
            "answers": answers,
            "readers": tuple(readers),
            "left_out": tuple(left_out),
        }
        envelope = self.relay.send(reporter, make(reporter, **{**ordinary, **changes}), files=files)
        self.sent.append(envelope)
        return envelope


@dataclass
class Desk:
    """One counselor at her desk."""

    counselor: Counselor
    vault: Vault
    office: Office
    now: datetime = NOW

    @property
    def name(self) -> str:
        return self.counselor.name

    def imports(self, *, telling: bool = False) -> Followed:
        """Import a fresh bundle with everything that was sent.

        Args:
            telling: return also what the import itself told.
        """
        self.office.cuts += 1
        path = self.office.relay.cut(
            self.office.stick("bundle"), self.office.sent, number=self.office.cuts
        )
        report = import_bundle(self.vault, path, now=self.now)
        assert not [one for one in report.told if "was not taken" in one], report.told
        followed = after_import(self.vault, path, now=self.now)
        return replace(followed, told=(*report.told, *followed.told)) if telling else followed

    def exports(self) -> None:
        """Export a dispatch, so that queued replies count as sent."""
        export_dispatch(self.vault, self.office.stick("dispatch"), now=self.now)

    def case(self, reporter: ReporterKeys) -> CaseRecord:
        """Return the case of a reporter as it is now."""
        found = self.vault.get(CaseRecord, case_name(reporter.reply_public))
        assert found is not None
        return found

    def has(self, reporter: ReporterKeys) -> bool:
        return self.vault.get(CaseRecord, case_name(reporter.reply_public)) is not None

    def confirms_everybody(self) -> None:
        for one in colleagues(self.vault):
            confirm_colleague(self.vault, one.name, one.fingerprint, now=self.now)

    def waits(self, days: int) -> None:
        self.now += timedelta(days=days)


def open_desk(empty: Path, folder: Path, counselor: Counselor, office: Office) -> Desk:
    """Copy an empty desk and unlock it."""
    shutil.copytree(empty, folder)
    return Desk(counselor, open_with(folder, counselor.secret_key), office)


def arrive(desk: Desk, reporter: ReporterKeys, *answers: Answer, **changes: object) -> CaseRecord:
    """Let a reporter write and a desk import it; return the case as it is then."""
    desk.office.writes(reporter, *answers, **changes)  # type: ignore[arg-type]  # in tests
    desk.imports()
    return desk.case(reporter)


def signed_by(
    sender: Desk, receiver: Desk, /, *, beside: Mapping[str, bytes] | None = None, **changes: object
) -> Path:
    """Write a file that a counselor really signed, whatever it says.

    Args:
        beside: parts, by name; listed with their digests unless `parts` says otherwise.
        changes: members of the document, to an honest request's.
    """
    beside = beside or {}
    listed = [{"name": n, "sha256": hashlib.sha256(b).hexdigest()} for n, b in beside.items()]
    ordinary = {
        "format": 1,
        "from": sender.name,
        "id": "00" * 16,
        "made": f"{sender.now:%Y-%m-%dT%H:%M:%SZ}",
        "parts": listed,
        "relay": receiver.office.relay.id,
        "to": receiver.name,
        "to_fingerprint": receiver.counselor.secret_key.fingerprint,
        "type": "sotto request",
    }
    document = encode_json({**ordinary, **changes})
    signature = sender.counselor.secret_key.sign_detached(document, created=sender.now)
    bodies = {DOCUMENT: document, SIGNATURE: signature, **beside}
    frame = ArchiveFrame([StoredEntry(n, len(b), zlib.crc32(b)) for n, b in bodies.items()])
    octets = [(lambda b=b: [b]) for b in bodies.values()]
    certificate = receiver.counselor.certificate
    path = receiver.office.stick("signed")
    path.write_bytes(b"".join(seal_archive(frame, octets, certificate=certificate, name="x.zip")))
    return path


def affected(*consents: str) -> tuple[Answer, ...]:
    """Return the answers of the person affected with their consents."""
    return (answer("standing", "affected"), answer("consents", *consents))


def consents_later(office: Office, reporter: ReporterKeys, *consents: str, **more: object) -> None:
    """Let a reporter change what they consent to."""
    office.writes(
        reporter,
        answer("consents", *consents),
        later=True,
        kind=Kind.CONSENT,
        text="",
        **more,  # type: ignore[arg-type]  # fields by name, in tests
    )


def new_reporter() -> ReporterKeys:
    return generate_throwaway_keys()


__all__ = [
    "ALL_CONSENTS",
    "DAY",
    "NOW",
    "Desk",
    "Kind",
    "Office",
    "affected",
    "answer",
    "arrive",
    "signed_by",
]
