"""A policy comes whole, in the reader's language where it can, frozen."""

from pathlib import Path

import pytest
from policy_folder import POLICY, STRINGS, copy_generic
from pydantic import ValidationError

from policies.loader import load_policy, shipped
from protocol.errors import FormatError


def test_load_policy_translated_text_comes_in_the_language_asked_for(tmp_path: Path) -> None:
    folder = copy_generic(tmp_path)
    folder.add_language("fr")
    folder.change("texts/fr/strings.toml", 'title = "Fraud"', 'title = "Fraude"')
    folder.write("texts/fr/safety.md", "Restez calme.\n")
    policy = load_policy(folder.path, "fr")
    assert policy.shown_in == "fr"
    assert policy.categories["fraud"].title == "Fraude"
    assert policy.safety.html == "<p>Restez calme.</p>\n"


def test_load_policy_text_missing_in_translation_comes_in_english(tmp_path: Path) -> None:
    folder = copy_generic(tmp_path)
    folder.add_language("fr")
    folder.change("texts/fr/strings.toml", 'title = "Fraud"\n', "")
    (folder.path / "texts/fr/safety.md").unlink()
    policy = load_policy(folder.path, "fr")
    assert policy.categories["fraud"].title == "Fraud"
    assert policy.safety


def test_load_policy_language_without_folder_comes_in_english() -> None:
    policy = load_policy(shipped("generic"), "tlh")
    assert policy.shown_in == "en"
    assert policy.tracks["concern"].title == "How someone was treated"


def test_load_policy_without_english_falls_back_to_its_own_language(tmp_path: Path) -> None:
    folder = copy_generic(tmp_path)
    folder.add_language("fr")
    folder.change(POLICY, 'language = "en"', 'language = "fr"')
    folder.change(POLICY, 'languages = ["en", "fr"]', 'languages = ["fr"]')
    folder.change(POLICY, 'reviewed = ["en"]', "reviewed = []")
    (folder.path / "texts/en").rename(folder.path / "elsewhere")
    assert load_policy(folder.path, "ar").shown_in == "fr"


def test_load_policy_text_missing_everywhere_is_refused_by_its_key(tmp_path: Path) -> None:
    folder = copy_generic(tmp_path)
    folder.change(STRINGS, 'title = "Fraud"\n', "")
    with pytest.raises(FormatError, match=r"category\.fraud\.title"):
        load_policy(folder.path, "en")


def test_load_policy_page_missing_everywhere_is_refused_by_its_name(tmp_path: Path) -> None:
    folder = copy_generic(tmp_path)
    (folder.path / "texts/en/safety.md").unlink()
    with pytest.raises(FormatError, match=r"safety\.md"):
        load_policy(folder.path, "en")


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"id = ", "line 1: This line is not written as TOML"),
        ("id = 'Zürich'".encode("latin-1"), "UTF-8"),
        (b"id = 'x'", "missing"),
        (b"language = [1]", "missing"),
        (b"track = 3", "missing"),
        (b"[track]\nx = 3", "missing"),
    ],
)
def test_load_policy_broken_file_is_refused(content: bytes, says: str, tmp_path: Path) -> None:
    folder = copy_generic(tmp_path)
    (folder.path / POLICY).write_bytes(content)
    with pytest.raises(FormatError, match=says):
        load_policy(folder.path, "en")


def test_load_policy_without_any_texts_is_refused(tmp_path: Path) -> None:
    folder = copy_generic(tmp_path)
    (folder.path / "texts").rename(folder.path / "elsewhere")
    with pytest.raises(FormatError, match="has no texts"):
        load_policy(folder.path, "en")


def test_load_policy_empty_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match=r"policy\.toml"):
        load_policy(tmp_path, "en")


@pytest.mark.parametrize("name", ["nobody", "", "../generic", "generic/texts"])
def test_shipped_unknown_name_is_refused(name: str) -> None:
    with pytest.raises(FormatError, match="generic, ddp or ifes"):
        shipped(name)


def test_policy_once_loaded_cannot_be_changed() -> None:
    policy = load_policy(shipped("generic"), "en")
    with pytest.raises(ValidationError):
        policy.version = "2"  # type: ignore[misc]
    with pytest.raises(TypeError):
        policy.tracks["concern"] = policy.tracks["wrongdoing"]  # type: ignore[index]


def test_language_outside_the_folder_never_leaves_it(tmp_path: Path) -> None:
    folder = copy_generic(tmp_path)
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "strings.toml").write_text('organisation = "stolen"')
    assert load_policy(folder.path, "../../outside").organisation == "Your organisation"
