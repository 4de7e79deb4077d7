"""Reports that did not come through the relay: by telephone, on paper, seen by staff (P9).

Such a report becomes an envelope like any other, made and opened on this desk, so that
everything the desk can do with a case it can do with this one: extract, hand over,
export, delete. It has no mailbox; nobody is told that a reply can be read.
"""

import secrets
from collections.abc import Mapping, Sequence
from datetime import date, datetime

from desk.casework.casefile import Way
from desk.casework.colleagues import Colleague
from desk.casework.errors import ProcedureError
from desk.casework.following import catch_up
from desk.casework.origins import file_letter
from desk.casework.rules import chosen_policy, policy_named
from desk.casework.said import CATEGORIES, CONSENTS
from desk.casework.work import require_words
from desk.desk import read_desk
from desk.files import alone
from desk.filing import Reading
from desk.opening import read_object
from desk.records import CaseRecord, EnvelopeRecord, EnvelopeState
from desk.vault import Vault
from keys.lock import generate_session_key
from policies.schema import Policy
from protocol import limits
from protocol.derivation import ReporterKeys, generate_throwaway_keys
from protocol.envelope import Answer, EnvelopeWriter, Kind, Report
from protocol.errors import CapacityError, StorageError
from protocol.names import EnvelopeId, ReadToken, RecipientName
from protocol.report import FORMAT_VERSION
from protocol.sealing import Sealer, read_sealed

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
    # A name with a slip in it would leave nobody out.
    if set(left_out) - {*policy.recipients, *(one.name for one in vault.all(Colleague))}:
        raise ProcedureError(
            "Nobody is called that: leave out by the names that `sotto desk case colleagues` lists."
        )
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
    with alone(vault.directory):  # an import would sweep what no record names yet
        name = _file(vault, _make(vault, report, keys, files or {}), way, now)
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
        arrival = file_letter(vault, reading, way, now=now)
    if arrival is None:
        raise StorageError("The report could not be filed.")
    return arrival.case


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
    for question, values in answers.items():
        options = policy.questions[question].options
        if options and set(values) - set(options):
            raise ProcedureError("A question has no such option: take one that the policy names.")


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


def _make(vault: Vault, report: Report, keys: ReporterKeys, files: Mapping[str, bytes]) -> Reading:
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
    record = EnvelopeRecord(
        id=report.envelope,
        size_bytes=ref.size_bytes,
        sha256=bytes(limits.SHA256_BYTES),  # it was never sealed to anybody
        state=EnvelopeState.READ,
    )
    return read_object(vault, ref, record, relay=report.relay)
