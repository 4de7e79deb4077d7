"""Write the vectors, or check that they are what the generators make today.

    python -m tests.vectors.generate            writes every file
    python -m tests.vectors.generate --check    fails when a file differs

Each format has a module `make_<format>.py` here, whose `make()` returns the vectors of
`<format>.json`. A change of format changes a vector, and then a reader of the diff sees it.
"""

import importlib.util
import json
import sys
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent
PREFIX = "make_"


def formats() -> list[str]:
    """List the formats that have a generator."""
    return sorted(path.stem.removeprefix(PREFIX) for path in FOLDER.glob(f"{PREFIX}*.py"))


def make(name: str) -> str:
    """Return what stands in the file of a format."""
    path = FOLDER / f"{PREFIX}{name}.py"
    spec = importlib.util.spec_from_file_location(f"vectors_{path.stem}", path)
    assert spec is not None and spec.loader is not None
    module: Any = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    vectors = module.make()
    names = [vector["name"] for vector in vectors]
    assert len(set(names)) == len(names), f"{name}: two vectors of one name"
    return json.dumps(vectors, indent=1, ensure_ascii=False) + "\n"


def stale() -> list[str]:
    """List the formats whose file is not what its generator makes."""
    found = []
    for name in formats():
        path = FOLDER / f"{name}.json"
        if not path.exists() or path.read_text("utf-8") != make(name):
            found.append(name)
    return found


def main(arguments: list[str]) -> int:
    """Write or check; return the exit status."""
    if arguments == ["--check"]:
        differing = stale()
        for name in differing:
            print(f"tests/vectors/{name}.json is not what make_{name}.py makes", file=sys.stderr)
        return 1 if differing else 0
    if arguments:
        print(__doc__, file=sys.stderr)
        return 2
    for name in formats():
        (FOLDER / f"{name}.json").write_text(make(name), "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
