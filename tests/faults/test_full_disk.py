"""A full disk: what was confirmed stays, what does not fit is refused, and the relay lives on."""

import resource
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import relaychild
from relaychild import SMALL_BYTES
from shelf import put_envelope, read_whole

from protocol.errors import StorageError
from protocol.names import EnvelopeId
from relay.store import open_store
from relay.store_contents import ContentWriter

pytestmark = pytest.mark.claim("C3")

DISK_BYTES = 12 * 1024 * 1024


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 12 MiB, of its own."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={DISK_BYTES}", "tmpfs", str(folder)]
    if subprocess.run(mount, capture_output=True, check=False).returncode != 0:
        pytest.skip("no right to mount a file system here")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


def enlarge(folder: Path) -> None:
    """What the operator does: make room."""
    larger = f"remount,size={2 * DISK_BYTES}"
    subprocess.run(["mount", "-o", larger, str(folder)], check=True)


def test_disk_that_fills_up_loses_nothing_confirmed_and_takes_text_again_later(
    small_disk: Path,
) -> None:
    url = f"sqlite:///{small_disk / 'relay.sqlite'}"
    store = open_store(url)
    confirmed = [put_envelope(store)]
    large = ContentWriter(store=store)
    with pytest.raises(StorageError):
        large.write(bytes(2 * DISK_BYTES))
    with pytest.raises(StorageError):
        for _ in range(1_000):
            confirmed.append(put_envelope(store, SMALL_BYTES))
    large.discard()
    for put in confirmed:
        assert read_whole(store, put.id) == put.ciphertext
    enlarge(small_disk)
    assert store.sweep() >= 1, "what had been written of the large one makes room"
    confirmed.append(put_envelope(store, SMALL_BYTES))
    store.close()
    store = open_store(url)
    for put in confirmed:
        assert read_whole(store, put.id) == put.ciphertext
    store.close()


def test_discarded_upload_never_fills_the_write_ahead_log(sqlite_url: str) -> None:
    store = open_store(sqlite_url)
    large = ContentWriter(store=store)
    large.write(bytes(64 * 1024 * 1024))
    large.discard()
    log = Path(sqlite_url.removeprefix("sqlite:///") + "-wal")
    assert log.stat().st_size < 24 * 1024 * 1024
    assert store.sweep() == 0
    store.close()


@pytest.mark.parametrize("room_bytes", [0, 100_000, 1_000_000, 3_000_000])
def test_file_that_may_not_grow_gives_storage_error_and_no_row(
    sqlite_url: str, room_bytes: int
) -> None:
    first = relaychild.prepare(sqlite_url)
    sent = EnvelopeId(b"\1" * 16)

    def work() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        store = open_store(sqlite_url)
        database = Path(sqlite_url.removeprefix("sqlite:///"))
        limit = database.stat().st_size + room_bytes
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
        with pytest.raises(StorageError):
            relaychild.submit(store, sent, 8 * 1024 * 1024)

    assert not relaychild.in_child(work)
    store = open_store(sqlite_url)
    assert not store.has_envelope(sent)
    assert read_whole(store, first) == relaychild.ciphertext_of(first, SMALL_BYTES)
    store.close()
