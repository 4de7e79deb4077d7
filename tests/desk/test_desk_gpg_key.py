"""A counselor whose key gpg keeps: real gpg, its agent, and a pinentry that asks."""

import os
import subprocess
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest
from agent import Agent, running_agent
from click.testing import CliRunner, Result
from relayside import NOW, PASSPHRASE, Counselor, FakeRelay, open_page

from desk.backup import back_up, restore
from desk.desk import create_gpg_desk, read_desk
from desk.gpgkey import GpgKey, find_gpg_key
from desk.importing import import_bundle
from desk.records import EnvelopeRecord
from desk.screens.session import Session
from desk.succession import propose_successor
from desk.unlocking import open_vault, open_with
from desk.vault import Vault
from keys.certificate import read_certificate
from keys.lock import generate_session_key, make_blind_lock, make_lock
from keys.signature import verify_detached
from protocol.derivation import ReporterKeys, generate_throwaway_keys
from protocol.errors import KeyMaterialError
from sotto.cli import main

pytestmark = pytest.mark.slow


@pytest.fixture
def agent(anna: Counselor, monkeypatch: pytest.MonkeyPatch) -> Iterator[Agent]:
    """Give an agent that keeps anna's key, as the desk's process finds it."""
    with running_agent() as running:
        running.imports(anna.armored)
        monkeypatch.setenv("GNUPGHOME", str(running.home))
        yield running


@pytest.fixture
def key(agent: Agent, anna: Counselor) -> GpgKey:
    return GpgKey(certificate=anna.secret_key.certificate)


@pytest.fixture
def gpg_desk(agent: Agent, anna: Counselor, relay: FakeRelay, tmp_path: Path) -> Iterator[Vault]:
    (tmp_path / "relay.asc").write_bytes(relay.secret_key.certificate)
    with create_gpg_desk(
        tmp_path / "desk",
        fingerprint=anna.secret_key.fingerprint,
        relay_path=tmp_path / "relay.asc",
        now=NOW,
    ) as desk:
        yield desk


def test_a_lock_opens_through_gpg_to_exactly_its_session_key(
    key: GpgKey, anna: Counselor, berta: Counselor
) -> None:
    session_key = generate_session_key()
    locks = [make_lock(one.certificate, session_key) for one in (berta, anna)]
    assert key.open_lock(locks) == session_key


def test_a_blind_lock_gives_nothing_and_hides_no_true_one_behind_it(
    key: GpgKey, anna: Counselor
) -> None:
    session_key = generate_session_key()
    blind, true = make_blind_lock(anna.certificate), make_lock(anna.certificate, session_key)
    assert key.open_lock([blind]) is None
    assert key.open_lock([blind, true]) == session_key
    assert key.open_lock([true, blind]) == session_key


def test_a_damaged_lock_of_hers_is_nobodys_and_no_fault_of_the_card(
    key: GpgKey, anna: Counselor
) -> None:
    lock = bytearray(make_lock(anna.certificate, generate_session_key()))
    lock[-3] ^= 1
    assert key.open_lock([bytes(lock), b"\xff", b""]) is None


def test_a_lock_for_another_counselor_does_not_even_ask_for_the_pin(
    key: GpgKey, agent: Agent, berta: Counselor
) -> None:
    assert key.open_lock([make_lock(berta.certificate, generate_session_key())]) is None
    assert agent.times_asked == 0


def test_a_pin_that_is_refused_is_never_taken_for_a_lock_of_somebody_else(
    key: GpgKey, agent: Agent, anna: Counselor
) -> None:
    session_key = generate_session_key()
    agent.cancels(True)
    with pytest.raises(KeyMaterialError, match="connect its card"):
        key.open_lock([make_lock(anna.certificate, session_key)])
    agent.cancels(False)
    assert key.open_lock([make_lock(anna.certificate, session_key)]) == session_key


def test_a_secret_that_gpg_does_not_hold_is_told(agent: Agent, berta: Counselor) -> None:
    agent.imports(berta.secret_key.certificate)
    stranger = GpgKey(certificate=berta.secret_key.certificate)
    with pytest.raises(KeyMaterialError, match="connect its card"):
        stranger.open_lock([make_lock(berta.certificate, generate_session_key())])
    with pytest.raises(KeyMaterialError, match="did not sign"):
        stranger.sign_detached(b"words", created=NOW)
    with pytest.raises(KeyMaterialError, match="connect its card"):
        find_gpg_key(berta.secret_key.fingerprint, now=NOW)


def test_a_machine_without_gpg_is_told(key: GpgKey, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as bare, pytest.raises(KeyMaterialError, match="install gnupg"):
        bare.setenv("PATH", "/nonexistent")
        key.sign_detached(b"words", created=NOW)


def test_gpg_signs_with_the_time_of_the_desk_and_for_everybody(
    key: GpgKey, anna: Counselor
) -> None:
    signature = key.sign_detached(b"words", created=NOW)
    before = NOW.replace(year=2025)
    verify_detached(
        b"words",
        signature,
        certificate=anna.secret_key.certificate,
        pinned=anna.secret_key.fingerprint,
        now=NOW,
    )
    with pytest.raises(KeyMaterialError):
        key.sign_detached(b"words", created=before)


def test_neither_words_nor_session_keys_reach_a_command_line_or_a_file(
    key: GpgKey, agent: Agent, anna: Counselor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    session_key, words = generate_session_key(), b"canary of what is signed"
    trace = tmp_path / "trace"
    real = subprocess.run

    def traced(command: list[str], **options: object) -> object:
        watch = ("-e", "trace=execve,openat,creat,write", "-s", "4096", "-xx", "-y", "-A")
        strace = ["strace", "-f", *watch, "-o", str(trace), *command]
        return real(strace, **options)  # type: ignore[call-overload]  # passed on as it came

    monkeypatch.setattr("desk.gpgkey.subprocess.run", traced)
    assert key.open_lock([make_lock(anna.certificate, session_key)]) == session_key
    key.sign_detached(words, created=NOW)
    seen = trace.read_text()
    calls = [line for line in seen.splitlines() if "write(" in line or "execve(" in line]
    for secret in (session_key, session_key.hex().upper().encode(), words):
        spelled = "".join(f"\\x{octet:02x}" for octet in secret)
        told = [line for line in calls if spelled in line]
        assert all("write(" in line and _to_a_pipe_or_socket(line) for line in told), told
    spelled = "".join(f"\\x{octet:02x}" for octet in session_key.hex().upper().encode())
    assert any(spelled in line for line in calls)  # or the trace saw nothing
    leaving = [one for one in tmp_path.rglob("*") if one != trace and one.is_file()]
    for file in (*leaving, *(one for one in agent.home.rglob("*") if one.is_file())):
        assert words not in file.read_bytes()


def _to_a_pipe_or_socket(line: str) -> bool:
    place = line.partition("write(")[2].partition(",")[0]
    name = bytes.fromhex("".join(place.partition("<")[2].removesuffix(">").split("\\x")))
    return name.startswith((b"pipe:", b"socket:", b"UNIX", os.devnull.encode()))


def test_the_desk_of_a_gpg_key_holds_no_secret_key(
    gpg_desk: Vault, agent: Agent, anna: Counselor
) -> None:
    assert agent.times_asked > 0
    assert read_desk(gpg_desk).fingerprint == anna.secret_key.fingerprint
    certificate = read_certificate((gpg_desk.directory / "key.asc").read_bytes())
    assert certificate.fingerprint == anna.secret_key.fingerprint
    for file in gpg_desk.directory.rglob("*"):
        assert not file.is_file() or b"PRIVATE KEY" not in file.read_bytes()


def test_an_import_without_the_pin_stops_and_files_nothing(
    gpg_desk: Vault, agent: Agent, relay: FakeRelay, reporter: ReporterKeys, bundle: Path
) -> None:
    relay.cut(bundle, [relay.send(reporter)])
    agent.cancels(True)
    with pytest.raises(KeyMaterialError):
        import_bundle(gpg_desk, bundle, now=NOW)
    assert list(gpg_desk.all(EnvelopeRecord)) == []
    agent.cancels(False)
    assert len(import_bundle(gpg_desk, bundle, now=NOW).arrivals) == 1


def test_a_backup_of_a_gpg_desk_comes_back_with_the_same_card(
    gpg_desk: Vault, relay: FakeRelay, reporter: ReporterKeys, bundle: Path, tmp_path: Path
) -> None:
    import_bundle(gpg_desk, relay.cut(bundle, [relay.send(reporter)]), now=NOW)
    back_up(gpg_desk, tmp_path / "stick", now=NOW)
    with restore(tmp_path / "stick", tmp_path / "again", passphrase="") as again:
        assert len(import_bundle(again, bundle, now=NOW).told) == 0
        assert {one.state for one in again.all(EnvelopeRecord)} == {"read"}


def test_the_browser_opens_the_vault_again_without_asking_the_card(
    gpg_desk: Vault, agent: Agent
) -> None:
    with open_vault(gpg_desk.directory, "") as vault:
        kept = vault.secret_key
    agent.cancels(True)
    with open_with(gpg_desk.directory, kept) as again:
        assert read_desk(again).fingerprint == kept.fingerprint


def test_a_desk_that_was_locked_asks_for_the_pin_again(gpg_desk: Vault, agent: Agent) -> None:
    moments = iter(range(100))
    session = Session(
        directory=gpg_desk.directory, clock=lambda: NOW, monotonic=lambda: float(next(moments))
    )
    session.unlock("")
    asked = agent.times_asked
    session.open_vault().close()
    assert agent.times_asked == asked
    session.lock()
    session.unlock("")
    assert agent.times_asked > asked


def test_a_key_on_a_card_follows_one_in_a_file_and_the_other_way_round(
    *,
    desk: Vault,
    agent: Agent,
    relay: FakeRelay,
    reporter: ReporterKeys,
    bundle: Path,
) -> None:
    def goes_over(to: Counselor, file: bytes, words: tuple[str, str], number: int) -> None:
        propose_successor(
            desk, key_file=file, passphrase=words[1], former_passphrase=words[0], now=NOW
        )
        relay.counselors = [to, *relay.counselors[1:]]
        relay.cut(bundle, [], number=number)
        assert import_bundle(desk, bundle, now=NOW).told == []
        assert desk.secret_key.fingerprint == to.secret_key.fingerprint

    on_card, in_file = Counselor.make("anna"), Counselor.make("anna")
    agent.imports(on_card.armored)
    late = [relay.send(reporter)]
    import_bundle(desk, relay.cut(bundle, []), now=NOW)
    certificate = find_gpg_key(on_card.secret_key.fingerprint, now=NOW).certificate
    goes_over(on_card, certificate, (PASSPHRASE, ""), 2)
    assert b"PRIVATE KEY" not in (desk.directory / "key.asc").read_bytes()
    late.append(relay.send(generate_throwaway_keys()))
    goes_over(in_file, in_file.armored, ("", PASSPHRASE), 3)

    agent.cancels(True)
    with open_vault(desk.directory, PASSPHRASE) as again:
        relay.cut(bundle, late, number=4)
        report = import_bundle(again, bundle, now=NOW)
        assert len(report.arrivals) == 1
        assert any("former key of yours" in one for one in report.told)
        agent.cancels(False)
        assert len(import_bundle(again, bundle, now=NOW).arrivals) == 1


def test_the_daily_round_by_commands_asks_for_no_passphrase_of_ours(
    *,
    agent: Agent,
    anna: Counselor,
    relay: FakeRelay,
    reporter: ReporterKeys,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def standing() -> datetime:
        return NOW

    monkeypatch.setattr("sotto.commands.desk._now", standing)
    (tmp_path / "relay.asc").write_bytes(relay.secret_key.certificate)

    def sotto(*words: object, exits: int = 0) -> Result:
        args = ["desk", str(words[0]), "--data", str(tmp_path / "desk"), *map(str, words[1:])]
        result = CliRunner().invoke(main, args)
        assert result.exit_code == exits, result.output
        assert "assphrase" not in result.output
        return result

    spoken = anna.secret_key.fingerprint
    sotto("init", "--relay", tmp_path / "relay.asc", "--gpg", "ABCD", exits=1)
    sotto("init", "--relay", tmp_path / "relay.asc", exits=2)
    sotto("init", "--relay", tmp_path / "relay.asc", "--gpg", spoken.lower())
    bundle = relay.cut(tmp_path / "bundle", [relay.send(reporter), relay.cover()])
    said = sotto("import", bundle).stdout
    case = said.partition("opens case ")[2].partition(".")[0]
    (tmp_path / "reply").write_text("We read it.")
    sotto("reply", case, "--text-file", tmp_path / "reply")
    sotto("export", "--out", tmp_path / "dispatch")
    page = open_page(relay.read_dispatch(tmp_path / "dispatch", anna), reporter)
    assert [one.text for one in page.replies] == ["We read it."]
    assert PASSPHRASE.encode() not in b"".join(
        one.read_bytes() for one in (tmp_path / "desk").rglob("*") if one.is_file()
    )
