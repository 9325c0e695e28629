"""The titles members can watch: MovieLens' films joined with a film database for runtime, genres and country."""

import re
import unicodedata
from collections.abc import Collection, Iterable, Iterator
from random import Random

import msgspec

from domain.identity.tokens import Maturity
from producers.simulator.movielens import Film

MINUTE_MS = 60_000
_PLAUSIBLE_MINUTES = range(5, 600)
_ARTICLE_BEHIND = re.compile(
    r"^(?P<rest>.+), (?P<article>The|An?|Il|Lo|I|Les?|La|L'|Un|Une|El|Los|Las|Der|Die|Das)(?P<more>\s*\(.*)?$"
)
_IN_BRACKETS = re.compile(r"\(([^)]*)\)")

_RATED: tuple[tuple[Maturity, frozenset[str]], ...] = (
    ("18", frozenset({"Horror"})),
    ("all", frozenset({"Children's", "Family"})),
    ("16", frozenset({"Crime", "Film-Noir", "Thriller", "War"})),
    ("7", frozenset({"Animation", "Documentary", "Musical"})),
)
"""Ratings by genre, the first one that fits. They are invented: our sources have none."""
_OTHERWISE_RATED: Maturity = "12"

FilmRow = tuple[str, int, float | None, str | None, str | None]
"""Title, year, runtime in minutes, genres, countries (both comma-separated)."""


class Title(msgspec.Struct, frozen=True, omit_defaults=True):
    title_id: str
    name: str
    year: int | None
    runtime_ms: int
    genres: tuple[str, ...]
    country: str | None = None
    maturity: Maturity | None = None
    """By the genres; None if they are unknown."""


def join(films: Iterable[Film], rows: Iterable[FilmRow]) -> list[Title]:
    """One title per film, in the films' order.

    A film is matched by name (article moved; accents, case and punctuation ignored; also the name in brackets) and
    year (± 1). MovieLens' genres win where it has any, so that all titles share one vocabulary. An unmatched film
    gets a plausible runtime that depends on its id only.
    """
    known: dict[tuple[str, int], FilmRow] = {}
    for row in rows:
        known.setdefault((_folded(row[0]), row[1]), row)
    return [_title(film, _find(film, known)) for film in films]


def to_jsonl(titles: Iterable[Title]) -> bytes:
    return b"".join(msgspec.json.encode(title) + b"\n" for title in titles)


def readable(name: str) -> str:
    """``Usual Suspects, The`` -> ``The Usual Suspects``."""
    found = _ARTICLE_BEHIND.match(name)
    if not found:
        return name
    blank = "" if found["article"].endswith("'") else " "
    return f"{found['article']}{blank}{found['rest']}{found['more'] or ''}"


def _title(film: Film, row: FilmRow | None) -> Title:
    title_id = f"ml-{film.item_id}"
    _, _, minutes, genres, countries = row or ("", 0, None, None, None)
    if minutes is None or int(minutes) not in _PLAUSIBLE_MINUTES:
        minutes = _synthetic_minutes(title_id)
    return Title(
        title_id=title_id,
        name=readable(film.name),
        year=film.year,
        runtime_ms=round(minutes * MINUTE_MS),
        genres=film.genres or _listed(genres),
        maturity=rating(film.genres or _listed(genres)),
        country=next(iter(_listed(countries)), None),
    )


def rating(genres: Collection[str]) -> Maturity | None:
    """A stand-in for the rating of a title with these genres."""
    if not genres:
        return None
    return next((found for found, of in _RATED if not of.isdisjoint(genres)), _OTHERWISE_RATED)


def _synthetic_minutes(title_id: str) -> float:
    """Feature films: 104 minutes on average, mostly 85 to 125."""
    return round(min(180.0, max(75.0, Random(title_id).gauss(104, 18))))


def _find(film: Film, known: dict[tuple[str, int], FilmRow]) -> FilmRow | None:
    if film.year is None:
        return None
    for name in _names(film.name):
        for year in (film.year, film.year - 1, film.year + 1):
            if row := known.get((name, year)):
                return row
    return None


def _names(name: str) -> Iterator[str]:
    """The name without its brackets, then each bracketed name, folded."""
    yield _folded(readable(_IN_BRACKETS.sub("", name).strip()))
    for other in _IN_BRACKETS.findall(name):
        yield _folded(readable(other))


def _folded(name: str) -> str:
    plain = unicodedata.normalize("NFKD", name.casefold().replace("&", "and"))
    return "".join(letter for letter in plain if letter.isalnum())


def _listed(text: str | None) -> tuple[str, ...]:
    return tuple(part.strip() for part in (text or "").split(",") if part.strip())
