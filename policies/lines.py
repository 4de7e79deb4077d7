"""Finds the line of a TOML file where a key stands.

The standard library's parser forgets lines, and a mistake without its line is
hard to mend. This scan knows headers, keys and long strings, which is all that
a policy uses; where it finds nothing it points to the nearest part around.
"""

import re
from collections.abc import Iterator
from functools import lru_cache

_HEADER = re.compile(r"^\s*\[\[?\s*([^\]=]+?)\s*\]\]?\s*(#.*)?$")
_KEY = re.compile(r'^\s*((?:[\w-]+|"[^"]*")(?:\s*\.\s*(?:[\w-]+|"[^"]*"))*)\s*=')
_STEP = re.compile(r'"([^"]*)"|([\w-]+)')


def _marked_lines(source: str) -> Iterator[tuple[int, tuple[str, ...]]]:
    """Yield each line that opens a table or sets a key, with its full path."""
    table: tuple[str, ...] = ()
    inside_long_string = False
    for number, line in enumerate(source.splitlines(), start=1):
        quotes = line.count('"""') + line.count("'''")
        if not inside_long_string:
            if header := _HEADER.match(line):
                table = _steps(header[1])
                yield number, table
            elif key := _KEY.match(line):
                yield number, table + _steps(key[1])
        inside_long_string ^= quotes % 2 == 1


def _steps(dotted: str) -> tuple[str, ...]:
    return tuple(quoted or bare for quoted, bare in _STEP.findall(dotted))


@lru_cache(maxsize=32)
def _index(source: str) -> dict[tuple[str, ...], int]:
    """Map each path, and each part of one, to the line where it first stands."""
    index: dict[tuple[str, ...], int] = {}
    for number, path in _marked_lines(source):
        for length in range(1, len(path) + 1):
            index.setdefault(path[:length], number)
    return index


def find_line(source: str, path: tuple[str, ...], value: str = "") -> int:
    """Find where a path stands, or the nearest table around it.

    Args:
        source: text of the TOML file.
        path: table, entry and key, as far as known.
        value: a word in the value, which may stand some lines below its key.

    Returns:
        Line number from 1; 1 when nothing of the path is there.
    """
    index = _index(source)
    lengths = range(len(path), 0, -1)
    start = next((index[path[:length]] for length in lengths if path[:length] in index), 1)
    return _line_of_value(source, start, value) if value else start


def _line_of_value(source: str, start: int, value: str) -> int:
    lines = source.splitlines()
    quoted = f'"{value}"'
    following = (number for number, _ in _marked_lines(source) if number > start)
    end = next(following, len(lines) + 1)
    return next((n for n in range(start, end) if quoted in lines[n - 1]), start)
