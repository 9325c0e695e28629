from collections.abc import Mapping

import polars as pl

from batch.recommend.interactions import COLUMNS, DAY_MS, Interactions
from batch.recommend.reasons import Reasons
from batch.recommend.titles import TitleMetadata
from tests.unit.batch.recommend.tables import number, watched

AT = 40 * DAY_MS
NOTHING_KNOWN: Mapping[str, TitleMetadata] = {}


def why(
    table: Interactions, profile: str, title: str, metadata: Mapping[str, TitleMetadata] = NOTHING_KNOWN
) -> tuple[str, str | None]:
    return Reasons.of(table, AT, metadata).why(number(table, profile), table.titles.index(title))


def test_a_title_that_shares_its_audience_with_a_watched_one_is_because_of_it() -> None:
    pairs = [(who, title, 1.0) for who in "abc" for title in ("star wars", "jedi")]
    others = [(who, "titanic", 1.0) for who in "abcdef"]
    table = watched(*pairs, *others, ("me", "star wars", 2), ("me", "titanic", 2))
    assert why(table, "me", "jedi") == ("because", "star wars")


def test_one_other_persons_evening_is_no_reason() -> None:
    table = watched(("a", "star wars", 39), ("a", "jedi", 39), ("me", "star wars", 39))
    assert why(table, "me", "jedi") == ("popular", None)


def test_a_title_of_the_same_genres_as_a_watched_one_is_because_of_it() -> None:
    """Comedy, Romance and War against Comedy and Romance: two shared of three."""
    metadata = {
        "mine": TitleMetadata(genres=("Comedy", "Romance")),
        "alike": TitleMetadata(genres=("Comedy", "Romance", "War")),
        "half": TitleMetadata(genres=("Comedy", "Romance", "War", "Western")),
        "one": TitleMetadata(genres=("Comedy",)),
    }
    table = watched(("me", "mine", 39), ("a", "alike", 1), ("a", "half", 1), ("a", "one", 1))
    assert why(table, "me", "alike", metadata) == ("because", "mine")
    assert why(table, "me", "half", metadata) == ("picked", None)
    assert why(table, "me", "one", metadata) == ("picked", None)


def test_without_such_a_title_it_is_the_country_if_it_is_watched_there() -> None:
    rows = [("me", "mine", AT - 1, 1.0, "NL"), ("a", "x", AT - 1, 1.0, "NL"), ("b", "y", AT - 1, 1.0, "DE")]
    table = Interactions.of(pl.DataFrame(rows, COLUMNS, orient="row"))
    assert why(table, "me", "x") == ("country", "NL")
    assert why(table, "me", "y") == ("popular", None)


def test_what_was_popular_in_the_country_long_ago_is_no_reason() -> None:
    rows = [("me", "mine", AT - 1, 1.0, "NL"), ("a", "x", AT - 29 * DAY_MS, 1.0, "NL")]
    table = Interactions.of(pl.DataFrame(rows, COLUMNS, orient="row"))
    assert why(table, "me", "x") == ("picked", None)


def test_a_genre_that_is_often_watched_is_a_reason() -> None:
    """Two comedies of three titles: often. One drama: not."""
    metadata = {title: TitleMetadata(genres=("Comedy",)) for title in ("c1", "c2", "c3")}
    metadata |= {title: TitleMetadata(genres=("Drama",)) for title in ("d1", "d2")}
    mine = [("me", title, 1.0) for title in ("c1", "c2", "d1")]
    table = watched(*mine, ("a", "c3", 1), ("a", "d2", 1), ("a", "bare", 1))
    assert why(table, "me", "c3", metadata) == ("genre", "Comedy")
    assert why(table, "me", "d2", metadata) == ("picked", None)
    assert why(table, "me", "bare", metadata) == ("picked", None)


def test_only_the_worlds_most_watched_titles_are_popular() -> None:
    hits = [(f"p{n}", f"hit{n % 20:02}", 39.0) for n in range(40)]
    table = watched(*hits, ("a", "rare", 39), ("me", "mine", 1))
    assert why(table, "me", "hit00") == ("popular", None)
    assert why(table, "me", "rare") == ("picked", None)
