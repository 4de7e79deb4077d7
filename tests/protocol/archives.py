"""Archives in memory, for tests of what is built on them."""

from protocol.archive import ArchiveReader


def archive_in(data: bytes) -> ArchiveReader:
    """Open an archive that lies in memory."""
    return ArchiveReader(lambda offset, length: data[offset : offset + length], len(data))
