"""A policy's files as people save them: each slip has a sentence of its own."""

from pathlib import Path

import pytest
from policy_folder import POLICY, STRINGS, copy_generic

from policies.loader import load_policy
from protocol.errors import FormatError

SLIPS = {
    "a quotation mark forgotten": (
        POLICY,
        'id = "generic"',
        'id = "generic',
        "quotation mark is missing",
    ),
    "a text broken over two lines": (
        STRINGS,
        'label = "When was it?"',
        'label = "When\nwas it?"',
        "quotation mark is missing",
    ),
    "an apostrophe between single marks": (
        STRINGS,
        'label = "When was it?"',
        "label = 'When's it?'",
        "do not fit together",
    ),
    "the marks of a word processor": (
        POLICY,
        'id = "generic"',
        "id = “generic”",
        "curly quotation marks",
    ),
    "an equals sign forgotten": (
        POLICY,
        'language = "en"',
        'language "en"',
        "equals sign is missing",
    ),
    "a day as it is spoken": (
        POLICY,
        "effective = 2026-11-22",
        "effective = 22.11.2026",
        "does not exist, or is not written right",
    ),
    "a day that no month has": (
        POLICY,
        "effective = 2026-11-22",
        "effective = 2026-11-31",
        "does not exist, or is not written right",
    ),
    "a number in letters": (
        POLICY,
        "acknowledge-days = 14",
        "acknowledge-days = fourteen",
        "no quotation marks",
    ),
    "a name with blanks": (
        POLICY,
        "[recipient.head]",
        "[recipient.Head of Office]",
        "name is not written right",
    ),
    "a bracket forgotten": (
        POLICY,
        '"authority"]',
        '"authority"',
        "not written as TOML",
    ),
}


@pytest.mark.parametrize("slip", SLIPS.values(), ids=SLIPS)
def test_slip_of_the_pen_in_a_file_is_named_at_its_line(
    slip: tuple[str, str, str, str], tmp_path: Path
) -> None:
    file, right, wrong, says = slip
    folder = copy_generic(tmp_path)
    folder.change(file, right, wrong)
    (mistake,) = folder.mistakes()
    assert mistake.file == folder.path / file
    assert says in mistake.message
    lines = (folder.path / file).read_text(encoding="utf-8").splitlines()
    assert wrong.splitlines()[0] in "\n".join(lines[mistake.line - 2 : mistake.line])
    with pytest.raises(FormatError, match=f"line {mistake.line}"):
        load_policy(folder.path, "en")


def test_file_with_the_mark_that_editors_put_first_is_read_all_the_same(tmp_path: Path) -> None:
    folder = copy_generic(tmp_path)
    for file in (POLICY, STRINGS, "texts/en/welcome.md"):
        path = folder.path / file
        path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    assert folder.mistakes() == []
    assert "\ufeff" not in str(load_policy(folder.path, "en").welcome)


@pytest.mark.parametrize("file", [POLICY, STRINGS, "texts/en/safety.md"])
def test_file_in_another_encoding_asks_for_utf8(file: str, tmp_path: Path) -> None:
    folder = copy_generic(tmp_path)
    (folder.path / file).write_bytes("organisation = 'Zürich'".encode("latin-1"))
    (mistake,) = folder.mistakes()
    assert "UTF-8" in mistake.instead
    with pytest.raises(FormatError, match="UTF-8"):
        load_policy(folder.path, "en")


@pytest.mark.parametrize("file", [POLICY, STRINGS, "texts/en/safety.md"])
def test_folder_in_the_place_of_a_file_is_named_without_a_trace(file: str, tmp_path: Path) -> None:
    folder = copy_generic(tmp_path)
    (folder.path / file).unlink()
    (folder.path / file).mkdir()
    (mistake,) = folder.mistakes()
    assert "cannot be read" in mistake.message


def test_brackets_a_thousandfold_are_named_without_a_trace(tmp_path: Path) -> None:
    folder = copy_generic(tmp_path)
    folder.append(POLICY, f"x = {'[' * 3000}{']' * 3000}\n")
    (mistake,) = folder.mistakes()
    assert "too deep" in mistake.message


def test_name_that_differs_by_its_number_alone_is_not_suggested(tmp_path: Path) -> None:
    """Whoever wrote counselor-1 must not be led to send reports to counselor-2."""
    folder = copy_generic(tmp_path)
    folder.change(POLICY, "[recipient.counselor-1]", "[recipient.maria]")
    told = [mistake.instead for mistake in folder.mistakes()]
    assert "Write one of: counselor-2, head, maria." in told
    assert not [one for one in told if one.startswith("Write «")]


def test_part_that_is_misspelt_does_not_have_its_texts_taken_out(tmp_path: Path) -> None:
    folder = copy_generic(tmp_path)
    folder.change(POLICY, "[impartial]", "[[impartial]]")
    (mistake,) = folder.mistakes()
    assert mistake.file == folder.path / POLICY
