"""What a reporter says, as programs read it (report.json) and as a person does (report.txt).

Refused: anything that is not exactly the schema, above all names and digits that later become
paths and keys. PROTOCOL.md, «Envelope».
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum

from protocol import limits
from protocol.canonical import Fields, encode_json, read_json
from protocol.derivation import mailbox_id
from protocol.errors import FormatError
from protocol.filenames import is_forbidden_character
from protocol.names import EnvelopeId, MailboxId, ReadToken, RecipientName, RelayId
from protocol.naming import read_recipient_name, read_relay_id

FORMAT_VERSION = 1
_WHERE = "report.json"
_INDENT = "    "


class Kind(StrEnum):
    """What an envelope is for; all of them look alike from outside."""

    REPORT = "report"
    FOLLOW_UP = "follow-up"
    ESCALATION = "escalation"
    CONSENT = "consent"
    CLOSING = "closing"
    COVER = "cover"


@dataclass(frozen=True, kw_only=True)
class Answer:
    """The answer to one question of the policy.

    Attributes:
        question: the question's id in the policy.
        label: how the question was put, in the reporter's language.
        values: ids of what was chosen, or the one text that was typed.
        shown: the same as the reporter saw it; as many as `values`. Both may be empty: to
            withdraw every consent is an answer.
    """

    question: str
    label: str
    values: tuple[str, ...]
    shown: tuple[str, ...]

    @property
    def value(self) -> str | list[str]:
        """One value as itself, several as a list."""
        return self.values[0] if len(self.values) == 1 else list(self.values)


@dataclass(frozen=True, kw_only=True)
class Report:
    """One report.json. Its text form shows neither words nor keys: it may reach a log."""

    format: int = FORMAT_VERSION
    envelope: EnvelopeId = field(repr=False)
    read_token: ReadToken = field(repr=False)
    kind: Kind
    day: date
    relay: RelayId
    reply_public: bytes = field(repr=False)
    voice_public: bytes = field(repr=False)
    policy: str
    policy_version: str
    track: str = field(repr=False)
    language: str = field(repr=False)
    answers: tuple[Answer, ...] = field(repr=False)
    text: str = field(repr=False)
    readers: tuple[RecipientName, ...] = field(repr=False)
    left_out: tuple[RecipientName, ...] = field(repr=False)

    @property
    def mailbox(self) -> MailboxId:
        """Where replies to this report go; follows from the reply key and is not repeated."""
        return mailbox_id(self.reply_public)

    def encode(self) -> bytes:
        """Return report.json.

        Raises:
            FormatError: the desk would refuse it, so it must not leave.
        """
        data = encode_json(
            {
                "answers": [_encode_answer(answer) for answer in self.answers],
                "day": self.day.isoformat(),
                "envelope": self.envelope.hex(),
                "format": self.format,
                "kind": self.kind.value,
                "language": self.language,
                "left_out": list(self.left_out),
                "policy": self.policy,
                "policy_version": self.policy_version,
                "read_token": self.read_token.hex(),
                "readers": list(self.readers),
                "relay": self.relay,
                "reply_public": self.reply_public.hex(),
                "text": self.text,
                "track": self.track,
                "voice_public": self.voice_public.hex(),
            }
        )
        read_report(data)
        return data


def _encode_answer(answer: Answer) -> dict[str, object]:
    return {
        "label": answer.label,
        "question": answer.question,
        "shown": list(answer.shown),
        "values": list(answer.values),
    }


def read_report(data: bytes) -> Report:
    """Read report.json.

    Raises:
        FormatError: not canonical, not the schema, or of a newer format.
    """
    fields = Fields(read_json(data, limits.REPORT_BYTES), where=_WHERE)
    report = Report(
        format=fields.version(newest=FORMAT_VERSION),
        envelope=EnvelopeId(fields.octets("envelope", limits.ID_BYTES)),
        read_token=ReadToken(fields.octets("read_token", limits.TOKEN_BYTES)),
        kind=_read_kind(fields.text("kind")),
        day=fields.day("day"),
        relay=read_relay_id(fields.text("relay")),
        reply_public=fields.octets("reply_public", limits.REPLY_PUBLIC_BYTES),
        voice_public=fields.octets("voice_public", limits.KEY_BYTES),
        policy=fields.text("policy"),
        policy_version=fields.text("policy_version"),
        track=fields.text("track"),
        language=fields.text("language"),
        answers=_read_answers(fields),
        text=fields.text("text", limit=limits.TEXT_CHARS),
        readers=_read_names(fields, "readers"),
        left_out=_read_names(fields, "left_out"),
    )
    fields.end()
    people = report.readers + report.left_out
    if not report.readers or len(set(people)) != len(people):
        raise FormatError("report.json names no reader, or a recipient twice")
    return report


def _read_kind(text: str) -> Kind:
    try:
        return Kind(text)
    except ValueError:
        raise FormatError("report.json is of a kind that its format does not know") from None


def _read_names(fields: Fields, name: str) -> tuple[RecipientName, ...]:
    return tuple(map(read_recipient_name, fields.texts(name, limit=limits.RECIPIENTS_COUNT)))


def _read_answers(fields: Fields) -> tuple[Answer, ...]:
    answers = []
    for item in fields.each("answers", limit=limits.ANSWERS_COUNT):
        answer = Answer(
            label=item.text("label", limit=limits.LABEL_CHARS),
            question=item.text("question"),
            values=item.texts("values", limit=limits.CHOICES_COUNT, chars=limits.ANSWER_CHARS),
            shown=item.texts("shown", limit=limits.CHOICES_COUNT, chars=limits.ANSWER_CHARS),
        )
        item.end()
        if len(answer.values) != len(answer.shown):
            raise FormatError("report.json has an answer that shows more or less than it holds")
        answers.append(answer)
    return tuple(answers)


def render_report(report: Report) -> bytes:
    """Write report.txt, for whoever opens an envelope with gpg and unzip alone.

    It is read in a terminal: control characters could drive it, and reordering ones could
    make a sentence say its opposite, so both are shown as replaced. What the reporter wrote is
    indented; a line at the margin is ours and cannot be imitated.

    Returns:
        UTF-8 with newlines only.
    """
    return "".join(f"{line.rstrip()}\n" for line in _lines(report)).encode("utf-8")


def _lines(report: Report) -> Iterator[str]:
    yield f"SOTTO: {report.kind.value.upper()}"
    yield ""
    yield f"Received (UTC)   {report.day.isoformat()}"
    yield f"Envelope         {report.envelope.hex()}"
    yield f"Mailbox          {report.mailbox.hex()}"
    yield f"Relay            {report.relay}"
    yield f"Policy           {_clean(report.policy)} {_clean(report.policy_version)}"
    yield f"Track, language  {_clean(report.track)}, {_clean(report.language)}"
    yield f"May read         {', '.join(report.readers)}"
    yield f"Left out         {', '.join(report.left_out) or 'nobody'}"
    for answer in report.answers:
        yield ""
        yield f"{_clean(answer.label)}"
        for shown in answer.shown or ("",):
            yield from _indented(shown)
    yield ""
    yield "TEXT"
    yield from _indented(report.text)
    yield ""
    yield "END OF TEXT"
    yield "Files, if any, are in the folder «attachments»; manifest.json lists their digests."


def _indented(text: str) -> Iterator[str]:
    for line in text.splitlines() or ["(nothing)"]:
        yield _INDENT + _clean(line)


def _clean(text: str) -> str:
    return "".join(
        "\ufffd" if character != "\t" and is_forbidden_character(character) else character
        for character in text
    )
