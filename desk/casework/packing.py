"""Pack archives from parts that are read where they lie, twice and never as a whole."""

import hashlib
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from desk.records import ObjectRef
from desk.vault import Vault
from keys.certificate import Certificate
from keys.lock import generate_session_key, make_lock
from protocol import limits
from protocol.archive import ArchiveFrame, StoredEntry
from protocol.sealing import Sealer

Octets = Callable[[], Iterable[bytes]]


@dataclass(frozen=True, kw_only=True)
class Part:
    """A large part that travels beside the document; its octets can be had twice."""

    name: str
    octets: Octets


def seal_archive(
    frame: ArchiveFrame, bodies: Sequence[Octets], *, certificate: Certificate, name: str
) -> Iterator[bytes]:
    """Seal a framed archive to one certificate while it is read."""
    session_key = generate_session_key()
    sealer = Sealer(
        session_key=session_key, locks=make_lock(certificate, session_key), file_name=name
    )
    for header, octets in zip(frame.headers, bodies, strict=True):
        yield sealer.update(header)
        for piece in octets():
            yield sealer.update(piece)
    yield sealer.update(frame.tail)
    yield from sealer.finish_in_pieces()


def object_octets(vault: Vault, ref: ObjectRef) -> Octets:
    """Return what reads a sealed object of the vault from its beginning, again and again."""

    def read() -> Iterator[bytes]:
        with vault.objects.reader(ref) as read_at:
            yield from pieces(read_at, ref.size_bytes)

    return read


def measure(part: Part) -> tuple[StoredEntry, bytes]:
    """Return what an archive will hold of a part: its entry and its SHA-256."""
    size_bytes, crc32, digest = 0, 0, hashlib.sha256()
    for piece in part.octets():
        size_bytes += len(piece)
        crc32 = zlib.crc32(piece, crc32)
        digest.update(piece)
    return StoredEntry(part.name, size_bytes, crc32), digest.digest()


def pieces(read_at: Callable[[int, int], bytes], size_bytes: int) -> Iterator[bytes]:
    """Read something of known size from its beginning to its end."""
    for offset in range(0, size_bytes, limits.ARCHIVE_PIECE_BYTES):
        yield read_at(offset, min(limits.ARCHIVE_PIECE_BYTES, size_bytes - offset))
