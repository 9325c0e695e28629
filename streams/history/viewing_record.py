"""From a batch of decoded playback events to the newest viewing record of each session."""

from dataclasses import dataclass

import polars as pl

from schemas.events import ViewingRecord
from streams.history.merge import merge
from streams.history.order import KEY

FIELDS: tuple[str, ...] = ViewingRecord.__struct_fields__
DELIVERY_FIELDS = ("received_at", "event_time")
"""These differ when a client delivers the same event again."""


@dataclass(frozen=True, slots=True)
class Newest:
    records: list[ViewingRecord]
    conflicts: int
    """Events that claim a seq of their session which another one has, with different content."""


def newest_per_session(events: pl.DataFrame) -> Newest:
    """Playback events (columns of the Avro record, times in milliseconds) to one record per session."""
    ordered = (
        events.select(FIELDS)
        .with_columns(_write_timestamp=pl.col("session_started_at") * 1000 + pl.col("seq"))
        .sort(*KEY, "_write_timestamp", "received_at")
        .with_columns(_same_session=_as_next(*KEY), _same_seq=_as_next(*KEY, "_write_timestamp"))
    )
    # Usually the last of each session; where received_at ties too, `merge` compares the whole values.
    tied = pl.col("_same_seq") & _as_next("received_at")
    candidates = ordered.filter(~pl.col("_same_session") | tied).select(FIELDS)
    records = merge(ViewingRecord(**row) for row in candidates.iter_rows(named=True))
    return Newest(records, _conflicts(ordered))


def _as_next(*columns: str) -> pl.Expr:
    """True where the next row has the same values; none of these columns holds nulls."""
    return pl.all_horizontal(*(pl.col(column) == pl.col(column).shift(-1) for column in columns)).fill_null(False)


def _conflicts(ordered: pl.DataFrame) -> int:
    same_seq = ordered.filter(pl.col("_same_seq") | pl.col("_same_seq").shift(1, fill_value=False))
    content = [name for name in FIELDS if name not in DELIVERY_FIELDS]
    differs = pl.any_horizontal(*(pl.col(name).ne_missing(pl.col(name).shift(-1)) for name in content))
    return same_seq.filter(pl.col("_same_seq") & differs).height
