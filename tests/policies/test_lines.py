"""A mistake points to the line where a person will look for it."""

import pytest

from policies.lines import find_line

SOURCE = '''# a comment with [track.one]
id = "x"

[track.one]
days = 3
questions = [
    "a", "b",
    "c",
]
[track.one.labels]
a = "A"
text = """
[track.two]
days = 9
"""
[track.two] # after
"quoted key" = 1
deep.er = 2
'''


@pytest.mark.parametrize(
    ("path", "value", "line"),
    [
        (("id",), "", 2),
        (("track", "one"), "", 4),
        (("track", "one", "days"), "", 5),
        (("track", "one", "questions"), "c", 8),
        (("track", "one", "questions"), "nowhere", 6),
        (("track", "one", "labels", "a"), "", 11),
        (("track", "two"), "", 16),
        (("track", "two", "quoted key"), "", 17),
        (("track", "two", "deep", "er"), "", 18),
        (("track", "two", "missing"), "", 16),
        (("track",), "", 4),
        (("nothing",), "", 1),
    ],
    ids=[
        "a key at the top",
        "a table",
        "a key of a table",
        "a word in a list over several lines",
        "a word that is not there",
        "a key of an inner table",
        "a table named in a long text before",
        "a key in quotes",
        "a dotted key",
        "a key that is missing from its table",
        "the first of its kind",
        "nothing of it",
    ],
)
def test_find_line_points_to_the_place_or_the_nearest_around(
    path: tuple[str, ...], value: str, line: int
) -> None:
    assert find_line(SOURCE, path, value) == line
