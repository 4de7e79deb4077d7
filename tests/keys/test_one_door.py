"""PGPy stands behind one door, and nobody hears it."""

import re
import subprocess
import sys
from pathlib import Path

import keys

ROOT = Path(keys.__file__).parent


def test_pgpy_is_imported_by_one_module_only() -> None:
    importing = {
        path.name
        for path in ROOT.glob("*.py")
        if re.search(r"^\s*(from|import) pgpy", path.read_text(), re.MULTILINE)
    }
    assert importing == {"openpgp.py"}


def test_keys_are_made_and_opened_without_a_warning_even_when_warnings_are_errors() -> None:
    program = (
        "from datetime import datetime, UTC\n"
        "from keys.secretkey import generate_secret_key, read_secret_key\n"
        "now = datetime.now(UTC)\n"
        "key = generate_secret_key(user_id='R', passphrase='p', created=now, expires=None)\n"
        "read_secret_key(key, 'p').sign_detached(b'x', created=now)\n"
    )
    command = [sys.executable, "-W", "error", "-c", program]
    result = subprocess.run(command, cwd=ROOT.parent, check=False, capture_output=True)
    assert (result.returncode, result.stderr) == (0, b"")
