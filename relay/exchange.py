"""One request and its answer, in a worker thread, without a trace of either in a log.

The answer tells neither the server's software nor its clock: a clock that is a second off
is a fingerprint of the machine.
"""

import logging
import time
from collections.abc import Callable
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from gunicorn.http import errors as http_errors
from gunicorn.http import wsgi
from gunicorn.http.parser import RequestParser

from relay.connection import Connection

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

_log = logging.getLogger(__name__)
_UNREAD_BYTES = 64 * 1024  # of a body that the application left; more closes the connection
_UNREAD_SECONDS = 5.0

_STATUS_OF_ERROR = {
    http_errors.LimitRequestLine: HTTPStatus.REQUEST_URI_TOO_LONG,
    http_errors.LimitRequestHeaders: HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE,
    http_errors.ExpectationFailed: HTTPStatus.EXPECTATION_FAILED,
    http_errors.UnsupportedTransferCoding: HTTPStatus.NOT_IMPLEMENTED,
}


class QuietResponse(wsgi.Response):  # type: ignore[misc]  # gunicorn has no types
    """A response without `Server` and `Date`, that ends the connection of a worker that stops."""

    is_stopping: Callable[[], bool]

    def default_headers(self) -> list[str]:
        if self.is_stopping():
            self.force_close()
        headers: list[str] = super().default_headers()
        return [line for line in headers if not line.startswith(("Server:", "Date:"))]


def answer(
    connection: Connection, *, app: "WSGIApplication", cfg: Any, stopping: Callable[[], bool]
) -> bool:
    """Parse the request that a connection has collected and answer it.

    Args:
        connection: its collector is complete; its socket is this thread's until it returns.
        app: of the connection's site.
        cfg: gunicorn's settings.
        stopping: whether the worker stops, so that the answer says `close`.

    Returns:
        Whether the connection may carry another request.
    """
    connection.paced.begin(competes=connection.collector.is_upload)
    parser = RequestParser(cfg, connection.paced, connection.client)
    parser.unreader.unread(connection.collector.taken())
    connection.parser = parser
    response = None
    try:
        request = next(parser)
        response, environ = wsgi.create(
            request, connection.paced, connection.client, connection.server, cfg, QuietResponse
        )
        environ["wsgi.multithread"] = True
        response.is_stopping = stopping
        _run(app, environ, response)
        return not response.should_close() and _is_read_to_its_end(parser)
    except OSError:
        return False  # the client has gone, or its time has run out
    except http_errors.ParseException as error:
        _refuse(connection, _STATUS_OF_ERROR.get(type(error), HTTPStatus.BAD_REQUEST))
    except Exception:
        _log.exception("A request could not be answered.")
        if response is None or not response.headers_sent:
            _refuse(connection, HTTPStatus.INTERNAL_SERVER_ERROR)
    return False


def _run(app: "WSGIApplication", environ: dict[str, Any], response: Any) -> None:
    body = app(environ, response.start_response)
    try:
        for piece in body:
            response.write(piece)
        response.close()
    finally:
        close = getattr(body, "close", None)
        if close is not None:
            close()


def _is_read_to_its_end(parser: Any) -> bool:
    """Read and forget a little of what the application left, or give the connection up."""
    deadline = time.monotonic() + _UNREAD_SECONDS
    drained: bool = parser.finish_body(deadline=deadline, max_bytes=_UNREAD_BYTES)
    return drained


def bare_answer(status: HTTPStatus) -> bytes:
    """Return the answer to what no browser sends: a status, and the end of the connection."""
    head = f"HTTP/1.1 {status.value} {status.phrase}"
    return f"{head}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n".encode("ascii")


def _refuse(connection: Connection, status: HTTPStatus) -> None:
    try:
        connection.paced.sendall(bare_answer(status))
    except OSError:
        return  # it has gone
