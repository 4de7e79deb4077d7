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
        pytest.param(
            "علي", "على المكتب", "على المكتب", id="an Arabic word that differs by two dots"
        ),
        pytest.param("Ina", "in a box", "in a box", id="a short name in two words"),
        pytest.param("Yıldız", "YILDIZ geldi", f"{BLOT} geldi", id="Turkish capitals without dot"),
        pytest.param("ibrahim", "İBRAHİM", BLOT, id="Turkish capitals with a dot"),
        pytest.param("İpek", "ipek'in", f"{BLOT}'in", id="a Turkish name in small letters"),
        pytest.param("José García", "JOSE GARCIA", f"{BLOT}", id="accents left out"),
        pytest.param("Jose", "José", BLOT, id="accents added"),
        pytest.param("Γιώργος", "ΓΙΩΡΓΟΣ", BLOT, id="Greek capitals, which have no accent"),
        pytest.param("Νίκος", "του Νίκου", f"του {BLOT}", id="a Greek ending for another"),
        pytest.param("Анна", "об Анне", f"об {BLOT}", id="a Russian ending for another"),
        pytest.param("Сергей", "у Сергея", f"у {BLOT}", id="a Russian name that ends in й"),
        pytest.param("Достоевский", "Достоевского", BLOT, id="a Russian family name"),
        pytest.param("محمد", "مُحَمَّد", BLOT, id="Arabic vowel signs added"),
        pytest.param("مُحَمَّد", "لمحمد", BLOT, id="Arabic vowel signs left out"),
        pytest.param("أحمد", "احمد", BLOT, id="a hamza left out"),
        pytest.param("فاطمة", "فاطمه", BLOT, id="a marbuta without dots"),
        pytest.param("ليلى", "ليلي", BLOT, id="a yeh with dots"),
        pytest.param("محمد", "محــمد", BLOT, id="a word drawn out"),
        pytest.param("عبدالله", "قال عبد الله", f"قال {BLOT}", id="written as one word and two"),
        pytest.param("علی کریمی", "علي كريمي", BLOT, id="Persian letters on an Arabic keyboard"),
        pytest.param("علی\u200cرضا", "علیرضا", BLOT, id="a Persian joiner left out"),
        pytest.param("علیرضا", "علی\u200cرضا", BLOT, id="a Persian joiner added"),
        pytest.param("محمد", "محمد\u200cها", BLOT, id="a Persian ending"),
        pytest.param("Müller", "Mül\u00adlers", BLOT, id="a hidden hyphen"),
        pytest.param("王小明", "小明说", f"{BLOT}说", id="a Chinese given name alone"),
        pytest.param("王小明", "王 小 明", BLOT, id="Chinese with spaces"),
        pytest.param("Li Wei", "Ｌｉ Ｗｅｉ", BLOT, id="wide letters"),
        pytest.param("۰۹۱۲۳۴۵", "0912345", BLOT, id="Persian digits"),
        pytest.param("+49 170 12345", "+491701 2345", f"+{BLOT}", id="a number grouped otherwise"),
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
