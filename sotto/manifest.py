"""What a backup says of itself: every file with its digest, signed by the relay.

A backup is sealed to a certificate that is public, so anybody could make one. The signature
says that this relay did; whose relay it is, the operator compares by its fingerprint.
"""

from dataclasses import dataclass
from datetime import date

from protocol import limits
from protocol.canonical import Fields, encode_json, read_json
from protocol.errors import FormatError
from protocol.filenames import check_entry_name
from protocol.names import RelayId
from protocol.naming import read_relay_id

MANIFEST_NAME = "manifest.json"
SIGNATURE_NAME = "manifest.json.asc"
MANIFEST_BYTES = 4 * limits.MIB
FILES_COUNT = 10_000
FILE_BYTES = 2**50  # a petabyte; only so that a number stays a number
_TYPE = "sotto backup"
_FORMAT = 1


@dataclass(frozen=True, kw_only=True)
class BackedUp:
    """One file: its path below the data folder, octets, SHA-256."""

    name: str
    size_bytes: int
    sha256: bytes


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """The list of a backup; the relay signs its encoding.

    Attributes:
        relay: fingerprint of the relay.
        day: on which it was made, UTC.
        files: in the order in which they stand in the backup.
    """

    relay: RelayId
    day: date
    files: tuple[BackedUp, ...]

    def encode(self) -> bytes:
        """Encode the manifest: exactly the bytes that are signed."""
        return encode_json(
            {
                "day": self.day.isoformat(),
                "files": [
                    {"name": one.name, "sha256": one.sha256.hex(), "size_bytes": one.size_bytes}
                    for one in self.files
                ],
                "format": _FORMAT,
                "relay": self.relay,
                "type": _TYPE,
            }
        )


def read_manifest(document: bytes) -> Manifest:
    """Read a manifest; verify its signature over these same bytes before believing it.

    Raises:
        FormatError: anything but what `Manifest.encode` writes.
    """
    fields = Fields(read_json(document, MANIFEST_BYTES), where=MANIFEST_NAME)
    if fields.text("type") != _TYPE:
        raise FormatError("this is not the manifest of a backup")
    fields.version(newest=_FORMAT)
    manifest = Manifest(
        relay=read_relay_id(fields.text("relay")),
        day=fields.day("day"),
        files=tuple(_read_file(one) for one in fields.each("files", limit=FILES_COUNT)),
    )
    fields.end()
    return manifest


def _read_file(fields: Fields) -> BackedUp:
    found = BackedUp(
        name=fields.text("name", limit=limits.ENTRY_NAME_BYTES),
        size_bytes=fields.integer("size_bytes", high=FILE_BYTES),
        sha256=fields.octets("sha256", limits.SHA256_BYTES),
    )
    fields.end()
    check_entry_name(found.name)
    return found
