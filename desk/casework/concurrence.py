"""Two desks agree: a request goes out, a signed answer comes back (P22, P35).

The request is signed by the one who proposes and sealed to the one who is asked; the
answer is signed by her over the digest of exactly what was proposed and sealed back.
Neither is made for anybody whom the reporter left out, and a desk that finds its own
counselor among those refuses the file.
"""

import hashlib
from datetime import date, datetime
from pathlib import Path

from desk.casework.casefile import CaseFile
from desk.casework.colleagues import confirmed_colleague, require_permitted
from desk.casework.errors import ProcedureError
from desk.casework.leftout import left_out
from desk.casework.proposals import Proposal, Signed, proposal_work
from desk.casework.record import Act, append
from desk.casework.signedfile import SignedFile, opened_signed, take_once, write_signed
from desk.casework.work import actor, require_words
from desk.desk import read_desk
from desk.records import Record
from desk.vault import Vault
from keys.certificate import read_certificate
from protocol import limits
from protocol.canonical import Fields, encode_json
from protocol.errors import AuthenticityError, StorageError
from protocol.names import RecipientName
from protocol.naming import read_recipient_name

_TEXT_CHARS = 100_000


class Asked(Record):
    """A request of a colleague that waits for this counselor's answer."""

    shelf = "asked"
    id: str  # of the proposal
    case: str
    by: RecipientName
    kind: str
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
        return f"{self.by}/{self.id}"


def export_request(vault: Vault, proposal: Proposal, to: str, path: Path, *, now: datetime) -> None:
    """Write the request file for one colleague.

    Raises:
        ProcedureError: the reporter left her out, or her key is not confirmed.
        StorageError: the stick cannot be written.
    """
    with proposal_work(vault, proposal, now=now) as (work, current):
        colleague = require_permitted(vault, work.case, to)
        body = {
            "left_out": list(left_out(vault, work.case)),
            "proposal": current.body(),
            "spoken": any(one.by == colleague.name for one in current.spoken),
        }
        document, signature = write_signed(
            vault,
            path,
            to=colleague,
            kind="request",
            case=work.case.name,
            body=body,
            now=now,
        )
        asked = tuple(dict.fromkeys((*current.asked, colleague.name)))
        vault.put(current.model_copy(update={"asked": asked}))
        work.record(
            Act.ASKED,
            proposal=current.id,
            asked=colleague.name,
            document=document.decode(),
            signature=signature.decode(),
            signer=vault.secret_key.certificate.decode(),
        )


def import_request(vault: Vault, path: Path, *, now: datetime) -> Asked:
    """Take a colleague's request; it is answered with `answer_request`.

    Raises:
        AuthenticityError: not signed by a confirmed colleague, not for this desk, or the
            reporter left this counselor out.
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
        ProcedureError: no reason, a conflict of interest in this case, or answered before.
    """
    reason = require_words(reason, "the reason")
    with vault.changes():
        current = vault.get(Asked, asked.name_on_shelf())
        if current is None or current.answered is not None:
            raise ProcedureError("This request was answered before.")
        file = vault.get(CaseFile, current.case)
        if agrees and file is not None and file.conflict:
            raise ProcedureError("You declared a conflict of interest in this case.")
        body = {
            "agrees": agrees,
            "proposal": current.id,
            "proposal_sha256": current.digest.hex(),
            "reason": reason,
        }
        document, signature = write_signed(
            vault,
            path,
            to=confirmed_colleague(vault, current.by),
            kind="answer",
            case=current.case,
            body=body,
            now=now,
        )
        vault.put(current.model_copy(update={"answered": now.date(), "agrees": agrees}))
        append(
            vault,
            current.case,
            Act.SIGNED,
            by=actor(vault),
            why=reason,
            what={
                "agrees": agrees,
                "asked_by": current.by,
                "document": document.decode(),
                "proposal": current.id,
                "signature": signature.decode(),
                "signer": vault.secret_key.certificate.decode(),
                "title": current.title,
            },
            now=now,
        )


def import_answer(vault: Vault, path: Path, *, now: datetime) -> Proposal:
    """Take a colleague's signed answer into the proposal and the record of the case.

    Raises:
        AuthenticityError: not hers, not about this proposal as it was sent, or not asked for.
        ProcedureError: the reporter left her out.
        StorageError: the proposal is not on this desk.
    """
    with opened_signed(vault, path, kinds=["answer"], now=now) as file:
        proposal = vault.get(Proposal, file.body.text("proposal"))
        digest = file.body.octets("proposal_sha256", limits.SHA256_BYTES)
        agrees = file.body.value("agrees") is True
        reason = file.body.text("reason", limit=_TEXT_CHARS)
        file.body.end()
        if proposal is None:
            raise StorageError("This desk has made no such proposal.")
        return _take_answer(vault, file, proposal, digest, agrees=agrees, reason=reason, now=now)


def _take_answer(
    vault: Vault,
    file: SignedFile,
    proposal: Proposal,
    digest: bytes,
    *,
    agrees: bool,
    reason: str,
    now: datetime,
) -> Proposal:
    sender = file.sender
    with proposal_work(vault, proposal, now=now, despite_conflict=True) as (work, current):
        take_once(vault, file)
        require_permitted(vault, work.case, sender.name)
        if digest != current.digest or file.case != current.case:
            raise AuthenticityError("This answer is about something else than you proposed.")
        if sender.name not in current.asked or sender.name == read_desk(vault).counselor:
            raise AuthenticityError("This answer comes from somebody whom you did not ask.")
        signed = Signed(
            by=sender.name,
            fingerprint=sender.fingerprint,
            agrees=agrees,
            reason=reason,
            day=work.today,
            document=file.document,
            signature=file.signature,
        )
        kept = tuple(one for one in current.signed if one.by != sender.name)
        changed = current.model_copy(update={"signed": (*kept, signed)})
        vault.put(changed)
        work.record(
            Act.AGREED if agrees else Act.REFUSED,
            why=reason,
            proposal=current.id,
            answered_by=sender.name,
            document=file.document.decode(),
            signature=file.signature.decode(),
            signer=read_certificate(sender.certificate).armored,
        )
    return changed


def _read_request(file: SignedFile) -> tuple[Asked, tuple[str, ...]]:
    out = file.body.texts("left_out", limit=limits.RECIPIENTS_COUNT)
    file.body.value("spoken")
    proposal = file.body.value("proposal")
    file.body.end()
    fields = Fields(proposal, where="the proposal")
    asked = Asked(
        id=fields.text("proposal"),
        case=fields.text("case"),
        by=file.sender.name,
        kind=fields.text("kind"),
        action=fields.text("action"),
        title=fields.text("title"),
        target=fields.text("target", limit=_TEXT_CHARS),
        reason=fields.text("reason", limit=_TEXT_CHARS),
        ground=fields.text("ground"),
        harm=fields.text("harm", limit=_TEXT_CHARS),
        day=fields.day("day"),
        digest=_digest(proposal),
    )
    by = read_recipient_name(fields.text("proposed_by"))
    fields.end()
    if by != file.sender.name or asked.case != file.case:
        raise AuthenticityError("This request names another counselor or case than its sender.")
    return asked, out


def _digest(proposal: object) -> bytes:
    return hashlib.sha256(encode_json(proposal)).digest()
