"""Take back what nobody has collected: cover of the same size stands in its place.

Deleting the row would show a gap to whoever compares two images; a cover envelope of
another size would too. So the cover is filled until it falls in the same size class.
DESIGN: what the relay stores.
"""

import secrets
from collections.abc import Iterator

from protocol.derivation import ReporterKeys
from protocol.errors import StorageError
from protocol.memo import random_memo
from relay.cover import Cover, Recipients, draw_cover
from relay.parts import Parts
from relay.rendering import policy
from relay.sending import expiry_of
from relay.store_envelopes import CollectedError
from relay.submission import seal_report, store_envelope

TRIALS = 64
PIECE_BYTES = 64 * 1024
FRAME_BYTES = 4096  # locks, report.json and the like: a first guess, corrected by trial


def withdraw(parts: Parts, keys: ReporterKeys) -> None:
    """Replace the first envelope of a receipt by cover, before anybody collected it.

    Raises:
        CollectedError: it lies in a bundle, or was read, or its content has left.
        StorageError: the disk refused; the envelope is still there.
    """
    held = parts.store.find_held(keys.report_id)
    if held is None:
        raise CollectedError("This has been collected; it cannot be withdrawn any more.")
    recipients = parts.roster.valid(parts.clock())
    cover = draw_cover(
        relay=parts.deployment.relay_id,
        names=[name for name, _ in recipients],
        policy=(policy().id, policy().version),
        language=parts.settings.languages[0],
        text_limit=0,
        today=parts.today(),
        envelope=keys.report_id,
    )
    filler_bytes = _find_filler(cover, recipients, held.size_bytes)
    with parts.attempts.claim(keys.report_id) as attempt:
        store_envelope(
            parts.store,
            ciphertext=_sealed(cover, recipients, filler_bytes),
            report=cover.report,
            memo=random_memo(),  # the row keeps the memo it has
            expiry=expiry_of(parts),
            attempt=attempt,
            replace=True,
        )


def _find_filler(cover: Cover, recipients: Recipients, target_bytes: int) -> int:
    """Find how much filler brings a cover into the size class of what it replaces."""
    filler_bytes = max(0, target_bytes - FRAME_BYTES - target_bytes // 1024)
    for _ in range(TRIALS):
        size = sum(map(len, _sealed(cover, recipients, filler_bytes)))
        if size == target_bytes:
            return filler_bytes
        step = abs(target_bytes - size) // 2 + 1
        filler_bytes = max(0, filler_bytes + (step if size < target_bytes else -step))
    raise StorageError("This could not be taken back; send a message and ask for it instead.")


def _sealed(cover: Cover, recipients: Recipients, filler_bytes: int) -> Iterator[bytes]:
    files = [("filler", _random_pieces(filler_bytes))] if filler_bytes else []
    return seal_report(report=cover.report, voice=cover.voice, recipients=recipients, files=files)


def _random_pieces(size_bytes: int) -> Iterator[bytes]:
    while size_bytes:
        piece = secrets.token_bytes(min(PIECE_BYTES, size_bytes))
        size_bytes -= len(piece)
        yield piece
