"""The record: appended to, signed, verifiable by others with stock tools, redacted or not."""

import hashlib
import os
import re
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from relayside import PASSPHRASE
from twodesks import Desk, Office, affected, answer

from desk.casework.handling import set_risk, tick_duty
from desk.casework.handover import export_record
from desk.casework.noting import add_note
from desk.casework.record import Act, RecordHead, RecordLink, append, record_files
from desk.casework.sharing import export_copy
from desk.casework.verifying import read_record, verify_files, verify_folder, verify_record
from desk.vault import Vault
from protocol.derivation import ReporterKeys
from protocol.errors import AuthenticityError

pytestmark = pytest.mark.clause("P35")
SPEC = Path(__file__).parents[3] / "docs" / "RECORD.md"
SECRET = "She works in the archive."


@pytest.fixture
def desk(first: Desk, office: Office, reporter: ReporterKeys) -> Desk:
    office.writes(reporter, *affected("pass-on"), answer("name", "Testname"))
    first.imports()
    case = first.case(reporter)
    tick_duty(first.vault, case, "support", "Called a doctor.", now=first.now)
    add_note(first.vault, case, SECRET, now=first.now)
    set_risk(first.vault, case, "high", "Lives near them.", now=first.now)
    return first


def test_the_record_tells_who_did_what_when_and_why(desk: Desk, reporter: ReporterKeys) -> None:
    entries = read_record(desk.vault, desk.case(reporter).name)
    assert [one.act for one in entries] == ["opened", "arrived", "duty", "note", "risk"]
    duty = entries[2]
    assert (duty.by, duty.why, duty.moment) == ("counselor-1", "Called a doctor.", desk.now)
    assert duty.what == {"duty": "support"}
    assert duty.fingerprint == desk.counselor.secret_key.fingerprint


def _change(vault: Vault, case: str, number: int, **update: object) -> None:
    link = vault.get(RecordLink, f"{case}/{number}")
    assert link is not None
    with vault.changes():
        vault.put(link.model_copy(update=update))


@pytest.mark.parametrize(
    "changed",
    [
        pytest.param("entry", id="another word in an entry"),
        pytest.param("link", id="another link"),
        pytest.param("signature", id="the signature of another link"),
    ],
)
def test_a_record_that_was_changed_in_the_vault_is_refused(
    desk: Desk, reporter: ReporterKeys, changed: str
) -> None:
    case = desk.case(reporter).name
    other = desk.vault.get(RecordLink, f"{case}/3")
    mine = desk.vault.get(RecordLink, f"{case}/4")
    assert other is not None
    assert mine is not None
    assert mine.entry is not None
    value = {
        "entry": mine.entry.replace(b"archive", b"canteen"),
        "link": mine.link.replace(b"record", b"recorc"),
        "signature": other.signature,
    }[changed]
    _change(desk.vault, case, 4, **{changed: value})
    with pytest.raises(AuthenticityError):
        verify_record(desk.vault, case)


def test_a_record_whose_end_was_cut_off_is_refused(desk: Desk, reporter: ReporterKeys) -> None:
    case = desk.case(reporter).name
    with desk.vault.changes():
        desk.vault.remove(RecordLink, f"{case}/5")
    with pytest.raises(AuthenticityError):
        verify_record(desk.vault, case)


def test_a_record_whose_head_was_set_back_to_an_older_link_of_it_is_refused(
    desk: Desk, reporter: ReporterKeys
) -> None:
    case = desk.case(reporter).name
    head = desk.vault.get(RecordHead, case)
    assert head is not None
    with desk.vault.changes():
        desk.vault.put(head.model_copy(update={"count": 4}))
    with pytest.raises(AuthenticityError):
        verify_record(desk.vault, case)


def test_the_same_words_twice_are_committed_to_under_two_salts(
    desk: Desk, reporter: ReporterKeys
) -> None:
    for _ in range(2):
        add_note(desk.vault, desk.case(reporter), "The same.", now=desk.now)
    files = record_files(desk.vault, desk.case(reporter).name)
    salts = [data[:64] for name, data in files.items() if name.endswith(".entry")]
    assert len(set(salts)) == len(salts) == 7
    assert all(re.fullmatch(rb"[0-9a-f]{64}", salt) for salt in salts)


def _without_the_chain(link: bytes, entry: bytes) -> tuple[bytes, bytes]:
    return b"".join(one for one in link.splitlines(True) if b".link" not in one), entry


def _from_another_case(link: bytes, entry: bytes) -> tuple[bytes, bytes]:
    salt, content = entry.split(b"\n", 1)
    return _committed(link, salt + b"\n" + re.sub(rb'"case":"[^"]*"', b'"case":"0"', content))


def _at_another_time(link: bytes, entry: bytes) -> tuple[bytes, bytes]:
    return _committed(link, entry.replace(b"2026-11-20T09", b"2026-11-20T08"))


def _committed(link: bytes, entry: bytes) -> tuple[bytes, bytes]:
    digest = hashlib.sha256(entry).hexdigest().encode()
    return re.sub(rb"[0-9a-f]{64}(  [0-9]+\.entry)", digest + rb"\1", link), entry


@pytest.mark.parametrize("forge", [_without_the_chain, _from_another_case, _at_another_time])
def test_a_last_link_that_she_signed_otherwise_than_a_desk_does_is_refused(
    desk: Desk, reporter: ReporterKeys, forge: Callable[[bytes, bytes], tuple[bytes, bytes]]
) -> None:
    case = desk.case(reporter).name
    files, key = record_files(desk.vault, case), desk.counselor.secret_key
    link, entry = forge(files["0005.link"], files["0005.entry"])
    assert (link, entry) != (files["0005.link"], files["0005.entry"])
    signature = key.sign_detached(link, created=desk.now)
    altered = {"0005.link": link, "0005.entry": entry, "0005.link.asc": signature}
    assert len(verify_files(files, trusted=[key.fingerprint])) == 5
    with pytest.raises(AuthenticityError):
        verify_files({**files, **altered}, trusted=[key.fingerprint])


def test_a_refused_change_leaves_no_entry(desk: Desk, reporter: ReporterKeys) -> None:
    case = desk.case(reporter).name
    before = len(read_record(desk.vault, case))
    with pytest.raises(RuntimeError), desk.vault.changes():
        append(desk.vault, case, Act.NOTE, by="x", why="y", what={}, now=desk.now)
        raise RuntimeError
    assert len(read_record(desk.vault, case)) == before


def test_a_redacted_export_verifies_and_does_not_hold_what_was_left_out(
    desk: Desk, reporter: ReporterKeys, tmp_path: Path
) -> None:
    export_record(desk.vault, desk.case(reporter), tmp_path / "out", redacted=True, now=desk.now)
    folder = tmp_path / "out" / "record"
    entries = verify_folder(folder, trusted=[desk.counselor.secret_key.fingerprint])
    assert [one.redacted for one in entries] == [False, False, True, True, True, True]
    assert all(SECRET.encode() not in path.read_bytes() for path in folder.iterdir())


@pytest.mark.parametrize(
    "gone",
    ["0003.link", "0006.link", "0002.link.asc", "key.asc", "0003.*", "000[34].*", "000[345].*"],
)
def test_an_export_that_lacks_a_file_other_than_a_last_link_is_refused(
    desk: Desk, reporter: ReporterKeys, tmp_path: Path, gone: str
) -> None:
    export_record(desk.vault, desk.case(reporter), tmp_path / "out", redacted=False, now=desk.now)
    folder = tmp_path / "out" / "record"
    for one in folder.glob(gone):
        one.unlink()
    with pytest.raises(AuthenticityError):
        verify_folder(folder, trusted=[desk.counselor.secret_key.fingerprint])


def test_an_export_signed_by_a_stranger_is_refused(
    desk: Desk, second: Desk, reporter: ReporterKeys, tmp_path: Path
) -> None:
    export_record(desk.vault, desk.case(reporter), tmp_path / "out", redacted=False, now=desk.now)
    with pytest.raises(AuthenticityError):
        verify_folder(
            tmp_path / "out" / "record", trusted=[second.counselor.secret_key.fingerprint]
        )


@pytest.fixture
def gpg_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    home = tmp_path_factory.mktemp("g")
    home.chmod(0o700)
    environment = {**os.environ, "GNUPGHOME": str(home)}
    yield environment
    subprocess.run(["gpgconf", "--kill", "all"], env=environment, check=True, timeout=60)


def _documented_commands() -> str:
    blocks = re.findall(r"```sh\n# verify a record\n(.*?)```", SPEC.read_text(), re.DOTALL)
    assert len(blocks) == 1
    return str(blocks[0])


def _run(folder: Path, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["bash", "-c", _documented_commands()],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize("redacted", [True, False])
def test_the_commands_of_the_specification_verify_an_export_with_gpg_and_sha256sum(
    *,
    desk: Desk,
    reporter: ReporterKeys,
    tmp_path: Path,
    gpg_home: dict[str, str],
    redacted: bool,
) -> None:
    export_record(
        desk.vault, desk.case(reporter), tmp_path / "out", redacted=redacted, now=desk.now
    )
    done = _run(tmp_path / "out" / "record", gpg_home)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("is whole") == 6


@pytest.mark.parametrize(
    "spoil",
    [
        pytest.param(("0002.entry", b"arrived", b"arrivex"), id="a word in an entry"),
        pytest.param(("0003.link", b" 3 ", b" 4 "), id="a link"),
        pytest.param(("0005.link", b"0004.link", b"0003.link"), id="the order of links"),
    ],
)
def test_the_commands_of_the_specification_refuse_an_export_that_was_changed(
    *,
    desk: Desk,
    reporter: ReporterKeys,
    tmp_path: Path,
    gpg_home: dict[str, str],
    spoil: tuple[str, bytes, bytes],
) -> None:
    export_record(desk.vault, desk.case(reporter), tmp_path / "out", redacted=False, now=desk.now)
    name, old, new = spoil
    path = tmp_path / "out" / "record" / name
    assert old in path.read_bytes()
    path.write_bytes(path.read_bytes().replace(old, new))
    assert _run(tmp_path / "out" / "record", gpg_home).returncode != 0


def test_gpg_and_unzip_read_a_file_between_desks_and_verify_who_signed_it(
    *,
    both: tuple[Desk, Desk],
    office: Office,
    reporter: ReporterKeys,
    tmp_path: Path,
    gpg_home: dict[str, str],
) -> None:
    first, second = both
    office.writes(reporter, *affected())
    for desk in both:
        desk.imports()
    path = office.stick("copy")
    export_copy(first.vault, first.case(reporter), second.name, path, now=first.now)
    (tmp_path / "secret.asc").write_bytes(second.counselor.armored)
    (tmp_path / "first.asc").write_bytes(first.counselor.secret_key.certificate)
    unlock = ["--batch", "--pinentry-mode", "loopback", "--passphrase", PASSPHRASE]
    for words in (
        ["gpg", *unlock, "--quiet", "--import", "secret.asc", "first.asc"],
        ["gpg", *unlock, "--quiet", "--output", "x.zip", "--decrypt", str(path)],
        ["unzip", "-q", "x.zip"],
        ["gpg", "--quiet", "--verify", "document.json.asc", "document.json"],
    ):
        done = subprocess.run(
            words, cwd=tmp_path, env=gpg_home, capture_output=True, timeout=60, check=False
        )
        assert done.returncode == 0, done.stderr
    assert b'"type":"sotto colleague"' in (tmp_path / "document.json").read_bytes()
