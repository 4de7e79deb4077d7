"""A real PostgreSQL in a temporary folder, on a UNIX socket, for the tests of the store.

The server refuses to run as root, so it runs as the user `postgres`, without
durability: these tests ask what is stored, not whether the power may fail.
"""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

OWNER = "postgres"


def find_programs() -> Path | None:
    """Return the folder of the newest installed server's programs, or None."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    return found[-1].parent if found else None


@contextmanager
def running_postgres() -> Iterator[str]:
    """Run a server; yield the address of its cluster, to be completed with a database's name."""
    programs = find_programs()
    assert programs is not None
    folder = Path(tempfile.mkdtemp(prefix="pg", dir="/tmp"))  # a socket's path has 107 bytes
    if os.geteuid() == 0:
        shutil.chown(folder, OWNER, OWNER)
    try:
        options = ["-A", "trust", "-U", OWNER, "-E", "UTF8", "--no-sync", "-D", str(folder / "db")]
        _run(programs / "initdb", *options)
        served = f"-k {folder} -c listen_addresses= -c fsync=off -c max_connections=60"
        log = str(folder / "log")
        _run(programs / "pg_ctl", "-w", "-D", str(folder / "db"), "-l", log, "-o", served, "start")
        try:
            yield f"postgresql+psycopg://{OWNER}@/{{name}}?host={folder}"
        finally:
            _run(programs / "pg_ctl", "-D", str(folder / "db"), "-m", "immediate", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _run(program: Path, *arguments: str) -> None:
    command = [str(program), *arguments]
    if os.geteuid() == 0:
        identity = ["--reuid", OWNER, "--regid", OWNER, "--init-groups", "--"]
        command = ["setpriv", *identity, *command]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, cwd="/", timeout=60)
