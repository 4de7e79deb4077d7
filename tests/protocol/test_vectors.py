import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from vector_files import VECTORS

from protocol import errors

ROOT = VECTORS.parents[1]
FILES = sorted(VECTORS.glob("make_*.py"))
OUTCOMES = {"success", *(name for name in vars(errors) if name.endswith("Error"))}


def check(folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, folder / "generate.py", "--check"],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
    )


def test_vectors_are_what_their_generators_make() -> None:
    checked = check(VECTORS)
    assert (checked.returncode, checked.stderr) == (0, "")


def test_vectors_that_differ_from_their_generator_fail_the_check(tmp_path: Path) -> None:
    shutil.copy(VECTORS / "generate.py", tmp_path)
    shutil.copy(VECTORS / "make_padding.py", tmp_path)
    document = (VECTORS / "padding.json").read_text("utf-8")
    (tmp_path / "padding.json").write_text(document.replace("16384", "16385", 1), "utf-8")
    checked = check(tmp_path)
    assert checked.returncode == 1
    assert "padding.json" in checked.stderr
    (tmp_path / "padding.json").unlink()
    assert check(tmp_path).returncode == 1


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem.removeprefix("make_"))
def test_vectors_of_each_format_have_names_and_a_known_outcome(path: Path) -> None:
    name = path.stem.removeprefix("make_")
    vectors = json.loads((VECTORS / f"{name}.json").read_text("utf-8"))
    assert len({vector["name"] for vector in vectors}) == len(vectors)
    assert {vector["expect"] for vector in vectors} <= OUTCOMES


def test_vectors_named_in_the_specification_exist() -> None:
    specification = (ROOT / "docs" / "PROTOCOL.md").read_text("utf-8")
    named = set(re.findall(r"`([a-z]+)\.json`", specification)) - {"report", "manifest"}
    named -= {"bundle", "dispatch"}  # also the names of heads inside their archives
    assert {"sealing", "archive", "envelope", "chunked", "canonical", "padding"} <= named
    assert all((VECTORS / f"{name}.json").exists() for name in named)
