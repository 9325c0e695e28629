"""MovieLens 100k as viewing: each rating is a view, whatever its stars."""

from pathlib import Path

import polars as pl

from batch.recommend.interactions import Interactions
from batch.recommend.titles import Facts


def interactions(ratings: Path) -> Interactions:
    """From RecBole's ``.inter``: user, item, rating, timestamp in seconds, tab-separated with a header."""
    table = pl.read_csv(ratings, separator="\t", new_columns=["user", "item", "stars", "seconds"])
    return Interactions.of(
        table.select(
            profile="ml-" + pl.col("user").cast(pl.String),
            title="ml-" + pl.col("item").cast(pl.String),
            time=(pl.col("seconds") * 1000).cast(pl.Int64),
            weight=pl.lit(1.0),
            country=pl.lit(None, pl.String),
        )
    )


def facts(films: Path) -> dict[str, Facts]:
    """By title id, from RecBole's ``.item``: item, name, year, genres separated by blanks."""
    table = pl.read_csv(
        films, separator="\t", new_columns=["item", "name", "year", "genres"], infer_schema=False, quote_char=None
    )
    return {
        f"ml-{item}": Facts(int(year) if year and year.isdigit() else None, tuple((kinds or "").split()))
        for item, year, kinds in table.select("item", "year", "genres").iter_rows()
    }
