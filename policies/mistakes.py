"""One mistake in a policy, as the checker names it."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, order=True)
class Mistake:
    """What is wrong in a policy, where, and what to write instead.

    Attributes:
        file: the file to open.
        line: the line to go to, from 1.
        message: one sentence for someone who is no programmer.
        instead: what to write there.
    """

    file: Path
    line: int
    message: str
    instead: str

    def __str__(self) -> str:
        return f"{self.file}, line {self.line}: {self.message} {self.instead}"
