import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.identity.tokens import MATURITIES
from domain.titles.catalogue import Title
from domain.titles.maturity import may_see

ratings = st.sampled_from(MATURITIES)
anything = ratings | st.none() | st.text(max_size=3)


def title(maturity: str | None) -> Title:
    return Title("ml-50", maturity=maturity)


@pytest.mark.parametrize(
    ("maturity", "limit", "may"),
    [
        ("all", "7", True),
        ("12", "12", True),
        ("16", "12", False),
        ("18", "7", False),
        (None, "16", False),
        ("PG-13", "16", False),
        (None, "", True),
        ("18", "", True),
        ("all", "unheard-of", False),
    ],
)
def test_a_title_is_shown_up_to_the_limit_and_an_unrated_one_to_nobody_with_a_limit(
    maturity: str | None, limit: str, may: bool
) -> None:
    assert may_see(title(maturity), limit) is may


@given(anything, ratings, ratings)
def test_a_higher_limit_shows_all_that_a_lower_one_does(maturity: str | None, one: str, other: str) -> None:
    lower, higher = sorted((one, other), key=MATURITIES.index)
    assert not may_see(title(maturity), lower) or may_see(title(maturity), higher)
