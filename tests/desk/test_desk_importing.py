"""What comes in a bundle: filed where it belongs, and every fault told in a sentence."""

import secrets
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest
from relayside import DAY, NOW, Counselor, FakeRelay, SealedEnvelope, answer, write_bundle

from desk.cases import find_case, list_cases, read_thread
from desk.desk import read_desk
from desk.importing import ImportReport, check_envelopes, import_bundle, verify_bundle
from desk.records import EnvelopeRecord, EnvelopeState, MailboxRecord
from desk.showing import case_view
from desk.vault import Vault
from keys.secretkey import SecretKey
from protocol.archive import ArchiveReader
from protocol.bundle import RecipientCertificate
from protocol.derivation import ReporterKeys, generate_throwaway_keys
from protocol.envelope import Answer
from protocol.errors import AuthenticityError, FormatError, StorageError
from protocol.names import EnvelopeId, Fingerprint, RecipientName, RelayId


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    return tmp_path / "bundle.zip"


def _take(desk: Vault, path: Path) -> ImportReport:
    return import_bundle(desk, path, now=NOW)


def _only_case(desk: Vault) -> str:
    (case,) = list_cases(desk, today=DAY)
    return case.name


def test_a_report_opens_a_case_with_its_clocks(
    desk: Vault, relay: FakeRelay, reporter: ReporterKeys, bundle: Path
) -> None:
    told = _take(desk, relay.cut(bundle, [relay.send(reporter)]))
    (arrival,) = told.arrivals
    assert (arrival.opened_case, arrival.kind, told.told) == (True, "report", [])
    case = find_case(desk, arrival.case.lower().replace("-", " "))
    assert case.received == DAY
    assert case.acknowledge_by == DAY + timedelta(days=14)
    assert case.feedback_by == date(2027, 2, 20)
    (item,) = read_thread(desk, case)
    assert item.report.text == "Something happened."


def test_files_are_listed_with_name_size_and_digest(
    desk: Vault, relay: FakeRelay, reporter: ReporterKeys, bundle: Path
) -> None:
    files = {"صورة.jpg": b"picture", "empty": b""}
    _take(desk, relay.cut(bundle, [relay.send(reporter, files=files)]))
    view = case_view(desk, find_case(desk, _only_case(desk)), today=DAY)
    assert [(one["name"], one["size"]) for one in view["attachments"]] == [
        ("صورة.jpg", 7),
        ("empty", 0),
    ]


def test_a_follow_up_joins_the_case_whatever_its_place_in_the_bundle(
    desk: Vault, relay: FakeRelay, reporter: ReporterKeys, bundle: Path
) -> None:
    first = relay.send(reporter, files={"large": secrets.token_bytes(80_000)})
    second = relay.send(reporter, relay.follow_up(reporter, text="More.", day=DAY))
    told = _take(desk, relay.cut(bundle, [first, second]))
    assert [one.kind for one in told.arrivals] == ["follow-up", "report"]  # small ones first
    case = find_case(desk, _only_case(desk))
    assert (case.kind, [one.kind for one in case.items]) == ("report", ["report", "follow-up"])


def test_a_follow_up_in_another_voice_is_shown_as_a_strangers(
    desk: Vault, relay: FakeRelay, reporter: ReporterKeys, bundle: Path
) -> None:
    stranger = replace(generate_throwaway_keys(), reply_public=reporter.reply_public)
    false = relay.send(stranger, relay.follow_up(stranger, text="I take it all back."))
    told = _take(desk, relay.cut(bundle, [relay.send(reporter), false]))
    assert {one.same_reporter for one in told.arrivals if one.kind == "report"} == {True}
    view = case_view(desk, find_case(desk, _only_case(desk)), today=DAY)
    assert [(one["by"], one["kind"]) for one in view["messages"]] == [
        ("reporter", "report"),
        ("not the same reporter", "follow-up"),
    ]


def test_a_stranger_who_comes_first_does_not_become_the_reporter(
    desk: Vault, relay: FakeRelay, reporter: ReporterKeys, bundle: Path
) -> None:
    stranger = replace(generate_throwaway_keys(), reply_public=reporter.reply_public)
    answers = (answer("danger", "yes"),)
    false = relay.send(stranger, relay.follow_up(stranger, answers=answers))
    _take(desk, relay.cut(bundle, [false]))
    assert find_case(desk, _only_case(desk)).urgent
    _take(desk, relay.cut(bundle, [false, relay.send(reporter)], number=2))
    case = find_case(desk, _only_case(desk))
    assert [case.is_same_reporter(one) for one in case.items] == [True, False]
    assert not case.urgent


def test_the_same_words_sent_twice_are_folded_and_both_acknowledged_later(
    desk: Vault, relay: FakeRelay, reporter: ReporterKeys, bundle: Path
) -> None:
    first = relay.send(reporter, files={"a": b"1"})
    again = relay.send(reporter, relay.follow_up(reporter), files={"a": b"1"})
    told = _take(desk, relay.cut(bundle, [first, again]))
    assert sorted(one.folded for one in told.arrivals) == [False, True]
    case = find_case(desk, _only_case(desk))
    assert len(case.items) == 1
    assert len(desk.objects.names()) == 1
    tokens = {one.read_token for one in desk.all(EnvelopeRecord)}
    assert tokens == {first.token, again.token}


def test_a_changed_choice_of_readers_is_not_folded(
    desk: Vault, relay: FakeRelay, reporter: ReporterKeys, bundle: Path
) -> None:
    first = relay.send(reporter)
    fewer = relay.follow_up(
        reporter, readers=(RecipientName("anna"),), left_out=(RecipientName("berta"),)
    )
    _take(desk, relay.cut(bundle, [first, relay.send(reporter, fewer)]))
    case = find_case(desk, _only_case(desk))
    assert len(case.items) == 2
    assert case_view(desk, case, today=DAY)["left_out"] == ["berta"]


@pytest.mark.claim("C2")
def test_cover_and_what_leaves_her_out_are_filed_without_a_word(
    desk: Vault, relay: FakeRelay, reporter: ReporterKeys, bundle: Path
) -> None:
    left_out = relay.send(reporter, blind=["anna"])
    told = _take(desk, relay.cut(bundle, [relay.cover(), left_out]))
    assert (told.arrivals, told.told, told.notes) == ([], [], [])
    assert list_cases(desk, today=DAY) == []
    states = {one.state for one in desk.all(EnvelopeRecord)}
    assert states == {EnvelopeState.COVER, EnvelopeState.UNOPENED}
    assert desk.objects.names() == set()


def test_a_cover_mailbox_is_remembered_for_months(
    desk: Vault, relay: FakeRelay, bundle: Path
) -> None:
    _take(desk, relay.cut(bundle, [relay.cover() for _ in range(3)]))
    month = DAY.year * 12 + DAY.month - 1
    until = [one.until_month for one in desk.all(MailboxRecord)]
    assert len(until) == 3
    assert all(one is not None and one > month for one in until)


def test_importing_again_adds_nothing(
    desk: Vault, relay: FakeRelay, reporter: ReporterKeys, bundle: Path
) -> None:
    relay.cut(bundle, [relay.send(reporter), relay.cover()])
    _take(desk, bundle)
    before = (sorted(desk.objects.names()), list(desk.all(EnvelopeRecord)))
    told = _take(desk, bundle)
    assert (told.arrivals, told.told) == ([], [])
    assert (sorted(desk.objects.names()), list(desk.all(EnvelopeRecord))) == before


def test_an_import_that_was_cut_off_goes_on_and_sweeps_its_remains(
    desk: Vault,
    relay: FakeRelay,
    reporter: ReporterKeys,
    bundle: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    other = generate_throwaway_keys()
    relay.cut(bundle, [relay.send(reporter), relay.send(other)])
    commits = desk.objects.writer

    def cut_off() -> object:
        if desk.objects.names():
            raise KeyboardInterrupt
        return commits()

    monkeypatch.setattr(desk.objects, "writer", cut_off)
    with pytest.raises(KeyboardInterrupt):
        _take(desk, bundle)
    monkeypatch.undo()
    (desk.directory / "objects" / secrets.token_hex(16)).write_bytes(b"remains")
    assert len(_take(desk, bundle).arrivals) == 1
    assert len(list_cases(desk, today=DAY)) == 2
    assert len(desk.objects.names()) == 2


def test_a_disk_that_fails_at_any_write_loses_nothing_and_files_nothing_by_half(
    *,
    desk: Vault,
    relay: FakeRelay,
    reporter: ReporterKeys,
    bundle: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    others = [relay.send(generate_throwaway_keys()) for _ in range(2)]
    relay.cut(bundle, [relay.send(reporter), *others, relay.cover()])
    left = list(range(1, 20))  # the number of the write that fails, one more each time

    def failing(_: int) -> None:
        left[0] -= 1
        if left[0] == 0:
            raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", failing)
    failures = 0
    while True:
        try:
            _take(desk, bundle)
            break
        except StorageError as error:
            assert "nothing was filed" in str(error)
            failures += 1
            left.pop(0)
            filed = {one.content.name for one in desk.all(EnvelopeRecord) if one.content}
            assert filed <= desk.objects.names()
            for case in list_cases(desk, today=DAY):
                assert list(read_thread(desk, case))
    assert failures >= 3
    assert len(list_cases(desk, today=DAY)) == len(desk.objects.names()) == 3


@pytest.mark.clause("P6")
@pytest.mark.parametrize(
    ("answers", "urgent"),
    [
        (answer("danger", "yes"), True),
        (answer("support", "doctor", "lawyer"), True),
        (answer("danger", "no"), False),
        (answer("support", ""), False),
        (answer("how", "danger"), False),
    ],
    ids=["danger", "support", "no danger", "nothing said", "another question"],
)
def test_danger_and_calls_for_support_are_listed_first(
    *,
    desk: Vault,
    relay: FakeRelay,
    reporter: ReporterKeys,
    bundle: Path,
    answers: Answer,
    urgent: bool,
) -> None:
    older = generate_throwaway_keys()
    first = relay.send(older, relay.report(older, day=DAY - timedelta(days=30)))
    second = relay.send(reporter, relay.report(reporter, answers=(answers,)))
    _take(desk, relay.cut(bundle, [first, second]))
    top = list_cases(desk, today=DAY)[0]
    assert top.urgent is urgent
    assert (top.received == DAY) is urgent


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
    desk: Vault, relay: FakeRelay, reporter: ReporterKeys, bundle: Path
) -> None:
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
    assert len(list_cases(desk, today=DAY)) == 1


def _reader(path: Path) -> ArchiveReader:
    octets = path.read_bytes()
    return ArchiveReader(lambda at, length: octets[at : at + length], len(octets))


def test_her_name_is_found_by_fingerprint_and_not_by_name(
    desk: Vault, relay: FakeRelay, anna: Counselor, bundle: Path
) -> None:
    renamed = (
        RecipientCertificate(RecipientName("anna"), Fingerprint("B" * 40), b"another's"),
        RecipientCertificate(RecipientName("zora"), anna.certificate.fingerprint, b"hers"),
    )
    _take(desk, relay.cut(bundle, [], certificates=renamed))
    assert read_desk(desk).counselor == "zora"
