"""`sotto courier`: take a bundle from the relay, bring a dispatch to it.

The tool holds no key that opens anything: what it takes stays sealed, and the relay's
certificate is public. It checks what it took against the relay's signature, so that a broken
or forged bundle is noticed here and not after the way to the desk. docs/OPERATIONS.md,
«Courier».
"""

import html
import http.client
import os
import re
import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from keys.certificate import read_certificate
from keys.signature import verify_detached
from protocol.archive import ArchiveReader
from protocol.bundle import BundleHead, BundleReader
from protocol.errors import AuthenticityError, FormatError, OnionError, SottoError, StorageError
from protocol.limits import ARCHIVE_BYTES, MIB
from protocol.names import Fingerprint
from sotto.socks import Way

ATTEMPTS = 8  # a circuit breaks now and then; each attempt goes on where the last one ended
PAUSE_SECONDS = 2.0
_BLOCK_BYTES = 256 * 1024
_PAGE_BYTES = MIB
_BUNDLE = re.compile(r"/bundle/(\d{1,15})")
_SENTENCE = re.compile(r'<p class="notice[^"]*" role="(status|alert)">(.*?)</p>', re.DOTALL)

Progress = Callable[[int, int], None]  # octets that are here, octets of the whole


@dataclass(frozen=True, kw_only=True)
class Fetched:
    """A bundle that was taken and checked."""

    path: Path
    head: BundleHead


class _BrokenError(Exception):
    """The connection broke; what came is kept."""


class _NewerError(Exception):
    """The relay has cut a newer bundle meanwhile."""


def fetch_bundle(
    way: Way, *, certificate: bytes, folder: Path, now: datetime, progress: Progress
) -> Fetched:
    """Take the current bundle; go on with one that was begun.

    Args:
        way: to the couriers' site.
        certificate: the relay's, compared by a person.
        folder: where the bundle goes; the part that is there already lies beside it.
        now: with a time zone.
        progress: told after each block.

    Returns:
        The bundle, checked whole.

    Raises:
        AuthenticityError: it is not what the relay signed; what came was removed.
        FormatError: it is no bundle; what came was removed.
        OnionError: the site cannot be reached, or the way broke too often.
        StorageError: the disk refuses, or the site has no bundle.
    """
    for attempt in range(ATTEMPTS):
        try:
            number = _current_number(way)
            path = folder / f"bundle-{number}.zip"
            part = folder / f".bundle-{number}.zip.part"
            if path.exists():
                return Fetched(path=path, head=_check_again(path, certificate, now))
            _download(way, number, part, progress)
            head = _check_or_remove(part, certificate, now)
            part.replace(path)
            return Fetched(path=path, head=head)
        except _NewerError:
            continue
        except (_BrokenError, OnionError) as error:
            if attempt == ATTEMPTS - 1 or (isinstance(error, OnionError) and not attempt):
                raise OnionError(str(error)) from error
            time.sleep(PAUSE_SECONDS * attempt)
        except OSError as error:
            raise StorageError("The bundle cannot be written there; look at the disk.") from error
    raise OnionError("The relay cuts bundles faster than they come through; try again.")


def check_bundle(path: Path, *, certificate: bytes, now: datetime) -> BundleHead:
    """Check the relay's signature, and size and digest of every envelope.

    Args:
        path: of a whole bundle.
        certificate: the relay's.
        now: with a time zone.

    Raises:
        AuthenticityError: not what the relay signed.
        FormatError: no bundle, or damaged.
    """
    relay = read_certificate(certificate).fingerprint
    with path.open("rb") as file:

        def read_at(offset: int, length: int) -> bytes:
            return os.pread(file.fileno(), length, offset)

        reader = BundleReader(ArchiveReader(read_at, os.fstat(file.fileno()).st_size))
        verify_detached(
            reader.head_bytes, reader.signature, certificate=certificate, pinned=relay, now=now
        )
        if Fingerprint(reader.head.relay) != relay or reader.missing:
            raise AuthenticityError("The bundle lacks what its relay signed; fetch it again.")
        for envelope in reader.head.envelopes:
            for _ in reader.read(envelope):
                pass
        return reader.head


def push_dispatch(way: Way, file: Path, *, progress: Progress) -> str:
    """Bring a dispatch.

    Args:
        way: to the couriers' site.
        file: that the desk wrote.
        progress: told after each block.

    Returns:
        The relay's sentence.

    Raises:
        AuthenticityError: the relay refused it; the message is the relay's sentence.
        OnionError: the site cannot be reached.
        StorageError: the file cannot be read.
    """
    boundary = secrets.token_hex(16)
    head = (
        f"--{boundary}\r\nContent-Disposition: form-data; name="
        '"dispatch"; filename="dispatch"\r\nContent-Type: application/octet-stream\r\n\r\n'
    ).encode()
    tail = f"\r\n--{boundary}--\r\n".encode()
    with closing(way.connect()) as connection:
        try:
            size = file.stat().st_size
            connection.putrequest("POST", "/dispatch")
            connection.putheader("Content-Type", f"multipart/form-data; boundary={boundary}")
            connection.putheader("Content-Length", str(len(head) + size + len(tail)))
            connection.endheaders(head)
        except OSError as error:
            raise _unreachable(error, file) from error
        _send(connection, file, size, progress)
        with suppress(OSError):  # the relay may answer before it has read everything
            connection.send(tail)
        return _read_sentence(connection)


def _send(
    connection: http.client.HTTPConnection, file: Path, size: int, progress: Progress
) -> None:
    sent = 0
    with file.open("rb") as content:
        while block := content.read(_BLOCK_BYTES):
            try:
                connection.send(block)
            except OSError:
                return
            sent += len(block)
            progress(sent, size)


def _read_sentence(connection: http.client.HTTPConnection) -> str:
    try:
        response = connection.getresponse()
        page = response.read(_PAGE_BYTES).decode("utf-8", errors="replace")
    except (OSError, http.client.HTTPException) as error:
        raise OnionError(
            "The way broke before the relay answered; bring the dispatch again, twice does no harm."
        ) from error
    found = _SENTENCE.search(page)
    words = html.unescape(re.sub(r"<[^>]+>", "", found[2])) if found else ""
    sentence = " ".join("".join(c for c in words if c.isprintable() or c.isspace()).split())
    if response.status != 200 or not found or found[1] != "status":
        raise AuthenticityError(sentence or f"The relay answered {response.status}; try again.")
    return sentence


def _current_number(way: Way) -> int:
    """Ask which bundle is the current one, without taking it."""
    with closing(way.connect()) as connection:
        response = _ask(connection, "/bundle", {})
        response.read(_PAGE_BYTES)
        found = _BUNDLE.fullmatch(response.headers.get("Location", ""))
        if response.status == http.client.NOT_FOUND:
            raise StorageError(
                "There is no bundle yet: check the address, or come again after the next cut."
            )
        if found is None:
            raise FormatError("This is not the couriers' site of a relay; check the address.")
        return int(found[1])


def _download(way: Way, number: int, part: Path, progress: Progress) -> None:
    have = part.stat().st_size if part.exists() else 0
    asked = {"Range": f"bytes={have}-", "If-Range": f'"cut-{number}"'} if have else {}
    with closing(way.connect()) as connection:
        response = _ask(connection, f"/bundle/{number}", asked)
        if response.status == http.client.GONE:
            part.unlink(missing_ok=True)
            raise _NewerError
        if response.status == http.client.REQUESTED_RANGE_NOT_SATISFIABLE:
            return  # all of it is here; the check says whether it is right
        start, total = _span(response, have)
        with part.open("r+b" if part.exists() else "xb") as file:
            part.chmod(0o600)
            file.truncate(start)
            file.seek(start)
            for block in _blocks(response):
                file.write(block)
                start += len(block)
                progress(start, total)
            file.flush()
            os.fsync(file.fileno())
        if start != total:
            raise _BrokenError("The way to the relay broke; what came is kept, fetch again.")


def _span(response: http.client.HTTPResponse, have: int) -> tuple[int, int]:
    """Return from where the answer goes on, and how long the whole will be."""
    given = response.headers.get("Content-Range", "")
    match = re.fullmatch(r"bytes (\d{1,12})-\d{1,12}/(\d{1,12})", given)
    length = response.headers.get("Content-Length", "")
    start, total = have, -1
    if response.status == http.client.PARTIAL_CONTENT and match and int(match[1]) == have:
        total = int(match[2])
    elif response.status == http.client.OK and length.isascii() and length.isdigit():
        start, total = 0, int(length)
    if not start <= total <= ARCHIVE_BYTES:
        raise FormatError("The relay's answer is no bundle; check the address, then try again.")
    return start, total


def _blocks(response: http.client.HTTPResponse) -> Iterator[bytes]:
    try:
        while block := response.read1(_BLOCK_BYTES):
            yield block
    except (OSError, http.client.HTTPException):
        return  # the caller counts what came


def _ask(
    connection: http.client.HTTPConnection, path: str, headers: dict[str, str]
) -> http.client.HTTPResponse:
    try:
        connection.request("GET", path, headers=headers)
        return connection.getresponse()
    except (OSError, http.client.HTTPException) as error:
        raise _BrokenError("The relay does not answer; try again in some minutes.") from error


def _unreachable(error: OSError, file: Path) -> SottoError:
    if not file.is_file():
        return StorageError("The dispatch cannot be read; look at the stick.")
    return OnionError(f"The relay does not answer ({error.strerror}); try again in some minutes.")


def _check_or_remove(path: Path, certificate: bytes, now: datetime) -> BundleHead:
    """Check what came; what is wrong is not kept, else the next attempt would go on with it."""
    try:
        return check_bundle(path, certificate=certificate, now=now)
    except (AuthenticityError, FormatError):
        path.unlink()
        raise


def _check_again(path: Path, certificate: bytes, now: datetime) -> BundleHead:
    """Check what was right when it came; a certificate mistaken for the relay's costs nothing."""
    try:
        return check_bundle(path, certificate=certificate, now=now)
    except (AuthenticityError, FormatError) as error:
        raise AuthenticityError(
            f"{path.name} lies there already and this relay did not sign it as it is: look "
            "whether the certificate is the relay's, else remove the file and fetch again."
        ) from error
