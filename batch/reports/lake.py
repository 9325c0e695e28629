"""The size and freshness of each family's table."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import polars as pl

from batch.reports.inputs import ReportInputs


@dataclass(frozen=True, slots=True)
class Family:
    name: str
    rows: Sequence[int]
    """By day of event time."""
    bytes: int
    """Size of the shown day's files."""
    newest: int | None
    """When its newest event was received, in milliseconds; None if the table is empty."""


def families(inputs: ReportInputs, days: Sequence[date]) -> list[Family]:
    """Every family that has a table, the one with the most rows on the shown day (the last) first."""
    found = []
    for name, newest in inputs.newest.items():
        volumes = inputs.volumes.filter(pl.col("family") == name)
        by_day = {day: (rows, size) for day, rows, size in volumes.select("day", "rows", "bytes").iter_rows()}
        rows = [by_day.get(day, (0, 0))[0] for day in days]
        found.append(Family(name, rows, by_day.get(days[-1], (0, 0))[1], newest))
    return sorted(found, key=lambda family: (-family.rows[-1], family.name))
