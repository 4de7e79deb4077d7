"""What was said in a case, in one order: letters, replies, and replies of colleagues."""

from collections.abc import Sequence
from dataclasses import dataclass

from desk.cases import read_thread
from desk.casework.casefile import CaseFile
from desk.casework.phrasing import Answered, answers_in_words
from desk.casework.threads import joined_cases
from desk.records import AttachmentRecord, CaseRecord
from desk.screens.attachments import is_picture, may_be_cleaned, may_be_shown, type_of
from desk.screens.session import today
from desk.showing import MessageView, case_view
from desk.vault import Vault
from policies.schema import Policy
from protocol.names import RecipientName


@dataclass(frozen=True, kw_only=True)
class FileLine:
    """A file as the page lists it: `item` and `number` find it again."""

    file: AttachmentRecord
    item: int
    number: int
    type: str
    is_text: bool
    is_picture: bool
    may_be_cleaned: bool


@dataclass(frozen=True, kw_only=True)
class Said:
    """One entry: a letter with its answers and files, or a reply; `colleague` wrote it if named."""

    message: MessageView
    answers: Sequence[Answered] = ()
    files: Sequence[FileLine] = ()
    colleague: RecipientName | None = None


@dataclass(frozen=True, kw_only=True)
class Thread:
    """What was said under one receipt."""

    case: str
    said: Sequence[Said]
    joined: bool


def threads(vault: Vault, case: CaseRecord, file: CaseFile, policy: Policy) -> list[Thread]:
    """Return the thread of a case, with colleagues' replies in it, and those of joined cases."""
    return [
        Thread(
            case=one.name,
            said=_with_colleagues(
                _own(vault, one, policy), file if one.name == case.name else None
            ),
            joined=one.name != case.name,
        )
        for one in (case, *joined_cases(vault, case))
    ]


def _own(vault: Vault, case: CaseRecord, policy: Policy) -> list[Said]:
    letters = list(read_thread(vault, case))
    said, number = [], 0
    for message in case_view(vault, case, today=today())["messages"]:
        if message["by"] == "counselor":
            said.append(Said(message=message))
            continue
        letter, number = letters[number], number + 1
        files = [_line(one, number, place) for place, one in _numbered(letter.reading.attachments)]
        answers = answers_in_words(policy, letter.report)
        said.append(Said(message=message, answers=answers, files=files))
    return said


def _numbered(files: Sequence[AttachmentRecord]) -> list[tuple[int, AttachmentRecord]]:
    return list(enumerate(files, start=1))


def _line(file: AttachmentRecord, item: int, number: int) -> FileLine:
    return FileLine(
        file=file,
        item=item,
        number=number,
        type=type_of(file),
        is_text=may_be_shown(file),
        is_picture=is_picture(file),
        may_be_cleaned=may_be_cleaned(file),
    )


def _with_colleagues(said: list[Said], file: CaseFile | None) -> list[Said]:
    """Put each colleague's replies behind what had come by the day on which she wrote."""
    for copy in file.copies if file else ():
        for reply in copy.replies:
            day = reply.day.isoformat()
            before = [place for place, one in enumerate(said) if one.message["day"] <= day]
            message = MessageView(
                by="colleague",
                kind="reply",
                day=day,
                text=reply.text,
                answers=[],
                number=reply.number,
                serial=None,
                encrypted=False,
                repeated=0,
                envelope="",
            )
            said.insert(before[-1] + 1 if before else 0, Said(message=message, colleague=copy.by))
    return said
