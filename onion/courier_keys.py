"""Who may reach the courier site: the keys of Tor's client authorisation.

Tor fails open: a file it cannot read, an ending it does not know or an empty
folder makes the site public with no more than a line in the log, and a key of
zeros ends tor. So every file is judged here first, by a rule stricter than
tor's, and the courier site is not configured unless all of them pass and there
is at least one. Only the public half of a key stays on the relay.
"""

import os
import re
from base64 import b32decode, b32encode
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey

from onion.address import OnionAddress
from onion.places import check_private, give_to_owner_of
from protocol.errors import OnionError

_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,31}")
_LINE = re.compile(rb"descriptor:x25519:([A-Z2-7]{52})\n?")
_ENDING = ".auth"


@dataclass(frozen=True)
class CourierKey:
    """One courier's right to reach the site: a name and an X25519 public key (32 bytes)."""

    name: str
    public_key: bytes


@dataclass(frozen=True)
class CourierSecret:
    """What is shown once to a new courier and kept nowhere.

    `line` goes into a file ending in `.auth_private`; `key` is what Tor Browser asks for.
    """

    line: str
    key: str

    def __repr__(self) -> str:
        return "CourierSecret(…)"


def read_courier_keys(service: Path) -> tuple[CourierKey, ...]:
    """Read and judge all keys of a service.

    Args:
        service: the courier site's HiddenServiceDir.

    Returns:
        The keys in order of their names; empty when no courier was added yet.

    Raises:
        OnionError: one file is not exactly what tor would accept: tor would then
            let everybody in, so nothing may start.
    """
    folder = service / "authorized_clients"
    if not os.path.lexists(folder):
        return ()
    check_private(folder)
    try:
        keys = tuple(_read_key(path) for path in sorted(folder.iterdir()))
    except OSError as error:
        raise OnionError(f"{folder} cannot be read: make it readable to the relay.") from error
    if len({key.public_key for key in keys}) != len(keys):
        raise OnionError("Two couriers have the same key: revoke one and add it anew.")
    return keys


def verify_courier_keys(service: Path) -> tuple[CourierKey, ...]:
    """Return the keys that make the courier site safe to configure: all good, at least one.

    Raises:
        OnionError: no courier has a key, or a file is damaged.
    """
    keys = read_courier_keys(service)
    if not keys:
        raise OnionError("No courier has a key: run `sotto onion courier add NAME` first.")
    return keys


def add_courier(service: Path, name: str, address: OnionAddress) -> CourierSecret:
    """Give a courier a new key; the relay keeps the public half only.

    Args:
        service: the courier site's HiddenServiceDir.
        name: 1 to 32 of a–z, 0–9 and hyphen.
        address: the courier site's address, which the private line names.

    Returns:
        The private half: to be shown once.

    Raises:
        OnionError: the name is unfit or taken, the folder holds a damaged file, or the disk
            refuses.
    """
    if not _NAME.fullmatch(name):
        raise OnionError("A courier's name is made of a-z, 0-9 and hyphens, at most 32.")
    if name in {key.name for key in read_courier_keys(service)}:
        raise OnionError("This courier has a key already: revoke it first.")
    private = X25519PrivateKey.generate()
    folder = service / "authorized_clients"
    line = f"descriptor:x25519:{_base32(private.public_key().public_bytes_raw())}\n"
    # Written aside and renamed: a half-written file would be a damaged one, and the
    # site would close. The place aside lies outside the folder that tor reads.
    unfinished = service / ".courier-key"
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        unfinished.unlink(missing_ok=True)
        unfinished.touch(mode=0o600)
        unfinished.write_bytes(line.encode())
        give_to_owner_of(service, folder, unfinished)
        unfinished.replace(folder / f"{name}{_ENDING}")
    except OSError as error:
        raise OnionError(
            f"No key was added, as {service} cannot be written: look at its owner and at the disk."
        ) from error
    key = _base32(private.private_bytes_raw())
    return CourierSecret(line=f"{address}:descriptor:x25519:{key}", key=key)


def revoke_courier(service: Path, name: str) -> None:
    """Take a courier's key away; a running relay restarts the courier site within seconds.

    Works on a damaged file too: revoking is how one gets rid of it.

    Raises:
        OnionError: nobody of that name has a key, or it cannot be taken away.
    """
    path = service / "authorized_clients" / f"{name}{_ENDING}"
    if not _NAME.fullmatch(name) or not os.path.lexists(path):
        raise OnionError("No courier of that name has a key: see `sotto onion courier list`.")
    try:
        path.unlink()
    except OSError as error:
        raise OnionError(
            f"The key is still good: take {path} away as the owner of its folder."
        ) from error


def _read_key(path: Path) -> CourierKey:
    name = path.name.removesuffix(_ENDING)
    if not path.name.endswith(_ENDING) or not _NAME.fullmatch(name):
        raise OnionError(
            f"{path.parent} holds a file that is no courier's key: take it away,"
            f" only NAME{_ENDING} may lie there."
        )
    check_private(path)
    if not path.is_file():
        raise OnionError(f"The key of courier {name} is not a file: revoke it and add it anew.")
    match = _LINE.fullmatch(path.read_bytes())
    public = b32decode(match[1] + b"====") if match else b""
    if not match or _base32(public) != match[1].decode() or not _has_full_order(public):
        raise OnionError(f"The key of courier {name} is damaged: revoke it and add it anew.")
    return CourierKey(name=name, public_key=public)


def _has_full_order(public: bytes) -> bool:
    """Refuse zero and the other points of low order: with them anybody knows the secret.

    RFC 7748, section 6.1: their shared secret with any key is zero, which the
    library refuses.
    """
    try:
        X25519PrivateKey.generate().exchange(X25519PublicKey.from_public_bytes(public))
    except ValueError:
        return False
    return True


def _base32(key: bytes) -> str:
    return b32encode(key).decode().rstrip("=")
