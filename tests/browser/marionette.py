"""Firefox's own remote control: JSON over a loopback socket, each message after its length."""

import itertools
import json
import socket
from typing import Any


class NoSuchElementError(LookupError):
    """The page shows nothing of that kind."""


class BrowserError(RuntimeError):
    """Firefox could not do what it was asked."""


class Marionette:
    """One connection; commands are WebDriver's, with the prefix `WebDriver:`."""

    def __init__(self, port: int) -> None:
        """Connect to a Firefox that listens on this port."""
        self._numbers = itertools.count(1)
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=300)
        self._read_message()  # a greeting

    def ask(self, command: str, **parameters: object) -> Any:
        """Send a command and return its result.

        Raises:
            NoSuchElementError: the page does not show what was asked for.
            BrowserError: any other refusal.
        """
        number = next(self._numbers)
        message = json.dumps([0, number, command, parameters]).encode()
        self._socket.sendall(b"%d:%s" % (len(message), message))
        _, answered, error, result = self._read_message()
        if answered != number:
            raise BrowserError("Firefox answered another question.")
        if error and error["error"] == "no such element":
            raise NoSuchElementError(error["message"])
        if error:
            raise BrowserError(f"{command}: {error['error']}: {error['message']}")
        return result

    def close(self) -> None:
        """Hang up."""
        self._socket.close()

    def _read_message(self) -> Any:
        length = b""
        while (digit := self._read(1)) != b":":
            length += digit
        body = b""
        while len(body) < int(length):
            body += self._read(int(length) - len(body))
        return json.loads(body)

    def _read(self, most: int) -> bytes:
        piece = self._socket.recv(most)
        if not piece:
            raise ConnectionError("Firefox closed the connection.")
        return piece
