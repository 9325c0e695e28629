"""How full and how fresh the lake's tables are, family by family."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import polars as pl

from batch.reports.inputs import Material


@dataclass(frozen=True, slots=True)
class Family:
    name: str
    rows: Sequence[int]
    """Day by day, by event time."""
    bytes: int
    """Of the shown day's files."""
    newest: int | None
    """Receipt of its newest event, milliseconds; None while the table is empty."""


def families(material: Material, days: Sequence[date]) -> list[Family]:
    """Every family that has a table, the fullest of the shown day (the last) first."""
    found = []
    for name, newest in material.newest.items():
        own = material.volumes.filter(pl.col("family") == name)
        by_day = {day: (rows, size) for day, rows, size in own.select("day", "rows", "bytes").iter_rows()}
        rows = [by_day.get(day, (0, 0))[0] for day in days]
        found.append(Family(name, rows, by_day.get(days[-1], (0, 0))[1], newest))
    return sorted(found, key=lambda family: (-family.rows[-1], family.name))
