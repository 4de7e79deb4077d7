"""A SOCKS proxy that leads every name to one place, notes what passes, and can hang up."""

import contextlib
import socket
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field


@dataclass
class Noted:
    """What came to the proxy.

    Attributes:
        names: the hosts that were asked for, as names.
        requests: the first octets of each connection.
        hang_up_after: octets of answers after which a connection is cut, one for each to come.
        reply: of the proxy; 0 lets the connection through.
    """

    port: int = 0
    names: list[str] = field(default_factory=list)
    requests: list[bytes] = field(default_factory=list)
    hang_up_after: list[int] = field(default_factory=list)
    reply: int = 0


@contextmanager
def socks_proxy(target: tuple[str, int]) -> Iterator[Noted]:
    """Run a proxy on loopback until the context ends."""
    noted = Noted()

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            version, _count, _method = self._exactly(3)
            assert version == 5
            self.request.sendall(b"\x05\x00")
            head = self._exactly(5)
            assert head[:4] == b"\x05\x01\x00\x03", "a name, not an address, must be asked for"
            noted.names.append(self._exactly(head[4]).decode())
            self._exactly(2)
            self.request.sendall(bytes([5, noted.reply, 0, 1]) + bytes(6))
            if noted.reply == 0:
                with socket.create_connection(target) as site:
                    self._carry(site)

        def _exactly(self, count: int) -> bytes:
            found = b""
            while len(found) < count:
                found += self.request.recv(count - len(found))
            return found

        def _carry(self, site: socket.socket) -> None:
            begun = self.request.recv(65536)
            noted.requests.append(begun)
            is_download = begun.startswith(b"GET /bundle/")
            left = noted.hang_up_after.pop(0) if is_download and noted.hang_up_after else 1 << 40
            site.sendall(begun)
            back = threading.Thread(target=self._send_on, args=(site,), daemon=True)
            back.start()
            with contextlib.suppress(OSError):
                while left > 0 and (data := site.recv(min(left, 65536))):
                    self.request.sendall(data)
                    left -= len(data)

        def _send_on(self, site: socket.socket) -> None:
            with contextlib.suppress(OSError):
                while data := self.request.recv(65536):
                    site.sendall(data)

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True
        allow_reuse_address = True

    with Server(("127.0.0.1", 0), Handler) as server:
        noted.port = server.server_address[1]
        runs = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        runs.start()
        yield noted
        server.shutdown()
