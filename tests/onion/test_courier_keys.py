"""Courier keys: tor fails open, so every file that tor would misread is refused here."""

import os
import shlex
from base64 import b32decode, b32encode
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from onion.address import Addresses
from onion.courier_keys import (
    add_courier,
    read_courier_keys,
    revoke_courier,
    verify_courier_keys,
)
from onion.places import Places, check_private
from protocol.errors import OnionError

# A point of order 8 (RFC 7748, section 6.1; listed at https://cr.yp.to/ecdh.html#validate).
LOW_ORDER = bytes.fromhex("e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800")


def line(key: bytes) -> str:
    return f"descriptor:x25519:{b32encode(key).decode().rstrip('=')}\n"


def good_line() -> str:
    return line(X25519PrivateKey.generate().public_key().public_bytes_raw())


def place(service: Path, name: str, content: str) -> Path:
    folder = service / "authorized_clients"
    folder.mkdir(mode=0o700, exist_ok=True)
    path = folder / name
    path.touch(mode=0o600)
    path.write_text(content)
    return path


def test_courier_added_gets_the_private_half_of_the_key_on_file(
    places: Places, addresses: Addresses
) -> None:
    secret = add_courier(places.courier, "anna", addresses.courier)
    address, kind, algorithm, key = secret.line.split(":")
    private = X25519PrivateKey.from_private_bytes(b32decode(key + "===="))
    (kept,) = verify_courier_keys(places.courier)
    assert (address, kind, algorithm, key) == (
        addresses.courier,
        "descriptor",
        "x25519",
        secret.key,
    )
    assert kept.name == "anna"
    assert kept.public_key == private.public_key().public_bytes_raw()
    assert secret.key not in repr(secret)


def test_courier_added_leaves_no_private_half_on_the_disk(
    places: Places, addresses: Addresses
) -> None:
    secret = add_courier(places.courier, "anna", addresses.courier)
    files = [path for path in places.data.rglob("*") if path.is_file()]
    assert files
    assert not any(secret.key.encode() in path.read_bytes() for path in files)


def test_courier_revoked_has_no_key_any_more(places: Places, addresses: Addresses) -> None:
    add_courier(places.courier, "anna", addresses.courier)
    add_courier(places.courier, "berta", addresses.courier)
    revoke_courier(places.courier, "anna")
    assert [key.name for key in verify_courier_keys(places.courier)] == ["berta"]


@pytest.mark.parametrize("name", ["", "Anna", "-a", "a/b", "..", "a" * 33, "a.auth", "ä"])
def test_courier_with_an_unfit_name_is_refused(
    places: Places, addresses: Addresses, name: str
) -> None:
    with pytest.raises(OnionError):
        add_courier(places.courier, name, addresses.courier)
    with pytest.raises(OnionError):
        revoke_courier(places.courier, name)


def test_courier_added_twice_is_refused_and_keeps_the_first_key(
    places: Places, addresses: Addresses
) -> None:
    add_courier(places.courier, "anna", addresses.courier)
    before = read_courier_keys(places.courier)
    with pytest.raises(OnionError, match="already"):
        add_courier(places.courier, "anna", addresses.courier)
    assert read_courier_keys(places.courier) == before


def test_couriers_without_any_key_are_listed_as_none_but_never_verified(places: Places) -> None:
    places.prepare()
    assert read_courier_keys(places.courier) == ()
    with pytest.raises(OnionError, match="No courier has a key"):
        verify_courier_keys(places.courier)
    (places.courier / "authorized_clients").mkdir(mode=0o700)
    with pytest.raises(OnionError, match="No courier has a key"):
        verify_courier_keys(places.courier)


DAMAGED_CONTENT = {
    "empty": "",
    "a newline": "\n",
    "half a line": good_line()[:40],
    "a character short": good_line()[:-2] + "\n",
    "a character long": good_line().rstrip() + "A\n",
    "lower case": "descriptor:x25519:" + good_line()[18:].lower(),
    "padded base32": good_line().rstrip() + "====\n",
    "a space before": " " + good_line(),
    "a space after": good_line().rstrip() + " \n",
    "carriage return": good_line().rstrip() + "\r\n",
    "two lines": good_line() + good_line(),
    "a second empty line": good_line() + "\n",
    "another algorithm": good_line().replace("x25519", "x448"),
    "another kind": good_line().replace("descriptor", "standard"),
    "the private line": "a" * 56 + ":" + good_line(),
    "zero": line(bytes(32)),
    "one": line(b"\x01" + bytes(31)),
    "low order": line(LOW_ORDER),
    "stray bits in the last character": good_line()[:-2] + "B\n",
    "not base32": "descriptor:x25519:" + "1" * 52 + "\n",
}


@pytest.mark.parametrize("content", DAMAGED_CONTENT.values(), ids=DAMAGED_CONTENT.keys())
@pytest.mark.claim("C4")
def test_courier_key_that_is_damaged_closes_the_site(
    places: Places, addresses: Addresses, content: str
) -> None:
    add_courier(places.courier, "anna", addresses.courier)
    place(places.courier, "berta.auth", content)
    with pytest.raises(OnionError, match="berta is damaged"):
        verify_courier_keys(places.courier)


@pytest.mark.parametrize(
    "name",
    ["berta", "berta.auth.bak", "berta.auth~", "berta.AUTH", ".auth", ".berta.auth", "be rta.auth"],
)
@pytest.mark.claim("C4")
def test_courier_key_under_a_name_that_tor_would_skip_closes_the_site(
    places: Places, addresses: Addresses, name: str
) -> None:
    add_courier(places.courier, "anna", addresses.courier)
    place(places.courier, name, good_line())
    with pytest.raises(OnionError, match="no courier's key"):
        verify_courier_keys(places.courier)


def readable(path: Path) -> None:
    path.chmod(0o644)


def linked(path: Path) -> None:
    path.rename(path.parent.parent / "elsewhere")
    path.symlink_to(path.parent.parent / "elsewhere")


def folder(path: Path) -> None:
    path.unlink()
    path.mkdir(mode=0o700)


def pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path, 0o600)


def open_folder(path: Path) -> None:
    path.parent.chmod(0o755)


def linked_folder(path: Path) -> None:
    path.parent.rename(path.parent.parent / "elsewhere")
    path.parent.symlink_to(path.parent.parent / "elsewhere")


def file_for_folder(path: Path) -> None:
    path.unlink()
    path.parent.rmdir()
    path.parent.touch(mode=0o600)


@pytest.mark.parametrize(
    "damage",
    [readable, linked, folder, pipe, open_folder, linked_folder, file_for_folder],
    ids=lambda damage: damage.__name__,
)
@pytest.mark.claim("C4")
def test_courier_key_that_is_not_a_private_file_closes_the_site(
    places: Places, addresses: Addresses, damage: Callable[[Path], None]
) -> None:
    add_courier(places.courier, "anna", addresses.courier)
    damage(places.courier / "authorized_clients" / "anna.auth")
    with pytest.raises(OnionError):
        verify_courier_keys(places.courier)


def test_two_couriers_with_one_key_close_the_site(places: Places, addresses: Addresses) -> None:
    add_courier(places.courier, "anna", addresses.courier)
    folder = places.courier / "authorized_clients"
    place(places.courier, "berta.auth", (folder / "anna.auth").read_text())
    with pytest.raises(OnionError, match="same key"):
        verify_courier_keys(places.courier)


def test_damaged_key_goes_away_by_revoking_it(places: Places, addresses: Addresses) -> None:
    add_courier(places.courier, "anna", addresses.courier)
    place(places.courier, "berta.auth", "broken")
    revoke_courier(places.courier, "berta")
    assert [key.name for key in verify_courier_keys(places.courier)] == ["anna"]


def test_key_that_cannot_be_written_or_taken_away_is_told_and_nobody_thinks_it_was(
    places: Places, addresses: Addresses
) -> None:
    add_courier(places.courier, "dora", addresses.courier)
    key = places.courier / "authorized_clients" / "dora.auth"
    key.unlink()
    key.mkdir()
    with pytest.raises(OnionError, match="still good"):
        revoke_courier(places.courier, "dora")
    key.rmdir()
    (places.courier / ".courier-key").mkdir()
    with pytest.raises(OnionError, match="No key was added"):
        add_courier(places.courier, "emil", addresses.courier)


def test_command_to_close_a_folder_names_one_folder_whatever_its_path(tmp_path: Path) -> None:
    folder = tmp_path / "my relay; it's mine"
    folder.mkdir(mode=0o755)
    with pytest.raises(OnionError) as refused:
        check_private(folder)
    command = str(refused.value).split("`")[1]
    assert shlex.split(command) == ["chmod", "-R", "go=", str(folder)]
