"""Serve the sites of a relay in a process of its own, beside the one that watches Tor.

Form key, gate and the store's lock live in the memory of one worker; Tor's supervisor has
threads and must not be forked with them. So the web process is forked first.
"""

import ctypes
import os
import signal
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path

from flask import Flask

from onion.control import CircuitCloser
from onion.places import Places
from protocol.errors import OnionError, StorageError
from relay.app import assemble, create_courier_app, create_reporter_app
from relay.circuit import CircuitLimits, Circuits
from relay.clockwork import Clockwork
from relay.deployment import open_deployment
from relay.hardening import harden_process
from relay.parts import Parts
from relay.running import write_hardening
from relay.server import serve
from relay.site import Plan, Site

PR_SET_PDEATHSIG = 1
READY_SECONDS = 60.0


def now() -> datetime:
    """Return the current time, UTC: the one clock of a running relay."""
    return datetime.now(UTC)


class RelaySites:
    """The sites of one relay; everything is opened in the worker, after the fork."""

    def __init__(self, data: Path) -> None:
        """Remember where the relay lives; nothing is opened yet."""
        self._data = data
        self._closer = CircuitCloser(Places(data).control)
        self._circuits = Circuits(
            limits=CircuitLimits(), monotonic=time.monotonic, close_circuit=self._close_circuit
        )

    @cached_property
    def parts(self) -> Parts:
        """The parts of the relay, gathered in the worker when the first application is built.

        The process is hardened before: until then it holds no secret and has no second
        thread, which would keep the privileges that the first one gives away.
        """
        granted = harden_process()
        parts = assemble(open_deployment(self._data), circuits=self._circuits, clock=now)
        write_hardening(self._data, granted)
        return parts

    @cached_property
    def _clockwork(self) -> Clockwork:
        return Clockwork(deployment=self.parts.deployment, clock=now)

    def reporter(self) -> Flask:
        """Build the reporters' application."""
        return create_reporter_app(self.parts)

    def courier(self) -> Flask:
        """Build the couriers' application."""
        return create_courier_app(self.parts)

    def onion_sites(self, *, for_group: bool = False) -> list[Site]:
        """Return both sites on the UNIX sockets that Tor leads to, with limits per circuit.

        Args:
            for_group: a tor of another account comes by the group of this one.
        """
        places = Places(self._data)
        mode = 0o660 if for_group else 0o600
        return [
            Site(build=build, bind=f"unix:{socket}", circuits=self._circuits, socket_mode=mode)
            for build, socket in (
                (self.reporter, places.reporter_socket),
                (self.courier, places.courier_socket),
            )
        ]

    def started(self) -> None:
        """Begin to keep the timetable; called in every worker, also one that follows another."""
        self._clockwork.start()

    def ended(self) -> None:
        """Stop the timetable and close the store, if the relay could be opened at all."""
        if "parts" not in vars(self):
            return  # the reason was said; to open it once more would say another one
        self._clockwork.stop()
        self.parts.deployment.close()

    def _close_circuit(self, circuit: int) -> None:
        try:
            self._closer.close_circuit(circuit)
        except OnionError:
            return  # a tor that is gone has taken the circuit with it


class WebProcess:
    """The forked process that serves; it ends with its parent, whatever happens to that."""

    def __init__(
        self,
        sites: Sequence[Site],
        *,
        started: Callable[[], None],
        ended: Callable[[], None],
    ) -> None:
        """Fork and serve.

        Args:
            sites: what to serve.
            started: called in every worker when all is built.
            ended: called in the worker before it ends.
        """
        reader, writer = os.pipe()
        self._reader = reader
        parent = os.getpid()
        self.pid = os.fork()
        if self.pid:
            os.close(writer)
            return
        os.close(reader)
        _end_with(parent)

        def ready() -> None:
            os.write(writer, b"1")
            os.close(writer)

        serve(Plan(sites=sites, on_start=started, on_ready=ready, on_stop=ended))

    def wait_ready(self) -> None:
        """Return once every site answers.

        Raises:
            StorageError: the process ended before; its own words are on standard error.
        """
        with os.fdopen(self._reader, "rb") as pipe:
            if pipe.read(1) != b"1":
                raise StorageError("The relay did not start; the reason stands above.")

    def wait(self) -> int:
        """Wait for the end of the process and return its exit status."""
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])

    def stop(self) -> None:
        """Ask the process to end and wait until it has."""
        try:
            os.kill(self.pid, signal.SIGTERM)
            os.waitpid(self.pid, 0)
        except (ProcessLookupError, ChildProcessError):
            return


def _end_with(parent: int) -> None:
    """Let the kernel end this process when its parent is gone."""
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent:
        os._exit(1)
