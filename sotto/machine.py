"""What the machine below a relay is like: swap, disks, listeners, clock, as the kernel tells it.

Everything is read below one root, so that tests can show a machine that they do not have.
Nothing is changed, and what cannot be seen from here is said, not guessed.
"""

import ipaddress
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

_LISTENING = "0A"  # include/net/tcp_states.h
_OCTAL = re.compile(r"\\([0-7]{3})")


@dataclass(frozen=True, kw_only=True)
class Mount:
    """Where a path lies: the mount point, its file system, and the device below it."""

    point: Path
    kind: str
    device: str  # "253:0"


@dataclass(frozen=True, kw_only=True)
class Machine:
    """A Linux machine, read through /proc and /sys below `root`."""

    root: Path = Path("/")

    def mount_of(self, path: Path) -> Mount | None:
        """Return the mount that a path lies on, or None where it cannot be seen."""
        real = path.resolve()
        found = None
        for line in self._lines("proc/self/mountinfo"):
            fields = line.split(" ")
            point = Path(_OCTAL.sub(lambda match: chr(int(match[1], 8)), fields[4]))
            if real.is_relative_to(point) and (
                found is None or point.is_relative_to(found.point)  # the last one covers the first
            ):
                rest = fields[fields.index("-") + 1 :]
                found = Mount(point=point, kind=rest[0], device=self._device(fields[2], rest[1]))
        return found

    def is_encrypted(self, device: str) -> bool:
        """Tell whether everything on a block device passes through dm-crypt.

        Args:
            device: its number, "253:0".

        Returns:
            True where it, the disk that it is a part of, or all devices below it
            are dm-crypt mappings (uuid `CRYPT-…`).
        """
        return self._passes_crypt(self.root / "sys/dev/block" / device)

    def swaps(self) -> tuple[tuple[str, bool], ...]:
        """Return each swap space and whether what lands there is unreadable later."""
        found = []
        for line in list(self._lines("proc/swaps"))[1:]:
            name, kind = line.split()[:2]
            path = Path(_OCTAL.sub(lambda match: chr(int(match[1], 8)), name))
            found.append((str(path), self._is_safe_swap(path, kind)))
        return tuple(found)

    def listeners(self, uid: int) -> tuple[str, ...]:
        """Return the TCP addresses beyond loopback at which an account listens."""
        found = set()
        for name in ("proc/net/tcp", "proc/net/tcp6"):
            for line in list(self._lines(name))[1:]:
                fields = line.split()
                if fields[3] == _LISTENING and int(fields[7]) == uid:
                    address, _, port = fields[1].partition(":")
                    host = read_address(address)
                    if not host.is_loopback:
                        found.add(f"{host} port {int(port, 16)}")
        return tuple(sorted(found))

    def _device(self, number: str, source: str) -> str:
        """Return the number of the device; btrfs and its like have numbers that name none."""
        if not number.startswith("0:") or not source.startswith("/dev/"):
            return number
        return self._number_of(Path(source)) or number

    def _number_of(self, node: Path) -> str:
        try:
            found = (self.root / node.relative_to("/")).stat().st_rdev
        except OSError:
            return ""
        return f"{os.major(found)}:{os.minor(found)}" if found else ""

    def _is_safe_swap(self, path: Path, kind: str) -> bool:
        if kind == "partition":
            if path.name.startswith("zram"):
                return True  # compressed memory, on no disk
            return self.is_encrypted(self._number_of(path))
        mount = self.mount_of(path)
        return mount is not None and self.is_encrypted(mount.device)

    def _passes_crypt(self, folder: Path) -> bool:
        try:
            folder = folder.resolve(strict=True)
        except OSError:
            return False
        uuid = folder / "dm" / "uuid"
        if uuid.exists() and uuid.read_text(encoding="ascii").startswith("CRYPT-"):
            return True
        if (folder / "partition").exists():
            return self._passes_crypt(folder.parent)
        below = folder / "slaves"
        devices = list(below.iterdir()) if below.is_dir() else []
        return bool(devices) and all(self._passes_crypt(one) for one in devices)

    def _lines(self, name: str) -> Iterator[str]:
        try:
            text = (self.root / name).read_text(encoding="utf-8", errors="replace")
        except OSError:
            return iter(())
        return iter(text.splitlines())


def read_address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    """Read an address as /proc/net/tcp writes it: words of 32 bits in the machine's order."""
    words = [bytes.fromhex(text[at : at + 8])[::-1] for at in range(0, len(text), 8)]
    address = ipaddress.ip_address(b"".join(words))
    mapped = getattr(address, "ipv4_mapped", None)
    return mapped or address


def consensus_times(path: Path) -> tuple[datetime, datetime] | None:
    """Return from when to when the consensus that tor holds is valid, or None without one.

    Args:
        path: `cached-microdesc-consensus` in tor's data folder.
    """
    times: list[datetime] = []
    try:
        with path.open(encoding="ascii", errors="replace") as file:
            for line in file:
                name, _, rest = line.partition(" ")
                if name in ("valid-after", "valid-until"):
                    times.append(datetime.fromisoformat(rest.strip()).replace(tzinfo=UTC))
                if len(times) == 2:
                    return times[0], times[1]
    except (OSError, ValueError):
        return None
    return None
