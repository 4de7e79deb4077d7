"""Cuts: the hours at which a bundle is made up and frozen.

Within a cut the bundle is the same to the byte, whoever asks and however often:
a download can be resumed, and an arrival shows in no answer before the next
fixed hour. Cover is made first and lies in the cut like everything else.
docs/PROTOCOL.md, Bundle.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from pathlib import Path

from keys.secretkey import SecretKey
from protocol.archive import ArchiveFrame
from protocol.bundle import (
    BundleEnvelope,
    BundleHead,
    RecipientCertificate,
    bundle_frame,
    read_bundle_head,
)
from protocol.errors import KeyMaterialError
from protocol.limits import (
    ARCHIVE_BYTES,
    BUNDLE_ENVELOPES_COUNT,
    BUNDLE_HEAD_BYTES,
    WARNINGS_COUNT,
)
from protocol.names import EnvelopeId, RelayId
from relay.cover import make_cover
from relay.roster import Roster
from relay.rows import Cut, HeldEnvelope, Recipient, month_of
from relay.settings import Settings
from relay.store import Store
from relay.watch import collect_warnings

ENTRY_FRAME_BYTES = 256  # two headers and two names of one envelope, generously
CERTIFICATES_BYTES = 16 * 1024 * 1024  # the head once more, for certificates and warnings
LEFT_OUT = "Not everything fits into this bundle; fetch another one after the dispatch."


def cut_now(
    store: Store,
    settings: Settings,
    relay_key: SecretKey,
    now: datetime,
    *,
    folder: Path,
    cover: bool = True,
) -> Cut:
    """Make cover, then freeze what the bundle of this cut holds.

    Args:
        store: of the relay.
        settings: cover, hours, languages.
        relay_key: signs the head, dated to the start of the day.
        now: with a time zone.
        folder: the data folder, whose disk is looked at.
        cover: make it now; a relay that serves has scattered it over the hours before.

    Raises:
        StorageError: the disk fails; the former cut stays.
    """
    now = now.astimezone(UTC)
    day, hour = due(settings, now)
    relay = RelayId(relay_key.fingerprint)
    roster = Roster(store=store)
    policy = store.policy_in_force() or (settings.policy, "")
    try:
        recipients = roster.valid(now)
    except KeyMaterialError:
        recipients = ()  # what waits is still carried, with a warning; cover has nobody to go to
    if recipients and cover:
        make_cover(
            store, settings, relay=relay, recipients=recipients, policy=policy, today=now.date()
        )
    carried, overflows = _fit(_waiting(store, settings, now))
    warnings = collect_warnings(store, settings, roster, folder=folder, now=now)
    if overflows:
        warnings += (LEFT_OUT,)
    former = store.last_cut()
    number = former[0] + 1 if former else 1
    head = _head(
        store.recipients(),
        relay=relay,
        cut=number,
        day=day,
        carried=carried,
        policy=policy,
        warnings=warnings,
    ).encode()
    signature = relay_key.sign_detached(head, created=datetime.combine(day, time(), UTC))
    cut = Cut(number=number, day=day, hour=hour, head=head, signature=signature, envelopes=carried)
    store.save_cut(cut)
    return cut


def _head(
    active: Sequence[Recipient],
    *,
    relay: RelayId,
    cut: int,
    day: date,
    carried: tuple[HeldEnvelope, ...],
    policy: tuple[str, str],
    warnings: tuple[str, ...],
) -> BundleHead:
    return BundleHead(
        relay=relay,
        cut=cut,
        day=day,
        envelopes=tuple(_listed(held) for held in carried),
        serials={one.name: one.last_serial for one in active},
        certificates=tuple(
            RecipientCertificate(one.name, one.fingerprint, one.certificate) for one in active
        ),
        policy=policy[0],
        policy_version=policy[1],
        warnings=warnings[:WARNINGS_COUNT],
    )


def due(settings: Settings, now: datetime) -> tuple[date, int]:
    """Return day and hour (UTC) of the latest cut of the timetable.

    Args:
        settings: the fixed hours; 0 is always among them.
        now: with a time zone.
    """
    now = now.astimezone(UTC)
    if settings.demo:
        return now.date(), now.hour
    return now.date(), max(hour for hour in settings.cut_hours if hour <= now.hour)


def part_of_interval(settings: Settings, former: datetime, now: datetime) -> float:
    """Say which part of the time between two cuts has passed since a former moment, at most 1.

    None has where the clock was set back meanwhile.
    """
    begun = due(settings, now)[1]
    following = min((hour for hour in settings.cut_hours if hour > begun), default=24)
    part = (now - former).total_seconds() / (3600 * (following - begun))
    return min(1.0, max(0.0, part))


def is_due(store: Store, settings: Settings, now: datetime) -> bool:
    """Say whether a cut has to be made: a fixed hour has come, or, in a demonstration,
    something has changed.

    Only the timetable decides, never an arrival: else a bundle's number would tell
    that something came.
    """
    former = store.last_cut()
    if former is None:
        return True
    if settings.demo:
        return _has_changed(store, settings, now)
    latest = due(settings, now)
    # A bundle of a day to come is of a clock that was wrong: no desk can take it, and no other
    # would be cut until that day.
    return former[1:] < latest or former[1] > latest[0]


def cut_if_due(
    store: Store, settings: Settings, relay_key: SecretKey, now: datetime, *, folder: Path
) -> Cut | None:
    """Cut when the timetable says so; the one way in for threads that may meet here.

    Returns:
        The new cut, or None when none was due.
    """
    with store.cutting:
        if not is_due(store, settings, now):
            return None
        return cut_now(store, settings, relay_key, now, folder=folder, cover=settings.demo)


def _waiting(store: Store, settings: Settings, now: datetime) -> tuple[HeldEnvelope, ...]:
    month = month_of(now.astimezone(UTC).date())
    return store.envelopes_to_carry(leaving=settings.leaving_expiry(month))


def _has_changed(store: Store, settings: Settings, now: datetime) -> bool:
    cut = store.current_cut()
    if cut is None:
        return True
    fitted = [held.id for held in _fit(_waiting(store, settings, now))[0]]
    serials = {one.name: one.last_serial for one in store.recipients()}
    carried = [held.id for held in cut.envelopes]
    return carried != fitted or dict(read_bundle_head(cut.head).serials) != serials


def _fit(waiting: tuple[HeldEnvelope, ...]) -> tuple[tuple[HeldEnvelope, ...], bool]:
    """Return what one archive holds (4 GiB without ZIP64), and whether anything has to wait."""
    left = ARCHIVE_BYTES - BUNDLE_HEAD_BYTES - CERTIFICATES_BYTES
    fits = 0
    for held in waiting[:BUNDLE_ENVELOPES_COUNT]:
        left -= held.size_bytes + ENTRY_FRAME_BYTES
        if left < 0:
            break
        fits += 1
    return waiting[:fits], fits < len(waiting)


def may_be_taken_back(store: Store, envelope_id: EnvelopeId, *, day: date) -> bool:
    """Say whether nobody can have collected an envelope.

    It does not lie in the current bundle, and cannot have lain in an earlier one: it came on
    the day of the current one or later, and that one had to leave nothing out.

    Args:
        store: of the relay.
        envelope_id: of what would be taken back.
        day: when it was received, UTC.
    """
    cut = store.last_cut()
    if cut is not None and day < cut[1]:
        return False
    head = store.current_head()
    return not store.is_collected(envelope_id) and LEFT_OUT.encode() not in head


def _listed(held: HeldEnvelope) -> BundleEnvelope:
    return BundleEnvelope(id=held.id, size_bytes=held.size_bytes, sha256=held.sha256)


@dataclass(frozen=True)
class _Part:
    """A stretch of the bundle: framing that is here, or the envelope that follows it."""

    start: int
    stop: int
    content: bytes | HeldEnvelope


class Bundle:
    """The current cut as bytes, any range of them.

    Attributes:
        number: of the cut; a name for the bytes that changes when they do.
        day: of the cut.
        total_bytes: of the whole archive.
    """

    def __init__(self, *, store: Store, cut: Cut) -> None:
        """Lay the archive out; contents are read when they are asked for."""
        self._store = store
        self.number = cut.number
        self.day = cut.day
        frame = bundle_frame(
            cut.head, cut.signature, [(_listed(held), held.crc32) for held in cut.envelopes]
        )
        self.total_bytes = frame.total_bytes
        self._parts = _lay_out(frame, cut)

    def read(self, start: int, stop: int) -> Iterator[bytes]:
        """Yield the bytes from `start` up to, not including, `stop`.

        Raises:
            StorageError: an envelope is gone, because a newer cut was made long
                ago, or the disk fails; the download has to begin anew.
        """
        for part in self._parts:
            first, last = max(start, part.start), min(stop, part.stop)
            if first >= last:
                continue
            if isinstance(part.content, bytes):
                yield part.content[first - part.start : last - part.start]
            else:
                yield from self._store.read_content(
                    part.content.id, first - part.start, last - first
                )


def open_bundle(store: Store) -> Bundle | None:
    """Open the current cut, or return None when nothing was ever cut."""
    cut = store.current_cut()
    return None if cut is None else Bundle(store=store, cut=cut)


def read_bundle(store: Store, start: int, stop: int) -> Iterator[bytes]:
    """Yield a range of the current cut; nothing when nothing was ever cut."""
    bundle = open_bundle(store)
    return iter(()) if bundle is None else bundle.read(start, stop)


def _lay_out(frame: ArchiveFrame, cut: Cut) -> tuple[_Part, ...]:
    contents: list[bytes | HeldEnvelope] = [cut.head, cut.signature, *cut.envelopes]
    parts: list[_Part] = []
    position = 0
    for header, content in zip(frame.headers, contents, strict=True):
        for piece in (header, content):
            length = len(piece) if isinstance(piece, bytes) else piece.size_bytes
            parts.append(_Part(position, position + length, piece))
            position += length
    parts.append(_Part(position, position + len(frame.tail), frame.tail))
    return tuple(parts)
