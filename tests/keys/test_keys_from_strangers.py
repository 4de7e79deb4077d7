"""Whatever bytes arrive, only the documented errors come out, and quickly."""

from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from key_corpus import NOW, Forge, forged_cases, sign_as

from keys.armor import PRIVATE_BLOCK, encode_armor, read_armor
from keys.certificate import describe, read_certificate, verify_certificate
from keys.keypair import public_half, read_public_key
from keys.packets import encode_length, encode_packet, read_length
from keys.secretkey import generate_secret_key, read_secret_key
from keys.signature import verify_detached
from protocol.errors import AuthenticityError, FormatError, KeyMaterialError

CASES = {case.name: case for case in forged_cases()}
GOOD = CASES["newest of two subkeys"]
FORGE = Forge()
SIGNATURE = sign_as(FORGE.key, b"data", 0, 1)
CERTIFICATE = FORGE.primary() + FORGE.name()
SECRET = read_armor(
    generate_secret_key(user_id="R", passphrase=None, created=NOW, expires=None)
).data


def mutated(data: bytes) -> st.SearchStrategy[bytes]:
    """One octet changed, a piece cut out, or a piece put in: near misses of the real thing."""
    place = st.integers(0, len(data) - 1)
    return st.one_of(
        st.builds(
            lambda at, to: data[:at] + bytes([to]) + data[at + 1 :], place, st.integers(0, 255)
        ),
        st.builds(lambda at, n: data[:at] + data[at + n :], place, st.integers(1, 40)),
        st.builds(lambda at, more: data[:at] + more + data[at:], place, st.binary(max_size=20)),
    )


ANYTHING = st.one_of(
    st.binary(max_size=300),
    st.builds(encode_packet, st.integers(0, 63), st.binary(max_size=100)),
    st.builds(
        lambda body: encode_armor(body, "PGP PUBLIC KEY BLOCK").encode(), st.binary(max_size=200)
    ),
)


@given(data=st.one_of(ANYTHING, mutated(GOOD.data)))
@settings(max_examples=250)
def test_any_bytes_as_a_certificate_raise_only_key_material_errors(data: bytes) -> None:
    with suppress(KeyMaterialError):
        describe(read_certificate(data))
    with suppress(KeyMaterialError):
        certificate = verify_certificate(data, pinned=GOOD.pinned, now=NOW)
        # Whatever was done to the bytes, only keys that the owner bound may remain.
        assert certificate.encryption_key_id in {
            bytes.fromhex(CASES[name].subkey[-16:])
            for name in ("newest of two subkeys", "newest subkey revoked, older one good")
        }


@given(data=st.one_of(ANYTHING, mutated(SIGNATURE)))
@settings(max_examples=250)
def test_any_bytes_as_a_signature_raise_only_the_two_documented_errors(data: bytes) -> None:
    with suppress(AuthenticityError, KeyMaterialError):
        verified = verify_detached(
            b"data", data, certificate=CERTIFICATE, pinned=FORGE.fingerprint, now=NOW
        )
        assert verified == b"data"


@given(data=st.one_of(ANYTHING, mutated(SECRET)))
@settings(max_examples=250)
def test_any_bytes_as_a_secret_key_raise_only_key_material_errors(data: bytes) -> None:
    with suppress(KeyMaterialError):
        read_secret_key(data, None)


@given(locks=st.lists(st.one_of(st.binary(max_size=80), ANYTHING), max_size=3))
@settings(max_examples=100)
def test_any_bytes_as_locks_open_nothing(locks: list[bytes]) -> None:
    assert (
        read_secret_key(encode_armor(SECRET, PRIVATE_BLOCK).encode(), None).open_lock(locks) is None
    )


def rsa_body(exponent: bytes) -> bytes:
    """Write an RSA key of 3,072 bits whose exponent stands there as it is given."""
    modulus = (1 << 3071) + 1
    head = b"\x04" + bytes(4) + b"\x01" + (3072).to_bytes(2, "big") + modulus.to_bytes(384, "big")
    return head + (8 * len(exponent)).to_bytes(2, "big") + exponent


@pytest.mark.parametrize("secret", [False, True])
def test_key_with_a_padded_number_is_refused_since_its_fingerprint_is_of_other_bytes(
    secret: bool,
) -> None:
    padded = rsa_body(b"\x00\x01\x00\x01")
    protection = b"\x00" + b"\x00\x08\xff" * 4 + b"\x03\xfc"  # none: four numbers and their sum
    with pytest.raises(FormatError):
        if secret:
            public_half(padded + protection, subkey=False)
        else:
            read_public_key(padded, subkey=False)
    plain = rsa_body(b"\x01\x00\x01").replace(b"\x00\x18\x01\x00\x01", b"\x00\x11\x01\x00\x01")
    assert public_half(plain + protection, subkey=False) == plain


@given(length=st.integers(0, 1 << 20))
def test_length_reads_back_as_it_was_written(length: int) -> None:
    encoded = encode_length(length)
    assert read_length(encoded, 0) == (length, len(encoded))


@given(data=st.binary(max_size=500))
def test_armor_reads_back_as_it_was_written(data: bytes) -> None:
    armored = encode_armor(data, PRIVATE_BLOCK)
    back = read_armor(armored.encode())
    assert (back.data, back.block) == (data, PRIVATE_BLOCK)
