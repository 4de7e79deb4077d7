"""A process that stores a report or a dispatch and may die at any moment.

Prints a line only for what the store confirmed. Started as a program, it is the
one that strace kills in the middle of a system call; called after a fork, it
kills itself between two statements.
"""

import hashlib
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path

from sqlalchemy import event

from protocol.limits import MEMO_BYTES, SLOT_BYTES
from protocol.names import EnvelopeId, Fingerprint, MailboxId, RecipientName
from relay.rows import EnvelopeRow, Month
from relay.store import DispatchRows, Store, open_store
from relay.store_contents import ContentWriter

ANNA = RecipientName("anna")
MONTH = Month(24_322)
LARGE_BYTES = 5 * 1024 * 1024  # three transactions: two that fill up, and the last
SMALL_BYTES = 40_000
MAILBOXES = [MailboxId(bytes([number]) * 16) for number in range(1, 7)]


def ciphertext_of(envelope_id: EnvelopeId, size_bytes: int) -> bytes:
    """What the parent expects under this id."""
    return hashlib.shake_256(envelope_id).digest(size_bytes)


def token_of(envelope_id: EnvelopeId) -> bytes:
    return hashlib.sha256(b"token" + envelope_id).digest()


def submit(store: Store, envelope_id: EnvelopeId, size_bytes: int) -> None:
    writer = ContentWriter(store=store)
    writer.write(ciphertext_of(envelope_id, size_bytes))
    stored = writer.finish()
    store.commit_envelope(
        EnvelopeRow(
            id=envelope_id,
            memo=bytes(MEMO_BYTES),
            token_hash=token_of(envelope_id),
            expiry=Month(MONTH + 24),
            **vars(stored),
        )
    )


def page_of(serial: int) -> bytes:
    """The page of a dispatch: the serial tells which one was applied."""
    return bytes([serial]) * SLOT_BYTES


def send_dispatch(store: Store, serial: int, acknowledged: EnvelopeId) -> None:
    store.apply_dispatch(
        DispatchRows(
            recipient=ANNA,
            serial=serial,
            slots=[(mailbox, page_of(serial)) for mailbox in MAILBOXES],
            acknowledgements=[(acknowledged, token_of(acknowledged))],
            month=MONTH,
            empty=lambda: page_of(0),
        )
    )


def prepare(url: str) -> EnvelopeId:
    """One report, one recipient and one dispatch, there before anything goes wrong."""
    store = open_store(url)
    store.add_recipient(ANNA, b"certificate", Fingerprint("A" * 40))
    first = EnvelopeId(b"\0" * 16)
    submit(store, first, SMALL_BYTES)
    send_dispatch(store, 1, EnvelopeId(b"\xff" * 16))
    store.close()
    return first


class Countdown:
    """Calls something at the n-th moment between statements, begins and commits included."""

    def __init__(self, store: Store, moment: int, act: Callable[[], None]) -> None:
        self._left, self._act = moment, act
        self.reached = False
        engine = store._engine
        event.listen(engine, "before_cursor_execute", self._tick)
        event.listen(engine, "after_cursor_execute", self._tick)
        event.listen(engine, "commit", self._tick)

    def _tick(self, *_: object) -> None:
        self._left -= 1
        if self._left == 0:
            self.reached = True
            self._act()


def in_child(work: Callable[[], None]) -> bool:
    """Run something in a forked process; say whether it was killed."""
    child = os.fork()
    if child == 0:
        try:
            work()
        except BaseException as error:
            print(error, file=sys.stderr)
            os._exit(1)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        assert os.WTERMSIG(status) == signal.SIGKILL
        return True
    assert os.WEXITSTATUS(status) == 0
    return False


def kill_self() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    _url, _task, _told = sys.argv[1:]
    _store = open_store(_url)
    if _task == "submit":
        submit(_store, EnvelopeId(b"\1" * 16), SMALL_BYTES)
    else:
        send_dispatch(_store, 2, EnvelopeId(b"\0" * 16))
    Path(_told).write_text("confirmed")
