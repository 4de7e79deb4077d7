import hashlib
from typing import Any

import pytest
from argon2.low_level import Type, hash_secret_raw
from cryptography.hazmat.primitives import hmac
from cryptography.hazmat.primitives.hashes import SHA256
from hypothesis import given
from hypothesis import strategies as st
from vector_files import vectors_of
from xwing import decapsulate

from protocol import derivation
from protocol.derivation import (
    ReporterKeys,
    derive_reporter_keys,
    expand_reply_key,
    generate_throwaway_keys,
    mailbox_id,
    receipt_root,
)
from protocol.names import DeploymentSalt, Receipt, ReceiptRoot

roots = st.binary(min_size=32, max_size=32).map(ReceiptRoot)


@pytest.mark.parametrize("vector", vectors_of("derivation"))
def test_derivation_at_production_cost_gives_the_keys_of_the_vector(vector: dict[str, Any]) -> None:
    root = receipt_root(
        Receipt(tuple(vector["words"])), DeploymentSalt(bytes.fromhex(vector["salt"]))
    )
    keys = derive_reporter_keys(root)
    assert root.hex() == vector["root"]
    assert keys.report_id.hex() == vector["report_id"]
    assert hashlib.sha256(keys.reply_public).hexdigest() == vector["reply_public_sha256"]
    assert keys.mailbox_id.hex() == vector["mailbox_id"]
    assert keys.voice_public.hex() == vector["voice_public"]
    assert keys.memo_key.hex() == vector["memo_key"]


@pytest.mark.claim("C2")
def test_derivation_costs_what_rfc_9106_recommends_second() -> None:
    vector = vectors_of("derivation")[0].values[0]
    assert (derivation.ARGON2.time, derivation.ARGON2.memory_kib, derivation.ARGON2.lanes) == (
        3,
        65_536,
        4,
    )
    assert (
        vector["root"]
        == hash_secret_raw(
            " ".join(vector["words"]).encode(),
            bytes.fromhex(vector["salt"]),
            time_cost=3,
            memory_cost=65_536,
            parallelism=4,
            hash_len=32,
            type=Type.ID,
            version=0x13,
        ).hex()
    )


@pytest.mark.parametrize("vector", vectors_of("xwing"))
def test_reply_key_from_a_published_seed_is_the_published_key(vector: dict[str, Any]) -> None:
    seed = bytes.fromhex(vector["seed"])
    _, public = expand_reply_key(seed)
    assert public.hex() == vector["public_key"]
    shared = decapsulate(seed, bytes.fromhex(vector["ciphertext"]))
    assert shared.hex() == vector["shared_secret"]


@given(roots)
def test_names_and_memo_key_follow_rfc_5869_with_their_labels(root: ReceiptRoot) -> None:
    def hkdf(label: bytes, size: int) -> bytes:
        extract = hmac.HMAC(bytes(32), SHA256())
        extract.update(root)
        expand = hmac.HMAC(extract.finalize(), SHA256())
        expand.update(label + b"\x01")
        return expand.finalize()[:size]

    keys = derive_reporter_keys(root)
    assert keys.report_id == hkdf(b"sotto/1 report", 16)
    assert keys.memo_key == hkdf(b"sotto/1 memo", 32)
    assert keys.voice.private_bytes_raw() == hkdf(b"sotto/1 voice", 32)
    assert keys.reply_public == expand_reply_key(hkdf(b"sotto/1 reply key", 32))[1]


@given(roots, roots)
def test_different_roots_share_no_name_and_no_key(one: ReceiptRoot, other: ReceiptRoot) -> None:
    def parts(keys: ReporterKeys) -> set[bytes]:
        return {
            keys.report_id,
            keys.mailbox_id,
            keys.reply_public,
            keys.voice_public,
            keys.memo_key,
        }

    first, second = parts(derive_reporter_keys(one)), parts(derive_reporter_keys(other))
    assert len(first) == 5
    assert first == second if one == other else first.isdisjoint(second)


@pytest.mark.claim("C4")
def test_mailbox_id_of_another_key_is_another() -> None:
    keys, stranger = generate_throwaway_keys(), generate_throwaway_keys()
    assert keys.mailbox_id == mailbox_id(keys.reply_public) != mailbox_id(stranger.reply_public)
    assert len(keys.mailbox_id) == 16
    assert len(keys.reply_public) == 1_216


def test_text_form_of_keys_shows_nothing() -> None:
    assert repr(generate_throwaway_keys()) == "ReporterKeys()"
