"""Is this the newest bundle, and does the relay know what this desk sent?

A courier may bring an old bundle, and somebody with her key may send in her name: numbers and
days tell, and what they tell is said, not acted upon.
"""

import hashlib
from datetime import date, timedelta

from desk.records import DeskRecord
from protocol.bundle import BundleHead, BundleReader

# A courier who goes once a week is never called late; a bundle older than that is told.
OLD_BUNDLE_DAYS = 7


def tell_freshness(desk: DeskRecord, reader: BundleReader, today: date) -> list[str]:
    """Say what is odd about the number and the day of a bundle; nothing when all is well."""
    head, told = reader.head, []
    same_cut = head.cut == desk.cut and desk.head_sha256
    if head.cut < desk.cut:
        told.append(
            f"This bundle is stale: it is cut {head.cut}, and this desk has seen cut {desk.cut}. "
            "What is new in it was taken; ask the courier for a fresh one."
        )
    if same_cut and hashlib.sha256(reader.head_bytes).digest() != desk.head_sha256:
        told.append(
            f"Two different bundles call themselves cut {head.cut}, and the relay signed both. "
            "That must never happen: tell the operator before you answer anything."
        )
    if desk.cut_day is not None and head.cut > desk.cut and head.day < desk.cut_day:
        told.append(
            "This bundle is newer than the last one, but its day is earlier: "
            "the relay's clock was set back; tell the operator."
        )
    if head.day > today + timedelta(days=1):
        told.append(
            f"This bundle was cut on {head.day}, which is still to come by this machine's clock: "
            "set the clock, or the days you promise will be wrong."
        )
    elif head.day < today - timedelta(days=OLD_BUNDLE_DAYS):
        told.append(
            f"This bundle was cut on {head.day}, {(today - head.day).days} days ago: "
            "ask the courier for a fresh one, or check this machine's clock."
        )
    return told


def tell_serial(desk: DeskRecord, accepted: int, head: BundleHead) -> tuple[list[str], list[str]]:
    """Say what the relay knows of her dispatches: what is wrong, and what is good to know."""
    told, notes = [], []
    if accepted > desk.serial and desk.restored:
        told.append(
            f"The relay accepted your dispatch {accepted}, and the copy you restored is as old as "
            f"dispatch {desk.serial}: what waits here may have crossed, and people may have read "
            "what is not here. Write that again before you export: the next dispatch replaces it."
        )
    elif accepted > desk.serial:
        told.append(
            f"The relay accepted dispatch {accepted} in your name, and this desk made only "
            f"{desk.serial}: if no other desk of yours has this key, somebody else has it."
        )
    elif accepted < desk.confirmed:
        told.append(
            f"The relay had accepted your dispatch {desk.confirmed} and now knows only "
            f"{accepted}: it was set back; export again, and tell the operator."
        )
    elif accepted < desk.serial:
        notes.append(
            f"Your dispatch {desk.serial} had not reached the relay when this bundle was cut "
            f"on {head.day}; the next one carries everything in it."
        )
    elif accepted > desk.confirmed:
        notes.append(f"The relay has accepted your dispatch {accepted}.")
    return told, notes
