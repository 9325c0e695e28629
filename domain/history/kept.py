"""What a session keeps when a later event no longer reports it: where it was played, and how long the title is.

A player that was torn down reports position 0, or no length. So the last position that was played with a picture, the
last one after half a minute of steady playing, the last known length, and when the picture last moved are separate
values. Each is that of the newest event that reported it, by ``seq``, whichever event arrives first.
"""

from dataclasses import dataclass

import msgspec
import polars as pl

from schemas.events import ViewingRecord

STEADY_MS = 30_000
"""A position is settled when the picture has been moving for this long without a seek, a stall or a pause."""
BEGINNING = 0.05
"""The share of a title that is its beginning: who looks at it again does not give up a later position."""


@dataclass(frozen=True, slots=True)
class Kept:
    """One such value: the fields of a viewing record that hold it, and the events that tell it."""

    name: str
    told: pl.Expr
    values: dict[str, str]
    """The record's fields and the event's fields that they come from, without ``seq``."""

    @property
    def seq(self) -> str:
        """The field with the ``seq`` of the event that told it; None if none did."""
        return f"{self.name}_seq"

    @property
    def fields(self) -> tuple[str, ...]:
        return (self.seq, *self.values)


_PICTURE = pl.col("startup_time_ms").is_not_null() & (pl.col("watched_ms") > 0) & (pl.col("playhead_ms") > 0)
_PLAYING = pl.col("player_state") == "playing"
_STEADY = _PLAYING & (pl.col("state_since_ms") >= STEADY_MS)
_BEYOND_BEGINNING = (pl.col("playhead_ms") >= pl.col("duration_ms") * BEGINNING).fill_null(True)
KEPT = (
    Kept("played", _PICTURE, {"played_ms": "playhead_ms"}),
    Kept(
        "settled",
        _PICTURE & _STEADY & _BEYOND_BEGINNING,
        {"settled_ms": "playhead_ms", "settled_watched_ms": "watched_ms"},
    ),
    Kept("length", pl.col("duration_ms").is_not_null(), {"length_ms": "duration_ms"}),
    Kept("moved", _PLAYING, {"moved_at": "event_time", "moved_watched_ms": "watched_ms"}),
)
KEPT_FIELDS = tuple(field for kept in KEPT for field in kept.fields)


def keep(record: ViewingRecord, other: ViewingRecord) -> ViewingRecord:
    """``record`` with the newer of both states' kept values; of equal ``seq`` the larger, as Cassandra decides."""
    changed: dict[str, int | None] = {}
    for kept in KEPT:
        mine = [getattr(record, field) for field in kept.fields]
        theirs = [getattr(other, field) for field in kept.fields]
        if theirs[0] is not None and (mine[0] is None or theirs > mine):
            changed.update(zip(kept.fields, theirs, strict=True))
    return msgspec.structs.replace(record, **changed) if changed else record
