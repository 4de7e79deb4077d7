"""Two desks agree: a request goes out, a signed answer comes back (P22, P35).

The request is signed by the one who proposes and sealed to the one who is asked; the
answer is signed by her over the digest of exactly what was proposed and sealed back
(`answering`). Neither is made for anybody whom the reporter left out.
"""

from datetime import datetime
from pathlib import Path

from desk.casework.colleagues import require_permitted
from desk.casework.leftout import left_out
from desk.casework.proposals import Proposal, Signed, proposal_work
from desk.casework.record import Act
from desk.casework.signedfile import SignedFile, opened_signed, take_once, write_signed
from desk.desk import read_desk
from desk.files import staged_file
from desk.vault import Vault
from keys.certificate import read_certificate
from protocol import limits
from protocol.errors import AuthenticityError, StorageError

_TEXT_CHARS = 100_000


def export_request(vault: Vault, proposal: Proposal, to: str, path: Path, *, now: datetime) -> None:
    """Write the request file for one colleague.

    Raises:
        ProcedureError: the reporter left her out, or her key is not confirmed.
        StorageError: the stick cannot be written.
    """
    with staged_file(path) as staged:
        with proposal_work(vault, proposal, now=now) as (work, current):
            colleague = require_permitted(vault, work.case, to)
            body = {
                "left_out": list(left_out(vault, work.case)),
                "proposal": current.body(),
                "spoken": any(one.by == colleague.name for one in current.spoken),
            }
            document, signature = write_signed(
                vault,
                staged,
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
        staged.publish()


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
        earlier = next((one for one in current.signed if one.by == sender.name), None)
        if earlier is not None and file.made <= earlier.made:
            raise AuthenticityError("She signed another answer after this one, and that one holds.")
        signed = Signed(
            by=sender.name,
            made=file.made,
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
