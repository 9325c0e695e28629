"""Films find their facts by name and year; the others get plausible ones. All of it is made up."""

import pytest

from producers.simulator.catalogue import FilmRow, Title, join, rating, readable, to_jsonl
from producers.simulator.movielens import Film

ROWS: list[FilmRow] = [
    ("The Lantern", 1988, 97.0, "Drama, Crime", "France, Italy"),
    ("Ålesund & Back", 1990, 88.0, "Comedy", "Norway"),
    ("The Lantern", 1951, 60.0, "Western", "United States"),
    ("Nothing but Time", 2000, 4000.0, "Documentary", None),
]


def one(film: Film) -> Title:
    return join([film], ROWS)[0]


def test_a_film_is_found_by_name_and_year_give_or_take_one() -> None:
    assert one(Film("1", "Lantern, The", 1987, ("Drama",))) == Title(
        "ml-1", "The Lantern", 1987, 97 * 60_000, ("Drama",), "France", "12"
    )


def test_another_film_of_that_name_is_not_taken() -> None:
    assert one(Film("1", "Lantern, The", 1970, ("Drama",))).country is None


def test_case_accents_and_signs_do_not_matter() -> None:
    assert one(Film("2", "alesund and back", 1990, ())).country == "Norway"


def test_a_name_in_brackets_will_do() -> None:
    assert one(Film("3", "Somewhere North (Ålesund & Back)", 1990, ())).runtime_ms == 88 * 60_000


def test_genres_of_the_database_fill_in_only_where_there_are_none() -> None:
    assert one(Film("1", "Lantern, The", 1988, ())).genres == ("Drama", "Crime")


def test_an_absurd_runtime_is_not_believed() -> None:
    assert 75 <= one(Film("4", "Nothing but Time", 2000, ())).runtime_ms / 60_000 <= 180


def test_an_unknown_film_gets_the_same_plausible_runtime_each_time() -> None:
    title = one(Film("12", "Unheard Of", 1999, ()))
    assert title == Title("ml-12", "Unheard Of", 1999, 6_720_000, ())


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("Lantern, The", "The Lantern"),
        ("Postman, Il", "Il Postman"),
        ("Atlas, L'", "L'Atlas"),
        ("Blue Angle, The (Blauer Winkel, Der)", "The Blue Angle (Blauer Winkel, Der)"),
        ("Rain, Rain", "Rain, Rain"),
    ],
)
def test_articles_go_in_front(name: str, shown: str) -> None:
    assert readable(name) == shown


def test_the_catalogue_is_one_json_a_line() -> None:
    assert to_jsonl(join([Film("1", "Lantern, The", 1987, ("Drama",))], ROWS)) == (
        b'{"title_id":"ml-1","name":"The Lantern","year":1987,"runtime_ms":5820000,'
        b'"genres":["Drama"],"country":"France","maturity":"12"}\n'
    )


@pytest.mark.parametrize(
    ("genres", "expected"),
    [
        (("Animation", "Children's", "Musical"), "all"),
        (("Animation", "Comedy"), "7"),
        (("Drama",), "12"),
        (("Comedy", "Crime"), "16"),
        (("Children's", "Horror"), "18"),
        ((), None),
    ],
)
def test_a_rating_follows_from_the_genres(genres: tuple[str, ...], expected: str | None) -> None:
    assert rating(genres) == expected
