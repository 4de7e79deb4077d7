"""The programs that look at pages: Chromium with axe-core, and the HTML checker.

The npm packages are installed once, from the lock beside this file, into `build/`; they are
tools of the tests and never part of what is served.
"""

import fcntl
import hashlib
import json
import os
import shutil
import subprocess
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
BUILD = HERE.parents[1] / "build" / "pages"
SHOTS = HERE.parents[1] / "build" / "screenshots"
CONTROL = "control"  # a page that breaks every rule: who finds nothing there is blind
PHOTOGRAPH_ALL = "SOTTO_ALL_SCREENSHOTS" in os.environ  # dark ones too, for whoever designs
_LOCKED = ("package.json", "package-lock.json", ".npmrc")


def missing_programs() -> list[str]:
    """Return what has to be installed before pages can be looked at."""
    return [name for name in ("node", "npm", "java", "chromium") if shutil.which(name) is None]


def install() -> None:
    """Install the locked npm packages, unless they are there; no package runs a script.

    Two test processes may ask at once: one of them waits.
    """
    BUILD.mkdir(parents=True, exist_ok=True)
    with (BUILD / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        _install()


def _install() -> None:
    wanted = hashlib.sha256(b"".join((HERE / name).read_bytes() for name in _LOCKED)).hexdigest()
    mark = BUILD / "node_modules" / f".installed-{wanted[:16]}"
    if mark.exists():
        return
    for name in _LOCKED:
        shutil.copy(HERE / name, BUILD / name)
    command = ["npm", "ci", "--ignore-scripts", "--loglevel=error"]
    done = subprocess.run(command, cwd=BUILD, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    mark.touch()


def look_at(
    pages: Iterable[Mapping[str, object]],
    stylesheets: Mapping[str, Path],
    frame: Mapping[str, object],
) -> list[dict[str, str]]:
    """Show pages in Chromium, light and dark, wide, narrow and at 200 %, and return what is wrong.

    Args:
        pages: each with `name`, `url`, `file`, `headers` and whether axe-core runs on it.
        stylesheets: what is served under each address that pages ask for.
        frame: what the frame shows in which a page tells how far a report has come.
    """
    plan = {
        "pages": list(pages),
        "stylesheets": {url: str(path) for url, path in stylesheets.items()},
        "frame": dict(frame),
        "shots": str(SHOTS / "chromium"),
        "shot": ["1280-light", "320-light", *(["1280-dark", "320-dark"] if PHOTOGRAPH_ALL else [])],
    }
    file = BUILD / f"plan-{os.getpid()}.json"
    file.write_text(json.dumps(plan))
    done = subprocess.run(
        ["node", str(HERE / "check.mjs"), str(file)],
        cwd=BUILD,
        env=os.environ | {"CHROMIUM": shutil.which("chromium") or ""},
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )
    assert done.returncode == 0, done.stderr
    found: list[dict[str, str]] = json.loads(done.stdout)
    return found


def check_html(files: Iterable[Path]) -> list[str]:
    """Return what the Nu HTML checker says about files, its warnings included.

    Its guess at the language of a text is left out: it takes Swahili with names for English.
    """
    jar = BUILD / "node_modules" / "vnu-jar" / "build" / "dist" / "vnu.jar"
    command = ["java", "-jar", str(jar), "--format", "json", "--exit-zero-always", "--stdout"]
    done = subprocess.run(
        [*command, *map(str, files)], capture_output=True, text=True, check=True, timeout=120
    )
    messages: list[dict[str, Any]] = json.loads(done.stdout)["messages"]
    return [
        f"{Path(one.get('url', '')).name}:{one.get('lastLine')}: {one['message']}"
        f" {one.get('extract', '').strip()[:100]!r}"
        for one in messages
        if not one["message"].startswith("This document appears to be written in")
    ]
