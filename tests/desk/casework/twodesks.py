"""Two counselors with a desk each, one relay, and reporters who write to them."""

import shutil
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from relayside import DAY, NOW, Counselor, FakeRelay, SealedEnvelope, answer

from desk.cases import case_name
from desk.casework.colleagues import colleagues, confirm_colleague
from desk.casework.following import Followed, after_import
from desk.exporting import export_dispatch
from desk.importing import import_bundle
from desk.records import CaseRecord
from desk.unlocking import open_with
from desk.vault import Vault
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

    def imports(self) -> Followed:
        """Import a fresh bundle with everything that was sent."""
        self.office.cuts += 1
        path = self.office.relay.cut(
            self.office.stick("bundle"), self.office.sent, number=self.office.cuts
        )
        report = import_bundle(self.vault, path, now=self.now)
        assert not [one for one in report.told if "was not taken" in one], report.told
        return after_import(self.vault, path, now=self.now)

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


__all__ = ["ALL_CONSENTS", "DAY", "NOW", "Desk", "Kind", "Office", "affected", "answer", "arrive"]
