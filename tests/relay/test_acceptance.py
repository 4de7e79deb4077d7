"""A dispatch is applied whole, or refused with a reason and nothing changed."""

import dataclasses
import secrets
from collections.abc import Callable
from datetime import timedelta
from zlib import crc32

import pytest
from counselor import NOW, Counselor, new_key, seal_to, send_report
from shelf import new_mailbox, new_page

from keys.certificate import verify_certificate
from protocol.dispatch import Notice
from protocol.errors import AuthenticityError, FormatError, SottoError
from protocol.names import RecipientName, RelayId
from relay.acceptance import Accepted, accept_dispatch
from relay.scratch import Scratch
from relay.store import Store

RELAY_KEY = new_key("relay")
RELAY = RelayId(RELAY_KEY.fingerprint)
RELAY_CERTIFICATE = verify_certificate(RELAY_KEY.certificate, pinned=RELAY_KEY.fingerprint, now=NOW)
ANNA, BEN = Counselor.make("anna"), Counselor.make("ben")
MAILBOX = new_mailbox()


@pytest.fixture
def relay_store(sqlite_store: Store) -> Store:
    ANNA.join(sqlite_store)
    BEN.join(sqlite_store)
    accept(sqlite_store, _honest(serial=5))
    return sqlite_store


def accept(store: Store, sealed: bytes, *, days: int = 0) -> Accepted:
    assert store.sqlite_path is not None
    pieces = [sealed[at : at + 4096] for at in range(0, len(sealed), 4096)]
    folder = store.sqlite_path.parent
    return accept_dispatch(store, RELAY_KEY, pieces, NOW + timedelta(days=days), folder=folder)


def _plain(*, serial: int = 6, who: Counselor = ANNA, relay: RelayId = RELAY) -> bytes:
    slots = [(MAILBOX, new_page())]
    return who.pack(who.dispatch_head(relay, serial, slots=slots), slots=slots)


def _honest(*, serial: int = 6) -> bytes:
    return seal_to(RELAY_CERTIFICATE, _plain(serial=serial))


def _state(store: Store) -> object:
    with store._reading() as connection:
        return [
            connection.exec_driver_sql(f"SELECT * FROM {name} ORDER BY 1, 2").all()  # noqa: S608  our names
            for name in ("envelope", "slot", "recipient", "notice", "upkeep")
        ]


def test_honest_dispatch_is_applied_and_says_whose_it_was(relay_store: Store) -> None:
    page = new_page()
    notice = Notice(language="en", text="Away until Monday.")
    head = ANNA.dispatch_head(RELAY, 6, slots=[(MAILBOX, page)], notices=(notice,))
    accepted = accept(
        relay_store, seal_to(RELAY_CERTIFICATE, ANNA.pack(head, slots=[(MAILBOX, page)]))
    )
    assert (accepted.recipient, accepted.serial) == ("anna", 6)
    assert relay_store.slots_of(MAILBOX)[ANNA.name] == page
    assert relay_store.notices() == ((ANNA.name, notice),)


def test_read_token_in_a_dispatch_proves_and_noise_does_not(relay_store: Store) -> None:
    report = send_report(relay_store, RELAY, [ANNA, BEN], [BEN])
    for serial, who, token in (
        (6, ANNA, secrets.token_bytes(32)),
        (1, BEN, report.read_token),
        (7, ANNA, secrets.token_bytes(32)),
    ):
        held = relay_store.find_held(report.envelope)
        assert held is not None
        assert held.proven == (serial == 7)
        head = who.dispatch_head(RELAY, serial, tokens=[(report.envelope, token)])
        accept(relay_store, seal_to(RELAY_CERTIFICATE, who.pack(head)))
    assert relay_store.envelopes_to_carry(leaving=0) == ()


def _forged() -> bytes:
    head = ANNA.dispatch_head(RELAY, 6)
    return seal_to(RELAY_CERTIFICATE, ANNA.pack(head, signer=BEN.key))


def _unsigned() -> bytes:
    return seal_to(RELAY_CERTIFICATE, ANNA.pack(ANNA.dispatch_head(RELAY, 6), signature=b""))


def _other_signature() -> bytes:
    other = ANNA.key.sign_detached(b"something else", created=NOW)
    return seal_to(RELAY_CERTIFICATE, ANNA.pack(ANNA.dispatch_head(RELAY, 6), signature=other))


def _changed_slot() -> bytes:
    """Another page with the checksum of the ZIP set right: only the signed digest tells."""
    honest, other = new_page(), new_page()
    packed = ANNA.pack(
        ANNA.dispatch_head(RELAY, 6, slots=[(MAILBOX, honest)]), slots=[(MAILBOX, honest)]
    )
    checksums = [crc32(page).to_bytes(4, "little") for page in (honest, other)]
    return seal_to(RELAY_CERTIFICATE, packed.replace(honest, other).replace(*checksums))


def _to_another_relay() -> bytes:
    return seal_to(BEN.certificate, _plain())


def _from_a_stranger() -> bytes:
    stranger = Counselor(RecipientName("dora"), new_key("dora"))
    return seal_to(RELAY_CERTIFICATE, _plain(who=stranger))


def _under_her_name() -> bytes:
    """A stranger's key, the counselor's name: the certificate is the relay's own copy."""
    return seal_to(RELAY_CERTIFICATE, _plain(who=Counselor(ANNA.name, new_key("dora"))))


def _in_the_future() -> bytes:
    head = ANNA.dispatch_head(RELAY, 6, day=NOW.date() + timedelta(days=3))
    return seal_to(RELAY_CERTIFICATE, ANNA.pack(head))


def _with_bens_certificate() -> bytes:
    head = ANNA.dispatch_head(RELAY, 6, successor=BEN.key.certificate)
    return seal_to(RELAY_CERTIFICATE, ANNA.pack(head))


def _with_an_expired_successor() -> bytes:
    expired = new_key("anna", NOW - timedelta(days=30), 1)
    head = ANNA.dispatch_head(RELAY, 6, successor=expired.certificate)
    return seal_to(RELAY_CERTIFICATE, ANNA.pack(head))


def _flipped() -> bytes:
    sealed = bytearray(_honest())
    sealed[len(sealed) // 2] ^= 1
    return bytes(sealed)


HOSTILE: dict[str, tuple[Callable[[], bytes], type[SottoError], str]] = {
    "signed by another counselor": (_forged, AuthenticityError, "did not sign"),
    "unsigned": (_unsigned, SottoError, "signature"),
    "signature over something else": (_other_signature, AuthenticityError, "did not sign"),
    "changed slot": (_changed_slot, AuthenticityError, "slot was changed"),
    "sent before": (lambda: _honest(serial=5), AuthenticityError, "newer"),
    "older": (lambda: _honest(serial=4), AuthenticityError, "newer"),
    "for another relay": (
        lambda: seal_to(RELAY_CERTIFICATE, _plain(relay=RelayId("F" * 40))),
        AuthenticityError,
        "another relay",
    ),
    "sealed to another relay": (_to_another_relay, AuthenticityError, "not sealed to this relay"),
    "from a stranger": (_from_a_stranger, AuthenticityError, "nobody"),
    "a stranger under her name": (_under_her_name, AuthenticityError, "did not sign"),
    "dated in the future": (_in_the_future, AuthenticityError, "future"),
    "with somebody else's certificate": (
        _with_bens_certificate,
        AuthenticityError,
        "another recipient",
    ),
    "with an expired successor": (_with_an_expired_successor, AuthenticityError, "successor"),
    "not sealed": (_plain, FormatError, "not a sealed message"),
    "truncated": (lambda: _honest()[:-1000], FormatError, "too early"),
    "one bit flipped": (_flipped, AuthenticityError, "changed"),
    "empty": (lambda: b"", FormatError, "not a sealed message"),
    "an image": (lambda: b"\x89PNG\r\n\x1a\n" + bytes(5000), FormatError, "not a sealed message"),
}


@pytest.mark.claim("C4")
@pytest.mark.parametrize("case", HOSTILE)
def test_hostile_dispatch_changes_nothing_and_says_why(relay_store: Store, case: str) -> None:
    make, expected, said = HOSTILE[case]
    before = _state(relay_store)
    with pytest.raises((AuthenticityError, FormatError), match=said) as refusal:
        accept(relay_store, make())
    assert isinstance(refusal.value, expected)
    assert _state(relay_store) == before


def test_dispatch_of_an_expired_certificate_is_refused(sqlite_store: Store) -> None:
    cara = Counselor.make("cara", NOW + timedelta(days=10)).join(sqlite_store)
    sealed = seal_to(RELAY_CERTIFICATE, cara.pack(cara.dispatch_head(RELAY, 1)))
    with pytest.raises(AuthenticityError, match="does not hold"):
        accept(sqlite_store, sealed, days=20)
    accept(sqlite_store, sealed)


def test_dispatch_of_a_retired_counselor_is_refused(relay_store: Store) -> None:
    relay_store.retire_recipient(ANNA.name)
    with pytest.raises(AuthenticityError, match="nobody"):
        accept(relay_store, _honest())


def test_successor_signed_by_the_old_key_follows_and_the_old_key_signs_no_more(
    relay_store: Store,
) -> None:
    following = new_key("anna", None, 2)
    head = ANNA.dispatch_head(RELAY, 6, successor=following.certificate)
    accept(relay_store, seal_to(RELAY_CERTIFICATE, ANNA.pack(head)))
    assert relay_store.recipients()[0].fingerprint == following.fingerprint
    assert relay_store.recipients()[0].number == 0
    with pytest.raises(AuthenticityError):
        accept(relay_store, _honest(serial=7))
    renewed = dataclasses.replace(ANNA, key=following)
    accept(relay_store, seal_to(RELAY_CERTIFICATE, _plain(serial=8, who=renewed)))


@pytest.mark.claim("C2")
def test_scratch_of_a_dispatch_leaves_no_file_and_no_readable_byte(
    relay_store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert relay_store.sqlite_path is not None
    folder = relay_store.sqlite_path.parent
    names = {path.name for path in folder.iterdir()}
    written: list[bytes] = []
    monkeypatch.setattr("relay.scratch.Scratch._put", _recording(written))
    sealed = _honest()
    accept(relay_store, sealed)
    on_disk = b"".join(written)
    assert len(on_disk) > len(sealed)
    assert sealed[-256:] not in on_disk, "not even as it came: the relay's key is on this disk"
    assert b"dispatch.json" not in on_disk
    assert {path.name for path in folder.iterdir()} == names


def _recording(written: list[bytes]) -> Callable[..., None]:
    put: Callable[[Scratch, bytes], None] = Scratch._put

    def record(self: Scratch, sealed: bytes) -> None:
        written.append(bytes(sealed))
        put(self, sealed)

    return record
