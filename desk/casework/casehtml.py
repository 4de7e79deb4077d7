"""One case as a page that needs nothing else: for the file, for the printer, for a court.

Everything in it is escaped text; it loads nothing and runs nothing.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from html import escape

from desk.casework.blotting import BLOT
from desk.casework.clocks import case_clocks
from desk.casework.phrasing import answers_in_words, facts_of
from desk.casework.record import Act, Entry
from desk.casework.redaction import WITHHELD, Redaction
from desk.casework.rules import policy_of
from desk.casework.said import consents
from desk.casework.threads import joined_cases, threads_of
from desk.casework.verifying import read_record
from desk.casework.work import read_file
from desk.legible import make_visible
from desk.records import CaseRecord
from desk.vault import Vault
from policies.schema import Policy

PRESUMED_INNOCENT = (
    "The person reported is presumed innocent: nothing in this file is a finding against "
    "them unless a decision below says so."
)
_STYLE = (
    "body{font:16px/1.5 sans-serif;max-width:46rem;margin:2rem auto;padding:0 1rem}"
    "table{border-collapse:collapse}td,th{border:1px solid #999;padding:.2rem .5rem;"
    "text-align:start;vertical-align:top}pre{white-space:pre-wrap;font:inherit}"
    "code{overflow-wrap:anywhere}"
)


def case_html(
    vault: Vault,
    case: CaseRecord,
    redaction: Redaction,
    *,
    with_notes: bool,
    digests: Sequence[tuple[str, str]] = (),
    now: datetime,
) -> bytes:
    """Lay out a case as one HTML page.

    Args:
        redaction: what of it may be shown.
        with_notes: counselors' notes too; they are nobody else's business by default.
        digests: names and SHA-256 of the originals, for a hand-over on paper.

    Raises:
        AuthenticityError: the record of the case does not verify.
    """
    parts = [
        *_head(vault, case, now),
        *_thread(vault, case, redaction),
        *_decisions(vault, case, redaction),
        *(_notes(vault, case, redaction) if with_notes else ()),
        *_digests(digests),
        *_record(vault, case, redaction),
    ]
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; '
        "style-src 'unsafe-inline'\">"
        f"<title>Case {escape(case.name)}</title><style>{_STYLE}</style></head><body>\n"
        + "\n".join(parts)
        + "\n</body></html>\n"
    ).encode()


def _head(vault: Vault, case: CaseRecord, now: datetime) -> Iterator[str]:
    policy = policy_of(vault, case)
    track = policy.tracks.get(case.track)
    status = policy.statuses.get(case.status)
    clocks = case_clocks(vault, case, today=now.date())
    yield f"<h1>Case {_text(case.name)}</h1>"
    yield f"<p>Exported on {now.date()}. {PRESUMED_INNOCENT}</p>"
    yield _table(
        (
            ("Organisation", policy.organisation),
            ("Procedure", track.title if track else case.track),
            ("Received", case.received.isoformat()),
            ("Acknowledge by", case.acknowledge_by.isoformat()),
            ("Feedback by", case.feedback_by.isoformat()),
            ("Time of the event", clocks.window.value),
            ("Status", status.title if status else case.status),
            (
                "Consents",
                "; ".join(policy.consents[one].label for one in consents(vault, case)) or "none",
            ),
            ("Joined cases", ", ".join(o.name for o in joined_cases(vault, case)) or "none"),
        )
    )


def _thread(vault: Vault, case: CaseRecord, redaction: Redaction) -> Iterator[str]:
    policy = policy_of(vault, case)
    yield "<h2>What came in</h2>"
    for owner, one in threads_of(vault, case):
        same = owner.is_same_reporter(one.item)
        voice = "" if same else " (not with the reporter's voice)"
        yield f"<h3>{_text(one.item.kind)}, {one.item.day}{voice}</h3>"
        yield _table(
            (answered.label, redaction.answer(policy, answered))
            for answered in answers_in_words(policy, one.report)
        )
        if one.report.text:
            yield f"<pre>{_text(redaction.text(one.report.text))}</pre>"
        for file in one.reading.attachments:
            name = redaction.blotted(file.name) if redaction.documents else WITHHELD
            digest = file.sha256.hex() if redaction.documents else BLOT
            yield f"<p>File {_text(name)}, {file.size_bytes} bytes, SHA-256 <code>{digest}</code>"
    yield "<h2>What was answered</h2>"
    for owner in (case, *joined_cases(vault, case)):
        for reply in owner.replies:
            yield f"<h3>Reply {reply.number}, {reply.day}</h3>"
            yield f"<pre>{_text(redaction.text(reply.text))}</pre>"


def _decisions(vault: Vault, case: CaseRecord, redaction: Redaction) -> Iterator[str]:
    file, policy = read_file(vault, case), policy_of(vault, case)
    yield "<h2>What the person reported answers</h2>"
    if not file.answers_of_reported:
        yield "<p>No answer is recorded.</p>"
    for note in file.answers_of_reported:
        yield f"<p>{note.day}</p><pre>{_text(redaction.blotted(note.text))}</pre>"
    for assessment in file.assessments[-1:]:
        yield f"<h2>Assessment of {assessment.day} by {_text(assessment.by)}</h2>"
        yield _table(
            (policy.factors[one].title, policy.factors[one].option_labels.get(chosen, chosen))
            for one, chosen in assessment.factors.items()
            if one in policy.factors
        )
        concluded = "yes" if assessment.conclusion else "no"
        question = policy.assessment.conclusion if policy.assessment else "Conclusion"
        yield f"<p>{_text(question)} {concluded}.</p>"
        yield f"<pre>{_text(redaction.text(assessment.reasons))}</pre>"
    yield "<h2>Decision</h2>"
    if file.decision is None:
        yield "<p>None yet.</p>"
        return
    titles = [policy.outcomes[o].title for o in file.decision.outcomes if o in policy.outcomes]
    yield f"<p>{file.decision.day}: {_text(', '.join(titles))}</p>"
    yield f"<pre>{_text(redaction.text(file.decision.reasons))}</pre>"


def _notes(vault: Vault, case: CaseRecord, redaction: Redaction) -> Iterator[str]:
    yield "<h2>Notes</h2>"
    for note in read_file(vault, case).notes:
        yield f"<p>{note.day}, {_text(note.by)}</p><pre>{_text(redaction.text(note.text))}</pre>"


def _digests(digests: Sequence[tuple[str, str]]) -> Iterator[str]:
    if digests:
        yield "<h2>Originals</h2>"
        yield _table((name, digest) for name, digest in digests)


def _record(vault: Vault, case: CaseRecord, redaction: Redaction) -> Iterator[str]:
    yield "<h2>Record</h2><table><tr><th>No.</th><th>When (UTC)</th><th>What</th><th>Why</th></tr>"
    policy = policy_of(vault, case)
    for entry in read_record(vault, case.name):
        shown = redaction.shows(entry)
        what = _what(policy, entry) if shown else BLOT
        why = entry.why if shown else ""
        yield (
            f"<tr><td>{entry.number}</td><td>{entry.moment:%Y-%m-%d %H:%M:%S}</td>"
            f"<td>{_text(what)}</td><td>{_text(why)}</td></tr>"
        )
    yield "</table>"


def _what(policy: Policy, entry: Entry) -> str:
    """Return an entry in one line; signed documents stand in the record's own files."""
    facts = [f"{name}: {value}" for name, value in facts_of(policy, entry)]
    return "; ".join([f"{Act(entry.act).value} by {entry.by}", *facts])


def _table(rows: Iterable[tuple[str, str]]) -> str:
    cells = "".join(
        f"<tr><th>{_text(name)}</th><td>{_text(value)}</td></tr>" for name, value in rows
    )
    return f"<table>{cells}</table>" if cells else ""


def _text(text: str) -> str:
    return escape(make_visible(text, lines=True))
