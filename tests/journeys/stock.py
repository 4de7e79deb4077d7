"""Stock tools that read what the counselor gets, without anything of ours."""

import os
import pty
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests import sq

GPG_OPTIONS = (
    *("--batch", "--yes", "--trust-model", "always"),
    *("--pinentry-mode", "loopback", "--passphrase", "demo"),
)


class StockGpg:
    """gpg with a keyring of its own."""

    def __init__(self, home: Path) -> None:
        self._home = home

    def run(self, *arguments: str | Path) -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(
            ["gpg", "--homedir", self._home, *GPG_OPTIONS, *arguments],
            capture_output=True,
            check=False,
        )

    def imports(self, *keys: Path) -> None:
        done = self.run("--import", *keys)
        assert done.returncode == 0, done.stderr

    def decrypts(self, envelope: Path, to: Path) -> bool:
        """Decrypt an envelope; like the counselor, keep nothing when gpg fails."""
        done = self.run("--output", to, "--decrypt", envelope)
        if done.returncode != 0:
            to.unlink(missing_ok=True)
        return done.returncode == 0

    def verifies(self, signature: Path, signed: Path) -> bool:
        return self.run("--verify", signature, signed).returncode == 0


@contextmanager
def stock_gpg(*keys: Path) -> Iterator[StockGpg]:
    """Make a gpg with these keys; its agent ends with it. The path is short for its socket."""
    home = Path(tempfile.mkdtemp(prefix="gpg-", dir="/tmp"))
    try:
        gpg = StockGpg(home)
        gpg.imports(*keys)
        yield gpg
    finally:
        subprocess.run(
            ["gpgconf", "--homedir", home, "--kill", "gpg-agent"], check=False, capture_output=True
        )
        shutil.rmtree(home, ignore_errors=True)


def sq_decrypts(envelope: Path, key: Path, to: Path, passphrase: str = "demo") -> bool:
    """Decrypt with sq, which asks for the passphrase on a terminal of its own."""
    child, terminal = pty.fork()
    if child == 0:
        os.execvp("sq", [*sq.decrypt(key), "--output", str(to), str(envelope)])
    typed = False
    try:
        while heard := os.read(terminal, 4096):
            if b"assword" in heard and not typed:
                os.write(terminal, passphrase.encode() + b"\n")
                typed = True
    except OSError:
        pass  # the terminal closes with the program
    os.close(terminal)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def unzips(archive: Path, to: Path) -> Path:
    """Unpack with unzip."""
    done = subprocess.run(
        ["unzip", "-q", "-o", archive, "-d", to], capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return to
