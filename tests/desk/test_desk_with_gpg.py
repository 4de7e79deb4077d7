"""A counselor needs nothing of ours: stock gpg and unzip read what the desk reads."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from relayside import NOW, PASSPHRASE, Counselor, FakeRelay, SealedEnvelope

from desk.desk import create_desk
from desk.extracting import extract_case
from desk.importing import import_bundle
from desk.records import CaseRecord
from desk.vault import Vault
from keys.certificate import read_certificate
from protocol.derivation import ReporterKeys, generate_throwaway_keys

pytestmark = pytest.mark.slow

FILES = {
    "صورة.jpg": bytes(range(256)) * 700,
    "-rf \u202e * .txt": b"odd",
    "empty": b"",
}
PARAMETERS = "Key-Type: EDDSA\nKey-Curve: ed25519\nSubkey-Type: ECDH\nSubkey-Curve: cv25519\n"


class Gpg:
    """Stock gpg with a home of its own; nothing of the project is involved."""

    def __init__(self, home: Path) -> None:
        self._environment = {**os.environ, "GNUPGHOME": str(home)}

    def run(self, *words: object, exits: int = 0, feed: bytes | None = None) -> bytes:
        unlock = ("--pinentry-mode", "loopback", "--passphrase", PASSPHRASE)
        done = subprocess.run(
            ["gpg", "--batch", "--yes", *unlock, *map(str, words)],
            env=self._environment,
            input=feed,
            capture_output=True,
            check=False,
            timeout=60,
        )
        assert done.returncode == exits, done.stderr.decode()
        return done.stdout

    def stop(self) -> None:
        subprocess.run(["gpgconf", "--kill", "all"], env=self._environment, check=True, timeout=60)


@pytest.fixture
def gpg(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gpg]:
    home = tmp_path_factory.mktemp("g")
    home.chmod(0o700)
    stock = Gpg(home)
    yield stock
    stock.stop()


@pytest.fixture
def sent(relay: FakeRelay, reporter: ReporterKeys) -> SealedEnvelope:
    text = "تقرير طويل. " * 400 + "\x1b[31m"
    return relay.send(reporter, relay.report(reporter, text=text), files=FILES)


@pytest.mark.claim("C7")
def test_gpg_and_unzip_read_from_a_bundle_what_the_desk_extracts(
    *,
    gpg: Gpg,
    desk: Vault,
    relay: FakeRelay,
    anna: Counselor,
    sent: SealedEnvelope,
    tmp_path: Path,
) -> None:
    bundle = relay.cut(tmp_path / "bundle.zip", [sent, relay.cover()])
    import_bundle(desk, bundle, now=NOW)
    (case,) = desk.all(CaseRecord)
    ours = extract_case(desk, case, tmp_path / "ours")

    gpg.run("--import", feed=relay.secret_key.certificate)
    gpg.run("--import", feed=anna.armored)
    subprocess.run(["unzip", "-q", bundle, "-d", tmp_path / "b"], check=True, timeout=60)
    gpg.run("--verify", tmp_path / "b/bundle.json.asc", tmp_path / "b/bundle.json")
    content = tmp_path / "envelope.zip"
    gpg.run("-o", content, "-d", tmp_path / "b/envelopes" / f"{sent.id.hex()}.pgp")
    subprocess.run(["unzip", "-q", content, "-d", tmp_path / "theirs"], check=True, timeout=60)

    theirs = [path for path in (tmp_path / "theirs").rglob("*") if path.is_file()]
    assert sorted(path.read_bytes() for path in theirs) == sorted(
        path.read_bytes() for path in ours
    )
    assert sorted(path.name for path in theirs) == sorted(path.name for path in ours)
    assert {FILES[name] for name in FILES} <= {path.read_bytes() for path in ours}


@pytest.mark.claim("C7")
def test_gpg_refuses_a_tampered_bundle_and_a_bundle_of_another_relay(
    gpg: Gpg, relay: FakeRelay, berta: Counselor, tmp_path: Path
) -> None:
    gpg.run("--import", feed=relay.secret_key.certificate)
    bundle = relay.cut(tmp_path / "bundle.zip", [], signer=berta.secret_key)
    subprocess.run(["unzip", "-q", bundle, "-d", tmp_path / "b"], check=True, timeout=60)
    gpg.run("--verify", tmp_path / "b/bundle.json.asc", tmp_path / "b/bundle.json", exits=2)


@pytest.mark.claim("C7")
def test_gpg_of_one_who_was_left_out_finds_no_key(
    gpg: Gpg, relay: FakeRelay, berta: Counselor, tmp_path: Path
) -> None:
    sent = relay.send(generate_throwaway_keys(), blind=["berta"])
    (tmp_path / "e.pgp").write_bytes(sent.ciphertext)
    gpg.run("--import", feed=berta.armored)
    assert gpg.run("-d", tmp_path / "e.pgp", exits=2) == b""


@pytest.mark.claim("C7")
def test_gpg_opens_the_vault_key_when_nothing_of_ours_is_left(
    gpg: Gpg, desk: Vault, anna: Counselor
) -> None:
    gpg.run("--import", feed=anna.armored)
    assert b'"key":"' in gpg.run("-d", desk.directory / "vault.pgp")


@pytest.mark.claim("C7")
def test_a_key_made_and_exported_by_gpg_serves_the_desk(
    gpg: Gpg, relay: FakeRelay, reporter: ReporterKeys, tmp_path: Path
) -> None:
    when = ("--faked-system-time", "20260102T000000")
    script = f"{PARAMETERS}Name-Real: counselor\nExpire-Date: 0\n%commit\n"
    gpg.run(*when, "--gen-key", feed=script.encode())
    armored = gpg.run("--armor", "--export-secret-keys")
    (tmp_path / "key.asc").write_bytes(armored)
    (tmp_path / "relay.asc").write_bytes(relay.secret_key.certificate)
    with create_desk(
        tmp_path / "desk",
        key_path=tmp_path / "key.asc",
        relay_path=tmp_path / "relay.asc",
        passphrase=PASSPHRASE,
        now=NOW,
    ) as desk:
        opened = desk.secret_key
        made = read_certificate(gpg.run("--armor", "--export")).fingerprint
        assert opened.fingerprint == made
        hers = Counselor.of("gabi", armored, opened)
        relay.counselors = [*relay.counselors, hers]
        told = import_bundle(desk, relay.cut(tmp_path / "b", [relay.send(reporter)]), now=NOW)
        assert (len(told.arrivals), told.told) == (1, [])
