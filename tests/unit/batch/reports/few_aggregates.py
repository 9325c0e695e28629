"""Tiny literal aggregates: a test names only what it is about."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import polars as pl

from batch.reports.aggregates import GROUPINGS, KEYS, LEFT, STARTUPS
from batch.reports.inputs import FUNNEL_COLUMNS, ReportInputs
from domain.quality.formulas import startup_bucket

DAY = date(2023, 11, 14)
NAMES = (
    *("views", "starts", "failures", "exits", "finishes", "watched_ms", "rebuffers", "rebuffer_ms", "events"),
    *("events_sent", *LEFT, *STARTUPS),
)
NONE = dict.fromkeys(NAMES, 0)
HOUR_MS = 3_600_000
SECOND_BUCKET = STARTUPS[startup_bucket(1_000)]


def aggregates(**changes: int) -> dict[str, int]:
    """A view of an hour that started within a second and was left at once, without trouble."""
    one = {"views": 1, "starts": 1, "watched_ms": HOUR_MS, "events": 10, "events_sent": 10, "left_1": 1}
    return NONE | one | {SECOND_BUCKET: 1} | changes


def view(day: date = DAY, keys: Mapping[str, Any] | None = None, **changes: int) -> dict[str, Any]:
    """The same with its day and keys."""
    usual = {"hour": 21, "device_type": "tv", "app_version": "1.0.0", "country": "NL", "title_id": "ml-50"}
    return {"day": day, **usual, **(keys or {}), **aggregates(**changes)}


def report_inputs(*views: Mapping[str, Any], **changes: Any) -> ReportInputs:
    """What Spark would make of these views."""
    frame = pl.DataFrame(views or [view()], infer_schema_length=None)
    parts = [frame.group_by("day", *keys).agg(pl.col(*NAMES).sum()) for keys in GROUPINGS.values()]
    named = [part.with_columns(grouping=pl.lit(name)) for name, part in zip(GROUPINGS, parts, strict=True)]
    summed = pl.concat(named, how="diagonal").select("day", "grouping", *KEYS, *NAMES)
    parts_of: dict[str, Any] = {"aggregates": summed if views else summed.clear(), "newest": {}, "titles": {}}
    parts_of |= {"viewers": viewers(()), "funnel": funnel(()), "volumes": volumes(())}
    return ReportInputs(**(parts_of | changes))


def viewers(rows: Sequence[tuple[date, int, int]]) -> pl.DataFrame:
    return pl.DataFrame(rows, {"day": pl.Date, "minute": pl.Int64, "viewers": pl.Int64}, orient="row")


def funnel(rows: Sequence[tuple[date, *tuple[int, ...]]]) -> pl.DataFrame:
    return pl.DataFrame(rows, {"day": pl.Date} | dict.fromkeys(FUNNEL_COLUMNS, pl.Int64), orient="row")


def volumes(rows: Sequence[tuple[str, date, int, int]]) -> pl.DataFrame:
    schema = {"family": pl.String, "day": pl.Date, "rows": pl.Int64, "bytes": pl.Int64}
    return pl.DataFrame(rows, schema, orient="row")
