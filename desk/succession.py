"""A new key follows the old one, and nothing that is sealed to either is lost.

Her next dispatches carry the new certificate, signed with the old key, which goes on
signing until a bundle lists the new one: a stick that is late or lost changes nothing.
Then the desk goes over to the new key in steps of which each leaves it openable. What
must never be: a key that signs and that the relay does not know. Decision 0014.
"""

from dataclasses import dataclass
from datetime import datetime

from desk.desk import read_desk, spoken_fingerprint
from desk.files import write_whole
from desk.keyring import KeptKey, KeyRing, keep, own_fingerprints
from desk.records import DeskRecord
from desk.unlocking import KEY_FILE, open_key, read_key_file, reseal
from desk.vault import Vault
from keys.armor import read_armor
from keys.certificate import verify_certificate
from protocol.bundle import BundleHead
from protocol.errors import KeyMaterialError, StorageError
from protocol.names import Fingerprint


@dataclass(frozen=True, kw_only=True)
class Settled:
    """What a bundle said about her keys.

    Attributes:
        told: sentences that ask for something.
        notes: sentences that are good to know.
    """

    told: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def propose_successor(
    vault: Vault, *, key_file: bytes, passphrase: str, former_passphrase: str, now: datetime
) -> Fingerprint:
    """Let a new key follow the one of this desk; the next dispatch says so to the relay.

    Both keys are kept sealed in the vault with what opens them, so that what is sealed to
    either opens whatever becomes of the sticks. A second proposal replaces the first, whose
    key stays too: the relay may have taken it.

    Args:
        vault: unlocked.
        key_file: the new secret key as gpg exports it; a certificate if gpg keeps it.
        passphrase: that opens it; empty if gpg keeps it.
        former_passphrase: of the key in the folder; empty if gpg keeps it.
        now: the new key must be valid at this time.

    Returns:
        Its fingerprint, to be compared by voice.

    Raises:
        KeyMaterialError: a passphrase is wrong, or the new key is not fit or not new.
    """
    key = open_key(key_file, passphrase)
    verify_certificate(key.certificate, pinned=key.fingerprint, now=now)
    former_file = read_key_file(vault.directory)
    former = open_key(former_file, former_passphrase)
    desk = read_desk(vault)
    known = vault.get(KeptKey, key.fingerprint)
    if key.fingerprint in (desk.fingerprint, desk.relay) or (known and not known.proposed):
        raise KeyMaterialError("This key is in use or was before; make a new one to succeed it.")
    with vault.changes():
        keep(
            vault,
            KeptKey(
                fingerprint=former.fingerprint,
                certificate=former.certificate,
                file=former_file,
                passphrase=former_passphrase,
                since=now.date(),
            ),
        )
        keep(
            vault,
            KeptKey(
                fingerprint=key.fingerprint,
                certificate=key.certificate,
                file=key_file,
                passphrase=passphrase,
                since=now.date(),
                proposed=True,
            ),
        )
        update = {"successor": key.fingerprint, "successor_serial": 0}
        vault.put(desk.model_copy(update=update))
    return key.fingerprint


def withdraw_successor(vault: Vault) -> None:
    """Take a proposal back that no dispatch has carried yet.

    Raises:
        StorageError: there is none, or the relay may have it already.
    """
    with vault.changes():
        desk = read_desk(vault)
        if desk.successor is None:
            raise StorageError("No key is waiting to succeed yours.")
        if desk.successor_serial:
            raise StorageError(
                f"Dispatch {desk.successor_serial} carries the new certificate and may have "
                "reached the relay; let another key succeed instead."
            )
        vault.remove(KeptKey, desk.successor)
        vault.put(desk.model_copy(update={"successor": None}))


def successor_certificate(vault: Vault) -> bytes | None:
    """Return the certificate that the next dispatch shall carry, binary, or None."""
    desk = read_desk(vault)
    kept = vault.get(KeptKey, desk.successor) if desk.successor else None
    return read_armor(kept.certificate).data if kept else None


def note_carried(vault: Vault, serial: int) -> None:
    """Note the first dispatch that carried the successor. Only inside `changes`."""
    desk = read_desk(vault)
    if desk.successor is not None and not desk.successor_serial:
        vault.put(desk.model_copy(update={"successor_serial": serial}))


def settle(vault: Vault, head: BundleHead, *, now: datetime) -> Settled:
    """Compare her keys with what the newest bundle lists in her name; go over if it does.

    Args:
        vault: unlocked, and nobody else writes to its folder.
        head: of a bundle whose signature was verified, and not a stale one.
        now: by this machine's clock, UTC.
    """
    desk = read_desk(vault)
    listed = next(
        (one.fingerprint for one in head.certificates if one.recipient == desk.counselor), None
    )
    if listed is None:
        return Settled()
    if listed == desk.fingerprint:
        return _waiting(desk, head) if desk.successor else Settled()
    kept = vault.get(KeptKey, listed)
    if kept is None:
        return Settled(told=(_unknown(listed),))
    if not kept.proposed:
        return Settled(told=(_set_back(listed),))
    try:
        _go_over(vault, kept, now=now)
    except KeyMaterialError as error:
        return Settled(told=(f"The relay lists your new key, which cannot be used: {error}",))
    return Settled(notes=(_gone_over(listed),))


def _go_over(vault: Vault, kept: KeptKey, *, now: datetime) -> None:
    # 1. The vault opens with both keys; the folder still holds the old one.
    reseal(vault, kept.certificate, also_as_before=True, now=now)
    # 2. The folder holds the new one; the vault says still that the old one signs.
    write_whole(vault.directory / KEY_FILE, [kept.file])
    # 3. The new one signs. The old one stays in the vault, where `propose_successor` put it.
    with vault.changes():
        desk = read_desk(vault)
        pending = desk.successor if desk.successor != kept.fingerprint else None
        update = {
            "fingerprint": kept.fingerprint,
            "successor": pending,
            "successor_serial": desk.successor_serial if pending else 0,
        }
        vault.put(desk.model_copy(update=update))
        vault.remove(KeptKey, kept.fingerprint)
    if isinstance(vault.secret_key, KeyRing):
        vault.secret_key.take([kept])
        vault.secret_key.sign_with(kept.fingerprint)
    # 4. The vault opens with the new one only.
    reseal(vault, kept.certificate, also_as_before=False, now=now)


def _waiting(desk: DeskRecord, head: BundleHead) -> Settled:
    accepted = head.serials.get(desk.counselor, 0) if desk.counselor else 0
    if not desk.successor_serial:
        return Settled(notes=("Your next dispatch brings your new certificate to the relay.",))
    if accepted >= desk.successor_serial:
        return Settled(
            told=(
                f"The relay accepted your dispatch {accepted}, which carried your new "
                "certificate, and lists the old one still: tell the operator. Your old key "
                "signs until a bundle lists the new one.",
            )
        )
    return Settled(
        told=(
            "The relay does not list your new key yet: no dispatch that carried it had been "
            f"accepted when this bundle was cut on {head.day}. It is late, or it was refused: "
            "ask the courier. Your old key signs, and every dispatch brings the new one again.",
        )
    )


def _unknown(listed: Fingerprint) -> str:
    return (
        "The relay lists another key in your name, which this desk does not have: "
        f"{spoken_fingerprint(listed)}. If it is your new one, give it to this desk as the "
        "key that follows, and import again; if not, tell the operator at once."
    )


def _set_back(listed: Fingerprint) -> str:
    return (
        f"The relay lists a former key of yours, {spoken_fingerprint(listed)}: it was set back, "
        "and refuses what your new key signs. Give the operator your new certificate."
    )


def _gone_over(listed: Fingerprint) -> str:
    return (
        f"The relay lists your new key: {spoken_fingerprint(listed)}. It signs from now on, and "
        "its passphrase or card opens this desk; the old key still opens what is sealed to it. "
        "Your colleagues' desks ask for this fingerprint by voice. Make a backup now."
    )


def her_keys(vault: Vault) -> list[tuple[str, Fingerprint]]:
    """Return what each key of hers is to this desk, and its fingerprint: the current first."""
    desk = read_desk(vault)
    keys = [("signs", desk.fingerprint)]
    if desk.successor is not None:
        keys.append(("shall follow", desk.successor))
    others = sorted(own_fingerprints(vault) - {desk.fingerprint, desk.successor})
    return [*keys, *(("opens what is older", one) for one in others)]
