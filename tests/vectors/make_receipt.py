"""Vectors of «Receipt»: what is read as nine words, and which forms are ours."""

from typing import Any

from protocol.names import DeploymentSalt, Receipt
from protocol.receipt import dice_number, encode_issued

SALT = DeploymentSalt(bytes(range(16)))
NINE = Receipt(
    ("hushing", "upholstery", "yo-yo", "strawberry", "sibling", "cup", "laptop", "awning", "elk")
)


def make() -> list[dict[str, Any]]:
    """Make all vectors of this format."""
    return [*_read(), *_refused(), *_issued()]


def _read() -> list[dict[str, Any]]:
    begun = [word.replace("-", "")[:3] for word in NINE]
    dice = [dice_number(word) for word in NINE]
    texts = {
        "nine words": " ".join(NINE),
        "capitals and hyphens": "-".join(NINE).upper(),
        "numbered lines": "\r\n".join(f"{at}. {word}" for at, word in enumerate(NINE, start=1)),
        "no spaces": "".join(NINE),
        "first three letters": " ".join(begun),
        "first three letters without spaces": "".join(begun),
        "dice numbers": " ".join(dice),
        "36 digits": "".join(dice),
        "Persian digits": "".join(dice).translate(str.maketrans("123456", "۱۲۳۴۵۶")),
        "one slip in every word": (
            "hushin upholsteryy yo-y strawbrery siblimg cupp latpop awnin ellk"
        ),
        "a slip that is also a beginning, among whole words": " ".join(NINE).replace("cup", "cap"),
        "words with their numbers": " ".join(f"{w} {d}" for w, d in zip(NINE, dice, strict=True)),
        "mixture": f"HUS uphostery {dice[2]} str sibling cup lap {dice[7]}, elk.",
    }
    among = "a slip that is also a beginning, among beginnings"
    longer = "a slip of four letters that is also a beginning, among beginnings of four"
    four = [word.replace("-", "")[:4] for word in NINE]
    return [
        *(_success(name, text, list(NINE)) for name, text in texts.items()),
        _success(among, " ".join([*begun[:8], "eli"]), [*NINE[:8], "eliminator"]),
        _success(longer, " ".join([*four[:8], "aard"]), [*NINE[:8], "aardvark"]),
    ]


def _success(name: str, text: str, words: list[str]) -> dict[str, Any]:
    return {
        "name": f"read: {name}",
        "kind": "read",
        "expect": "success",
        "text": text,
        "words": words,
    }


def _refused() -> list[dict[str, Any]]:
    spoken = " ".join(NINE)
    cases: dict[str, tuple[str, list[int]]] = {
        "nothing": ("", []),
        "eight words": (" ".join(NINE[:8]), []),
        "ten words": (spoken + " elk", []),
        "a word of no list": (spoken.replace("sibling", "qqqqqq"), [5]),
        "two slips in one word": (spoken.replace("strawberry", "stwarberyr"), [4]),
        "a slip between two words": (spoken.replace("awning", "waning"), [8]),
        "a slip that is also a beginning, among numbers": (
            " ".join([*map(dice_number, NINE[:5]), "cap", *NINE[6:]]),
            [6],
        ),
        "a dice number with a seven": (spoken.replace("elk", "1117"), [9]),
        "more than 1,000 characters": (spoken + " " * 1000, []),
    }
    return [
        {
            "name": f"refused: {name}",
            "kind": "read",
            "expect": "UnknownReceiptError",
            "text": text,
            "positions": positions,
        }
        for name, (text, positions) in cases.items()
    ]


def _issued() -> list[dict[str, Any]]:
    issued = encode_issued(SALT, NINE)
    cases = {
        "issued here": (SALT, issued, "success"),
        "issued elsewhere": (DeploymentSalt(bytes(16)), issued, "AuthenticityError"),
        "word exchanged": (SALT, issued.replace("elk", "cup"), "AuthenticityError"),
        "code changed": (
            SALT,
            issued[:-1] + ("0" if issued[-1] != "0" else "1"),
            "AuthenticityError",
        ),
        "two spaces": (SALT, issued.replace(" ", "  ", 1), "AuthenticityError"),
    }
    return [
        {
            "name": f"form: {name}",
            "kind": "issued",
            "expect": expect,
            "salt": salt.hex(),
            "text": text,
            "words": list(NINE),
        }
        for name, (salt, text, expect) in cases.items()
    ]
