"""The other counselors: their certificates, and whether a voice confirmed them.

Certificates come with every bundle, signed by the relay. Whoever holds the relay
could put his own in place of a colleague's and would then read what is shared with
her; so nothing is sealed to a certificate, and no signature of it believed, before the
counselor compared its fingerprint with her colleague by voice (decision 0010).
"""

from collections.abc import Iterable
from datetime import date, datetime

from desk.casework.errors import ProcedureError
from desk.casework.leftout import left_out
from desk.desk import read_desk
from desk.keyring import own_fingerprints
from desk.records import CaseRecord, Record
from desk.vault import Vault
from keys.certificate import Certificate, read_fingerprint, verify_certificate
from protocol.bundle import BundleHead, RecipientCertificate
from protocol.names import Fingerprint, RecipientName


class Colleague(Record):
    """Another recipient of the relay, as the last bundle listed her."""

    shelf = "colleague"
    name: RecipientName
    fingerprint: Fingerprint
    certificate: bytes
    confirmed: date | None = None  # the day on which the fingerprint was compared by voice
    active: bool = True  # listed in the last bundle

    def name_on_shelf(self) -> str:
        return self.name


def learn_colleagues(vault: Vault, head: BundleHead) -> list[str]:
    """Take the certificates of the other recipients from a bundle.

    Args:
        head: of a bundle whose signature was verified.

    Returns:
        Sentences: who is new, and whose key changed and must be confirmed again.
    """
    with vault.changes():
        if head.cut < read_desk(vault).cut:
            return []
        return _file(vault, head.certificates)


def colleagues(vault: Vault) -> list[Colleague]:
    """Return the other active recipients, by name."""
    found = [one for one in vault.all(Colleague) if one.active]
    return sorted(found, key=lambda one: one.name)


def confirm_colleague(vault: Vault, name: str, spoken: str, *, now: datetime) -> Colleague:
    """Note that a colleague's fingerprint was compared with her by voice.

    Args:
        spoken: the fingerprint as she read it out; any spacing.

    Raises:
        ProcedureError: it is not the one that the relay lists: do not share anything.
        KeyMaterialError: not a fingerprint.
    """
    with vault.changes():
        colleague = _known(vault, name)
        if read_fingerprint(spoken) != colleague.fingerprint:
            raise ProcedureError(
                "This is not the fingerprint that the relay lists for her: share nothing with "
                "this key, and tell the operator."
            )
        confirmed = colleague.model_copy(update={"confirmed": now.date()})
        vault.put(confirmed)
    return confirmed


def confirmed_colleague(vault: Vault, name: str) -> Colleague:
    """Return a colleague whose fingerprint was confirmed.

    Raises:
        ProcedureError: unknown, no longer a recipient, or not confirmed.
    """
    colleague = _known(vault, name)
    if colleague.confirmed is None:
        raise ProcedureError(
            "Compare her fingerprint with her by voice first, and confirm it on this desk."
        )
    return colleague


def certificate_of(colleague: Colleague, *, now: datetime) -> Certificate:
    """Return a colleague's certificate, fit to seal to now.

    Raises:
        KeyMaterialError: expired, revoked, or damaged.
    """
    return verify_certificate(colleague.certificate, pinned=colleague.fingerprint, now=now)


def permitted_colleagues(vault: Vault, case: CaseRecord) -> list[Colleague]:
    """Return the colleagues who may learn of a case: all but those left out (P16)."""
    shut = _keys_left_out(vault, case)
    return [one for one in colleagues(vault) if one.fingerprint not in shut]


def require_permitted(vault: Vault, case: CaseRecord, name: str) -> Colleague:
    """Return a confirmed colleague who may learn of a case.

    Raises:
        ProcedureError: the reporter left her out, or she is not confirmed.
    """
    colleague = confirmed_colleague(vault, name)
    refuse_left_out(vault, case, colleague.fingerprint)
    return colleague


def refuse_left_out(vault: Vault, case: CaseRecord, fingerprint: Fingerprint) -> None:
    """Refuse to let anything of a case be sealed to a key of somebody left out.

    Raises:
        ProcedureError: the relay called that key, now or before, by a name that was left out.
    """
    if fingerprint in _keys_left_out(vault, case):
        raise ProcedureError(
            "The reporter left this person out: nothing of this case may reach her unless the "
            "reporter agrees in the mailbox."
        )


def _keys_left_out(vault: Vault, case: CaseRecord) -> set[Fingerprint]:
    """Return keys and not names: the relay gives the names, and could give another one."""
    out = left_out(vault, case)
    return {one.fingerprint for one in vault.all(Colleague) if one.name in out}


def _known(vault: Vault, name: str) -> Colleague:
    colleague = vault.get(Colleague, name)
    if colleague is None or not colleague.active:
        raise ProcedureError("No bundle lists a counselor of that name besides you.")
    return colleague


def _file(vault: Vault, listed: Iterable[RecipientCertificate]) -> list[str]:
    own, name_of_hers = own_fingerprints(vault), read_desk(vault).counselor
    told = []
    others = {
        one.recipient: one
        for one in listed
        # By name too: a desk that came back from a backup may not know her newest key.
        if one.fingerprint not in own and one.recipient != name_of_hers
    }
    for known in list(vault.all(Colleague)):
        if known.name not in others and known.active:
            vault.put(known.model_copy(update={"active": False, "confirmed": None}))
            told.append(f"{known.name} is no longer among the relay's recipients.")
    for name, one in others.items():
        known_one = vault.get(Colleague, name)
        if known_one and known_one.fingerprint == one.fingerprint:
            # Same key, perhaps with a later expiry: the confirmation holds.
            update = {"certificate": one.certificate, "active": True}
            vault.put(known_one.model_copy(update=update))
            continue
        if known_one:
            told.append(f"{name} has another key now: compare its fingerprint by voice.")
        told += [
            f"{name} has the key that {before.name} had: ask the operator who that is."
            for before in vault.all(Colleague)
            if before.name != name and before.fingerprint == one.fingerprint
        ]
        vault.put(Colleague(name=name, fingerprint=one.fingerprint, certificate=one.certificate))
    return told
