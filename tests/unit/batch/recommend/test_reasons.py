import polars as pl

from batch.recommend.interactions import COLUMNS, DAY_MS, Interactions
from batch.recommend.reasons import Reasons
from tests.unit.batch.recommend.tables import number, watched

AT = 10 * DAY_MS


def why(table: Interactions, profile: str, title: str) -> tuple[str, str | None]:
    return Reasons.of(table, AT).why(number(table, profile), table.titles.index(title))


def test_a_title_that_shares_its_audience_with_a_watched_one_is_because_of_it() -> None:
    pairs = [(who, title, 1.0) for who in "abc" for title in ("star wars", "jedi")]
    others = [(who, "titanic", 1.0) for who in "abcdef"]
    table = watched(*pairs, *others, ("me", "star wars", 2), ("me", "titanic", 2))
    assert why(table, "me", "jedi") == ("because", "star wars")


def test_one_other_persons_evening_is_no_reason() -> None:
    table = watched(("a", "star wars", 1), ("a", "jedi", 1), ("me", "star wars", 2))
    assert why(table, "me", "jedi") == ("popular", None)


def test_without_such_a_title_it_is_the_country_if_it_is_watched_there() -> None:
    rows = [("me", "mine", AT - 1, 1.0, "NL"), ("a", "x", AT - 1, 1.0, "NL"), ("b", "y", AT - 1, 1.0, "DE")]
    table = Interactions.of(pl.DataFrame(rows, COLUMNS, orient="row"))
    assert why(table, "me", "x") == ("country", "NL")
    assert why(table, "me", "y") == ("popular", None)


def test_what_was_popular_in_the_country_long_ago_is_not_said_to_be() -> None:
    rows = [("me", "mine", AT - 1, 1.0, "NL"), ("a", "x", AT - 29 * DAY_MS, 1.0, "NL")]
    table = Interactions.of(pl.DataFrame(rows, COLUMNS, orient="row"))
    assert why(table, "me", "x") == ("popular", None)
