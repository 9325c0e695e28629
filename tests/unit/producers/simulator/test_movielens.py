"""The three layouts give the same ratings and films. All of it is made up."""

from pathlib import Path

import pytest

from producers.simulator.movielens import Film, Rating, films_file, parse_films, parse_ratings

RATINGS = [Rating("7", "1", 4.0), Rating("7", "2", 2.5), Rating("8", "1", 5.0)]
FILMS = [
    Film("1", "Lantern, The", 1987, ("Drama", "Sci-Fi")),
    Film("2", "Rain, Rain", 1994, ()),
    Film("3", "Odd", None, ("War",)),
]

INTER = "user_id:token\titem_id:token\trating:float\ttimestamp:float\n7\t1\t4\t88\n7\t2\t2.5\t88\n8\t1\t5\t89\n"
ITEM = (
    "item_id:token\tmovie_title:token_seq\trelease_year:token\tclass:token_seq\n"
    "1\tLantern, The\t1987\tDrama Sci-Fi\n2\tRain, Rain\t1994\tunknown\n3\tOdd\t\tWar\n"
)
RATINGS_CSV = "userId,movieId,rating,timestamp\n7,1,4.0,88\n7,2,2.5,88\n8,1,5.0,89\n"
MOVIES_CSV = (
    'movieId,title,genres\n1,"Lantern, The (1987)",Drama|Sci-Fi\n2,"Rain, Rain (1994)",(no genres listed)\n3,Odd,War\n'
)
RATINGS_DAT = "7::1::4::88\n7::2::2.5::88\n8::1::5::89\n"
MOVIES_DAT = "1::Lantern, The (1987)::Drama|Sci-Fi\n2::Rain, Rain (1994)::\n3::Odd::War\n"


@pytest.mark.parametrize("text", [INTER, RATINGS_CSV, RATINGS_DAT])
def test_ratings_of_every_layout(text: str) -> None:
    assert parse_ratings(text) == RATINGS


@pytest.mark.parametrize("text", [ITEM, MOVIES_CSV, MOVIES_DAT])
def test_films_of_every_layout(text: str) -> None:
    assert parse_films(text) == FILMS


def test_what_is_no_rating_is_named() -> None:
    with pytest.raises(ValueError, match=r"not a rating .*'lots'"):
        parse_ratings("7,1,4.0,88\n7,2,lots,88\n")
    with pytest.raises(ValueError, match="not a film"):
        parse_films("1,Lantern\n")


@pytest.mark.parametrize(
    ("ratings", "films"), [("a/ratings.csv", "movies.csv"), ("a/ratings.dat", "movies.dat"), ("a/x.inter", "x.item")]
)
def test_films_are_found_beside_the_ratings(ratings: str, films: str) -> None:
    assert films_file(Path(ratings)) == Path("a", films)
