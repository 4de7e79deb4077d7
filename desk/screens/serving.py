"""Serve the desk on loopback and open the browser at its one-time address."""

import contextlib
import secrets
import socket
from collections.abc import Callable
from pathlib import Path

from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

from desk.screens.app import create_app
from desk.screens.browsing import open_privately
from desk.screens.gate import SecretAddress
from desk.screens.session import TOKEN_BYTES, Session
from protocol.errors import StorageError

HOST = "127.0.0.1"
REQUEST_SECONDS = 60  # for a program on this machine that opens a connection and says nothing


class QuietHandler(WSGIRequestHandler):
    """Log nothing: every path holds the secret of this process and the name of a case."""

    timeout = REQUEST_SECONDS

    def log(self, type: str, message: str, *args: object) -> None:
        """Keep silent."""


def prepare(directory: Path, *, port: int, idle_seconds: int) -> tuple[BaseWSGIServer, str]:
    """Bind a desk to loopback.

    Args:
        directory: of the desk; without one, the first-run pages answer.
        port: 0 for any that is free.
        idle_seconds: until it locks itself.

    Returns:
        The server, still to be run, and its one-time address.

    Raises:
        StorageError: the port is taken.
    """
    once, lasting = (secrets.token_urlsafe(TOKEN_BYTES) for _ in range(2))
    app = create_app(directory, idle_seconds=idle_seconds)
    gate = SecretAddress(app=app, once=once, lasting=lasting)
    try:
        listening = socket.create_server((HOST, port))
    except OSError as error:
        raise StorageError(
            "This port is taken; is the desk open already? Give another with --port."
        ) from error
    with listening:  # the server keeps a copy of it; left to itself it would print and exit
        server = make_server(
            HOST, port, gate, threaded=True, request_handler=QuietHandler, fd=listening.fileno()
        )
    # Asked twice a second: a desk is left alone by shutting the browser, too.
    kept: Session = app.extensions["sotto-desk"]
    server.service_actions = kept.lock_after_idle  # type: ignore[method-assign]  # made for this
    return server, f"http://{HOST}:{server.port}/{once}/"


def open_desk(
    directory: Path,
    *,
    port: int,
    idle_seconds: int,
    browser: bool,
    say: Callable[[str], None],
) -> None:
    """Serve until Ctrl-C."""
    server, address = prepare(directory, port=port, idle_seconds=idle_seconds)
    with contextlib.suppress(KeyboardInterrupt):
        say(f"The desk is open at {address}")
        say("This address works once. Stop with Ctrl-C.")
        if not browser or not open_privately(address):
            say("Open it in a private window: others write on the disk what is seen and typed.")
        server.serve_forever()  # it ends by itself at Ctrl-C, and closes its socket
    say("The desk is closed.")
