"""Size classes: the one thing that a sealed item still tells is its class.

PROTOCOL.md, «Sealing», Class. What the floor does not hide (a large file is large) no padding
of bearable cost hides; the form says so to whoever leaves someone out.
"""

from protocol import limits


def padme(size_bytes: int) -> int:
    """Return the least size class that holds `size_bytes`.

    Padmé keeps as many significant bits as the length of the length has: a class tells
    O(log log L) bits about L and costs at most 6.25 % above the floor of 16 KiB, under which
    every text of usual length falls. Nikitin et al., PETS 2019, algorithm 1.

    Args:
        size_bytes: 0 or more.

    Returns:
        The padded size; a class is its own class.
    """
    if size_bytes <= limits.PADDING_FLOOR_BYTES:
        return limits.PADDING_FLOOR_BYTES
    exponent = size_bytes.bit_length() - 1  # ⌊log₂ L⌋
    kept_bits = exponent.bit_length()  # ⌊log₂ e⌋ + 1
    mask = (1 << (exponent - kept_bits)) - 1
    return (size_bytes + mask) & ~mask
