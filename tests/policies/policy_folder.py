"""A copy of the generic policy that a test may break on purpose."""

import re
import shutil
from dataclasses import dataclass
from pathlib import Path

from policies.checker import check_policy
from policies.loader import shipped
from policies.mistakes import Mistake

POLICY = "policy.toml"
STRINGS = "texts/en/strings.toml"


@dataclass(frozen=True)
class PolicyFolder:
    path: Path

    def change(self, file: str, old: str, new: str) -> None:
        """Replace the first `old`, which must be there, so that no test changes nothing."""
        text = (self.path / file).read_text(encoding="utf-8")
        assert old in text
        self.write(file, text.replace(old, new, 1))

    def write(self, file: str, text: str) -> None:
        (self.path / file).write_text(text, encoding="utf-8")

    def append(self, file: str, text: str) -> None:
        self.write(file, (self.path / file).read_text(encoding="utf-8") + text)

    def add_language(self, code: str) -> None:
        """Show a second language whose texts are those of English."""
        shutil.copytree(self.path / "texts/en", self.path / "texts" / code)
        self.change(POLICY, 'languages = ["en"]', f'languages = ["en", "{code}"]')

    def line_text(self, mistake: Mistake) -> str:
        """The line that a mistake points to; empty where the file does not exist."""
        if not mistake.file.is_file():
            return ""
        lines = mistake.file.read_text(encoding="utf-8").splitlines()
        return lines[mistake.line - 1] if lines else ""

    def mistakes(self) -> list[Mistake]:
        return check_policy(self.path)


def copy_generic(to: Path) -> PolicyFolder:
    """Copy the generic policy in English alone, so that a test can add a language of its own."""
    folder = PolicyFolder(to / "policy")
    shutil.copytree(shipped("generic"), folder.path)
    for texts in (folder.path / "texts").iterdir():
        if texts.name != "en":
            shutil.rmtree(texts)
    source = (folder.path / POLICY).read_text(encoding="utf-8")
    folder.write(POLICY, re.sub(r"(?m)^languages = .*$", 'languages = ["en"]', source, count=1))
    return folder
