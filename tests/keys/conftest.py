"""Shared by the tests of keys: one corpus and one gpg for the whole run."""

from collections.abc import Iterator

import pytest
from key_corpus import Case, GnuPG, forged_cases, gnupg, gpg_cases, sq_cases


@pytest.fixture(scope="session")
def gpg() -> Iterator[GnuPG]:
    with gnupg() as stock:
        yield stock


@pytest.fixture(scope="session")
def made_cases(gpg: GnuPG) -> tuple[Case, ...]:
    """What real programs make; seconds, so once."""
    return (*gpg_cases(gpg), *sq_cases())


@pytest.fixture(scope="session")
def forged() -> tuple[Case, ...]:
    return tuple(forged_cases())
