"""What the reporter will see: their page in their language, with the relay's own words.

The desk may not load the relay's pages; the words come from the same catalogue and the
markup is the same. A journey compares both in one browser.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from babel import Locale, UnknownLocaleError
from babel.support import Translations

import templates
from desk.casework.rules import policy_of
from desk.desk import read_desk
from desk.records import CaseRecord, QueuedReply
from desk.replies import case_page
from desk.vault import Vault
from policies.casework import Status
from policies.days import written_day
from protocol.names import RecipientName
from protocol.replypage import ReplyPage

_CATALOGUES = Path(templates.__file__).parent.parent / "locale"


@dataclass(frozen=True, kw_only=True)
class Preview:
    """A reply page with the words around it, translated; `days` are those of its replies."""

    page: ReplyPage
    language: str
    direction: str
    heading: str
    status: Status | None
    days: Sequence[str]
    outcome: str
    confirm: str
    feedback: str


def preview(vault: Vault, case: CaseRecord, text: str, *, today: date) -> Preview:
    """Lay out the page that the reporter of a case would read if `text` were sent.

    Args:
        text: a reply that is being written; "" shows what stands there now.
    """
    draft = QueuedReply(
        number=1 + max((one.number for one in case.replies), default=0),
        day=today,
        text="\n".join(text.splitlines()).strip(),
        after_items=len(case.items),
    )
    if draft.text:
        case = case.model_copy(update={"replies": (*case.replies, draft)})
    me = read_desk(vault).counselor or RecipientName("counselor")
    page = case_page(case, counselor=me, today=today)
    policy = policy_of(vault, case, language=case.language)
    person = policy.recipients[me].title if me in policy.recipients else me
    locale = _locale(case.language)
    say = Translations.load(_CATALOGUES, [locale] if locale else []).gettext
    return Preview(
        page=page,
        language=case.language,
        direction=locale.text_direction if locale else "ltr",
        heading=say("From %(person)s") % {"person": person},
        status=policy.statuses.get(page.status),
        days=[written_day(one.day, case.language) for one in page.replies],
        outcome=say("Outcome"),
        confirm=_promise(
            say("They said they would confirm by %(day)s."), page.acknowledge_by, case.language
        ),
        feedback=_promise(
            say("They said they would tell you what was done by %(day)s."),
            page.feedback_by,
            case.language,
        ),
    )


def language_of(case: CaseRecord) -> str:
    """Name the language of a reporter in English; what is no language is shown as it came."""
    locale = _locale(case.language)
    return (locale.get_display_name("en") if locale else None) or case.language


def _promise(sentence: str, day: date | None, language: str) -> str:
    return sentence % {"day": written_day(day, language)} if day else ""


def _locale(code: str) -> Locale | None:
    try:
        return Locale.parse(code, sep="-")
    except (ValueError, UnknownLocaleError):
        return None
