"""Turn what a reporter wrote into an envelope in the store.

The first letter under a receipt takes the receipt's own id and carries the memo;
every later one has a random id and a random memo, so that on the disk they look alike.
docs/PROTOCOL.md, Envelope and Memo.
"""

import secrets
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from protocol.derivation import ReporterKeys
from protocol.errors import AuthenticityError
from protocol.memo import Memo, open_memo, random_memo, seal_memo
from protocol.names import ReadToken, RecipientName
from protocol.report import FORMAT_VERSION, Answer, Kind, Report
from relay.intake import FilePart
from relay.parts import Parts
from relay.readers import Absent
from relay.rows import Month, month_of
from relay.submission import new_envelope_id, seal_report, store_envelope


@dataclass(frozen=True, kw_only=True)
class Letter:
    """What a reporter sends: a report, or anything that follows it.

    Args:
        readers: who may open it, at least one.
        absent: who was offered in the first letter and cannot read it.
        policy: id and version of the policy in force.
    """

    kind: Kind
    track: str
    language: str
    text: str
    answers: tuple[Answer, ...]
    readers: tuple[RecipientName, ...]
    absent: Absent
    policy: tuple[str, str]


def read_memo(parts: Parts, keys: ReporterKeys) -> Memo | None:
    """Return the memo of a receipt's first envelope, or None when there is no such row."""
    sealed = parts.store.read_memo(keys.report_id)
    if sealed is None:
        return None
    try:
        return open_memo(sealed, keys.memo_key)
    except AuthenticityError:
        return None


def send(
    parts: Parts,
    keys: ReporterKeys,
    compose: Callable[[Memo | None], Letter],
    files: Iterable[FilePart] = (),
) -> bool:
    """Seal a letter with its files and store it; it may be confirmed once this returns.

    Args:
        keys: derived from the receipt.
        compose: makes the letter, given the memo of the first one or None; it is asked
            only after an earlier attempt under this receipt has been stopped or stored.
        files: consumed while the envelope is written.

    Returns:
        Whether it became the first envelope of this receipt.

    Raises:
        StorageError: nothing was stored.
        CapacityError: a limit; nothing was stored.
        KeyMaterialError: no chosen reader has a valid key.
    """
    parts.budget.require_room()
    with parts.attempts.claim(keys.report_id) as attempt:
        first = not parts.store.has_envelope(keys.report_id)
        letter = compose(None if first else read_memo(parts, keys))
        report = _report(parts, keys, letter, first)
        store_envelope(
            parts.store,
            ciphertext=seal_report(
                report=report,
                voice=keys.voice,
                recipients=parts.roster.valid(parts.clock()),
                files=((part.name, parts.budget.spend(part.chunks)) for part in files),
            ),
            report=report,
            memo=_memo(report, letter, keys) if first else random_memo(),
            expiry=expiry_of(parts),
            attempt=attempt,
        )
    return first


def expiry_of(parts: Parts) -> Month:
    """Return the month in which a row of today goes: one period for all rows."""
    return Month(month_of(parts.today()) + parts.settings.expiry_months)


def _report(parts: Parts, keys: ReporterKeys, letter: Letter, first: bool) -> Report:
    policy, version = letter.policy
    return Report(
        format=FORMAT_VERSION,
        envelope=keys.report_id if first else new_envelope_id(),
        read_token=ReadToken(secrets.token_bytes(32)),
        kind=letter.kind,
        day=parts.today(),
        relay=parts.deployment.relay_id,
        reply_public=keys.reply_public,
        voice_public=keys.voice_public,
        policy=policy,
        policy_version=version,
        track=letter.track,
        language=letter.language,
        answers=letter.answers,
        text=letter.text,
        readers=letter.readers,
        left_out=letter.absent.left_out,
    )


def _memo(report: Report, letter: Letter, keys: ReporterKeys) -> bytes:
    memo = Memo(
        kind=report.kind,
        readers=report.readers,
        left_out=letter.absent.left_out,
        not_asked=letter.absent.not_asked,
        track=report.track,
        language=report.language,
        day=report.day,
    )
    return seal_memo(memo, keys.memo_key)
