"""Reduces a batch of decoded playback events to the newest viewing record of each session."""

from collections.abc import Iterator
from dataclasses import dataclass

import polars as pl

from domain.history.kept import KEPT, KEPT_FIELDS
from domain.history.merge import KEY, merge
from schemas.events import ViewingRecord

FIELDS: tuple[str, ...] = ViewingRecord.__struct_fields__
EVENT_FIELDS = tuple(name for name in FIELDS if name not in KEPT_FIELDS)
DELIVERY_FIELDS = ("received_at", "event_time", "start_time")
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
        events.select(*KEY, "seq", "received_at", **{kept.name: kept.told for kept in KEPT})
        .with_row_index("row")
        .sort(*KEY, "seq", "received_at")
        .with_row_index("place")
        .with_columns(same_session=_as_next(*KEY))
        .with_columns(same_seq=pl.col("same_session") & _as_next("seq"))
        .with_columns(_told_at(kept.name) for kept in KEPT)
    )
    # Usually the last of each session; where seq ties, `merge` compares values.
    candidates = ordered.filter(~pl.col("same_session") | pl.col("same_seq"))
    rows = events[candidates["row"]]
    kept_values = [
        events.select("seq", *kept.values.values())[ordered["row"].gather(candidates[kept.name])].select(
            **{kept.seq: pl.when(told).then("seq")},
            **{field: pl.when(told).then(source) for field, source in kept.values.items()},
        )
        for kept in KEPT
        for told in [candidates[kept.name].is_not_null()]
    ]
    newest = pl.concat([rows, *kept_values], how="horizontal")
    return Newest(merge(_records(newest)), _conflicts(events, ordered), _starting(events))


def _told_at(name: str) -> pl.Expr:
    """In sorted rows: the place of the session's last row up to this one that is true in this column; else null."""
    begins = ~pl.col("same_session").shift(1, fill_value=False)
    first = pl.when(begins).then("place").forward_fill()
    last = pl.when(name).then("place").forward_fill()
    return pl.when(last >= first).then(last).alias(name)


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
    content = [name for name in EVENT_FIELDS if name not in DELIVERY_FIELDS]
    differs = pl.any_horizontal(*(pl.col(name).ne_missing(pl.col(name).shift(-1)) for name in content))
    return events[repeats["row"]].filter(differs & repeats["same_seq"]).height
