"""Import a bundle: believe its signature first, then open what is hers, one by one.

Nothing is decrypted before the relay's signature over the list of everything was
verified against the certificate pinned at init. One bad envelope never stops the
rest; importing again adds nothing twice and goes on where it was cut off.
Of an envelope that does not open for her nothing is said: cover and reports that
leave her out look alike, here as everywhere.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from pathlib import Path

from desk.casework.handed import is_genuine
from desk.desk import read_desk
from desk.files import alone, random_access
from desk.filing import Arrival, Reading, file_reading
from desk.freshness import tell_freshness, tell_serial
from desk.keyring import own_fingerprints
from desk.opening import open_envelope
from desk.records import CaseRecord, EnvelopeRecord, EnvelopeState
from desk.succession import settle
from desk.vault import Vault
from keys.signature import verify_detached
from protocol.archive import ArchiveReader
from protocol.bundle import BundleEnvelope, BundleReader
from protocol.errors import AuthenticityError, CapacityError, FormatError
from protocol.names import EnvelopeId, Fingerprint


@dataclass(kw_only=True)
class ImportReport:
    """What the counselor is told after an import.

    Attributes:
        cut, day: of the bundle.
        arrivals: what opened for her and was not there before; cover is not among them.
        told: sentences about what is wrong or needs a decision, the gravest first.
        notes: sentences that are good to know.
    """

    cut: int
    day: date
    arrivals: list[Arrival] = field(default_factory=list)
    told: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def import_bundle(
    vault: Vault,
    path: Path,
    *,
    now: datetime,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> ImportReport:
    """Import a bundle from a file, which may be several GB and is read where it lies.

    Args:
        vault: unlocked.
        path: the bundle, as it came from the courier.
        now: by this machine's clock, UTC.
        progress: is told before each envelope how many octets of how many are done; what it
            raises ends the import, and importing again goes on from there.

    Raises:
        AuthenticityError: not signed by the pinned relay, or of another relay.
        FormatError: not a bundle, or cut short.
        StorageError: this desk's disk is full, or another import runs.
    """
    with alone(vault.directory), random_access(path) as (read_at, size_bytes):
        vault.objects.sweep({one.content.name for one in vault.all(EnvelopeRecord) if one.content})
        reader = verify_bundle(vault, ArchiveReader(read_at, size_bytes), now=now)
        desk = read_desk(vault)
        report = ImportReport(cut=reader.head.cut, day=reader.head.day)
        report.told += tell_freshness(desk, reader, now.date())
        done, total = 0, sum(one.size_bytes for one in reader.head.envelopes)
        for envelope in reader.head.envelopes:
            progress(done, total)
            _take(vault, reader, envelope, report, now)
            done += envelope.size_bytes
        report.arrivals = [_told_apart(vault, one) for one in report.arrivals]
        if reader.head.cut >= desk.cut:
            _remember(vault, reader, report)
            settled = settle(vault, reader.head, now=now)
            report.told += settled.told
            report.notes += settled.notes
    return report


def verify_bundle(vault: Vault, archive: ArchiveReader, *, now: datetime) -> BundleReader:
    """Return a bundle whose signature is the pinned relay's; nothing is decrypted for it.

    Raises:
        AuthenticityError: the signature is wrong, or the bundle is another relay's.
        FormatError: not a bundle.
        KeyMaterialError: the relay's certificate has expired.
    """
    desk = read_desk(vault)
    reader = BundleReader(archive)
    verify_detached(
        reader.head_bytes,
        reader.signature,
        certificate=desk.relay_certificate,
        pinned=Fingerprint(desk.relay),
        now=now,
    )
    if reader.head.relay != desk.relay:
        raise AuthenticityError(
            "This bundle was made by another relay than the one this desk belongs to; "
            "nothing of it was opened."
        )
    return reader


def check_envelopes(reader: BundleReader) -> list[str]:
    """Check every envelope of a verified bundle against its list, and decrypt none.

    Returns:
        A sentence for each that is missing or damaged; empty when all is well.
    """
    told = []
    for envelope in reader.head.envelopes:
        try:
            _check_octets(reader, envelope)
        except (FormatError, AuthenticityError) as error:
            told.append(_about(envelope.id, error))
    return told


def _take(
    vault: Vault,
    reader: BundleReader,
    envelope: BundleEnvelope,
    report: ImportReport,
    now: datetime,
) -> None:
    known = vault.get(EnvelopeRecord, envelope.id.hex())
    is_held = known is not None and known.state is not EnvelopeState.REFUSED and not known.handed_by
    if is_held and known is not None and known.sha256 != envelope.sha256:
        report.told.append(
            f"Envelope {_short(envelope.id)} is not the one this desk was given before: "
            "the first one is kept; tell the operator."
        )
        return
    try:
        _check_octets(reader, envelope)
    except (FormatError, AuthenticityError) as error:
        # Not recorded and not acknowledged: the relay keeps it and sends it again.
        kept = "; this desk keeps it as an earlier bundle brought it" if is_held else ""
        report.told.append(f"{_about(envelope.id, error)}{kept}")
        return
    if is_held:
        return
    try:
        arrival = _open_and_file(vault, reader, envelope, report, now)
    except (FormatError, AuthenticityError, CapacityError) as error:
        told = _about(envelope.id, error)
        report.told.append(told)
        refused = EnvelopeRecord(
            id=envelope.id,
            size_bytes=envelope.size_bytes,
            sha256=envelope.sha256,
            state=EnvelopeState.REFUSED,
            reason=told,
        )
        if known is None or not known.handed_by:
            with vault.changes():
                vault.put(refused)
    else:
        if arrival is not None:
            report.arrivals.append(arrival)
            report.told.extend(f"Case {arrival.case}: {one}" for one in arrival.encrypted)


def _open_and_file(
    vault: Vault,
    reader: BundleReader,
    envelope: BundleEnvelope,
    report: ImportReport,
    now: datetime,
) -> Arrival | None:
    reading = open_envelope(vault, reader, envelope, relay=read_desk(vault).relay)
    handed = vault.get(EnvelopeRecord, envelope.id.hex())
    if handed is not None and handed.handed_by:
        if is_genuine(vault, handed, envelope, reading, now=now):
            _forget(vault, reading)
            return None
        report.told.append(
            f"What {handed.handed_by} handed over as envelope {_short(envelope.id)} is not what "
            "the relay brings: it was taken out. Ask her before you believe more of hers."
        )
    if reading is None:
        with vault.changes():
            vault.put(
                EnvelopeRecord(
                    id=envelope.id,
                    size_bytes=envelope.size_bytes,
                    sha256=envelope.sha256,
                    state=EnvelopeState.UNOPENED,
                )
            )
        return None
    with vault.changes():
        arrival = file_reading(vault, reading, month=now.year * 12 + now.month - 1)
    filed = vault.get(EnvelopeRecord, envelope.id.hex())
    if filed is None or filed.content is None:
        _forget(vault, reading)
    return arrival


def _forget(vault: Vault, reading: Reading | None) -> None:
    """Remove the object of what was opened and is not kept."""
    if reading is not None and reading.envelope.content is not None:
        vault.objects.remove(reading.envelope.content)


def _told_apart(vault: Vault, arrival: Arrival) -> Arrival:
    """Say whose voice it is now: a follow-up may come before the report it claims to follow."""
    case = vault.get(CaseRecord, arrival.case)
    same = case is not None and case.voice_public == arrival.voice_public
    return replace(arrival, same_reporter=same)


def _check_octets(reader: BundleReader, envelope: BundleEnvelope) -> None:
    if envelope.id in reader.missing:
        raise FormatError("it is missing from the bundle; copy the bundle again")
    size_bytes = sum(len(piece) for piece in reader.read(envelope))
    if size_bytes != envelope.size_bytes:
        raise FormatError("it has not the size that the relay listed; copy the bundle again")


def _remember(vault: Vault, reader: BundleReader, report: ImportReport) -> None:
    """Learn from the head what the relay calls her and what it accepted, and note the cut."""
    head = reader.head
    with vault.changes():
        desk = read_desk(vault)
        own = own_fingerprints(vault)
        name = next((one.recipient for one in head.certificates if one.fingerprint in own), None)
        if name is None:
            report.told.append(
                "The relay does not list your key among its recipients: nothing new is sealed "
                "to you; ask the operator."
            )
        name = name or desk.counselor
        accepted = head.serials.get(name, 0) if name else 0
        told, notes = tell_serial(desk, accepted, head)
        report.told += told
        report.notes += notes
        vault.put(
            desk.model_copy(
                update={
                    "counselor": name,
                    "confirmed": accepted,
                    "serial": max(desk.serial, accepted),
                    "cut": head.cut,
                    "cut_day": head.day,
                    "head_sha256": hashlib.sha256(reader.head_bytes).digest(),
                    "bundle": tuple(one.id for one in head.envelopes),
                    "restored": False,
                }
            )
        )
    report.notes.extend(f"For the operator, from the relay: {one}" for one in head.warnings)


def _about(envelope: EnvelopeId, error: Exception) -> str:
    return f"Envelope {_short(envelope)} was not taken: {error}"


def _short(envelope: EnvelopeId) -> str:
    return envelope.hex()[:8]
