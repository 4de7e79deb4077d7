"""Vectors of «Derivation», at the production cost of Argon2id."""

import hashlib
from typing import Any

from protocol.derivation import derive_reporter_keys, receipt_root
from protocol.names import DeploymentSalt, Receipt

NINE = ("hushing", "upholstery", "yo-yo", "strawberry", "sibling", "cup", "laptop", "awning", "elk")
SWAPPED = (NINE[1], NINE[0], *NINE[2:])


def make() -> list[dict[str, Any]]:
    """Make all vectors of this format."""
    return [
        _vector("nine words", NINE, bytes(range(16))),
        _vector("the same words at another deployment", NINE, bytes(16)),
        _vector("the same words in another order", SWAPPED, bytes(range(16))),
    ]


def _vector(name: str, words: tuple[str, ...], salt: bytes) -> dict[str, Any]:
    root = receipt_root(Receipt(words), DeploymentSalt(salt))
    keys = derive_reporter_keys(root)
    return {
        "name": name,
        "expect": "success",
        "words": list(words),
        "salt": salt.hex(),
        "root": root.hex(),
        "report_id": keys.report_id.hex(),
        "reply_public_sha256": hashlib.sha256(keys.reply_public).hexdigest(),
        "mailbox_id": keys.mailbox_id.hex(),
        "voice_public": keys.voice_public.hex(),
        "memo_key": keys.memo_key.hex(),
    }
