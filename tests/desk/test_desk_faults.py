"""What is wrong with a bundle or an envelope is told or refused, and the rest is taken."""

import secrets
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from relayside import DAY, NOW, Counselor, FakeRelay, SealedEnvelope, write_bundle

from desk.cases import find_case, read_thread
from desk.desk import read_desk
from desk.importing import ImportReport, check_envelopes, import_bundle, verify_bundle
from desk.keyring import KeptKey, keep
from desk.records import CaseRecord, EnvelopeRecord, EnvelopeState
from desk.showing import case_view
from desk.vault import Vault
from keys.secretkey import SecretKey
from protocol.archive import ArchiveReader
from protocol.bundle import RecipientCertificate
from protocol.derivation import ReporterKeys, generate_throwaway_keys
from protocol.errors import AuthenticityError, FormatError, StorageError
from protocol.names import EnvelopeId, Fingerprint, RecipientName, RelayId, SessionKey
from protocol.sealing import SealedMessage


def _take(desk: Vault, path: Path) -> ImportReport:
    return import_bundle(desk, path, now=NOW)


def _only_case(desk: Vault) -> str:
    (case,) = desk.all(CaseRecord)
    return case.name


# --- what is refused whole -------------------------------------------------------------------


def _wrong_signer(relay: FakeRelay, path: Path, berta: Counselor) -> None:
    relay.cut(path, [relay.cover()], signer=berta.secret_key)


def _other_relay(relay: FakeRelay, path: Path, berta: Counselor) -> None:
    relay.cut(path, [relay.cover()], relay=RelayId(berta.secret_key.fingerprint))


def _unsigned(relay: FakeRelay, path: Path, _berta: Counselor) -> None:
    relay.cut(path, [relay.cover()])
    reader = _reader(path)
    write_bundle(path, reader.read_small("bundle.json", 1 << 20), b"", [])


def _changed_head(relay: FakeRelay, path: Path, _berta: Counselor) -> None:
    relay.cut(path, [], number=1)
    reader = _reader(path)
    head = reader.read_small("bundle.json", 1 << 20).replace(b'"cut":1', b'"cut":9')
    write_bundle(path, head, reader.read_small("bundle.json.asc", 1 << 20), [])


def _cut_short(relay: FakeRelay, path: Path, _berta: Counselor) -> None:
    relay.cut(path, [relay.cover()])
    path.write_bytes(path.read_bytes()[:-100])


def _not_a_bundle(_relay: FakeRelay, path: Path, _berta: Counselor) -> None:
    path.write_bytes(b"%PDF-1.7")


def _unlisted(relay: FakeRelay, path: Path, _berta: Counselor) -> None:
    relay.cut(path, [])
    reader = _reader(path)
    head, signature = (
        reader.read_small(one, 1 << 20) for one in ("bundle.json", "bundle.json.asc")
    )
    write_bundle(path, head, signature, [relay.cover()])


@pytest.mark.parametrize(
    "wrong",
    [
        pytest.param(_wrong_signer, id="signed by somebody else"),
        pytest.param(_other_relay, id="of another relay"),
        pytest.param(_unsigned, id="unsigned"),
        pytest.param(_changed_head, id="list changed after signing"),
        pytest.param(_cut_short, id="cut short"),
        pytest.param(_not_a_bundle, id="no bundle at all"),
        pytest.param(_unlisted, id="with an envelope that is not listed"),
    ],
)
def test_a_bundle_that_is_not_the_relays_is_refused_before_anything_is_opened(
    *,
    desk: Vault,
    relay: FakeRelay,
    berta: Counselor,
    bundle: Path,
    monkeypatch: pytest.MonkeyPatch,
    wrong: object,
) -> None:
    def opened(*_: object) -> None:
        raise AssertionError("something was decrypted")

    assert callable(wrong)
    wrong(relay, bundle, berta)
    monkeypatch.setattr(SecretKey, "open_lock", opened)
    with pytest.raises((AuthenticityError, FormatError)) as refused:
        _take(desk, bundle)
    assert str(refused.value)
    assert list(desk.all(EnvelopeRecord)) == []
    assert read_desk(desk).cut == 0


def test_a_file_that_is_not_there_is_told(desk: Vault, tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="cannot be opened"):
        _take(desk, tmp_path / "absent")


# --- what is told, while the rest is taken ---------------------------------------------------


def _flipped(relay: FakeRelay, reporter: ReporterKeys) -> SealedEnvelope:
    sealed = relay.send(reporter)
    octets = bytearray(sealed.ciphertext)
    octets[len(octets) // 2] ^= 1
    return replace(sealed, ciphertext=bytes(octets))


def _under_another_id(relay: FakeRelay, reporter: ReporterKeys) -> SealedEnvelope:
    return relay.send(reporter, under=EnvelopeId(secrets.token_bytes(16)))


def _another_relays(relay: FakeRelay, reporter: ReporterKeys) -> SealedEnvelope:
    return relay.send(reporter, relay.report(reporter, relay=RelayId("A" * 40)))


def _weak_reply_key(relay: FakeRelay, reporter: ReporterKeys) -> SealedEnvelope:
    weak = reporter.reply_public[:-32] + bytes(32)
    return relay.send(reporter, relay.report(reporter, reply_public=weak))


def _no_openpgp(_relay: FakeRelay, reporter: ReporterKeys) -> SealedEnvelope:
    sealed = _relay.send(reporter)
    return replace(sealed, ciphertext=secrets.token_bytes(16_384))


@pytest.mark.parametrize(
    "wrong",
    [
        pytest.param(_flipped, id="tampered"),
        pytest.param(_under_another_id, id="under another id"),
        pytest.param(_another_relays, id="sealed for another relay"),
        pytest.param(_weak_reply_key, id="with a reply key that nothing can be sealed to"),
        pytest.param(_no_openpgp, id="not a message"),
    ],
)
def test_a_bad_envelope_is_told_and_the_next_one_is_taken(
    desk: Vault, relay: FakeRelay, reporter: ReporterKeys, bundle: Path, wrong: object
) -> None:
    assert callable(wrong)
    bad = wrong(relay, generate_throwaway_keys())
    told = _take(desk, relay.cut(bundle, [bad, relay.send(reporter)]))
    assert len(told.arrivals) == 1
    (sentence,) = told.told
    assert bad.id.hex()[:8] in sentence
    record = desk.get(EnvelopeRecord, bad.id.hex())
    assert record is not None and record.state is EnvelopeState.REFUSED
    assert len(desk.objects.names()) == 1
    assert len(_take(desk, bundle).told) == 1, "told again until it is whole"


def test_an_envelope_of_a_newer_format_says_update(
    desk: Vault,
    relay: FakeRelay,
    reporter: ReporterKeys,
    bundle: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("protocol.report.FORMAT_VERSION", 2)
    sealed = relay.send(reporter, relay.report(reporter, format=2))
    monkeypatch.undo()
    told = _take(desk, relay.cut(bundle, [sealed]))
    assert "update this machine" in told.told[0]


def test_a_missing_or_damaged_envelope_is_told_and_taken_from_the_next_bundle(
    desk: Vault, relay: FakeRelay, reporter: ReporterKeys, bundle: Path
) -> None:
    missing, damaged = relay.send(reporter), relay.send(generate_throwaway_keys())
    relay.cut(bundle, [missing, damaged], drop=[missing.id])
    octets = bytearray(bundle.read_bytes())
    octets[octets.index(damaged.ciphertext) + 9_000] ^= 1
    bundle.write_bytes(octets)
    with bundle.open("rb"):
        checked = check_envelopes(verify_bundle(desk, _reader(bundle), now=NOW))
    told = _take(desk, bundle)
    assert sorted(told.told) == sorted(checked)
    assert any(missing.id.hex()[:8] in one and "missing" in one for one in checked)
    assert any(damaged.id.hex()[:8] in one for one in checked)
    assert len(checked) == 2 and told.arrivals == []
    assert len(_take(desk, relay.cut(bundle, [missing, damaged], number=2)).arrivals) == 2


def test_an_envelope_that_the_desk_has_is_told_when_a_bundle_brings_it_damaged(
    desk: Vault, relay: FakeRelay, reporter: ReporterKeys, bundle: Path
) -> None:
    sealed = relay.send(reporter)
    _take(desk, relay.cut(bundle, [sealed]))
    octets = bytearray(bundle.read_bytes())
    octets[octets.index(sealed.ciphertext) + 9_000] ^= 1
    bundle.write_bytes(octets)
    (told,) = _take(desk, bundle).told
    assert sealed.id.hex()[:8] in told and "earlier bundle" in told
    (item,) = read_thread(desk, find_case(desk, _only_case(desk)))
    assert item.report.text == "Something happened."


def test_an_envelope_that_changed_after_it_was_taken_is_told_and_the_first_kept(
    desk: Vault, relay: FakeRelay, reporter: ReporterKeys, bundle: Path
) -> None:
    _take(desk, relay.cut(bundle, [relay.send(reporter)]))
    other = relay.send(reporter, relay.report(reporter, text="Something else."))
    told = _take(desk, relay.cut(bundle, [other], number=2))
    assert "not the one this desk was given before" in told.told[0]
    (item,) = read_thread(desk, find_case(desk, _only_case(desk)))
    assert item.report.text == "Something happened."


@pytest.mark.parametrize(
    ("second", "sentence"),
    [
        pytest.param({"number": 4}, "stale: it is cut 4", id="older cut"),
        pytest.param({"number": 5, "policy": "x"}, "Two different bundles", id="same cut twice"),
        pytest.param({"number": 6, "day": date(2026, 11, 19)}, "set back", id="earlier day"),
        pytest.param({"number": 6, "day": date(2026, 11, 22)}, "still to come", id="future day"),
        pytest.param({"number": 6, "day": date(2026, 10, 1)}, "50 days ago", id="old day"),
    ],
)
def test_a_bundle_out_of_order_or_of_another_time_is_told(
    desk: Vault, relay: FakeRelay, bundle: Path, second: dict[str, object], sentence: str
) -> None:
    _take(desk, relay.cut(bundle, [], number=5))
    told = _take(desk, relay.cut(bundle, [], **second))  # type: ignore[arg-type]  # by name
    assert any(sentence in one for one in told.told)


def test_a_stale_bundle_does_not_set_the_desk_back(
    desk: Vault, relay: FakeRelay, reporter: ReporterKeys, bundle: Path
) -> None:
    _take(desk, relay.cut(bundle, [], number=5))
    told = _take(desk, relay.cut(bundle, [relay.send(reporter)], number=4))
    assert len(told.arrivals) == 1
    assert (read_desk(desk).cut, read_desk(desk).bundle) == (5, ())


def test_the_desk_learns_its_counselors_name_and_says_when_she_is_not_listed(
    desk: Vault, relay: FakeRelay, bundle: Path
) -> None:
    told = _take(desk, relay.cut(bundle, [], certificates=()))
    assert "does not list your key" in told.told[0]
    assert read_desk(desk).counselor is None
    _take(desk, relay.cut(bundle, [], number=2))
    assert read_desk(desk).counselor == "anna"


def test_warnings_for_the_operator_are_passed_on(
    desk: Vault, relay: FakeRelay, bundle: Path
) -> None:
    told = _take(desk, relay.cut(bundle, [], warnings=("The disk is nearly full.",)))
    assert told.notes == ["For the operator, from the relay: The disk is nearly full."]


def test_a_file_encrypted_already_is_marked_and_one_sealed_to_her_is_warned_of(
    *,
    desk: Vault,
    relay: FakeRelay,
    reporter: ReporterKeys,
    bundle: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    opened: list[SealedMessage] = []
    unseal = SealedMessage.unseal

    def noting(message: SealedMessage, key: SessionKey) -> Iterator[bytes]:
        opened.append(message)
        return unseal(message, key)

    monkeypatch.setattr(SealedMessage, "unseal", noting)
    victim = relay.send(generate_throwaway_keys())
    stolen = relay.send(generate_throwaway_keys(), blind=["anna"])
    files = {"a.pgp": victim.ciphertext, "b.pgp": stolen.ciphertext, "c.txt": b"plain"}
    told = _take(desk, relay.cut(bundle, [relay.send(reporter, files=files)]))
    view = case_view(desk, find_case(desk, _only_case(desk)), today=DAY)
    assert [one["nested"] for one in view["attachments"]] == [True, True, False]
    assert ["Do not decrypt" in one["warning"] for one in view["attachments"]] == [
        True,
        False,
        False,
    ]
    assert any("encrypted already" in one for one in told.told)
    assert len(list(desk.all(CaseRecord))) == 1
    assert len(opened) == 1  # the letter, and nothing that lies in it


def _reader(path: Path) -> ArchiveReader:
    octets = path.read_bytes()
    return ArchiveReader(lambda at, length: octets[at : at + length], len(octets))


def test_a_file_sealed_to_a_former_key_whose_card_is_away_keeps_no_report_from_her(
    *,
    desk: Vault,
    relay: FakeRelay,
    berta: Counselor,
    reporter: ReporterKeys,
    bundle: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Berta's key stands for a former one of hers, which a gpg that is not there keeps."""
    certificate = berta.secret_key.certificate
    with desk.changes():
        keep(
            desk,
            KeptKey(
                fingerprint=berta.secret_key.fingerprint,
                certificate=certificate,
                file=certificate,
                passphrase="",
                since=DAY,
            ),
        )
    captured = relay.send(generate_throwaway_keys(), blind=["anna"]).ciphertext
    monkeypatch.setenv("PATH", "/nowhere")
    told = _take(desk, relay.cut(bundle, [relay.send(reporter, files={"x.pgp": captured})]))
    assert len(told.arrivals) == 1
    (file,) = case_view(desk, find_case(desk, _only_case(desk)), today=DAY)["attachments"]
    assert "sealed to your key" in file["warning"]


def test_her_name_is_found_by_fingerprint_and_not_by_name(
    desk: Vault, relay: FakeRelay, anna: Counselor, bundle: Path
) -> None:
    renamed = (
        RecipientCertificate(RecipientName("anna"), Fingerprint("B" * 40), b"another's"),
        RecipientCertificate(RecipientName("zora"), anna.certificate.fingerprint, b"hers"),
    )
    _take(desk, relay.cut(bundle, [], certificates=renamed))
    assert read_desk(desk).counselor == "zora"
