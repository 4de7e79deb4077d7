"""Vectors of «Sealing», Class: Padmé above a floor of 16 KiB, computed in floating point.

The same rule by another road: the code counts bits, this takes logarithms.
"""

import math
from typing import Any

SIZES = [0, 1, 16383, 16384, 16385, 17408, 17409, 32768, 32769, 65536, 65537, 100_000]
SIZES += [1_048_576, 1_048_577, 5_000_000, 524_288_000, 2**32 - 2]


def make() -> list[dict[str, Any]]:
    """Make all vectors of this format."""
    return [
        {"name": f"{size} octets", "expect": "success", "size": size, "class": _padme(size)}
        for size in SIZES
    ]


def _padme(size: int) -> int:
    if size <= 16384:
        return 16384
    exponent = math.floor(math.log2(size))
    step = 2 ** (exponent - math.floor(math.log2(exponent)) - 1)
    return math.ceil(size / step) * step
