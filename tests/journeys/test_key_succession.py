"""A counselor gets a new key while a reporter waits: nobody loses a word, nobody gains one."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from io import BytesIO
from pathlib import Path

import pytest
from counselor import MADE, NOW

from desk.desk import create_desk, read_desk
from desk.exporting import export_dispatch
from desk.importing import ImportReport, import_bundle
from desk.records import CaseRecord, EnvelopeRecord, EnvelopeState
from desk.replies import queue_reply
from desk.succession import propose_successor
from desk.unlocking import open_vault
from desk.vault import Vault
from keys.secretkey import generate_secret_key, read_secret_key
from protocol import derivation
from protocol.derivation import Argon2Cost
from protocol.names import RecipientName
from tests.relay.office import Office, Visitor, make_office

OLD, NEW = "the old words", "the new words"
LATER = NOW + timedelta(hours=2)


class Person:
    """A recipient with a desk of her own, on a machine without a network."""

    def __init__(self, name: str, folder: Path, office: Office) -> None:
        self.name, self._folder, self._office = name, folder, office
        self.passphrase = OLD
        folder.mkdir()
        (folder / "old.asc").write_bytes(new_key(name, OLD))
        (folder / "relay.asc").write_bytes(office.parts.deployment.relay_key.certificate)
        key = read_secret_key((folder / "old.asc").read_bytes(), OLD)
        store = office.parts.store
        store.replace_certificate(RecipientName(name), key.certificate, key.fingerprint)
        create_desk(
            folder / "desk",
            key_path=folder / "old.asc",
            relay_path=folder / "relay.asc",
            passphrase=OLD,
            now=NOW,
        ).close()

    def opens_the_desk(self) -> Vault:
        return open_vault(self._folder / "desk", self.passphrase)

    def makes_a_new_key(self) -> str:
        with self.opens_the_desk() as desk:
            return propose_successor(
                desk,
                key_file=new_key(self.name, NEW),
                passphrase=NEW,
                former_passphrase=OLD,
                now=NOW,
            )

    def imports(self, now: datetime) -> ImportReport:
        bundle = self._folder / "bundle.zip"
        bundle.write_bytes(self._office.courier().get("/bundle", follow_redirects=True).data)
        with self.opens_the_desk() as desk:
            return import_bundle(desk, bundle, now=now)

    def exports(self, now: datetime) -> bytes:
        with self.opens_the_desk() as desk:
            export_dispatch(desk, self._folder / "dispatch", now=now)
        return (self._folder / "dispatch").read_bytes()

    def answers(self, text: str) -> None:
        with self.opens_the_desk() as desk:
            (case,) = desk.all(CaseRecord)
            queue_reply(desk, case, text, today=NOW.date())

    def items(self) -> int:
        with self.opens_the_desk() as desk:
            return sum(len(one.items) for one in desk.all(CaseRecord))


def new_key(name: str, passphrase: str) -> bytes:
    return generate_secret_key(user_id=name, passphrase=passphrase, created=MADE, expires=None)


@pytest.fixture
def office(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Office]:
    cheap = Argon2Cost(time=1, memory_kib=8, lanes=1)
    monkeypatch.setattr(derivation, "ARGON2", cheap)
    opened = make_office(tmp_path / "data")
    yield opened
    opened.parts.deployment.close()


def carries(office: Office, dispatch: bytes) -> int:
    data = {"dispatch": (BytesIO(dispatch), "dispatch")}
    done = office.courier().post("/dispatch", data=data, content_type="multipart/form-data")
    return done.status_code


@pytest.mark.claim("C3")
def test_a_case_goes_on_through_the_succession_of_its_readers_key_and_of_the_left_outs(
    office: Office, tmp_path: Path
) -> None:
    anna = Person("counselor-1", tmp_path / "anna", office)
    head = Person("head", tmp_path / "head", office)
    reporter = Visitor(office.visitor())
    reporter.opens_the_form()
    reporter.sends("It began in March.", to=["counselor-1", "counselor-2"])
    assert len(anna.imports(NOW).arrivals) == 1
    assert head.imports(NOW).arrivals == []

    # Both succeed their keys; a dispatch of each carries the certificate.
    fingerprints = {one.name: one.makes_a_new_key() for one in (anna, head)}
    reporter.acts("message", text="Sealed to the old key.", recipients=["counselor-1"])
    late = {one.name: one.exports(NOW) for one in (anna, head)}
    for dispatch in late.values():
        assert carries(office, dispatch) == 200
    assert carries(office, anna.exports(NOW)) != 200  # signed with the old key once more
    office.clock[0] = LATER
    reporter.acts("message", text="Sealed to the new key.", recipients=["counselor-1"])

    # The next bundle lists the new keys, and holds what is sealed to old and new.
    for one in (anna, head):
        report = one.imports(LATER)
        assert any("lists your new key" in note for note in report.notes), report
        one.passphrase = NEW
        with one.opens_the_desk() as desk:
            assert read_desk(desk).fingerprint == fingerprints[one.name]
    assert anna.items() == 3

    anna.answers("Thank you; we met on Monday.")
    assert carries(office, anna.exports(LATER)) == 200
    assert "Thank you; we met on Monday." in reporter.opens_the_mailbox().text

    assert head.items() == 0
    with head.opens_the_desk() as desk:
        states = {one.state for one in desk.all(EnvelopeRecord)}
    assert states == {EnvelopeState.UNOPENED}
