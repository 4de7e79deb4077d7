"""However a policy is broken, checker and loader agree and neither falls over."""

import shutil
import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st
from policy_folder import POLICY, STRINGS, copy_generic

from policies.checker import check_policy
from policies.loader import load_policy, shipped
from protocol.errors import FormatError

JUNK = ["", "[", "x = 1", "[track]", "[[track]]", "track = 3", 'a.b.c = "x"', '"""', "[group.what]"]
JUNK += [
    "options = 3",
    "recipients = [1, {}]",
    'languages = [3, "en"]',
    "language = [1]",
    "first = 9",
]
VALUES = ["= 0", "= []", '= ""', "= {}", "= [[]]", "= -1", "= true", "= 1979-05-27", '= ["x", "x"]']


@st.composite
def broken_lines(draw: st.DrawFn, source: str) -> str:
    lines = source.splitlines()
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, len(lines) - 1))
        what = draw(st.sampled_from(["drop", "double", "junk", "value"]))
        if what == "drop":
            del lines[at]
        elif what == "double":
            lines.insert(at, lines[at])
        elif what == "junk":
            lines[at] = draw(st.sampled_from(JUNK))
        elif "=" in lines[at]:
            lines[at] = lines[at].split("=", 1)[0] + draw(st.sampled_from(VALUES))
    return "\n".join(lines) + "\n"


SOURCES = {
    name: (shipped("generic") / name).read_text(encoding="utf-8") for name in (POLICY, STRINGS)
}


@settings(max_examples=80)
@given(
    st.sampled_from([POLICY, STRINGS]).flatmap(
        lambda name: st.tuples(st.just(name), broken_lines(SOURCES[name]))
    )
)
def test_policy_broken_at_random_is_refused_in_words_or_loads(broken: tuple[str, str]) -> None:
    name, text = broken
    directory = Path(tempfile.mkdtemp())
    try:
        folder = copy_generic(directory)
        folder.write(name, text)
        mistakes = check_policy(folder.path)
        assert all(m.line >= 1 and m.message and m.instead for m in mistakes)
        try:
            load_policy(folder.path, "en")
        except FormatError:
            assert mistakes
    finally:
        shutil.rmtree(directory)
