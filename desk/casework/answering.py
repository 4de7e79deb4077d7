"""What a colleague asks this counselor to agree to, and her signed answer (P22, P35).

She signs the digest of all that was asked, so all of it is shown to her. A desk that finds
its own counselor, or the one who asks, among those left out takes no request and signs nothing.
"""

import hashlib
from collections.abc import Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Literal, cast, get_args

from desk.casework.casefile import CaseFile
from desk.casework.colleagues import confirmed_colleague
from desk.casework.errors import ProcedureError
from desk.casework.leftout import left_out
from desk.casework.record import Act, append
from desk.casework.signedfile import SignedFile, opened_signed, take_once, write_signed
from desk.casework.threads import kept_case
from desk.casework.work import actor, read_file, require_words
from desk.files import staged_file
from desk.records import CaseRecord, Record
from desk.vault import Vault
from protocol import limits
from protocol.canonical import Fields, encode_json
from protocol.errors import AuthenticityError, FormatError, StorageError
from protocol.names import RecipientName
from protocol.naming import read_recipient_name

Kind = Literal["action", "deletion"]
_TEXT_CHARS = 100_000


class Asked(Record):
    """A request of a colleague that waits for this counselor's answer."""

    shelf = "asked"
    id: str  # of the proposal
    case: str
    by: RecipientName
    kind: Kind
    action: str
    title: str
    target: str
    reason: str
    ground: str
    harm: str
    day: date
    digest: bytes
    answered: date | None = None
    agrees: bool = False

    def name_on_shelf(self) -> str:
        return self.id

    def facts(self) -> list[tuple[str, str]]:
        """Return everything that she would sign, as label and value.

        The title is the sender's word for what is to be done; so the act stands beside it.
        """
        return [
            ("Asked by", self.by),
            ("Case", self.case),
            ("What", self.title),
            ("That is", f"{self.kind}: {self.action}"),
            ("Whom or what", self.target),
            ("Reason", self.reason),
            ("Ground", self.ground),
            ("Harm considered", self.harm),
            ("Proposed on", self.day.isoformat()),
            ("Number of the proposal", self.id),
        ]


def import_request(vault: Vault, path: Path, *, now: datetime) -> Asked:
    """Take a colleague's request; it is answered with `answer_request`.

    One that was taken before may come again, when an answer was lost; only in the same words.

    Raises:
        AuthenticityError: not signed by a confirmed colleague, not for this desk, something
            else under the number of an earlier request, or the reporter left one of both out.
        FormatError: not a request.
    """
    with opened_signed(vault, path, kinds=["request"], now=now) as file:
        asked, out = _read_request(file)
        if actor(vault) in out:
            raise AuthenticityError(
                "The reporter left you out of this case: the request was not taken. Tell your "
                "colleague."
            )
        with vault.changes():
            take_once(vault, file)
            _refuse_left_out(vault, asked)
            earlier = vault.get(Asked, asked.name_on_shelf())
            if earlier is not None and (earlier.by, earlier.digest) != (asked.by, asked.digest):
                raise AuthenticityError(
                    "This request asks for something else under the number of an earlier one; let "
                    "your colleague propose it anew."
                )
            vault.put(asked)
    return asked


def requests_asked(vault: Vault) -> list[Asked]:
    """Return the requests of colleagues, those without an answer first."""
    return sorted(vault.all(Asked), key=lambda one: (one.answered is not None, one.day, one.id))


def find_request(vault: Vault, typed: str) -> Asked:
    """Find a request by its id, or the beginning of it.

    Raises:
        StorageError: there is none, or more than one begins so.
    """
    found = [one for one in vault.all(Asked) if typed and one.id.startswith(typed.lower())]
    if len(found) != 1:
        raise StorageError("This desk has no single request of that name.")
    return found[0]


def answer_request(
    vault: Vault, asked: Asked, path: Path, *, agrees: bool, reason: str, now: datetime
) -> None:
    """Sign the answer to a request and write it for the colleague who asked.

    Raises:
        ProcedureError: no reason, a conflict of interest in this case, or answered before. Where
            the answer was lost, the same request is taken once more.
        AuthenticityError: the reporter left the colleague out.
    """
    reason = require_words(reason, "the reason")
    with staged_file(path) as staged:
        with vault.changes():
            current = vault.get(Asked, asked.name_on_shelf())
            if current is None or current.answered is not None:
                raise ProcedureError("This request was answered before.")
            _refuse_left_out(vault, current)
            if agrees and any(one.conflict for one in _files(vault, current)):
                raise ProcedureError("You declared a conflict of interest in this case.")
            body = {
                "agrees": agrees,
                "proposal": current.id,
                "proposal_sha256": current.digest.hex(),
                "reason": reason,
            }
            document, signature = write_signed(
                vault,
                staged,
                to=confirmed_colleague(vault, current.by),
                kind="answer",
                case=current.case,
                body=body,
                now=now,
            )
            vault.put(current.model_copy(update={"answered": now.date(), "agrees": agrees}))
            _record(vault, current, document, signature, agrees=agrees, reason=reason, now=now)
        staged.publish()


def _record(
    vault: Vault,
    asked: Asked,
    document: bytes,
    signature: bytes,
    *,
    agrees: bool,
    reason: str,
    now: datetime,
) -> None:
    append(
        vault,
        asked.case,
        Act.SIGNED,
        by=actor(vault),
        why=reason,
        what={
            "agrees": agrees,
            "asked_by": asked.by,
            "document": document.decode(),
            "proposal": asked.id,
            "signature": signature.decode(),
            "signer": vault.secret_key.certificate.decode(),
            "title": asked.title,
        },
        now=now,
    )


def _refuse_left_out(vault: Vault, asked: Asked) -> None:
    """Refuse to deal with a colleague in a case that she must not even know of (P16)."""
    for case in _cases(vault, asked):
        if asked.by in left_out(vault, case):
            raise AuthenticityError(
                "The reporter left the colleague out who asks: nothing was taken or signed. Tell "
                "her nothing about the case."
            )


def _cases(vault: Vault, asked: Asked) -> list[CaseRecord]:
    """Return the case that a request names, if it is here, and what it goes on as."""
    case = vault.get(CaseRecord, asked.case)
    return [] if case is None else [case, kept_case(vault, case)]


def _files(vault: Vault, asked: Asked) -> Sequence[CaseFile]:
    return [read_file(vault, one) for one in _cases(vault, asked)]


def _read_request(file: SignedFile) -> tuple[Asked, tuple[str, ...]]:
    out = file.body.texts("left_out", limit=limits.RECIPIENTS_COUNT)
    file.body.value("spoken")
    proposal = file.body.value("proposal")
    file.body.end()
    fields = Fields(proposal, where="the proposal")
    kind = fields.text("kind")
    if kind not in get_args(Kind):
        raise FormatError("This request asks for something that this desk does not know.")
    asked = Asked(
        id=fields.octets("proposal", limits.ID_BYTES).hex(),
        case=fields.text("case"),
        by=file.sender.name,
        kind=cast(Kind, kind),
        action=fields.text("action"),
        title=fields.text("title"),
        target=fields.text("target", limit=_TEXT_CHARS),
        reason=fields.text("reason", limit=_TEXT_CHARS),
        ground=fields.text("ground"),
        harm=fields.text("harm", limit=_TEXT_CHARS),
        day=fields.day("day"),
        digest=hashlib.sha256(encode_json(proposal)).digest(),
    )
    by = read_recipient_name(fields.text("proposed_by"))
    fields.end()
    if by != file.sender.name or asked.case != file.case:
        raise AuthenticityError("This request names another counselor or case than its sender.")
    return asked, out
