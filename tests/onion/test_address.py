"""Addresses: the checksum, the keys made for tor, the poster."""

from pathlib import Path

import pytest

from onion.address import (
    Addresses,
    address_of,
    create_addresses,
    encode_address,
    qr_terminal,
    read_address,
    read_addresses,
    url,
    write_qr_png,
)
from onion.places import Places
from protocol.errors import OnionError

# The Tor Project's own site: an address that was not made here.
PUBLIC = "2gzyxa5ihm7nsggfxnu52rck2vv4rvmdlkiu3zzui5du4xyclen53wid"


@pytest.mark.parametrize(
    "text",
    [
        PUBLIC,
        PUBLIC.upper(),
        f"{PUBLIC}.onion",
        f" http://{PUBLIC}.onion/\n",
        f"https://{PUBLIC}.onion",
    ],
    ids=["bare", "capitals", "with its ending", "pasted with spaces", "https"],
)
def test_address_in_any_usual_spelling_is_read(text: str) -> None:
    assert read_address(text) == PUBLIC


@pytest.mark.parametrize(
    "text",
    [
        "",
        PUBLIC[:-1],
        PUBLIC + "a",
        "a" + PUBLIC[1:],
        PUBLIC[:-1] + "e",
        PUBLIC[:20] + PUBLIC[21] + PUBLIC[20] + PUBLIC[22:],
        PUBLIC[:10] + "1" + PUBLIC[11:],
        PUBLIC[:10] + "é" + PUBLIC[11:],
        "expyuzz4wqqyqhjn",
        "example.org",
    ],
    ids=[
        "empty",
        "one short",
        "one long",
        "first letter wrong",
        "another version",
        "two letters swapped",
        "a digit that base32 lacks",
        "not ASCII",
        "version 2",
        "no onion",
    ],
)
def test_address_that_is_mistyped_is_refused(text: str) -> None:
    with pytest.raises(OnionError):
        read_address(text)


def test_encode_address_of_a_known_key_gives_the_known_address() -> None:
    from base64 import b32decode

    assert encode_address(b32decode(PUBLIC.upper())[:32]) == PUBLIC


def test_addresses_made_twice_stay_the_same(places: Places) -> None:
    first = create_addresses(places)
    assert create_addresses(places) == first == read_addresses(places)
    assert first.reporter != first.courier


def test_keys_that_are_made_are_readable_to_their_owner_only(
    places: Places, addresses: Addresses
) -> None:
    assert addresses
    modes = {path: path.stat().st_mode & 0o777 for path in places.services.rglob("*")}
    assert len(modes) == 8
    assert {modes[path] for path in modes if path.is_dir()} == {0o700}
    assert {modes[path] for path in modes if path.is_file()} == {0o600}


@pytest.mark.parametrize("path", ["", "hs_ed25519_secret_key"], ids=["folder", "secret key"])
def test_address_whose_key_others_could_read_is_refused(
    places: Places, addresses: Addresses, path: str
) -> None:
    assert addresses
    (places.reporter / path).chmod(0o740)
    with pytest.raises(OnionError, match="open to other people"):
        read_addresses(places)


def test_address_that_contradicts_its_key_is_refused(places: Places, addresses: Addresses) -> None:
    (places.reporter / "hostname").write_text(f"{addresses.courier}.onion\n")
    with pytest.raises(OnionError, match="damaged"):
        address_of(places.reporter)


def test_address_whose_secret_key_was_lost_is_not_made_anew(
    places: Places, addresses: Addresses
) -> None:
    assert addresses
    (places.reporter / "hs_ed25519_secret_key").unlink()
    with pytest.raises(OnionError, match="restore"):
        create_addresses(places)


def test_qr_code_in_a_terminal_is_drawn_in_blocks() -> None:
    drawn = qr_terminal(read_address(PUBLIC))
    assert len(drawn.splitlines()) > 20
    assert set(drawn) <= set("█▀▄ \n")


def test_qr_code_for_a_poster_is_a_png_that_says_the_address(tmp_path: Path) -> None:
    import segno

    address = read_address(PUBLIC)
    write_qr_png(address, tmp_path / "poster.png")
    expected = segno.make(f"http://{PUBLIC}.onion/", error="m")
    assert url(address) == f"http://{PUBLIC}.onion/"
    written = (tmp_path / "poster.png").read_bytes()
    assert written.startswith(b"\x89PNG")
    width = int.from_bytes(written[16:20], "big")
    assert width == expected.symbol_size(scale=12, border=4)[0]
