"""Names are blotted out as each script writes them, and in doubt too much."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desk.casework.blotting import BLOT, Blotter

pytestmark = pytest.mark.clause("P24")


@pytest.mark.parametrize(
    ("name", "text", "shown"),
    [
        pytest.param("Anna Berg", "Anna said so.", f"{BLOT} said so.", id="one word of the name"),
        pytest.param("Anna", "ANNA'S desk", f"{BLOT}'S desk", id="capitals"),
        pytest.param("Müller", "Müllers Büro", f"{BLOT} Büro", id="a German ending"),
        pytest.param("Иванов", "с Ивановым", f"с {BLOT}", id="a Russian ending"),
        pytest.param("Yıldız", "Yıldız'ın", f"{BLOT}'ın", id="a Turkish ending"),
        pytest.param("Jose\u0301", "José came", f"{BLOT} came", id="accents apart and together"),
        pytest.param("José", "Jose\u0301 came", f"{BLOT} came", id="accents together and apart"),
        pytest.param("محمد", "قال لمحمد", f"قال {BLOT}", id="an Arabic letter in front"),
        pytest.param("דוד", "ולדוד", BLOT, id="Hebrew letters in front"),
        pytest.param("王小明", "我是王小明。", f"我是{BLOT}。", id="Chinese without spaces"),
        pytest.param("李明", "李明说", f"{BLOT}说", id="two Chinese characters"),
        pytest.param("राम", "राम ने", f"{BLOT} ने", id="Devanagari with its marks"),
        pytest.param("Nguyễn", "Bà Nguyễn", f"Bà {BLOT}", id="Vietnamese"),
        pytest.param("Li", "Li was there", f"{BLOT} was there", id="a name of two letters"),
        pytest.param("a@b.org", "write to A@B.org!", f"write to {BLOT}!", id="an address"),
        pytest.param("+49 170 12", "call +49-170-12", f"call +{BLOT}", id="a telephone number"),
        pytest.param("Ann Lee", "annual fee", "annual fee", id="a short name in a longer word"),
        pytest.param("van Dam", "a van", "a ████", id="in doubt too much"),
        pytest.param("علي", "عليه", "عليه", id="an Arabic name that a preposition begins with"),
        pytest.param("", "nothing", "nothing", id="no name"),
    ],
)
def test_a_name_is_blotted_out_as_its_script_writes_it(name: str, text: str, shown: str) -> None:
    assert Blotter([name]).blot(text) == shown


@given(st.lists(st.text(max_size=30), max_size=5), st.text(max_size=200))
def test_any_names_in_any_text_leave_no_name_of_a_word_standing(
    names: list[str], text: str
) -> None:
    shown = Blotter(names).blot(text)
    words = {one for one in names if one.isascii() and one.isalpha() and len(one) > 1}
    left = {one.casefold() for one in shown.split()}
    assert not left & {one.casefold() for one in words}


def test_names_of_a_stranger_who_means_harm_are_looked_for_in_one_pass() -> None:
    """A pass for each of them took most of a minute for one text."""
    names = [" ".join(f"{number:05d}x" for number in range(14_000))]
    blotter = Blotter(names)
    assert blotter.blot("lorem ipsum " * 8_000 + "00042x").endswith(BLOT)
