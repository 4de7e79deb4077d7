"""Every promise has evidence and every piece of evidence names a promise."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
MARK = re.compile(r'pytest\.mark\.(claim|clause)\("([CP]\d+)"\)')


def marked() -> set[str]:
    """Return the claims and clauses that some test is marked with."""
    sources = (path.read_text(encoding="utf-8") for path in (ROOT / "tests").rglob("test_*.py"))
    return {name for source in sources for _, name in MARK.findall(source)}


def promised(document: str, pattern: str) -> set[str]:
    return set(re.findall(pattern, (ROOT / "docs" / document).read_text(encoding="utf-8"), re.M))


CLAIMS = promised("THREAT_MODEL.md", r"^### (C\d+) ")
CLAUSES = promised("PROCEDURES.md", r"^\| (P\d+) \|")


def test_the_documents_list_all_claims_and_clauses() -> None:
    assert {f"C{number}" for number in range(1, 8)} == CLAIMS
    assert {f"P{number}" for number in range(1, 40)} == CLAUSES


@pytest.mark.parametrize("name", sorted(CLAIMS | CLAUSES))
def test_a_promise_has_a_test_that_is_marked_with_it(name: str) -> None:
    assert name in marked()


def test_no_test_is_marked_with_a_promise_that_no_document_makes() -> None:
    assert marked() <= CLAIMS | CLAUSES


@pytest.mark.parametrize("name", sorted(CLAUSES))
def test_the_tests_that_a_clauses_row_names_exist(name: str) -> None:
    text = (ROOT / "docs" / "PROCEDURES.md").read_text(encoding="utf-8")
    row = next(line for line in text.splitlines() if line.startswith(f"| {name} |"))
    named = re.findall(r"`(tests/[\w/]+\.py)`", row)
    assert named
    for path in named:
        assert f'"{name}"' in (ROOT / path).read_text(encoding="utf-8"), path
