from xml.etree import ElementTree

from domain.titles.catalogue import Title
from services.ops.placeholder_art import draw, initials


def test_initials_are_of_the_words_that_matter() -> None:
    assert initials("The Silence of the Lambs") == "SL"
    assert initials("L.A. Confidential") == "LC"
    assert initials("Dr. Strangelove or: How I Learned") == "DSO"
    assert initials("The") == "T"
    assert initials("…") == "…"


def test_a_title_always_looks_the_same_and_unlike_others() -> None:
    assert draw(Title("ml-50", "Star Wars")) == draw(Title("ml-50", "Star Wars"))
    assert draw(Title("ml-50", "Star Wars")) != draw(Title("ml-51", "Star Wars"))


def test_every_tile_is_well_formed() -> None:
    for title in (Title("unknown"), *(Title(f"<&{number}", "A & <B>", 1999) for number in range(60))):
        ElementTree.fromstring(draw(title))  # noqa: S314 (our own text)
