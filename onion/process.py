"""The relay's own tor: started, watched, and brought back under the same addresses.

Tor starts with its network off; it is let out only when it is seen to be new
enough, anonymous and without a TCP port. The courier site is there only while
every courier key is good (`courier_keys`); when that changes, tor is started anew.
What tor announced is tried from outside its own rules: a courier site that opens
without a key is closed at once.
"""

import queue
import threading
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Self

from onion.address import Addresses, OnionAddress, create_addresses
from onion.arrival import Arrival
from onion.checks import verify_harmless
from onion.control import Bootstrap, ClockSkew, Control, Event, Reloaded, Uploaded, UploadFailed
from onion.courier_keys import CourierKey, verify_courier_keys
from onion.launch import TorProcess, installed_version
from onion.notices import News, Notice, skew_sentence
from onion.places import Places
from onion.torrc import (
    Options,
    check_extra,
    read_own_lines,
    relay_options,
    service_options,
    write_lines,
)
from protocol.errors import OnionError

STALL_SECONDS = 45.0
KEY_WATCH_SECONDS = 2.0
_FIRST_PAUSE_SECONDS = 0.2
_LONGEST_PAUSE_SECONDS = 60.0

_Item = TorProcess | OnionAddress | Reloaded | None  # ended, announced, reloaded, stop


class RelayTor:
    """The supervisor of one relay's tor. Start it once; it ends tor when it ends."""

    def __init__(
        self,
        *,
        data: Path,
        tell: Callable[[Notice], None],
        reporter_socket: Path | None = None,
        courier_socket: Path | None = None,
        extra: Sequence[str] = (),
        binary: str = "tor",
    ) -> None:
        """Make the addresses where there are none; nothing runs yet.

        Args:
            data: the relay's data folder.
            tell: gets every notice, from several threads.
            reporter_socket: where the reporter site listens; default below `data`.
            courier_socket: where the courier site listens; default below `data`.
            extra: more torrc lines than the operator's own, as the rehearsal network needs them.
            binary: the program.

        Raises:
            OnionError: a line would undo the hiding or cannot be read, or the keys are
                damaged or open to others.
        """
        self._places = Places(data)
        self._tell = tell
        self._reporter_socket = reporter_socket or self._places.reporter_socket
        self._courier_socket = courier_socket or self._places.courier_socket
        self._extra = check_extra((*read_own_lines(self._places.own_lines), *extra))
        self._binary = binary
        self._inbox: queue.SimpleQueue[TorProcess | OnionAddress | Reloaded | None] = (
            queue.SimpleQueue()
        )
        self._news = threading.Condition()
        self._stopping = threading.Event()
        self._addresses = create_addresses(self._places)
        self._process: TorProcess | None = None
        self._control: Control | None = None
        self._couriers: tuple[CourierKey, ...] = ()
        self._refused = ""
        self._distrusted = False
        self._arrival = Arrival()
        self._published: set[OnionAddress] = set()
        self._supervisor = threading.Thread(target=self._supervise, name="onion", daemon=True)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *why: object) -> None:
        self.stop()

    @property
    def addresses(self) -> Addresses:
        """Where reporters and couriers find the relay; known before tor runs."""
        return self._addresses

    @property
    def pid(self) -> int | None:
        """The process id of the tor that runs now."""
        return self._process.pid if self._process else None

    def start(self, stall_seconds: float = STALL_SECONDS) -> Addresses:
        """Start tor and return when it has reached its network.

        Args:
            stall_seconds: how long it may stand still on its way before this gives up.

        Returns:
            The two addresses; `wait_published` says when they can be called.

        Raises:
            OnionError: tor is missing, too old, misconfigured, or cannot reach its
                network; nothing runs any more.
        """
        installed_version(self._binary)
        try:
            self._launch()
            self._supervisor.start()
            self._arrival.wait(stall_seconds)
        except BaseException:
            self.stop()
            raise
        return self._addresses

    def wait_published(self, timeout_seconds: float, *, courier: bool = False) -> None:
        """Wait until a directory holds the descriptor of the reporter's (or courier's) site.

        Raises:
            OnionError: none does after this time.
        """
        address = self._addresses.courier if courier else self._addresses.reporter
        with self._news:
            if not self._news.wait_for(lambda: address in self._published, timeout_seconds):
                raise OnionError("The address is not published yet: see `sotto onion status`.")

    def close_circuit(self, circuit: int) -> None:
        """Cut a circuit by the number in its PROXY line.

        Raises:
            OnionError: tor is gone.
        """
        if self._control is None:
            raise OnionError("Tor is not running: its circuits are gone with it.")
        self._control.close_circuit(circuit)

    def stop(self) -> None:
        """End tor and the supervisor."""
        self._stopping.set()
        self._inbox.put(None)
        if self._supervisor.is_alive():
            self._supervisor.join()
        self._end_tor()

    def _launch(self) -> None:
        self._arrival.restart()
        self._published.clear()
        options = relay_options(self._places)
        options += service_options(self._places.reporter, self._reporter_socket)
        options += self._courier_options()
        process = TorProcess(
            torrc=self._places.torrc,
            lines=write_lines(options) + self._extra,
            on_exit=self._inbox.put,
            binary=self._binary,
        )
        self._process = process
        self._control = control = process.control(self._places.control)
        control.own()
        verify_harmless(control)
        control.listen(self._hear)
        control.set_options((("DisableNetwork", "0"),))

    def _courier_options(self) -> Options:
        """Return the courier site's options; none, with a notice, unless its keys are good."""
        try:
            if self._distrusted:
                raise OnionError(
                    "Tor opened it to everybody; update tor, then start the relay again."
                )
            self._couriers = verify_courier_keys(self._places.courier)
        except OnionError as error:
            self._couriers = ()
            if str(error) != self._refused:
                self._refused = str(error)
                self._tell(Notice(News.COURIER_CLOSED, f"The courier site is closed: {error}"))
            return ()
        self._refused = ""
        return service_options(self._places.courier, self._courier_socket)

    def _hear(self, event: Event) -> None:
        match event:
            case Bootstrap(percent, summary, warning):
                self._arrival.reach(percent)
                if warning:
                    self._arrival.hinder(warning)
                self._tell(Notice(News.BOOTSTRAP, summary, percent=percent))
            case ClockSkew(seconds):
                self._arrival.hinder(skew_sentence(seconds))
                self._tell(Notice(News.TROUBLE, skew_sentence(seconds)))
            case Uploaded(address):
                self._inbox.put(address)
            case Reloaded():
                self._inbox.put(event)
            case UploadFailed(reason=reason):
                sentence = f"A directory did not take the address ({reason}); tor asks others."
                self._tell(Notice(News.TROUBLE, sentence))

    def _supervise(self) -> None:
        while not self._stopping.is_set():
            try:
                item = self._inbox.get(timeout=KEY_WATCH_SECONDS)
            except queue.Empty:
                self._attempt(self._watch_couriers)
                continue
            if isinstance(item, TorProcess):
                if item is self._process:
                    self._restart("Tor has ended; it is started again.")
            elif isinstance(item, Reloaded):
                self._restart("Tor was reloaded, which it does not survive; it is started again.")
            elif item is not None:
                self._attempt(partial(self._announce, item))

    def _attempt(self, step: Callable[[], None]) -> None:
        """Run a step that needs a living tor; where tor just died, its restart comes next."""
        try:
            step()
        except OnionError as error:
            if self._process is not None and self._process.running:
                self._tell(Notice(News.TROUBLE, str(error)))

    def _announce(self, address: OnionAddress) -> None:
        control = self._control
        if control is None or address in self._published:
            return
        if address == self._addresses.courier:
            if not self._couriers:
                return
            if control.service_layer(address) is not None:
                self._distrusted = True
                self._restart("Tor opened the courier site to everybody; it is started without.")
                return
        with self._news:
            self._published.add(address)
            self._news.notify_all()
        self._tell(Notice(News.PUBLISHED, "The address is published.", 100, address))

    def _watch_couriers(self) -> None:
        """Start tor anew after a change of the keys, with the courier site only if all are good.

        Nothing less will do (docs/decisions/0006): a revoked courier knows the
        introduction points, and a tor that asks for proof of work does not survive a reload.
        """
        try:
            keys = verify_courier_keys(self._places.courier)
        except OnionError:
            keys = ()
        if not self._distrusted and keys != self._couriers:
            self._restart("The couriers' keys have changed; tor is started again.")

    def _restart(self, reason: str) -> None:
        pause = _FIRST_PAUSE_SECONDS
        while not self._stopping.is_set():
            self._tell(Notice(News.RESTARTING, reason))
            if self._stopping.wait(pause):
                return
            pause = min(pause * 2, _LONGEST_PAUSE_SECONDS)
            self._end_tor()
            try:
                self._launch()
            except OnionError as error:
                self._tell(Notice(News.TROUBLE, str(error)))
            else:
                return

    def _end_tor(self) -> None:
        if self._control is not None:
            self._control.close()
            self._control = None
        if self._process is not None:
            self._process.end()
