"""Finds the line of a TOML file where a key stands.

The standard library's parser forgets lines, and a mistake without its line is
hard to mend. This scan knows headers, keys and long strings, which is all that
a policy uses; where it finds nothing it points to the nearest part around.
"""

import re
from collections.abc import Iterator

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


def find_line(source: str, path: tuple[str, ...], value: str = "") -> int:
    """Find where a path stands, or the nearest table around it.

    Args:
        source: text of the TOML file.
        path: table, entry and key, as far as known.
        value: a word in the value, which may stand some lines below its key.

    Returns:
        Line number from 1; 1 when nothing of the path is there.
    """
    marked = list(_marked_lines(source))
    best, best_length = 1, 0
    for number, here in marked:
        if len(here) > best_length and path[: len(here)] == here:
            best, best_length = number, len(here)
    return _line_of_value(source, best, marked, value) if value else best


def _line_of_value(
    source: str, start: int, marked: list[tuple[int, tuple[str, ...]]], value: str
) -> int:
    lines = source.splitlines()
    end = next((number for number, _ in marked if number > start), len(lines) + 1)
    quoted = f'"{value}"'
    return next((n for n in range(start, end) if quoted in lines[n - 1]), start)
