"""kill -9 at every moment: a report or a dispatch is there whole, or not at all."""

import os
import secrets
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import relaychild
from relaychild import ANNA, LARGE_BYTES, MAILBOXES, SMALL_BYTES, Countdown

from protocol.names import EnvelopeId
from relay.store import Store, open_store

pytestmark = [pytest.mark.claim("C3"), pytest.mark.slow]

SENT = EnvelopeId(b"\1" * 16)
WRITES = "pwrite64,fdatasync,fsync,ftruncate,unlink"


@pytest.fixture
def first(sqlite_url: str) -> EnvelopeId:
    return relaychild.prepare(sqlite_url)


def read_back(store: Store, envelope_id: EnvelopeId) -> bytes | None:
    held = store.find_held(envelope_id)
    if held is None:
        return None
    return b"".join(store.read_content(envelope_id, 0, held.size_bytes))


def check_submission(url: str, first: EnvelopeId, size_bytes: int, *, confirmed: bool) -> bool:
    """Open the store as after a restart; return whether the report is there."""
    store = open_store(url)
    try:
        assert read_back(store, first) == relaychild.ciphertext_of(first, SMALL_BYTES)
        found = read_back(store, SENT)
        assert found in (None, relaychild.ciphertext_of(SENT, size_bytes))
        assert found is not None or not confirmed, "confirmed, and lost"
        store.sweep()
        assert store.sweep() == 0
        if found is None:
            relaychild.submit(store, SENT, size_bytes)
        assert read_back(store, SENT) == relaychild.ciphertext_of(SENT, size_bytes)
        return found is not None
    finally:
        store.close()


def check_dispatch(url: str, first: EnvelopeId, *, confirmed: bool) -> bool:
    store = open_store(url)
    try:
        serial = store.recipients()[0].last_serial
        assert serial in ((2,) if confirmed else (1, 2))
        pages = {store.slots_of(mailbox)[ANNA] for mailbox in MAILBOXES}
        assert pages == {relaychild.page_of(serial)}, "all of one dispatch"
        held = store.find_held(first)
        assert held is not None
        assert held.proven == (serial == 2)
        assert [name for name, _ in store.slots_of(MAILBOXES[0]).items()] == [ANNA]
        return serial == 2
    finally:
        store.close()


def fresh_copy(url: str, tmp_path: Path, moment: int) -> str:
    """A database as `prepare` left it, for one death."""
    prepared = Path(url.removeprefix("sqlite:///"))
    copy = tmp_path / f"copy{moment}.sqlite"
    copy.write_bytes(prepared.read_bytes())
    return f"sqlite:///{copy}"


def die_at_every_moment(
    url: str, tmp_path: Path, task: Callable[[Store], None], check: Callable[[str, bool], bool]
) -> list[bool]:
    """Kill a child between each two statements, until one lives to the end."""
    outcomes = []
    for moment in range(1, 200):
        copy = fresh_copy(url, tmp_path, moment)

        def work(url: str = copy, moment: int = moment) -> None:
            store = open_store(url)
            Countdown(store, moment, relaychild.kill_self)
            task(store)

        killed = relaychild.in_child(work)
        outcomes.append(check(copy, not killed))
        if not killed:
            return outcomes
    raise AssertionError("the child never came to its end")


def test_submission_killed_between_any_two_statements_is_whole_or_absent(
    sqlite_url: str, first: EnvelopeId, tmp_path: Path
) -> None:
    outcomes = die_at_every_moment(
        sqlite_url,
        tmp_path,
        lambda store: relaychild.submit(store, SENT, LARGE_BYTES),
        lambda url, confirmed: check_submission(url, first, LARGE_BYTES, confirmed=confirmed),
    )
    assert len(outcomes) > 10
    assert outcomes[-1]
    assert not any(outcomes[:-1]), "the row is the last thing written, in its own transaction"


def test_dispatch_killed_between_any_two_statements_is_applied_whole_or_not_at_all(
    sqlite_url: str, first: EnvelopeId, tmp_path: Path
) -> None:
    outcomes = die_at_every_moment(
        sqlite_url,
        tmp_path,
        lambda store: relaychild.send_dispatch(store, 2, first),
        lambda url, confirmed: check_dispatch(url, first, confirmed=confirmed),
    )
    assert len(outcomes) > 10
    assert outcomes[-1]
    assert not any(outcomes[:-1])


def run_traced(url: str, task: str, tmp_path: Path, moment: int) -> tuple[bool, bool]:
    """Kill the child inside its n-th writing system call; say whether it died and confirmed."""
    told = tmp_path / f"told{moment}"
    ended = subprocess.run(
        [
            *("strace", "-f", "-qq", "-o", "/dev/null", "-e", f"trace={WRITES}"),
            *("-e", f"inject={WRITES}:signal=KILL:when={moment}"),
            *(sys.executable, relaychild.__file__, url, task, str(told)),
        ],
        cwd=Path(__file__).parents[2],
        env={**os.environ, "PYTHONPATH": "."},
        check=False,
    )
    return ended.returncode != 0, told.exists()


@pytest.mark.parametrize("task", ["submit", "dispatch"])
@pytest.mark.parametrize(
    "moments",
    [(3, 12), pytest.param(range(1, 80), marks=[pytest.mark.proof])],
    ids=["a few", "every one"],
)
def test_write_killed_inside_a_system_call_leaves_the_whole_or_nothing(
    sqlite_url: str, first: EnvelopeId, tmp_path: Path, task: str, moments: tuple[int, ...]
) -> None:
    died = 0
    for moment in moments:
        copy = fresh_copy(sqlite_url, tmp_path, moment)
        killed, confirmed = run_traced(copy, task, tmp_path, moment)
        if task == "submit":
            check_submission(copy, first, SMALL_BYTES, confirmed=confirmed)
        else:
            check_dispatch(copy, first, confirmed=confirmed)
        died += killed
        if not killed:
            break
    assert died >= 2
    if len(moments) > 2:
        assert not killed, "every writing system call had its turn"


def submit_for_ever(url: str, told: int) -> None:
    store = open_store(url)

    def send() -> None:
        while True:
            envelope_id = EnvelopeId(secrets.token_bytes(16))
            relaychild.submit(store, envelope_id, SMALL_BYTES)
            os.write(told, envelope_id)

    for _ in range(4):
        threading.Thread(target=send, daemon=True).start()
    time.sleep(60)


@pytest.mark.parametrize(
    "deaths", [3, pytest.param(60, marks=[pytest.mark.proof])], ids=["three", "sixty"]
)
def test_every_confirmed_report_is_there_after_kills_at_random_times(
    sqlite_url: str, first: EnvelopeId, deaths: int
) -> None:
    confirmed = [first]
    for _ in range(deaths):
        reading, writing = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(reading)
            submit_for_ever(sqlite_url, writing)
        os.close(writing)
        time.sleep(0.2 + secrets.randbelow(400) / 1000)
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        with os.fdopen(reading, "rb") as pipe:
            told = pipe.read()
        confirmed += [EnvelopeId(told[at : at + 16]) for at in range(0, len(told), 16)]
    store = open_store(sqlite_url)
    store.sweep()
    for envelope_id in confirmed:
        expected = relaychild.ciphertext_of(envelope_id, SMALL_BYTES)
        assert read_back(store, envelope_id) == expected
    for held in store.envelopes_to_carry(leaving=0):
        assert read_back(store, held.id) == relaychild.ciphertext_of(held.id, SMALL_BYTES)
    assert len(confirmed) > deaths
    store.close()
