"""Reads a policy's folder and hands out the policy in one language.

The loader is the only place that opens these files for use. A policy that
cannot be understood is refused whole: a procedure with a hole in it is worse
than none. `policies.checker` names every mistake; the loader stops at the first.
"""

from collections.abc import Mapping, MutableMapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from policies.mistakes import Mistake
from policies.references import broken_references
from policies.schema import Policy
from policies.sources import Place, read_source, read_tables
from policies.texts import Labels, Lines, MarkdownFile, Page, TextSlot, text_slots
from policies.wording import plain_error
from protocol.errors import FormatError

POLICY_FILE = "policy.toml"
STRINGS_FILE = "strings.toml"
TEXTS_FOLDER = "texts"
FALLBACK_LANGUAGE = "en"

Strings = Mapping[str, Any]


def shipped(name: str) -> Path:
    """Find a policy that comes with the project.

    Args:
        name: `generic`, `ddp` or `ifes`.

    Returns:
        Its folder.

    Raises:
        FormatError: no policy of this name is shipped.
    """
    directory = Path(__file__).parent / name
    if not name.isidentifier() or not (directory / POLICY_FILE).is_file():
        raise FormatError("No policy of this name is shipped; take generic, ddp or ifes.")
    return directory


def load_policy(directory: Place, language: str) -> Policy:
    """Read a policy with its texts in one language.

    A text that is missing there is taken from English, then from the policy's
    own language: a reporter rather reads a foreign sentence than none.

    Args:
        directory: the policy's folder, with policy.toml and texts/; on a disk, or in an archive
            in memory.
        language: a language code; one without a folder gives the fallbacks.

    Returns:
        The policy, checked, frozen, with plain strings.

    Raises:
        FormatError: the folder is incomplete or breaks a rule; `sotto relay
            policy check` names file and line.
    """
    raw = read_toml(directory / POLICY_FILE)
    texts = directory / TEXTS_FOLDER
    present = {f.name: f for f in texts.iterdir() if f.is_dir()} if texts.is_dir() else {}
    chain = dict.fromkeys((language, FALLBACK_LANGUAGE, str(raw.get("language"))))
    folders = [present[code] for code in chain if code in present]
    strings = [flatten(read_toml(folder / STRINGS_FILE)) for folder in folders]
    if not folders:
        raise FormatError("The policy has no texts; copy texts/en of a shipped policy.")
    for slot in text_slots(Policy, raw):
        _fill(raw, slot, folders=folders, strings=strings)
    try:
        policy = Policy.model_validate({**raw, "shown-in": folders[0].name})
    except ValidationError as error:
        message, instead = plain_error(error.errors()[0], Policy)
        raise FormatError(f"The policy breaks a rule: {message} {instead}") from None
    for broken in broken_references(policy):
        raise FormatError(f"The policy breaks a rule: {broken.message} {broken.instead}")
    return policy


def read_toml(path: Place) -> dict[str, Any]:
    """Read one TOML file of a policy.

    Raises:
        FormatError: it is missing, not UTF-8, or not TOML.
    """
    try:
        found = read_tables(path)
    except FileNotFoundError:
        raise FormatError(f"The policy has no file {path.name}; copy a shipped policy.") from None
    if isinstance(found, Mistake):
        raise FormatError(f"{path.name}, line {found.line}: {found.message} {found.instead}")
    return found[1]


def flatten(nested: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Join the tables of strings.toml to flat keys such as `track.complaint.title`."""
    flat: dict[str, Any] = {}
    for key, value in nested.items():
        if isinstance(value, Mapping):
            flat.update(flatten(value, f"{prefix}{key}."))
        else:
            flat[f"{prefix}{key}"] = value
    return flat


def _fill(
    raw: MutableMapping[str, Any],
    slot: TextSlot,
    *,
    folders: list[Place],
    strings: Sequence[Strings],
) -> None:
    owner: Any = raw
    for step in slot.owner:
        owner = owner[step]
    owner[slot.field] = _text(slot, folders=folders, strings=strings)


def _text(slot: TextSlot, *, folders: list[Place], strings: Sequence[Strings]) -> object:
    if isinstance(slot.kind, MarkdownFile):
        return Page(_page_source(slot, folders))
    if isinstance(slot.kind, Labels):
        return {
            label: _first(key, strings) for label, key in zip(slot.labels, slot.keys, strict=True)
        }
    if isinstance(slot.kind, Lines):
        found = next((s[slot.key] for s in strings if slot.key in s), ())
        return tuple(found) if isinstance(found, list) else ()
    if slot.kind.optional and not any(slot.key in s for s in strings):
        return ""
    return _first(slot.key, strings)


def _first(key: str, strings: Sequence[Strings]) -> str:
    for table in strings:
        value = table.get(key)
        if isinstance(value, str):
            return value.strip()
    raise FormatError(f"The policy has no text {key}; add it to strings.toml.")


def _page_source(slot: TextSlot, folders: list[Place]) -> str:
    for folder in folders:
        path = folder / slot.key
        if path.is_file():
            source = read_source(path)
            if isinstance(source, Mistake):
                raise FormatError(f"{path.name}: {source.message} {source.instead}")
            return source
    raise FormatError(f"The policy has no page {slot.key}; add it beside strings.toml.")
