"""The container: what goes into it, how strictly it is run, and that it works."""

import re
import subprocess
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
DOCKERFILE = (ROOT / "Dockerfile").read_text()
UNIT = "deploy/sotto.service"
COMPOSE = (ROOT / "compose.yaml").read_text()


def test_build_context_holds_every_package_and_nothing_that_is_no_part_of_the_relay() -> None:
    let_in = {
        line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line[:1] == "!"
    }
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    packages = {name.partition(".")[0] for name in project["tool"]["setuptools"]["packages"]}
    assert packages <= let_in
    assert let_in - packages == {"LICENSE", "README.md", "pyproject.toml", "requirements*"}
    assert (ROOT / ".dockerignore").read_text().startswith("*\n")


def test_every_python_package_of_the_image_is_locked_by_its_hash() -> None:
    installs = re.findall(r"pip install [^\n]*", DOCKERFILE)
    assert len(installs) == 3
    for install in installs:
        assert "--require-hashes" in install or ("--no-deps" in install and "--no-index" in install)


def test_image_names_no_source_of_packages_and_runs_as_nobody_in_particular() -> None:
    for text in (DOCKERFILE, COMPOSE):
        assert "://" not in text
    assert re.search(r"^USER sotto$", DOCKERFILE, re.MULTILINE)
    assert re.findall(r"^VOLUME (.*)$", DOCKERFILE, re.MULTILINE) == ["/data"]
    assert "EXPOSE" not in DOCKERFILE
    assert "<<" not in DOCKERFILE  # older builders know no heredocs


def test_composition_gives_the_container_nothing_but_its_volume() -> None:
    for line in ("read_only: true", "cap_drop: [ALL]", "no-new-privileges:true", "core: 0"):
        assert line in COMPOSE
    for door in ("ports:", "privileged", "network_mode", "cap_add", "devices:", "pid:"):
        assert door not in COMPOSE


def test_unit_passes_its_own_reading_by_systemd() -> None:
    done = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", "--threshold=15", UNIT],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr  # 1.5 of 10 points: OK


@pytest.mark.proof
@pytest.mark.claim("C1")
def test_image_built_here_serves_and_writes_to_its_volume_alone() -> None:
    done = subprocess.run(
        [str(ROOT / "scripts" / "image-test")], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "the image works" in done.stdout
