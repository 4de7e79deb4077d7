"""A real gpg with its agent and a pinentry of ours, which types or cancels as a person would."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from relayside import PASSPHRASE

_PINENTRY = f"""#!/bin/sh
echo "OK here"
while read -r word rest; do
  case "$word" in
    GETPIN)
      echo asked >> "$(dirname "$0")/asked"
      if [ -e "$(dirname "$0")/cancels" ]
      then echo "ERR 83886179 Operation cancelled <Pinentry>"
      else printf 'D %s\\nOK\\n' '{PASSPHRASE}'
      fi;;
    BYE) echo OK; exit 0;;
    *) echo OK;;
  esac
done
"""


class Agent:
    """gpg-agent with a home of its own."""

    def __init__(self, home: Path) -> None:
        self.home = home
        pinentry = home / "pinentry"
        pinentry.write_text(_PINENTRY)
        pinentry.chmod(0o700)
        (home / "gpg-agent.conf").write_text(f"pinentry-program {pinentry}\n")

    def gpg(self, *words: str, feed: bytes = b"") -> bytes:
        done = subprocess.run(
            ["gpg", "--batch", *words],
            env={**os.environ, "GNUPGHOME": str(self.home)},
            input=feed,
            capture_output=True,
            check=True,
            timeout=60,
        )
        return done.stdout

    def imports(self, armored: bytes) -> None:
        self.gpg("--import", feed=armored)

    @property
    def times_asked(self) -> int:
        asked = self.home / "asked"
        return len(asked.read_text().splitlines()) if asked.exists() else 0

    def cancels(self, cancels: bool) -> None:
        """Let the person at the pinentry cancel, or type again; what was typed is forgotten."""
        if cancels:
            (self.home / "cancels").touch()
        else:
            (self.home / "cancels").unlink(missing_ok=True)
        self._conf("--reload", "gpg-agent")

    def stop(self) -> None:
        self._conf("--kill", "all")

    def _conf(self, *words: str) -> None:
        environment = {**os.environ, "GNUPGHOME": str(self.home)}
        subprocess.run(["gpgconf", *words], env=environment, check=True, timeout=60)


@contextmanager
def running_agent() -> Iterator[Agent]:
    """Make an agent that ends with the context; its folder's name is short for its socket."""
    home = Path(tempfile.mkdtemp(prefix="gpg-", dir="/tmp"))
    agent = Agent(home)
    try:
        yield agent
    finally:
        agent.stop()
        shutil.rmtree(home, ignore_errors=True)
