"""A desk with ten thousand cases: unlocking it, and the list page."""

import secrets
import shutil
import statistics
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from bench.figures import ROUNDS, Figure, seconds
from desk.casework.following import after_import
from desk.importing import import_bundle
from desk.records import CaseRecord, ReadingRecord
from desk.screens.app import create_app
from desk.vault import Vault
from protocol.derivation import generate_throwaway_keys
from protocol.names import EnvelopeId, MailboxId

sys.path.insert(0, str(Path(__file__).parent.parent / "tests" / "desk"))
from relayside import NOW, PASSPHRASE, Counselor, FakeRelay, make_desk

CASES = 10_000


def measure() -> Iterator[Figure]:
    """Fill a desk and open it as a counselor does in the morning."""
    folder = Path(tempfile.mkdtemp(prefix="bench-"))
    try:
        anna = Counselor.make("counselor-1")
        relay = FakeRelay([anna])
        with make_desk(folder, anna, relay) as vault:
            _fill(vault, relay, folder)
        app = create_app(folder / "desk", clock=lambda: NOW)
        session = app.extensions["sotto-desk"]

        visitor = app.test_client()

        def unlock() -> None:
            session.lock()
            session.unlock(PASSPHRASE)
            _expect(visitor.get("/").status_code)

        def list_cases() -> None:
            _expect(visitor.get("/").status_code)

        unlocking = statistics.median(seconds(unlock) for _ in range(ROUNDS))
        page = statistics.median(seconds(list_cases) for _ in range(ROUNDS))
        yield Figure(
            name=f"desk: unlock and list {CASES:,} cases",
            ours=f"{unlocking:.1f} s",
            beside="",
            ratio=f"{unlocking / 10:.2f} of the limit",
            aim="10 s",
        )
        yield Figure(
            name="desk: the list page, once unlocked",
            ours=f"{page * 1000:.0f} ms",
            beside="",
            ratio=f"{page / 0.3:.2f} of the limit",
            aim="300 ms",
        )
    finally:
        shutil.rmtree(folder)


def _expect(status: int) -> None:
    if status != 200:
        raise RuntimeError(f"the page answered {status}")


def _fill(vault: Vault, relay: FakeRelay, folder: Path) -> None:
    """Import one real case, then file copies of it under other names."""
    reporter = generate_throwaway_keys()
    bundle = folder / "bundle.zip"
    relay.cut(bundle, [relay.send(reporter, relay.report(reporter, track="concern"))])
    import_bundle(vault, bundle, now=NOW)
    after_import(vault, bundle, now=NOW)
    (case,) = vault.all(CaseRecord)
    reading = vault.get(ReadingRecord, case.items[0].envelope.hex())
    if reading is None:
        raise RuntimeError("the case has no reading")
    with vault.changes():
        for number in range(1, CASES):
            envelope = EnvelopeId(secrets.token_bytes(16))
            item = case.items[0].model_copy(update={"envelope": envelope})
            vault.put(reading.model_copy(update={"envelope": envelope}))
            vault.put(
                case.model_copy(
                    update={
                        "name": f"{number:08d}",
                        "mailbox": MailboxId(secrets.token_bytes(16)),
                        "items": (item,),
                    }
                )
            )
