"""The door to stem: one control connection to one tor.

Everything that stem raises leaves here as OnionError, everything that tor
reports leaves as one of five frozen events; stem's own types stay inside.
"""

import logging
import re
import socket as socket_module
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import stem
import stem.connection
from stem.control import Controller, EventType
from stem.descriptor.hidden_service import HiddenServiceDescriptorV3

from onion.address import OnionAddress
from onion.torrc import Options
from protocol.errors import OnionError

# stem notes every question and answer; they are for nobody's log.
logging.getLogger("stem").setLevel(logging.ERROR)


@dataclass(frozen=True)
class Bootstrap:
    """How far tor is on its way into the network, and what holds it up, if anything."""

    percent: int
    summary: str
    warning: str = ""


@dataclass(frozen=True)
class Uploaded:
    """A directory accepted the descriptor of this address."""

    address: OnionAddress


@dataclass(frozen=True)
class UploadFailed:
    """A directory refused the descriptor of this address, for tor's one-word reason."""

    address: OnionAddress
    reason: str


@dataclass(frozen=True)
class ClockSkew:
    """This machine's clock is ahead (positive) or behind by so many seconds."""

    seconds: int


@dataclass(frozen=True)
class Reloaded:
    """Somebody had tor read its configuration again."""


Event = Bootstrap | Uploaded | UploadFailed | ClockSkew | Reloaded


class Control:
    """One authenticated control connection; safe to use from several threads."""

    def __init__(self, socket: Path) -> None:
        """Connect to tor's control socket and authenticate by its cookie.

        Raises:
            OnionError: nobody listens there, or it is not ours to control.
        """
        try:
            # stem leaks a socket where nobody listens; so knock first.
            with socket_module.socket(socket_module.AF_UNIX) as knock:
                knock.connect(str(socket))
            controller = Controller.from_socket_file(str(socket))
        except (OSError, stem.SocketError) as error:
            raise OnionError("Tor does not answer on its control socket: is it running?") from error
        try:
            controller.authenticate()
        except (stem.connection.AuthenticationFailure, stem.ControllerError) as error:
            controller.close()
            raise OnionError("Tor refuses control: run this as the relay's account.") from error
        controller.set_caching(False)  # options change under us when a courier comes or goes
        self._controller = controller

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *why: object) -> None:
        self.close()

    def close(self) -> None:
        """End the connection; tor ends with it if it was owned."""
        self._controller.close()

    def info(self, key: str) -> str:
        """Ask tor for one value (control-spec, GETINFO).

        Raises:
            OnionError: tor is gone or has no such value.
        """
        return str(_asked(lambda: self._controller.get_info(key)))

    def option(self, name: str) -> tuple[str, ...]:
        """Read an option of the running tor; several values for those that repeat.

        Raises:
            OnionError: tor is gone or knows no such option.
        """
        found = _asked(lambda: self._controller.get_conf(name, multiple=True))
        return tuple(str(value) for value in found)

    def set_options(self, options: Options) -> None:
        """Change options of the running tor, all or none.

        Raises:
            OnionError: tor is gone or refuses them.
        """
        _asked(lambda: self._controller.set_options(list(options)))

    def own(self) -> None:
        """Make tor end when this connection ends (control-spec, TAKEOWNERSHIP).

        stem does the same unasked for the first connection of the process that tor
        was told to watch, and ends the watch; so that connection must live as long
        as tor shall, and later ones may come and go.

        Raises:
            OnionError: tor is gone.
        """
        _asked(lambda: self._controller.msg("TAKEOWNERSHIP"))

    def close_circuit(self, circuit: int) -> None:
        """Cut a circuit, whatever it carries; one that is gone already is no error.

        Args:
            circuit: the number that tor exported in the PROXY line.

        Raises:
            OnionError: tor is gone.
        """
        try:
            _asked(lambda: self._controller.close_circuit(str(circuit)))
        except OnionError as error:
            if not isinstance(error.__cause__, stem.InvalidRequest | stem.InvalidArguments):
                raise

    def new_identity(self) -> None:
        """Forget all circuits and cached descriptors (control-spec, SIGNAL NEWNYM).

        Raises:
            OnionError: tor is gone.
        """
        _asked(lambda: self._controller.signal(stem.Signal.NEWNYM))

    def listen(self, receive: Callable[[Event], None]) -> None:
        """Have every event of interest handed to `receive`, in a thread of stem.

        Raises:
            OnionError: tor is gone.
        """

        def take(raw: Any) -> None:
            event = read_event(raw)
            if event is not None:
                receive(event)

        wanted = (
            *(EventType.STATUS_CLIENT, EventType.STATUS_GENERAL),
            *(EventType.HS_DESC, EventType.SIGNAL),
        )
        _asked(lambda: self._controller.add_event_listener(take, *wanted))

    def introduction_points(self, address: OnionAddress) -> int:
        """Count the introduction points of our service that are ready for callers.

        Raises:
            OnionError: tor is gone.
        """
        lines = self.info("circuit-status").splitlines()
        return sum(
            f"REND_QUERY={address}" in line and "HS_STATE=HSSI_ESTABLISHED" in line
            for line in lines
        )

    def service_defended(self) -> bool:
        """Tell whether every service of this tor asks for proof of work under load.

        Raises:
            OnionError: tor is gone.
        """
        settings = _asked(lambda: self._controller.get_conf_map("HiddenServiceOptions"))
        services = len(settings.get("HiddenServiceDir", ()))
        defended = list(settings.get("HiddenServicePoWDefensesEnabled", ())).count("1")
        return 0 < services == defended

    def service_layer(self, address: OnionAddress) -> str | None:
        """Read what our own service's descriptor says to somebody without a key.

        This is how a site that tor opened to everybody is found out: its inner
        layer must not open without a courier's key.

        Args:
            address: a service that this tor runs.

        Returns:
            The inner layer, or None where it does not open.

        Raises:
            OnionError: tor is gone or has made no descriptor yet.
        """
        text = self.info(f"hs/service/desc/id/{address}")
        try:
            descriptor = HiddenServiceDescriptorV3.from_str(text)
            return str(descriptor.decrypt(f"{address}.onion"))
        except ValueError:
            return None


class CircuitCloser:
    """Cuts circuits for the web side, which runs in processes of its own.

    The connection is made at the first use, in the process that uses it, and
    again after tor was restarted.
    """

    def __init__(self, socket: Path) -> None:
        """Remember tor's control socket; nothing is opened yet."""
        self._socket = socket
        self._lock = threading.Lock()
        self._control: Control | None = None

    def close_circuit(self, circuit: int) -> None:
        """Cut a circuit; one that is gone already is no error.

        Raises:
            OnionError: tor cannot be reached, now or by a second try.
        """
        with self._lock:
            if self._control is not None:
                try:
                    self._control.close_circuit(circuit)
                except OnionError:
                    self._control.close()
                else:
                    return
            self._control = Control(self._socket)
            self._control.close_circuit(circuit)

    def close(self) -> None:
        """End the connection."""
        with self._lock:
            if self._control is not None:
                self._control.close()
                self._control = None


def read_event(raw: Any) -> Event | None:
    """Translate an event of stem's; None for those that concern nobody here."""
    if raw.type == "SIGNAL":
        return Reloaded() if str(raw.signal) == "RELOAD" else None
    return _read_descriptor_event(raw) if raw.type == "HS_DESC" else _read_status(raw)


def _read_descriptor_event(raw: Any) -> Event | None:
    address = OnionAddress(str(raw.address))
    if str(raw.action) == "UPLOADED":
        return Uploaded(address)
    if str(raw.action) == "FAILED":
        return UploadFailed(address, reason=str(raw.reason or "no reason given"))
    return None


def _read_status(raw: Any) -> Event | None:
    values: dict[str, str] = raw.arguments or {}
    if raw.action == "BOOTSTRAP":
        return Bootstrap(
            percent=int(values.get("PROGRESS", "0")),
            summary=values.get("SUMMARY", ""),
            warning=values.get("WARNING", ""),
        )
    if raw.action == "CLOCK_SKEW" and re.fullmatch(r"[+-]?\d{1,12}", values.get("SKEW", "")):
        return ClockSkew(int(values["SKEW"]))
    return None


def _asked(question: Callable[[], Any]) -> Any:
    try:
        return question()
    except stem.SocketError as error:
        raise OnionError("Tor has ended or stopped answering: start the relay again.") from error
    except (stem.ControllerError, ValueError) as error:
        raise OnionError("Tor refuses a request of the relay: see its last lines.") from error
