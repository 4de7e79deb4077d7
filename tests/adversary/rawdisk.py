"""A fresh disk image that a program writes all its files to, to be searched raw afterwards.

Mounted with `sync`, because a deleted temporary file must have reached the disk to be
found, and in a mount namespace of its own, so that nothing else writes there. FACTS.
"""

import base64
import os
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

IMAGE_BYTES = 3 * 1024**3  # sparse; more than the relay's reserve for text
BLOCK_BYTES = 8 * 1024 * 1024


def can_mount() -> bool:
    """Tell whether this machine lets us mount an image: root, and the tools are there."""
    tools = ("mkfs.ext4", "unshare", "mount")
    path = os.environ["PATH"] + ":/usr/sbin:/sbin"
    return os.geteuid() == 0 and all(shutil.which(tool, path=path) for tool in tools)


class RawDisk:
    """One image and its mount point, which only the confined program sees."""

    def __init__(self, folder: Path) -> None:
        self.image = folder / "disk.img"
        self.mounted = folder / "disk"
        self.mounted.mkdir()
        with self.image.open("wb") as file:
            file.truncate(IMAGE_BYTES)
        subprocess.run(["/sbin/mkfs.ext4", "-q", str(self.image)], check=True)

    def confine(self, command: Sequence[str]) -> list[str]:
        """Return the command that runs another with this disk below all temporary folders."""
        script = (
            f"mount -o loop,sync {self.image} {self.mounted} && "
            f"mkdir -p {self.mounted}/tmp && chmod 1777 {self.mounted}/tmp && "
            f"mount --bind {self.mounted}/tmp /var/tmp && "
            f'export TMPDIR={self.mounted}/tmp && exec "$@"'
        )
        return ["unshare", "--mount", "sh", "-c", script, "sh", *command]

    def seen_from(self, pid: int) -> Path:
        """Return the mounted disk as the confined process sees it."""
        return Path(f"/proc/{pid}/root") / self.mounted.relative_to("/")

    def find(self, canaries: dict[str, bytes]) -> set[str]:
        """Return the names of the canaries that lie anywhere in the raw image."""
        found: set[str] = set()
        forms = {(name, form) for name, canary in canaries.items() for form in _forms(canary)}
        for block in self._blocks(max(len(form) for _, form in forms)):
            found |= {name for name, form in forms if form in block}
        return found

    def _blocks(self, overlap_bytes: int) -> Iterator[bytes]:
        """Yield what was ever written, with overlaps; a hole of the image holds nothing."""
        with self.image.open("rb") as file:
            start = 0
            while (start := _seek(file, start, os.SEEK_DATA)) is not None:
                stop = _seek(file, start, os.SEEK_HOLE) or IMAGE_BYTES
                file.seek(start)
                tail = b""
                while (left := stop - file.tell()) > 0:
                    block = file.read(min(BLOCK_BYTES, left))
                    yield tail + block
                    tail = block[-overlap_bytes:]
                start = stop


def _seek(file: BinaryIO, start: int, whence: int) -> int | None:
    try:
        return os.lseek(file.fileno(), start, whence)
    except OSError:
        return None  # nothing but a hole up to the end


def _forms(canary: bytes) -> set[bytes]:
    """Return a canary as it is, in UTF-16, in hex, and in base64 at its three alignments."""
    text = canary.decode("utf-8")
    coded = {canary, text.encode("utf-16-le"), text.encode("utf-16-be")}
    coded |= {canary.hex().encode(), canary.hex().upper().encode()}
    for pad in range(3):
        whole = base64.b64encode(b"\0" * pad + canary)
        coded.add(whole[4 if pad else 0 : -4])
    return coded
