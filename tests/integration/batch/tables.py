"""Iceberg tables without Spark: as other tools read them."""

import polars as pl

from infra.engines.iceberg import load, scan
from infra.runtime.settings import Settings


def rows(settings: Settings, name: str) -> pl.DataFrame:
    """All rows by PyIceberg; times in milliseconds; sorted."""
    return _comparable(pl.DataFrame(pl.from_arrow(load(settings, name).scan().to_arrow())))


def rows_by_polars(settings: Settings, name: str) -> pl.DataFrame:
    """The same rows, each file read by polars itself."""
    return _comparable(scan(settings, name).collect())


def _comparable(frame: pl.DataFrame) -> pl.DataFrame:
    times = [column for column, kind in frame.schema.items() if isinstance(kind, pl.Datetime)]
    return frame.with_columns(pl.col(times).dt.epoch("ms")).sort(pl.all())
