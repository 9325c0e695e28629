"""Tiny interaction tables: a test names only what it is about."""

import numpy as np
import polars as pl

from batch.recommend.interactions import COLUMNS, DAY_MS, Interactions

Row = tuple[str, str, float]
"""Profile, title, day."""


def watched(*rows: Row, country: str | None = None) -> Interactions:
    """Views of full weight; times in days since the epoch."""
    table = [(profile, title, round(day * DAY_MS), 1.0, country) for profile, title, day in rows]
    return Interactions.of(pl.DataFrame(table, COLUMNS, orient="row"))


def drawn(seed: int, rows: int = 600, profiles: int = 40, titles: int = 30, days: float = 100) -> Interactions:
    """A seeded table in which low numbers are watched more; countries NL and DE by profile."""
    rng = np.random.default_rng(seed)
    who = rng.integers(0, profiles, rows)
    what = (titles * rng.random(rows) ** 2).astype(int)
    when = np.sort(rng.random(rows) * days * DAY_MS).astype(int)
    table = {
        "profile": [f"p{number:02}" for number in who],
        "title": [f"t{number:02}" for number in what],
        "time": when,
        "weight": rng.random(rows),
        "country": ["NL" if number % 2 else "DE" for number in who],
    }
    return Interactions.of(pl.DataFrame(table).unique(("profile", "title"), keep="first", maintain_order=True))


def number(table: Interactions, profile: str) -> int:
    return table.profiles.index(profile)


def favourites(table: Interactions, scores: np.ndarray) -> list[str]:
    """Titles of one row of scores, best first, ties by name."""
    return [table.titles[place] for place in np.argsort(-scores, kind="stable")]
