"""Vectors of «Reply page».

A sealing draws random octets that nobody can fix from outside, so a slot once written stays
as long as it opens to the page that it should hold; pages are exact.
"""

import base64
import json
from pathlib import Path
from typing import Any

from protocol.derivation import derive_reporter_keys
from protocol.errors import SottoError
from protocol.names import MailboxId, ReceiptRoot
from protocol.replypage import open_slot, read_reply_page, seal_reply_page

ROOT = bytes(range(32))
KEYS = derive_reporter_keys(ReceiptRoot(ROOT))
FILE = Path(__file__).parent / "replypage.json"
GOOD = (
    '{"acknowledge_by":"2026-12-06","day":"2026-11-22","feedback_by":null,"format":1,'
    f'"mailbox":"{KEYS.mailbox_id.hex()}",'
    '"outcome":"","recipient":"counselor-1","replies":'
    '[{"day":"2026-11-22","number":1,"text":"نشكرك. Thank you.\\nWhen was it?"}],'
    '"status":"open"}\n'
)


def make() -> list[dict[str, Any]]:
    """Make all vectors of this format."""
    return [*_pages(), *_slots()]


def _pages() -> list[dict[str, Any]]:
    encoded = GOOD.encode()
    length = len(encoded).to_bytes(4, "big")
    cases = {
        "one octet short": (length + encoded, 16_383),
        "one octet long": (length + encoded, 16_385),
        "padding that is not zero": (length + encoded + b"x", 16_384),
        "length beyond the end": (b"\x00\x00\x40\x01" + encoded, 16_384),
        "length that cuts the document": ((100).to_bytes(4, "big") + encoded, 16_384),
        "empty": (b"", 16_384),
    }
    changes = {
        "not canonical": (":", ": "),
        "a later format": ('"format":1', '"format":2'),
        "a day that does not exist": ("11-22", "11-31"),
        "a recipient in capitals": ("counselor-1", "Counselor"),
        "a mailbox id too short": (KEYS.mailbox_id.hex(), KEYS.mailbox_id.hex()[:-2]),
        "a reply without number": ('"number":1,', ""),
        "reply number zero": ('"number":1', '"number":0'),
        "a member that the format does not know": ('"format"', '"extra":0,"format"'),
    }
    return [
        _page("a page", length + encoded, 16_384, "success") | {"document": GOOD},
        *(_page(name, plain, size, "FormatError") for name, (plain, size) in cases.items()),
        *(
            _page(name, _with_length(GOOD.replace(old, new)), 16_384, "FormatError")
            for name, (old, new) in changes.items()
        ),
    ]


def _with_length(document: str) -> bytes:
    encoded = document.encode()
    return len(encoded).to_bytes(4, "big") + encoded


def _page(name: str, plain: bytes, size: int, expect: str) -> dict[str, Any]:
    return {
        "name": f"page: {name}",
        "kind": "page",
        "expect": expect,
        "plaintext_without_zeros": plain.hex(),
        "size_bytes": size,
    }


def _slots() -> list[dict[str, Any]]:
    slot = _kept_slot()
    turned = bytes([*slot[:9_000], slot[9_000] ^ 1, *slot[9_001:]])
    point = bytes([*slot[:1_088], slot[1_088] ^ 1, *slot[1_089:]])
    return [
        _slot("its mailbox", slot, ROOT, "success") | {"document": GOOD},
        _slot("another mailbox", slot, bytes(32), "AuthenticityError"),
        _slot("one bit of the page turned", turned, ROOT, "AuthenticityError"),
        _slot("one bit of the encapsulation turned", point, ROOT, "AuthenticityError"),
        _slot("cut", slot[:1_200], ROOT, "FormatError"),
    ]


def _kept_slot() -> bytes:
    page = read_reply_page(_with_length(GOOD).ljust(16_384, b"\0"))
    assert page.mailbox == MailboxId(KEYS.mailbox_id)
    if FILE.exists():
        for vector in json.loads(FILE.read_text("utf-8")):
            if vector["name"] == "slot: its mailbox":
                kept = base64.b64decode(vector["slot"])
                try:
                    if open_slot(kept, KEYS) == page:
                        return kept
                except SottoError:
                    break  # the format has changed, so this vector has to
    return seal_reply_page(page, KEYS.reply_public)


def _slot(name: str, slot: bytes, root: bytes, expect: str) -> dict[str, Any]:
    return {
        "name": f"slot: {name}",
        "kind": "slot",
        "expect": expect,
        "root": root.hex(),
        "slot": base64.b64encode(slot).decode(),
    }
