"""`sotto keys`: who is sealed to, decided at the relay's console."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from keys.secretkey import generate_secret_key, read_secret_key
from relay.deployment import init_deployment, open_deployment
from tests.journeys.people import run_command

MADE = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    init_deployment(folder, now=MADE)
    return folder


def certificate(folder: Path, name: str) -> tuple[Path, str]:
    armored = generate_secret_key(user_id=name, passphrase=None, created=MADE, expires=None)
    key = read_secret_key(armored, None)
    path = folder / f"{name}.asc"
    path.write_bytes(key.certificate)
    return path, key.fingerprint


def fingerprints(data: Path) -> list[str]:
    deployment = open_deployment(data, serving=False)
    try:
        return [one.fingerprint for one in deployment.store.recipients()]
    finally:
        deployment.close()


def test_a_person_is_added_by_her_fingerprint_and_refused_by_another(
    data: Path, tmp_path: Path
) -> None:
    path, fingerprint = certificate(tmp_path, "anna")
    wrong = run_command(
        "keys", "add", "anna", str(path), "--fingerprint", "0" * 40, "--data", str(data),
        refused=True,
    )  # fmt: skip
    assert "another fingerprint" in wrong.stderr
    assert fingerprints(data) == []
    run_command("keys", "add", "anna", str(path), "--fingerprint", fingerprint, "--data", str(data))
    assert fingerprints(data) == [fingerprint]
    assert fingerprint in run_command("keys", "list", "--data", str(data)).stdout


def test_a_new_certificate_takes_the_place_of_the_old_one_only_when_told_so(
    data: Path, tmp_path: Path
) -> None:
    old, first = certificate(tmp_path, "anna")
    new, second = certificate(tmp_path, "anna-2")
    base = ("--data", str(data))
    run_command("keys", "add", "anna", str(old), "--fingerprint", first, *base)
    run_command("keys", "add", "anna", str(new), "--fingerprint", second, *base, refused=True)
    assert fingerprints(data) == [first]
    run_command("keys", "add", "anna", str(new), "--fingerprint", second, "--replace", *base)
    assert fingerprints(data) == [second]


def test_a_retired_person_and_a_secret_key_are_told(data: Path, tmp_path: Path) -> None:
    path, fingerprint = certificate(tmp_path, "anna")
    base = ("--data", str(data))
    run_command("keys", "add", "anna", str(path), "--fingerprint", fingerprint, *base)
    run_command("keys", "retire", "anna", *base)
    assert fingerprints(data) == []
    assert "retired" in run_command("keys", "list", *base).stdout
    secret = tmp_path / "secret.asc"
    secret.write_bytes(
        generate_secret_key(user_id="x", passphrase=None, created=MADE, expires=None)
    )
    assert "secret" in run_command("keys", "check", str(secret), refused=True).stderr
