"""Serve several sites from one process, each on its own socket.

Form key, gate and the store's lock live in memory, so reporter and courier site share one
process; that they share nothing else is decided by the listener alone: a connection belongs
to the site whose socket it came through, whatever it sends. No access log, no control
socket, no file but the sockets. Decision 0005.
"""

import contextlib
import errno
import os
import socket
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

from gunicorn.app.base import BaseApplication
from gunicorn.arbiter import Arbiter
from gunicorn.glogging import Logger

from protocol.errors import CapacityError
from relay.scrub import ScrubbingFormatter
from relay.site import Plan, Site
from relay.worker import RelayWorker

_BACKLOG = 4096  # the kernel's own bound, net.core.somaxconn
_LOOPBACK = ("127.0.0.1", "[::1]")
_SOCKET_PATH_BYTES = 107  # sun_path, with its final zero


def serve(plan: Plan) -> None:
    """Serve until SIGTERM, SIGINT or SIGHUP; then leave by SystemExit.

    Runs in the main thread: one parent that holds the sockets and starts the worker again
    if it dies, one worker. SIGTERM lets what is under way end, SIGINT does not.

    Args:
        plan: the sites and their numbers; applications are built in the worker.

    Raises:
        CapacityError: a socket cannot be had; the message says which and why.
        SystemExit: the end, with 0 when it was asked for.
    """
    listeners = [open_listener(site) for site in plan.sites]
    _SocketArbiter(_Application(plan), listeners).run()


def open_listener(site: Site) -> socket.socket:
    """Open the socket that a site is bound to.

    A UNIX socket is made under a mask that lets nobody else in before its mode is set. TCP
    is for the demonstration and only on loopback: over Tor no port is open anywhere.

    Raises:
        CapacityError: it is in use, or not a place to listen at.
    """
    try:
        if site.bind.startswith("unix:"):
            listener = _listen_unix(Path(site.bind.removeprefix("unix:")), site)
        elif site.bind.startswith("fd:"):
            listener = socket.socket(fileno=int(site.bind.removeprefix("fd:")))
        else:
            listener = _listen_loopback(site.bind)
    except (OSError, ValueError, OverflowError) as error:
        raise CapacityError(f"Cannot listen at {site.bind}: {error}") from None
    listener.listen(_BACKLOG)
    listener.setblocking(False)
    return listener


def _listen_unix(path: Path, site: Site) -> socket.socket:
    if len(os.fsencode(path)) > _SOCKET_PATH_BYTES:
        raise ValueError(f"the path is longer than {_SOCKET_PATH_BYTES} bytes.")
    _remove_stale(path)
    with contextlib.ExitStack() as undo:
        listener = undo.enter_context(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM))
        mask = os.umask(0o177)
        try:
            listener.bind(str(path))
        finally:
            os.umask(mask)
        path.chmod(site.socket_mode)
        undo.pop_all()
    return listener


def _remove_stale(path: Path) -> None:
    """Remove a socket that a killed process left; refuse when somebody still answers."""
    if not path.exists():
        return
    if not stat.S_ISSOCK(path.lstat().st_mode):
        raise ValueError("there is a file of that name.")
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(1)
        try:
            probe.connect(str(path))
        except OSError:
            path.unlink()
        else:
            raise ValueError("another process serves it.")


def _listen_loopback(bind: str) -> socket.socket:
    host, _, port = bind.rpartition(":")
    if host not in _LOOPBACK:
        raise ValueError("only 127.0.0.1 and [::1] are served; the rest of the world comes by Tor.")
    family = socket.AF_INET6 if host.startswith("[") else socket.AF_INET
    with contextlib.ExitStack() as undo:
        listener = undo.enter_context(socket.socket(family, socket.SOCK_STREAM))
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((host.strip("[]"), int(port)))
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise
            raise ValueError("another program listens there; choose another port.") from None
        undo.pop_all()
    return listener


class _QuietLogger(Logger):  # type: ignore[misc]  # gunicorn has no types
    """gunicorn's log, through the formatter that leaves out what people sent."""

    def _set_handler(self, log: Any, output: Any, fmt: Any, stream: Any = None) -> None:
        super()._set_handler(log, output, ScrubbingFormatter(), stream)


class _Application(BaseApplication):  # type: ignore[misc]  # gunicorn has no types
    """gunicorn's settings for a relay; nothing is read from files or the environment."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        super().__init__()

    def load_config(self) -> None:
        memory = Path("/dev/shm")  # noqa: S108  # the worker's heartbeat: a file without content
        settings: dict[str, Any] = {
            "bind": [],
            "workers": 1,
            "worker_class": RelayWorker,
            "threads": self.plan.threads,
            "worker_connections": self.plan.connections,
            "worker_tmp_dir": str(memory) if os.access(memory, os.W_OK) else None,
            "timeout": 120,
            "graceful_timeout": self.plan.stop_seconds,
            "logger_class": _QuietLogger,
            "loglevel": "warning",
            "accesslog": None,
            "control_socket_disable": True,
            "sendfile": False,
            "umask": 0o077,
            "proxy_protocol": "off",  # the collector reads Tor's line, once a connection
            "http_protocols": "h1",
            "http_parser": "python",
            "secure_scheme_headers": {},
            "forwarder_headers": "",
            "forwarded_allow_ips": "",
            "limit_request_line": 4094,
            "limit_request_fields": 60,
        }
        for name, value in settings.items():
            self.cfg.set(name, value)

    def load(self) -> Callable[..., Any]:
        """Never asked: the worker builds one application for each site."""
        raise NotImplementedError


class _SocketArbiter(Arbiter):  # type: ignore[misc]  # gunicorn has no types
    """gunicorn's parent process with sockets of ours and exactly one worker, always."""

    def __init__(self, app: _Application, listeners: list[socket.socket]) -> None:
        super().__init__(app)
        self.LISTENERS = listeners
        self.systemd = any(site.bind.startswith("fd:") for site in app.plan.sites)

    def handle_hup(self) -> None:
        """Stop: a second worker beside the first would have another form key."""
        raise StopIteration

    def handle_ttin(self) -> None:
        """Stay with one worker."""

    handle_ttou = handle_usr2 = handle_winch = handle_ttin
