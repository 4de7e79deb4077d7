"""A gunicorn worker that slow clients cannot stop.

The stock threaded worker gives a thread to every connection from its first byte and has no
read deadline after that: a thousand clients that drip one byte a second hold every thread.
Here a connection waits in the poll loop, costing a file descriptor, until its request is
whole (an upload: until its first 16 KiB), then takes its turn among circuits, and only then
gets a thread. Every wait for a client has a deadline. Claim C5 of docs/THREAT_MODEL.md;
decision 0005.
"""

import heapq
import itertools
import os
import resource
import selectors
import socket
import sys
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from http import HTTPStatus
from typing import Any

from gunicorn.workers.gthread import ThreadWorker

from protocol.errors import CapacityError
from relay.circuit import LOCAL
from relay.collector import RefusedError
from relay.connection import Connection, Stage
from relay.exchange import answer, bare_answer
from relay.pacing import Pressure
from relay.scrub import scrub_everything
from relay.turns import Turns

_ACCEPT_AT_ONCE = 64
_READ_BYTES = 16 * 1024
_SPARE_DESCRIPTORS = 256  # for the database, the log and the listeners
_LINGER_BYTES = 1024 * 1024
_LOOK_SECONDS = 0.25  # between two looks at the deadlines of those who wait


class RelayWorker(ThreadWorker):  # type: ignore[misc]  # gunicorn has no types
    """One process, several sites, one poll loop, two pools of threads.

    Short requests and uploads have separate pools, so that uploads, which may rightly take
    hours over Tor, never take the thread of someone who only opens a page.
    """

    _BOOT_ERROR = 3  # tells gunicorn's parent process not to try again

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        plan = self.app.plan
        self._plan = plan
        self._polled: dict[Connection, None] = {}  # in the order in which they began to wait
        self._parked: list[tuple[float, int, Connection]] = []
        self._numbers = itertools.count()
        self._per_circuit: Counter[str] = Counter()
        self._requests: Turns[Connection] = Turns(places=plan.threads, per_circuit=4)
        self._uploads: Turns[Connection] = Turns(places=plan.uploads, per_circuit=3)
        self._pressure = Pressure()
        self._next_look = 0.0

    def init_process(self) -> None:
        """Set up this process after the fork, then run until told to stop."""
        scrub_everything()
        self._connections = _allowed_connections(self._plan.connections)
        self.worker_connections = sys.maxsize  # `accept` makes room itself
        self._upload_pool = ThreadPoolExecutor(self._plan.uploads, "upload")
        status = 0
        try:
            super().init_process()
        except Exception:
            self.log.exception("The relay could not go on.")
            status = 1 if self.booted else self._BOOT_ERROR
        finally:
            self._plan.on_stop()
            sys.stderr.flush()
            sys.stdout.flush()
            os._exit(status)  # threads that still wait on clients end with the process

    def load_wsgi(self) -> None:
        """Build each site's application, after the fork: its keys live in this process."""
        self._sites = dict(zip(self.sockets, self._plan.sites, strict=True))
        self._apps = {id(site): site.build() for site in self._plan.sites}
        self._plan.on_start()
        if self.age == 1:
            self._plan.on_ready()

    def handle_quit(self, sig: int, frame: object) -> None:
        """Stop at once: what was not confirmed was not accepted."""
        os._exit(0)

    # The poll loop. Everything below runs in the main thread, but for `_answer`.

    def accept(self, listener: socket.socket) -> None:
        """Take what is waiting at a listener; make room at the expense of the slowest."""
        site = self._sites[listener]
        for _ in range(_ACCEPT_AT_ONCE):
            try:
                client, _address = listener.accept()
            except OSError:
                return
            if self.nr_conns >= self._connections and not self._evict():
                client.close()  # everyone else is being served
                continue
            client.setblocking(False)
            connection = Connection(client, site=site, pressure=self._pressure)
            self.nr_conns += 1
            self._wait(connection, Stage.HEADER)

    def _evict(self) -> bool:
        for connection in self._polled:
            self._drop(connection)
            return True
        return False

    def _wait(self, connection: Connection, stage: Stage) -> None:
        connection.enter(stage, time.monotonic())
        self._polled[connection] = None
        event, react = selectors.EVENT_READ, self._on_readable
        if stage is Stage.TAKING:
            event, react = selectors.EVENT_WRITE, self._on_writable
        self.poller.register(connection.sock, event, partial(react, connection))

    def _unpoll(self, connection: Connection) -> None:
        if self._polled.pop(connection, connection) is None:
            self.poller.unregister(connection.sock)

    def _drop(self, connection: Connection) -> None:
        self._unpoll(connection)
        if connection.circuit is not None:
            self._per_circuit[connection.circuit] -= 1
            if not self._per_circuit[connection.circuit]:
                del self._per_circuit[connection.circuit]
        connection.sock.close()
        self.nr_conns -= 1

    def _on_readable(self, connection: Connection, _sock: socket.socket) -> None:
        if connection not in self._polled:
            return  # evicted while this event was waiting to be looked at
        try:
            data = connection.sock.recv(_READ_BYTES)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self._drop(connection)
        elif connection.stage is Stage.LINGER:
            connection.lingered += len(data)
            if connection.lingered > _LINGER_BYTES:
                self._drop(connection)
        else:
            self._collect(connection, data)

    def _collect(self, connection: Connection, data: bytes) -> None:
        try:
            connection.collector.feed(data)
            if connection.circuit is None and not self._admit(connection):
                return
            if connection.collector.is_complete:
                self._unpoll(connection)
                self._enqueue(connection)
            elif connection.collector.has_header and connection.stage is not Stage.BODY:
                connection.enter(Stage.BODY, time.monotonic())
            elif connection.stage is Stage.KEPT:
                connection.enter(Stage.HEADER, time.monotonic())
        except RefusedError as refused:
            self._turn_away(connection, refused.status)
        except CapacityError:
            self._drop(connection)

    def _turn_away(self, connection: Connection, status: HTTPStatus | None) -> None:
        """Say why in one packet, then read and forget what still comes."""
        if status is None:
            self._drop(connection)
            return
        try:
            connection.sock.send(bare_answer(status))
            connection.sock.shutdown(socket.SHUT_WR)
        except OSError:
            self._drop(connection)
        else:
            connection.enter(Stage.LINGER, time.monotonic())

    def _admit(self, connection: Connection) -> bool:
        """Count the connection to its circuit once that is known."""
        circuit = connection.read_circuit()
        if circuit is None:
            return False
        if circuit != LOCAL and self._per_circuit[circuit] >= self._plan.connections_per_circuit:
            raise CapacityError("Too many connections came through one circuit.")
        connection.circuit = circuit
        self._per_circuit[circuit] += 1
        return True

    def _on_writable(self, connection: Connection, _sock: socket.socket) -> None:
        if connection not in self._polled:
            return  # evicted while this event was waiting to be looked at
        self._unpoll(connection)
        try:
            self._enqueue(connection)
        except CapacityError:
            self._drop(connection)

    def _enqueue(self, connection: Connection) -> None:
        """Line a whole request up, once its client has taken the answer before.

        Whoever asks for page after page and takes none would else hold a thread with each.
        """
        if not connection.has_room():
            self._wait(connection, Stage.TAKING)
            return
        circuits = connection.site.circuits
        delay = circuits.request(connection.circuit or LOCAL) if circuits else 0.0
        if delay:
            due = time.monotonic() + delay
            heapq.heappush(self._parked, (due, next(self._numbers), connection))
        else:
            self._line_of(connection).offer(connection.circuit or LOCAL, connection)
            self._serve()

    def _line_of(self, connection: Connection) -> Turns[Connection]:
        return self._uploads if connection.collector.is_upload else self._requests

    def _serve(self) -> None:
        """Give threads to those whose turn it is."""
        for line, pool in ((self._requests, self.tpool), (self._uploads, self._upload_pool)):
            while (connection := line.take(unbounded=LOCAL)) is not None:
                future = pool.submit(self._answer, connection)
                future.add_done_callback(
                    partial(self._defer, partial(self._after, connection, line))
                )
        self._pressure.waiting = self._uploads.waiting

    def _defer(self, callback: Callable[["Future[bool]"], None], future: "Future[bool]") -> None:
        self.method_queue.defer(callback, future)

    def _answer(self, connection: Connection) -> bool:
        """Answer one request. Runs in a thread of a pool."""
        return answer(
            connection,
            app=self._apps[id(connection.site)],
            cfg=self.cfg,
            stopping=lambda: not self.alive,
        )

    def _after(
        self, connection: Connection, line: Turns[Connection], future: "Future[bool]"
    ) -> None:
        line.give_back(connection.circuit or LOCAL)
        connection.sock.setblocking(False)
        try:
            kept = future.exception() is None and future.result()
            if kept and not self.alive:
                self._drop(connection)  # read to its end: nothing takes the answer back
            elif kept:
                connection.next_request()
                if connection.collector.is_complete:
                    self._enqueue(connection)
                else:
                    fresh = connection.collector.is_empty
                    self._wait(connection, Stage.KEPT if fresh else Stage.HEADER)
            else:
                # Closing with unread bytes would take the answer back from the client, so
                # the connection stays a moment to read and forget what still comes.
                connection.sock.shutdown(socket.SHUT_WR)
                self._wait(connection, Stage.LINGER)
        except (OSError, RefusedError, CapacityError):
            self._drop(connection)
        self._serve()

    def wait_for_and_dispatch_events(self, timeout: float) -> None:
        """Wait for events, but no longer than until a parked request is due."""
        if self._parked:
            timeout = max(0.0, min(timeout, self._parked[0][0] - time.monotonic()))
        super().wait_for_and_dispatch_events(timeout)
        now = time.monotonic()
        while self._parked and self._parked[0][0] <= now:
            connection = heapq.heappop(self._parked)[2]
            self._line_of(connection).offer(connection.circuit or LOCAL, connection)
        self._serve()

    def murder_pending(self) -> None:
        """Close what is past its deadline; when stopping, whatever holds no thread."""
        now = time.monotonic()
        if self.alive and now < self._next_look:
            return  # the loop turns thousands of times a second; deadlines are in seconds
        self._next_look = now + _LOOK_SECONDS
        for connection in list(self._polled):
            ending = not self.alive and connection.stage is not Stage.LINGER
            if ending or connection.deadline <= now:
                self._drop(connection)
        if not self.alive:
            for _, _, connection in self._parked:
                self._drop(connection)
            self._parked.clear()


def _allowed_connections(wanted: int) -> int:
    """Raise the limit of descriptors as far as it goes and stay below it."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return wanted if hard == resource.RLIM_INFINITY else min(wanted, hard - _SPARE_DESCRIPTORS)
