"""A command that runs until it is stopped, started as people and scripts start it."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

# As a shell without job control starts what it puts into the background.
IN_THE_BACKGROUND = """
import os, signal, sys
signal.signal(signal.SIGINT, signal.SIG_IGN)
os.execv(sys.executable, [sys.executable, "-m", "sotto", *sys.argv[1:]])
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_command_in_the_background_of_a_script_ends_at_either_signal(
    number: signal.Signals, tmp_path: Path
) -> None:
    command = [sys.executable, "-c", IN_THE_BACKGROUND, "desk", "open", "--no-browser"]
    with subprocess.Popen(
        [*command, "--data", str(tmp_path / "desk")], stdout=subprocess.PIPE, text=True
    ) as running:
        assert running.stdout is not None
        try:
            assert "http://127.0.0.1:" in running.stdout.readline()
            running.send_signal(number)
            assert running.wait(20) == 0
            assert running.stdout.read().endswith("The desk is closed.\n")
        finally:
            running.kill()
