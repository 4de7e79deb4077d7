"""The smallest Flask application, as gunicorn serves it unasked: what the relay's are held against.

It keeps a file in plaintext, as Flask's documentation shows, and says so once the file is on
the disk, as the relay does.
"""

import contextlib
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

_GUNICORN = (
    *("-m", "gunicorn", "--worker-class", "gthread", "--threads", "8", "--proxy-protocol", "auto"),
    *("--no-control-socket", "--worker-tmp-dir", "/dev/shm", "--log-level", "warning"),
)
_APPLICATION = """
import os
from flask import Flask, request

app = Flask(__name__)


@app.get("/")
def hello():
    return "hello"


@app.post("/")
def keep():
    with open("kept", "wb") as kept:
        request.files["file"].save(kept)
        kept.flush()
        os.fsync(kept.fileno())
    return "kept"
"""


@contextlib.contextmanager
def bare_flask(folder: Path, listener: socket.socket) -> Iterator[None]:
    """Serve it on a socket that listens, from a folder of its own, until the end."""
    (folder / "bare.py").write_text(_APPLICATION)
    place = ("--chdir", str(folder), "--bind", f"fd://{listener.fileno()}", "bare:app")
    command = [sys.executable, *_GUNICORN, *place]
    with subprocess.Popen(command, pass_fds=[listener.fileno()]) as process:
        try:
            yield
        finally:
            process.terminate()
            process.wait(30)
