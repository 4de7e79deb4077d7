"""Take back what nobody has collected: cover of the same size stands in its place.

Deleting the row would show a gap to whoever compares two images; a cover envelope of
another size would too. So the cover is filled until it falls in the same size class. Only
those who could have read the report can open it: to anybody else it would tell of one.
DESIGN: what the relay stores.
"""

import secrets
from collections.abc import Iterator, Sequence
from dataclasses import replace

from protocol.derivation import ReporterKeys
from protocol.errors import StorageError
from protocol.memo import Memo, random_memo
from protocol.names import RecipientName
from protocol.report import Kind
from relay.cover import Cover, Recipients, draw_cover
from relay.cut import may_be_taken_back
from relay.parts import Parts
from relay.rendering import policy
from relay.sending import expiry_of
from relay.store_envelopes import CollectedError
from relay.submission import seal_report, store_envelope

TRIALS = 64
PIECE_BYTES = 64 * 1024
FRAME_BYTES = 4096  # locks, report.json and the like: a first guess, corrected by trial


def may_withdraw(parts: Parts, keys: ReporterKeys, memo: Memo) -> bool:
    """Say whether the first envelope of a receipt is a report that nobody can have collected.

    Args:
        parts: of the relay.
        keys: derived from the receipt.
        memo: of that envelope.
    """
    return (
        memo.kind is Kind.REPORT
        and keys.report_id not in parts.withdrawn
        and may_be_taken_back(parts.store, keys.report_id, day=memo.day)
    )


def withdraw(parts: Parts, keys: ReporterKeys, memo: Memo | None) -> None:
    """Replace the first envelope of a receipt by cover, before anybody collected it.

    Args:
        keys: derived from the receipt.
        memo: of that envelope; says who could have read it.

    Raises:
        CollectedError: it lies in a bundle, or was read, or its content has left; or it is no
            report, but says that this receipt replaces another.
        StorageError: the disk refused; the envelope is still there.
    """
    held = parts.store.find_held(keys.report_id)
    if held is None or memo is None or not may_withdraw(parts, keys, memo):
        raise CollectedError("This has been collected; it cannot be withdrawn any more.")
    parts.budget.require_room(held.size_bytes)
    parts.withdrawn.add(keys.report_id)  # again and again, it would cost the disk, not the sender
    try:
        _replace(parts, keys, memo, held.size_bytes)
    except BaseException:
        parts.withdrawn.discard(keys.report_id)
        raise


def _replace(parts: Parts, keys: ReporterKeys, memo: Memo, size_bytes: int) -> None:
    recipients = parts.roster.valid(parts.clock())
    names = [name for name, _ in recipients]
    cover = draw_cover(
        relay=parts.deployment.relay_id,
        names=names,
        policy=(policy().id, policy().version),
        language=parts.settings.languages[0],
        text_limit=parts.settings.text_chars,
        today=parts.today(),
        envelope=keys.report_id,
        readers=_who_may_know(memo, names),
    )
    filler = _Filler(cover, recipients, parts.settings.text_chars)
    filler_bytes = filler.find(size_bytes)
    with parts.attempts.claim(keys.report_id) as attempt:
        store_envelope(
            parts.store,
            ciphertext=filler.sealed(filler_bytes),
            report=cover.report,
            memo=random_memo(),  # the row keeps the memo it has
            expiry=expiry_of(parts),
            attempt=attempt,
            replace=True,
        )


def _who_may_know(memo: Memo, names: Sequence[RecipientName]) -> Sequence[RecipientName]:
    readers = [name for name in names if name in memo.readers]
    readers = readers or [n for n in names if n not in (*memo.left_out, *memo.not_asked)]
    if not readers:
        raise StorageError("This could not be taken back; send a message and ask for it instead.")
    return readers


class _Filler:
    """Seals a cover in a size that is asked for: with a longer text, like any cover, as far as
    a text may go, and beyond that with a file.
    """

    def __init__(self, cover: Cover, recipients: Recipients, text_chars: int) -> None:
        self._cover = cover
        self._recipients = recipients
        self._text_bytes = 2 * text_chars  # report.json and report.txt both hold it

    def find(self, target_bytes: int) -> int:
        """Find how much filler brings the cover into the size class of what it replaces."""
        filler_bytes = 2 * len(self._cover.report.text)
        if target_bytes > self._text_bytes:
            filler_bytes = max(0, target_bytes - FRAME_BYTES - target_bytes // 1024)
        for _ in range(TRIALS):
            size = sum(map(len, self.sealed(filler_bytes)))
            if size == target_bytes:
                return filler_bytes
            step = abs(target_bytes - size) // 2 + 1
            filler_bytes = max(0, filler_bytes + (step if size < target_bytes else -step))
        raise StorageError("This could not be taken back; send a message and ask for it instead.")

    def sealed(self, filler_bytes: int) -> Iterator[bytes]:
        """Seal the cover with this much filler."""
        in_text = filler_bytes <= self._text_bytes
        text = "." * (filler_bytes // 2) if in_text else ""
        return seal_report(
            report=replace(self._cover.report, text=text),
            voice=self._cover.voice,
            recipients=self._recipients,
            files=[] if in_text else [("filler", _random_pieces(filler_bytes))],
        )


def _random_pieces(size_bytes: int) -> Iterator[bytes]:
    while size_bytes:
        piece = secrets.token_bytes(min(PIECE_BYTES, size_bytes))
        size_bytes -= len(piece)
        yield piece
