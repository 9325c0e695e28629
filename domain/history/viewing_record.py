"""Reduces a batch of decoded playback events to the newest viewing record of each session."""

from collections.abc import Iterator
from dataclasses import dataclass

import polars as pl

from domain.history.merge import KEY, merge
from schemas.events import ViewingRecord

FIELDS: tuple[str, ...] = ViewingRecord.__struct_fields__
DELIVERY_FIELDS = ("received_at", "event_time")
"""Fields that differ when a client delivers the same event again."""


@dataclass(frozen=True, slots=True)
class Newest:
    records: list[ViewingRecord]
    conflicts: int
    """Events whose session and seq another event has too, with different content."""
    starting: list[str]
    """Profiles, each once, of one in eight of the sessions that start in this batch."""


def newest_per_session(events: pl.DataFrame) -> Newest:
    """Playback events (columns of the Avro record, times in milliseconds) to one record per session."""
    # Only the ordering columns are sorted; whole rows are gathered for the few that matter.
    ordered = (
        events.select(*KEY, _write_timestamp(), "received_at")
        .with_row_index("row")
        .sort(*KEY, "write_timestamp", "received_at")
        .with_columns(same_session=_as_next(*KEY))
        .with_columns(same_seq=pl.col("same_session") & _as_next("write_timestamp"))
    )
    # Usually the last of each session; where received_at ties too, `merge` compares whole values.
    tied = pl.col("same_seq") & _as_next("received_at")
    candidates = events[ordered.filter(~pl.col("same_session") | tied)["row"]]
    return Newest(merge(_records(candidates)), _conflicts(events, ordered), _starting(events))


def _write_timestamp() -> pl.Expr:
    """``ViewingRecord.write_timestamp`` as a column."""
    return (pl.col("session_started_at") * 1000 + pl.col("seq")).alias("write_timestamp")


def _as_next(*columns: str) -> pl.Expr:
    """True where the next row has the same values; none of these columns holds nulls."""
    return pl.all_horizontal(*(pl.col(column) == pl.col(column).shift(-1) for column in columns)).fill_null(False)


def _records(rows: pl.DataFrame) -> Iterator[ViewingRecord]:
    # By column and position: a third of the time of polars' own rows and of names.
    return map(ViewingRecord, *(rows[name].to_list() for name in FIELDS))


def _starting(events: pl.DataFrame) -> list[str]:
    """Sampled by the random end of the session id: a replay samples the same sessions."""
    in_sample = pl.col("playback_session_id").str.slice(-1).is_in(["0", "8"])
    return events.filter((pl.col("seq") == 0) & in_sample)["profile_id"].unique(maintain_order=True).to_list()


def _conflicts(events: pl.DataFrame, ordered: pl.DataFrame) -> int:
    repeats = ordered.filter(pl.col("same_seq") | pl.col("same_seq").shift(1, fill_value=False))
    if repeats.is_empty():
        return 0
    content = [name for name in FIELDS if name not in DELIVERY_FIELDS]
    differs = pl.any_horizontal(*(pl.col(name).ne_missing(pl.col(name).shift(-1)) for name in content))
    return events[repeats["row"]].filter(differs & repeats["same_seq"]).height
