"""Only free and open-source software stands in the whole path."""

import re
from importlib.metadata import distribution
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).parent.parent
FREE = re.compile(r"MIT|BSD|Apache|ISC|MPL|Mozilla|PSF|Python Software|LGPL|GPL|Public Domain")


def locked() -> list[str]:
    """Return the names of what a relay or a desk installs on this system."""
    lines = (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    wanted = [Requirement(line.split(" \\")[0]) for line in lines if re.match(r"[a-z0-9]", line)]
    return [one.name for one in wanted if one.marker is None or one.marker.evaluate()]


@pytest.mark.clause("P15")
@pytest.mark.parametrize("name", locked())
def test_a_locked_package_says_that_it_is_free_software(name: str) -> None:
    metadata = distribution(name).metadata
    said = [metadata.get("License-Expression") or "", metadata.get("License") or ""]
    said += [c for c in metadata.get_all("Classifier") or [] if c.startswith("License ::")]
    assert FREE.search(" ".join(said)), said


@pytest.mark.clause("P15")
def test_the_project_itself_is_free_software() -> None:
    assert "GNU GENERAL PUBLIC LICENSE" in (ROOT / "LICENSE").read_text(encoding="utf-8")
