"""Reports that did not come through the relay: by telephone, on paper, seen by staff (P9).

Such a report becomes an envelope like any other, made and opened on this desk, so that
everything the desk can do with a case it can do with this one: extract, hand over,
export, delete. It has no mailbox; nobody is told that a reply can be read.
"""

import secrets
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Literal, cast, get_args

from desk.casework.casefile import CaseFile
from desk.casework.errors import ProcedureError
from desk.casework.following import catch_up
from desk.casework.rules import chosen_policy, policy_named
from desk.casework.said import CATEGORIES, CONSENTS, is_manual, joined_cases
from desk.casework.work import read_file, require_words
from desk.desk import read_desk
from desk.filing import Reading, file_reading
from desk.records import (
    AttachmentRecord,
    CaseRecord,
    EnvelopeRecord,
    EnvelopeState,
    MailboxRecord,
    ObjectRef,
)
from desk.vault import Vault
from keys.lock import generate_session_key
from policies.schema import Policy
from protocol import limits
from protocol.archive import ArchiveReader
from protocol.canonical import Fields
from protocol.derivation import ReporterKeys, generate_throwaway_keys
from protocol.envelope import Answer, EnvelopeWriter, Kind, Report, read_envelope
from protocol.errors import CapacityError, FormatError, StorageError
from protocol.names import EnvelopeId, ReadToken, RecipientName
from protocol.report import FORMAT_VERSION
from protocol.sealing import Sealer, read_sealed

Way = Literal["telephone", "paper", "in-person", "staff"]
FILES_BYTES = 64 * limits.MIB  # scans of a letter; what is larger is better extracted and kept


def enter_report(
    vault: Vault,
    *,
    way: Way,
    track: str,
    text: str,
    received: date,
    answers: Mapping[str, Sequence[str]] | None = None,
    categories: Sequence[str] = (),
    consents: Sequence[str] = (),
    left_out: Sequence[str] = (),
    files: Mapping[str, bytes] | None = None,
    language: str = "en",
    now: datetime,
) -> CaseRecord:
    """Enter a report that came otherwise, as a case of its own.

    Args:
        way: how it came.
        track: of the policy chosen for this desk.
        text: what was said, written or seen.
        received: the day on which it came; the clocks run from it.
        answers: ids of the policy's questions to what was answered: one value, or several.
        categories: ids of the policy.
        consents: ids of the policy, given together with the report by the person affected.
        left_out: names of colleagues who are not to learn of it.
        files: scans, by name.

    Returns:
        The new case.

    Raises:
        ProcedureError: not in the policy, in the future, or empty.
        CapacityError: more than 64 MiB of files.
    """
    policy = policy_named(vault, chosen_policy(vault))
    text = require_words(text, "what was reported")
    if received > now.date():
        raise ProcedureError("This day is still to come; check the date.")
    _check(policy, track, answers or {}, (*categories, *consents))
    keys = generate_throwaway_keys()
    report = _report(
        vault,
        keys,
        policy,
        track=track,
        language=language,
        received=received,
        text=text,
        answers=_answers(policy, answers or {}, categories, consents),
        left_out=left_out,
    )
    content, reading = _make(vault, report, keys, files or {})
    try:
        name = _file(vault, reading, way, now)
    except BaseException:
        vault.objects.remove(content)
        raise
    catch_up(vault, now=now)
    case = vault.get(CaseRecord, name)
    if case is None:
        raise StorageError("The report could not be filed.")
    return case


def _report(
    vault: Vault,
    keys: ReporterKeys,
    policy: Policy,
    *,
    track: str,
    language: str,
    received: date,
    text: str,
    answers: tuple[Answer, ...],
    left_out: Sequence[str],
) -> Report:
    desk = read_desk(vault)
    me = desk.counselor or RecipientName("counselor")
    return Report(
        format=FORMAT_VERSION,
        envelope=EnvelopeId(secrets.token_bytes(limits.ID_BYTES)),
        read_token=ReadToken(secrets.token_bytes(limits.TOKEN_BYTES)),
        kind=Kind.REPORT,
        day=received,
        relay=desk.relay,
        reply_public=keys.reply_public,
        voice_public=keys.voice_public,
        policy=policy.id,
        policy_version=policy.version,
        track=track,
        language=language,
        answers=answers,
        text=text,
        readers=(me,),
        left_out=tuple(RecipientName(one) for one in left_out if one != me),
    )


def _file(vault: Vault, reading: Reading, way: Way, now: datetime) -> str:
    with vault.changes():
        arrival = file_reading(vault, reading, month=now.year * 12 + now.month - 1)
        if arrival is None:
            raise StorageError("The report could not be filed.")
        take_mailbox_away(vault, arrival.case, way)
    return arrival.case


def take_mailbox_away(vault: Vault, name: str, way: Way) -> None:
    """Let a case that was just filed be one that came otherwise. Only inside `changes`.

    The relay knows no mailbox for it, so no dispatch may name one.
    """
    case = vault.get(CaseRecord, name)
    if case is not None:
        vault.remove(MailboxRecord, case.mailbox.hex())
        vault.put(CaseFile(case=name, origin=way))


def entered_cases(vault: Vault, case: CaseRecord) -> list[dict[str, object]]:
    """Return which of a case and those joined to it were entered at a desk, and how they came."""
    files = [read_file(vault, one) for one in (case, *joined_cases(vault, case))]
    return [{"case": one.case, "way": one.origin} for one in files if is_manual(one)]


def read_entered(body: Fields) -> dict[str, Way]:
    """Read what `entered_cases` says in a colleague file."""
    found: dict[str, Way] = {}
    for one in body.each("entered", limit=limits.ARCHIVE_ENTRIES):
        name, way = one.text("case"), one.text("way")
        one.end()
        if way not in get_args(Way):
            raise FormatError("This file names a way to report that this desk does not know.")
        found[name] = cast(Way, way)
    return found


def _check(
    policy: Policy,
    track: str,
    answers: Mapping[str, Sequence[str]],
    picked: Sequence[str],
) -> None:
    if track not in policy.tracks:
        raise ProcedureError("The policy of this desk has no such track.")
    asked = {one.id for one in policy.questions_of(track)}
    known = {*policy.categories, *policy.consents}
    if set(answers) - asked or set(picked) - known:
        raise ProcedureError("The policy of this desk does not ask for that.")


def _answers(
    policy: Policy,
    answers: Mapping[str, Sequence[str]],
    categories: Sequence[str],
    consents: Sequence[str],
) -> tuple[Answer, ...]:
    made = [
        Answer(
            question=one,
            label=policy.questions[one].label,
            values=tuple(values),
            shown=tuple(policy.questions[one].option_labels.get(v, v) for v in values),
        )
        for one, values in answers.items()
    ]
    for question, ids, titles in (
        (CATEGORIES, categories, {c.id: c.title for c in policy.categories.values()}),
        (CONSENTS, consents, {c.id: c.label for c in policy.consents.values()}),
    ):
        if ids:
            shown = tuple(titles[one] for one in ids)
            made.append(Answer(question=question, label=question, values=tuple(ids), shown=shown))
    return tuple(made)


def _make(
    vault: Vault, report: Report, keys: ReporterKeys, files: Mapping[str, bytes]
) -> tuple[ObjectRef, Reading]:
    """Write the envelope and open it again into an object, all in memory but the result."""
    if sum(map(len, files.values())) > FILES_BYTES:
        raise CapacityError("At most 64 MiB of files go with such a report.")
    session_key = generate_session_key()
    sealer = Sealer(session_key=session_key, locks=b"", file_name="envelope.zip")
    writer = EnvelopeWriter(report=report, voice=keys.voice, sealer=sealer)
    sealed = [writer.start()]
    for name, content in files.items():
        sealed += [writer.begin_attachment(name), writer.update(content), writer.end_attachment()]
    sealed.append(writer.finish())
    with vault.objects.writer() as out:
        for piece in read_sealed(lambda: sealed).unseal(session_key):
            out.write(piece)
        ref = out.commit()
    with vault.objects.reader(ref) as read_at:
        archive = ArchiveReader(read_at, ref.size_bytes)
        opened = read_envelope(archive, expected=report.envelope, relay=report.relay)
    return ref, Reading(
        envelope=EnvelopeRecord(
            id=report.envelope,
            size_bytes=ref.size_bytes,
            sha256=bytes(limits.SHA256_BYTES),  # it was never sealed to anybody
            state=EnvelopeState.READ,
            mailbox=report.mailbox,
            content=ref,
        ),
        report=report,
        report_bytes=report.encode(),
        attachments=tuple(
            AttachmentRecord(
                name=one.name,
                entry=one.entry,
                size_bytes=one.size_bytes,
                sha256=one.sha256,
                nested=one.nested,
            )
            for one in opened.attachments
        ),
    )
