"""Reads ratings and films in MovieLens' formats.

Three layouts, distinguished by their separator: RecBole's ``.inter`` and ``.item`` (tabs, a header with types),
``ratings.csv`` and ``movies.csv`` (commas, a header), ``ratings.dat`` and ``movies.dat`` (``::``, no header).
Ratings: user, item, stars 0.5-5, anything more is ignored. Films: item, name, then either year and genres
separated by blanks (four columns) or genres separated by ``|`` with the year at the name's end (three).
"""

import csv
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

_YEAR_AT_END = re.compile(r"^(?P<name>.*?)\s*\((?P<year>\d{4})\)\s*$")
_NO_GENRE = frozenset({"unknown", "(no genres listed)", ""})


class Rating(NamedTuple):
    user_id: str
    item_id: str
    stars: float


class Film(NamedTuple):
    item_id: str
    name: str
    year: int | None
    genres: tuple[str, ...]


def parse_ratings(text: str) -> list[Rating]:
    """Raises ValueError naming the first line that is not a rating."""
    ratings = []
    for row in _rows(text):
        try:
            ratings.append(Rating(row[0], row[1], float(row[2])))
        except (IndexError, ValueError):
            raise ValueError(f"not a rating (user, item, stars): {row}") from None
    return ratings


def parse_films(text: str) -> list[Film]:
    """Raises ValueError naming the first line that is not a film."""
    films = []
    for row in _rows(text):
        if len(row) >= 4:
            item, name, year, genres = row[0], row[1], row[2], row[3].split()
        elif len(row) == 3:
            found = _YEAR_AT_END.match(row[1])
            item, genres = row[0], row[2].split("|")
            name, year = (found["name"], found["year"]) if found else (row[1], "")
        else:
            raise ValueError(f"not a film (item, name, genres): {row}")
        kept = tuple(genre for genre in genres if genre not in _NO_GENRE)
        films.append(Film(item, name.strip(), int(year) if year.isdigit() else None, kept))
    return films


def films_file(ratings: Path) -> Path:
    """The films file in the folder of a ratings file, under its own or MovieLens' name."""
    names = {".inter": f"{ratings.stem}.item", ".dat": "movies.dat"}
    return ratings.with_name(names.get(ratings.suffix, "movies.csv"))


def _rows(text: str) -> Iterator[list[str]]:
    first = text[: text.find("\n")]
    if "\t" in first or "::" in first:
        lines = (line.replace("::", "\t").split("\t") for line in text.splitlines() if line)
    else:
        lines = (row for row in csv.reader(text.splitlines()) if row)
    for number, row in enumerate(lines):
        if number or row[0].isdigit():  # the first line may be a header
            yield row
