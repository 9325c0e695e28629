"""What a comparison of Kafka's records with a lake object found."""

from dataclasses import dataclass

import polars as pl

from domain.lake.reading import LakeObject
from domain.ledger.spans import OffsetRange, consecutive
from domain.ledger.state import Finding, HourCounts

EVENT = {"offset": pl.Int64, "event_id": pl.String}
STATE = {"title_id": pl.String, "playhead_ms": pl.Int64, "duration_ms": pl.Int64, "watched_ms": pl.Int64}
"""What the ledger compares of a session's newest state."""
SESSION = {"profile_id": pl.String, "playback_session_id": pl.String, "seq": pl.Int64, **STATE}
KAFKA = {
    **EVENT,
    "device_id": pl.String,
    **SESSION,
    "hour": pl.Int64,
    "appended": pl.Int64,
    "schema_id": pl.Int64,
    "valid": pl.Boolean,
    "digest": pl.UInt64,
}
LAKE = {**EVENT, "hour": pl.Int64}


@dataclass(frozen=True, slots=True)
class Changed:
    """Records that the lake holds under their offset and event id with other values than Kafka."""

    offsets: pl.Series
    fields: tuple[str, ...]
    """In which at least one of them differs."""

    @property
    def what(self) -> str:
        return f"in the lake with another {', '.join(self.fields)} than in Kafka"

    def within(self, span: OffsetRange) -> "Changed":
        return Changed(self.offsets.filter(self.offsets.is_between(*span, "left")), self.fields)


NO_EVENTS = pl.DataFrame(schema=EVENT)
NO_OFFSETS = pl.Series("offset", [], dtype=pl.Int64)
UNCHANGED = Changed(NO_OFFSETS, ())


@dataclass(frozen=True, slots=True)
class Comparison:
    """A range of offsets, and the one object that must hold them."""

    span: OffsetRange
    lake_object: LakeObject | None
    kafka: pl.DataFrame
    """KAFKA: what Kafka still has of the range. Values that a record does not have are null. hour, since the epoch, is
    the hour of receipt, or of Kafka's append where the record does not say. appended is in ms. digest: ``row_digest``
    of a valid record."""
    lake: pl.DataFrame
    """LAKE: the object's rows in the range."""
    expired: int
    """Offsets that Kafka no longer has. They cannot be compared."""
    problem: str | None
    """Why the object has no rows: it does not exist, is a gap, or cannot be read."""
    missing: pl.DataFrame
    """EVENT: valid in Kafka, and not in the object."""
    surplus: pl.DataFrame
    """EVENT: in the object, and not in Kafka, although Kafka still has the offset or never had it."""
    changed: Changed
    superseded: int
    """Rows of the object that a compacted topic no longer has, because the key has a later record there."""
    unnamed: pl.Series
    """Offsets of invalid records in Kafka without a dead letter. Empty if there is a problem."""

    @property
    def findings(self) -> tuple[Finding, ...]:
        if self.problem:
            return (Finding.of(self.span, self.span, self.problem),)
        return tuple(
            Finding.of(self.span, run, what)
            for offsets, what in (
                (self.missing["offset"], "in Kafka, but not in the lake object"),
                (self.surplus["offset"], "in the lake, but not in Kafka"),
                (self.changed.offsets, self.changed.what),
                (self.unnamed, "invalid, and named by no dead letter"),
            )
            for run in consecutive(offsets)
        )

    def hours(self) -> dict[int, HourCounts]:
        """Kafka's records by hour."""
        valid = pl.col("valid")
        by_hour = self.kafka.group_by("hour").agg(valid.sum(), (~valid).sum().alias("invalid"))
        return {hour: HourCounts(good, bad, *self.span) for hour, good, bad in by_hour.iter_rows()}


def row_digest(records: pl.DataFrame) -> pl.Series:
    """One number a row, of all its flat values: the same in every process. Lists, maps and records are left out."""
    flat = [name for name, kind in records.schema.items() if not kind.is_nested() and name != "_index"]
    return records.select(sorted(flat)).hash_rows()
