"""Which procedure a case follows, and where the desk has it from.

A report names its policy. The desk looks for it among those that the counselor
imported, then among those shipped with the program; what it does not know it
replaces with the one chosen for this desk, and never with nothing: a case without a
policy would have no clock. Imported policies lie in the vault, so that a stick found
in a bag does not even say whose desk it is.
"""

import zipfile
from functools import lru_cache
from io import BytesIO
from pathlib import Path

from desk.files import read_small
from desk.records import CaseRecord, Record
from desk.vault import Vault
from policies.casework import Status
from policies.loader import POLICY_FILE, TEXTS_FOLDER, load_policy, shipped
from policies.parts import Track
from policies.schema import Policy
from protocol.errors import FormatError

DEFAULT_POLICY = "generic"
FILE_BYTES = 1 << 20
FILES_COUNT = 1_000


class PolicyFiles(Record):
    """An imported policy: its files, by their path below the folder."""

    shelf = "policy"
    id: str
    version: str
    files: tuple[tuple[str, bytes], ...]

    def name_on_shelf(self) -> str:
        return self.id


class ChosenPolicy(Record):
    """The policy for cases whose own is not known here, and for manual reports."""

    shelf = "chosen-policy"
    id: str

    def name_on_shelf(self) -> str:
        return "chosen"


def policy_of(vault: Vault, case: CaseRecord, *, language: str | None = None) -> Policy:
    """Return the policy of a case.

    Args:
        language: of its texts; None: the language of the desk's pages, English.

    Raises:
        FormatError: an imported policy breaks a rule of this version of the program.
    """
    return policy_named(vault, case.policy.split(" ")[0], language=language or "en")


def policy_named(vault: Vault, name: str, *, language: str = "en") -> Policy:
    """Return a policy by its id: imported, shipped, or else the one chosen for this desk."""
    for candidate in (name, chosen_policy(vault), DEFAULT_POLICY):
        imported = vault.get(PolicyFiles, candidate)
        if imported is not None:
            return _load_imported(imported.files, language)
        if is_shipped(candidate):
            return _load_shipped(candidate, language)
    raise FormatError("The program lacks its own policies; install it again.")


def known_policies(vault: Vault) -> tuple[str, ...]:
    """Return the ids of all policies that this desk can follow."""
    folder = shipped(DEFAULT_POLICY).parent
    names = {one.parent.name for one in folder.glob(f"*/{POLICY_FILE}")}
    return tuple(sorted(names | {one.id for one in vault.all(PolicyFiles)}))


def chosen_policy(vault: Vault) -> str:
    """Return the id of the policy chosen for this desk."""
    chosen = vault.get(ChosenPolicy, "chosen")
    return chosen.id if chosen else DEFAULT_POLICY


def choose_policy(vault: Vault, name: str) -> None:
    """Choose the policy for cases whose own is not known here.

    Raises:
        FormatError: neither shipped nor imported.
    """
    if name not in known_policies(vault):
        raise FormatError("This desk has no policy of that name; import its folder first.")
    with vault.changes():
        vault.put(ChosenPolicy(id=name))


def follow_policy(vault: Vault, name: str, version: str) -> list[str]:
    """Follow the procedure that a bundle says is in force, unless another was chosen here.

    Args:
        name, version: of the policy, as the relay's bundle says.

    Returns:
        A sentence where this desk lacks it: clocks and texts would then be another one's.
    """
    if not version:  # a relay that has not served yet
        return []
    if name not in known_policies(vault):
        return [
            f"The relay follows the procedure «{name}», which this desk does not know: take its "
            "folder from the operator (Settings, Procedure). Until then the days and texts are "
            f"those of «{chosen_policy(vault)}»."
        ]
    if vault.get(ChosenPolicy, "chosen") is None:
        choose_policy(vault, name)
    here = policy_named(vault, name).version
    if here == version:
        return []
    return [
        f"The relay follows version {version} of the procedure «{name}», and this desk has "
        f"{here}: take its folder from the operator (Settings, Procedure)."
    ]


def import_policy(vault: Vault, folder: Path) -> Policy:
    """Take a policy from a folder into the vault; a newer copy takes the older one's place.

    Args:
        folder: with policy.toml and texts/, as the relay's operator has it.

    Raises:
        FormatError: it breaks a rule.
        StorageError: a file cannot be read.
    """
    policy = load_policy(folder, "en")
    paths = [folder / POLICY_FILE, *sorted((folder / TEXTS_FOLDER).rglob("*"))]
    files = tuple(
        (
            path.relative_to(folder).as_posix(),
            read_small(path, FILE_BYTES, what="a file of the policy"),
        )
        for path in paths
        if path.is_file() and path.suffix in (".toml", ".md")
    )
    if len(files) > FILES_COUNT:
        raise FormatError("This folder holds far more than a policy; give the policy's own folder.")
    with vault.changes():
        vault.put(PolicyFiles(id=policy.id, version=policy.version, files=files))
    return policy


def track_of(policy: Policy, case: CaseRecord) -> Track | None:
    """Return the track of a case, None where the policy has no track of that name."""
    return policy.tracks.get(case.track)


def final_statuses(policy: Policy) -> list[Status]:
    """Return the statuses that end a case, in the policy's order."""
    return [one for one in policy.statuses.values() if one.final]


def is_shipped(name: str) -> bool:
    """Tell whether a policy of this name comes with the program."""
    try:
        shipped(name)
    except FormatError:
        return False
    return True


@lru_cache(maxsize=32)
def _load_shipped(name: str, language: str) -> Policy:
    return load_policy(shipped(name), language)


@lru_cache(maxsize=32)
def _load_imported(files: tuple[tuple[str, bytes], ...], language: str) -> Policy:
    """Load from memory: on the disk a policy would tell whose desk this is."""
    folder = zipfile.ZipFile(BytesIO(), "w")
    for path, content in files:
        folder.writestr(path, content)
    return load_policy(zipfile.Path(folder), language)
