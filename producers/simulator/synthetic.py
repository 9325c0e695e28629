"""A small audience without data files: invented films and ratings, for tests."""

from random import Random

from producers.simulator.audience import Member, build_audience
from producers.simulator.catalogue import MINUTE_MS, Title, rating
from producers.simulator.movielens import Rating

_STARS, _SHARES = (1.0, 2.0, 3.0, 4.0, 5.0), (6, 11, 27, 34, 22)
_GENRES = ("Comedy", "Crime", "Drama", "Romance", "Sci-Fi", "Thriller")


def titles(count: int, seed: int) -> list[Title]:
    """Films of 70 to 150 minutes from 1950 to 2020."""
    rng = Random(f"{seed}/titles")

    def title(number: int) -> Title:
        year, runtime_ms = rng.randint(1950, 2020), rng.randint(70, 150) * MINUTE_MS
        genres = tuple(sorted(rng.sample(_GENRES, 2)))
        return Title(f"ml-{number}", f"Film {number}", year, runtime_ms, genres, "United States", rating(genres))

    return [title(number) for number in range(1, count + 1)]


def members(count: int, seed: int) -> list[Member]:
    """Each member has rated 30 to 60 of 120 films."""
    films = titles(120, seed)
    rng = Random(f"{seed}/ratings")
    ratings = [
        Rating(str(user), title.title_id.removeprefix("ml-"), rng.choices(_STARS, _SHARES)[0])
        for user in range(1, count + 1)
        for title in rng.sample(films, rng.randint(30, 60))
    ]
    return build_audience(ratings, films, count, seed)
