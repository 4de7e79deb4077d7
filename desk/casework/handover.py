"""What leaves the desk about one case: an export, and a hand-over to a body outside (P10, P38).

The redacted export is for reading. A hand-over is for whoever goes on with the case: the
originals as they came, a manifest that sha256sum reads, and the record as the log of
custody, sealed to that body's certificate or printed. It is refused as long as one
consent that it needs is missing.
"""

import hashlib
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path

from desk.casework.casefile import HandOver
from desk.casework.casehtml import case_html
from desk.casework.colleagues import refuse_left_out
from desk.casework.errors import ProcedureError
from desk.casework.originals import Original, originals_of
from desk.casework.packing import Octets, Part, measure, seal_archive
from desk.casework.record import Act, Entry, entry_name, record_files
from desk.casework.redaction import missing_consents, redaction_of
from desk.casework.threads import joined_cases
from desk.casework.verifying import read_record
from desk.casework.work import Work, require_words, working
from desk.files import is_used, make_private_directory, staged_file, write_whole
from desk.records import CaseRecord
from desk.vault import Vault
from keys.certificate import Certificate, read_fingerprint, verify_certificate
from protocol.archive import ArchiveFrame
from protocol.errors import StorageError

PAGE, RECORD, MANIFEST = "case.html", "record", "SHA256SUMS"


def export_case(
    vault: Vault,
    case: CaseRecord,
    out: Path,
    *,
    name_reported: bool = False,
    with_notes: bool = False,
    why: str,
    now: datetime,
) -> None:
    """Write one case as a page with its record, redacted by the consents that hold (P10, P24).

    Args:
        out: absent or empty; becomes 0700.
        name_reported: the reader needs the name of the person reported.
        with_notes: the counselor's notes too.
        why: for whom it is; stands in the record.

    Raises:
        ProcedureError: no reason was given.
        AuthenticityError: the record does not verify.
        StorageError: the folder is in use, or the disk is full.
    """
    why = require_words(why, "for whom the export is")
    _require_empty(out)
    with working(vault, case, now=now) as work:
        work.record(Act.EXPORTED, why=why, name_reported=name_reported, with_notes=with_notes)
        redaction = redaction_of(vault, work.case, name_reported=name_reported)
        page = case_html(vault, work.case, redaction, with_notes=with_notes, now=now)
        files = shown_record(vault, work.case, redaction.shows)
    _write_folder(out, {PAGE: page, **files})


def export_record(
    vault: Vault, case: CaseRecord, out: Path, *, redacted: bool, now: datetime
) -> None:
    """Write the record of a case as files that gpg and sha256sum verify (P35).

    Args:
        out: absent or empty; becomes 0700.
        redacted: leave out what the consents do not cover.

    Raises:
        AuthenticityError: it does not verify.
        StorageError: the folder is in use, or the disk is full.
    """
    _require_empty(out)
    with working(vault, case, now=now, even_joined=True, despite_conflict=True) as work:
        work.record(Act.EXPORTED, record=True, redacted=redacted)
        shows = redaction_of(vault, work.case).shows if redacted else _everything
        files = shown_record(vault, work.case, shows)
    _write_folder(out, files)


def hand_over_sealed(
    vault: Vault,
    case: CaseRecord,
    path: Path,
    *,
    certificate: bytes,
    fingerprint: str,
    to: str,
    reason: str,
    now: datetime,
) -> None:
    """Seal originals, manifest and record to a body outside (P38).

    Args:
        certificate: of that body, armoured or binary.
        fingerprint: of it, as compared with that body by voice.
        to: what the body is called.

    Raises:
        ProcedureError: a consent is missing; the sentence says which.
        KeyMaterialError: the certificate is not that one, or cannot be used.
        StorageError: the stick cannot be written, or a part of the case is gone.
    """
    sealed_to = verify_certificate(certificate, pinned=read_fingerprint(fingerprint), now=now)
    with staged_file(path) as staged:
        with working(vault, case, now=now) as work:
            refuse_left_out(vault, work.case, sealed_to.fingerprint)
            originals = _hand_over(work, to, reason, sealed_to=sealed_to.fingerprint)
            page, files = _everything_of(work)
            contents: dict[str, Octets] = {PAGE: _const(page)}
            contents |= {name: _const(data) for name, data in files.items()}
            contents |= {one.part.name: one.part.octets for one in originals}
            staged.write(_archive(work, contents, sealed_to))
        staged.publish()  # not before the record names this hand-over


def hand_over_on_paper(
    vault: Vault, case: CaseRecord, *, to: str, reason: str, now: datetime
) -> bytes:
    """Lay everything of a case out as one page to print, with the digests of the originals (P38).

    The page is not sealed, so it goes where the counselor wants it and nowhere else.

    Raises:
        ProcedureError: a consent is missing; the sentence says which.
        StorageError: a part of the case is gone.
    """
    with working(vault, case, now=now) as work:
        originals = _hand_over(work, to, reason, sealed_to="")
        digests = [(one.part.name, _sha256(one.part.octets)) for one in originals]
        page, _ = _everything_of(work, digests)
    return page


def shown_record(
    vault: Vault, case: CaseRecord, shows: Callable[[Entry], bool]
) -> dict[str, bytes]:
    """Return the files of a record and of those of joined cases, redacted entries left out.

    Signed documents of others stand beside the entry that tells of them, so that gpg can
    verify them too.
    """
    found: dict[str, bytes] = {}
    for one, folder in (
        (case, RECORD),
        *((j, f"{RECORD}-{j.name}") for j in joined_cases(vault, case)),
    ):
        files = record_files(vault, one.name)
        for entry in read_record(vault, one.name):
            if not shows(entry):
                files.pop(entry_name(entry.number), None)
                continue
            files |= _signed_documents(entry)
        found |= {f"{folder}/{name}": data for name, data in files.items()}
    return found


def _signed_documents(entry: Entry) -> dict[str, bytes]:
    texts = [entry.what.get(one) for one in ("document", "signature", "signer")]
    if not all(isinstance(one, str) and one for one in texts):
        return {}
    names = ("signed.json", "signed.json.asc", "signer.asc")
    return {
        f"{entry.number:04d}.{name}": str(text).encode()
        for name, text in zip(names, texts, strict=True)
    }


def _hand_over(work: Work, to: str, reason: str, *, sealed_to: str) -> list[Original]:
    to = require_words(to, "who gets the case")
    reason = require_words(reason, "the reason of the hand-over")
    missing = missing_consents(work.vault, work.case)
    if missing:
        raise ProcedureError(
            f"The person affected has not consented to this: {', '.join(missing)}. Ask in a "
            "reply first, or make a redacted export."
        )
    originals = originals_of(work.vault, work.case)
    handed = HandOver(name=to, day=work.today, reason=reason, outside=True)
    work.change(handed_to=(*work.file.handed_to, handed))
    work.record(
        Act.HANDED_OVER,
        why=reason,
        to=to,
        outside=True,
        sealed_to=sealed_to,
        originals=[f"{_sha256(one.part.octets)}  {one.part.name}" for one in originals],
    )
    return originals


def _everything_of(
    work: Work, digests: list[tuple[str, str]] | None = None
) -> tuple[bytes, dict[str, bytes]]:
    redaction = redaction_of(work.vault, work.case, name_reported=True)
    page = case_html(
        work.vault,
        work.case,
        redaction,
        with_notes=False,
        digests=digests or (),
        now=work.now,
    )
    # With every consent given this withholds nothing but what a withdrawal took back.
    return page, shown_record(work.vault, work.case, _everything)


def _archive(work: Work, contents: dict[str, Octets], certificate: Certificate) -> Iterator[bytes]:
    measured = {name: measure(Part(name=name, octets=octets)) for name, octets in contents.items()}
    manifest = "".join(f"{digest.hex()}  {name}\n" for name, (_, digest) in measured.items())
    signed = {
        MANIFEST: manifest.encode(),
        f"{MANIFEST}.asc": work.vault.secret_key.sign_detached(manifest.encode(), created=work.now),
    }
    first = {name: _const(data) for name, data in signed.items()}
    entries = [measure(Part(name=name, octets=octets))[0] for name, octets in first.items()]
    frame = ArchiveFrame([*entries, *(entry for entry, _ in measured.values())])
    bodies = [*first.values(), *contents.values()]
    return seal_archive(frame, bodies, certificate=certificate, name="handover.zip")


def _write_folder(out: Path, files: dict[str, bytes]) -> None:
    make_private_directory(out)
    for name, data in files.items():
        make_private_directory((out / name).parent)
        write_whole(out / name, [data])


def _require_empty(out: Path) -> None:
    if is_used(out):
        raise StorageError("This folder is not empty; give a new one.")


def _const(data: bytes) -> Octets:
    return lambda: [data]


def _sha256(octets: Octets) -> str:
    digest = hashlib.sha256()
    for piece in octets():
        digest.update(piece)
    return digest.hexdigest()


def _everything(entry: Entry) -> bool:
    return not entry.redacted
