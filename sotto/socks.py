"""Connections through Tor's SOCKS port; the name goes to Tor, never to a resolver.

RFC 1928, CONNECT with a domain name. Tor adds reasons of its own for onion services
(ExtendedErrors, socks-extensions.txt), which are told in words.
"""

import http.client
import ipaddress
import socket
from dataclasses import dataclass
from urllib.parse import urlsplit

from onion.address import read_address
from protocol.errors import OnionError

CONNECT_SECONDS = 120.0  # a first visit to an onion service may take a minute
_REASONS = {
    0xF0: "Tor does not find the relay; it may be down, look again in some minutes.",
    0xF1: "Tor does not find the relay; it may be down, look again in some minutes.",
    0xF2: "Tor cannot get through to the relay; try again.",
    0xF3: "Tor cannot get through to the relay; try again.",
    0xF4: "Tor has no courier's key for this address: put it into ClientOnionAuthDir.",
    0xF5: "The relay does not take this courier's key; ask the operator for a new one.",
    0xF6: "This is not an onion address: compare all 56 characters.",
    0xF7: "Tor cannot get through to the relay; try again.",
}


@dataclass(frozen=True, kw_only=True)
class Way:
    """How a site is reached: its host and port, and the SOCKS proxy, or None on loopback."""

    host: str
    port: int
    proxy: tuple[str, int] | None

    def connect(self) -> http.client.HTTPConnection:
        """Return a connection that opens with the first request."""
        return _Connection(self)


def read_way(site: str, socks: str) -> Way:
    """Read where a site is and how to get there, as a courier types both.

    Args:
        site: an onion address, with or without `http://`; a URL of this machine only
            with `none`.
        socks: HOST:PORT of a SOCKS proxy, or `none`.

    Raises:
        OnionError: not an address, or one that would be asked without Tor.
    """
    try:
        parts = urlsplit(site if "//" in site else f"http://{site}")
        host, port = parts.hostname or "", parts.port or 80
    except ValueError:
        raise OnionError("The address of the site cannot be read: copy it whole.") from None
    if socks == "none":
        if parts.scheme != "http" or not _is_loopback(host):
            raise OnionError("Without a SOCKS proxy only a site on this machine is asked.")
        return Way(host=host, port=port, proxy=None)
    return Way(host=f"{read_address(host)}.onion", port=port, proxy=_read_proxy(socks))


def _read_proxy(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    if not host or not port.isascii() or not port.isdigit():
        raise OnionError("Give the SOCKS proxy as HOST:PORT, for instance 127.0.0.1:9050.")
    return host.strip("[]"), int(port)


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


class _Connection(http.client.HTTPConnection):
    def __init__(self, way: Way) -> None:
        super().__init__(way.host, way.port, timeout=CONNECT_SECONDS)
        self._way = way

    def connect(self) -> None:
        if self._way.proxy is None:
            super().connect()
            return
        try:
            self.sock = socket.create_connection(self._way.proxy, timeout=CONNECT_SECONDS)
        except OSError as error:
            raise OnionError("There is no SOCKS proxy there: start Tor, or Tor Browser.") from error
        try:
            _greet(self.sock, self._way)
        except BaseException:
            self.sock.close()
            raise


def _greet(proxy: socket.socket, way: Way) -> None:
    proxy.sendall(b"\x05\x01\x00")  # version 5, one method: none needed
    if _exactly(proxy, 2) != b"\x05\x00":
        raise OnionError("What listens there is no SOCKS proxy that lets us in.")
    name = way.host.encode("ascii")
    proxy.sendall(
        b"\x05\x01\x00\x03" + bytes([len(name)]) + name + way.port.to_bytes(2, "big")
    )  # CONNECT to a name
    _version, reply, _reserved, kind = _exactly(proxy, 4)
    if reply != 0:
        reason = _REASONS.get(reply, "Tor cannot reach the relay; try again in some minutes.")
        raise OnionError(reason)
    lengths = {1: 4, 4: 16}
    _exactly(proxy, (lengths[kind] if kind in lengths else _exactly(proxy, 1)[0]) + 2)


def _exactly(proxy: socket.socket, count: int) -> bytes:
    found = b""
    while len(found) < count:
        piece = proxy.recv(count - len(found))
        if not piece:
            raise OnionError("The SOCKS proxy hung up: is Tor in its network?")
        found += piece
    return found
