"""Compares a range of a partition's offsets: Kafka's records against the rows of the lake object."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import polars as pl

from domain.clock import Clock, system_clock
from domain.lake import container
from domain.lake.keys import Chain
from domain.lake.ports import ObjectReader
from domain.lake.reading import LakeObject, read_rows, row_offsets, verified
from domain.ledger.dead_letter_index import DeadLetterIndex
from domain.ledger.ports import RecordLog
from domain.ledger.state import HOUR_MS, Finding, HourCounts
from schemas.batch import BatchDecoder
from schemas.framing import HEADER_BYTES
from schemas.topics import COMPACTION_LAG_MS, TOPICS

OffsetRange = tuple[int, int]
"""Offsets: start to before end."""
Part = tuple[OffsetRange, LakeObject | None]
"""Offsets, and the object that must hold them. None: there is no object."""
EVENT = {"offset": pl.Int64, "event_id": pl.String}
SESSION = {"device_id": pl.String, "playback_session_id": pl.String, "seq": pl.Int64}
KAFKA = {
    **EVENT,
    **SESSION,
    "hour": pl.Int64,
    "appended": pl.Int64,
    "schema_id": pl.Int64,
    "valid": pl.Boolean,
}
LAKE = {**EVENT, "hour": pl.Int64}
IN_NO_OBJECT = "in no lake object"
READ_OFFSETS = 50_000
"""Kafka is read for about this many offsets at once."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """A range of offsets, and the one object that must hold them."""

    span: OffsetRange
    lake_object: LakeObject | None
    kafka: pl.DataFrame
    """KAFKA: what Kafka still has of the range. Values that a record does not have are null. hour, since the epoch, is
    the hour of receipt, or of Kafka's append where the record does not say. appended is in ms."""
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
                (self.unnamed, "invalid, and named by no dead letter"),
            )
            for run in _consecutive(offsets)
        )

    def hours(self) -> dict[int, HourCounts]:
        """Kafka's records by hour."""
        valid = pl.col("valid")
        by_hour = self.kafka.group_by("hour").agg(valid.sum(), (~valid).sum().alias("invalid"))
        return {hour: HourCounts(good, bad, *self.span) for hour, good, bad in by_hour.iter_rows()}


class _Kafka(NamedTuple):
    payloads: Sequence[bytes | None]
    frame: pl.DataFrame
    """One row a payload."""


class Comparer:
    def __init__(self, log: RecordLog, store: ObjectReader, decoder: BatchDecoder, now: Clock = system_clock) -> None:
        self._log = log
        self._store = store
        self._decoder = decoder
        self._now = now
        self.dead_letters = DeadLetterIndex(log, decoder)

    def compare(self, chain: Chain, parts: Iterable[Part], log: OffsetRange) -> Iterator[Comparison]:
        """Compare each part, as ``split_by_object`` makes them.

        ``log``: the offsets that Kafka has now. TransientError while Kafka, store or registry is unreachable.
        """
        for run in _runs(parts):
            kafka = self._kafka(chain, _overlap((run[0][0][0], run[-1][0][1]), log))
            for span, lake_object in run:
                yield self._compare(chain, span, lake_object, kafka, log)

    def _compare(
        self, chain: Chain, span: OffsetRange, lake_object: LakeObject | None, kafka: _Kafka, log: OffsetRange
    ) -> Comparison:
        lake, problem = pl.DataFrame(schema=LAKE), None
        if lake_object is None:
            problem = IN_NO_OBJECT
        elif lake_object.kind == "gap":
            problem = "in a gap object: they had left Kafka before the lake read them"
        else:
            try:
                lake = self._rows(lake_object, kafka).filter(within(span))
            except KeyError:  # deleted since it was listed
                problem = IN_NO_OBJECT
            except ValueError as error:
                problem = f"unreadable in the lake: {error}"
        records = kafka.frame.filter(within(span))
        valid, invalid = records.filter("valid"), records.filter(~pl.col("valid"))
        comparable = lake.filter(pl.col("offset") >= log[0])
        superseded: set[int] = set()
        if lake_object and TOPICS[chain.topic].compacted and not problem:
            gone = set(comparable["offset"]).difference(records["offset"])
            superseded = self._superseded(chain, lake_object, gone, log)
            comparable = comparable.filter(~pl.col("offset").is_in(superseded))
        named: set[int] = set()
        if not problem:
            named = self.dead_letters.find(chain, set(invalid["offset"]), min(invalid["appended"], default=None))
        return Comparison(
            span,
            lake_object,
            kafka=records,
            lake=lake,
            expired=max(0, min(span[1], log[0]) - span[0]),
            problem=problem,
            missing=valid.join(comparable, on=[*EVENT], how="anti", nulls_equal=True).select(*EVENT),
            surplus=comparable.join(valid, on=[*EVENT], how="anti", nulls_equal=True).select(*EVENT),
            superseded=len(superseded),
            unnamed=invalid["offset"].filter(~invalid["offset"].is_in(named) & (problem is None)),
        )

    def _superseded(self, chain: Chain, lake_object: LakeObject, gone: set[int], log: OffsetRange) -> set[int]:
        """Those that compaction may have removed: their key has a later record that is older than the lag.

        What compaction removes, it replaces by a record that it may compact, too; so this is exact, by Kafka's clock.
        """
        if not gone:
            return gone
        key, oldest_kept = TOPICS[chain.topic].key, self._now() - COMPACTION_LAG_MS
        old = [
            one
            for batch in self._log.records(chain.topic, chain.partition, *log)
            for one in batch
            if one[2] < oldest_kept
        ]
        decoded = self._decoder.decode(TOPICS[chain.topic].record, [payload for _, payload, _ in old]).frame
        last = {row[key]: old[row["_index"]][0] for row in decoded.select("_index", key).iter_rows(named=True)}
        rows = read_rows(lake_object, verified(lake_object, self._store.get(lake_object.key)))
        return {offset for offset, row in rows if offset in gone and last.get(row[key], -1) > offset}

    def _kafka(self, chain: Chain, span: OffsetRange) -> _Kafka:
        if span[0] >= span[1]:
            return _Kafka((), pl.DataFrame(schema=KAFKA))
        records = [one for batch in self._log.records(chain.topic, chain.partition, *span) for one in batch]
        payloads = [payload for _, payload, _ in records]
        decoded = self._decoder.decode(TOPICS[chain.topic].record, payloads)
        log_df = pl.DataFrame(
            {
                "offset": pl.Series([offset for offset, _, _ in records], dtype=pl.Int64),
                "appended": pl.Series([appended for _, _, appended in records], dtype=pl.Int64),
                "schema_id": pl.Series(decoded.schema_ids, dtype=pl.Int64),
            }
        ).with_row_index("_index")
        wanted = {"event_id": pl.String, "received_at": pl.Int64, **SESSION}
        named = [pl.col(name) if name in decoded.frame.columns else pl.lit(None).alias(name) for name in wanted]
        values = decoded.frame.select("_index", *named, pl.lit(True).alias("valid"))
        frame = log_df.join(values, on="_index", how="left", maintain_order="left").with_columns(
            hour=pl.coalesce("received_at", "appended") // HOUR_MS, valid=pl.col("valid").fill_null(False)
        )
        return _Kafka(payloads, frame.select(pl.col(name).cast(kind) for name, kind in KAFKA.items()))

    def _rows(self, lake_object: LakeObject, kafka: _Kafka) -> pl.DataFrame:
        """LAKE. Raises KeyError when the object does not exist, ValueError when it cannot be read."""
        body = verified(lake_object, self._store.get(lake_object.key))
        if lake_object.schema_id is None:  # all of it was invalid
            return pl.DataFrame(schema=LAKE)
        here = kafka.frame.with_row_index("_at").filter(within((lake_object.start, lake_object.end)) & pl.col("valid"))
        if here.height == lake_object.records and (here["schema_id"] == lake_object.schema_id).all():
            datums = (payload[HEADER_BYTES:] for at in here["_at"] if (payload := kafka.payloads[at]))
            metadata, blocks = container.read_blocks(body)
            same_offsets = row_offsets(lake_object, metadata) == here["offset"].to_list()
            if same_offsets and b"".join(datums) == b"".join(block for _, block in blocks):
                return here.select(*LAKE)  # the same bytes: no need to decode them again
        rows = [
            (offset, row.get("event_id"), row["received_at"] // HOUR_MS if "received_at" in row else None)
            for offset, row in read_rows(lake_object, body)
        ]
        return pl.DataFrame(rows, schema=LAKE, orient="row")


def within(span: OffsetRange) -> pl.Expr:
    return (pl.col("offset") >= span[0]) & (pl.col("offset") < span[1])


def split_by_object(span: OffsetRange, objects: Iterable[LakeObject]) -> Iterator[Part]:
    """Cut the span into the parts that each object must hold, and the parts in no object. ``objects``: in order."""
    position = span[0]
    for each in objects:
        start, end = max(position, each.start), min(span[1], each.end)
        if start >= span[1]:
            break
        if start < end:
            if start > position:
                yield (position, start), None
            yield (start, end), each
            position = end
    if position < span[1]:
        yield (position, span[1]), None


def _runs(parts: Iterable[Part]) -> Iterator[list[Part]]:
    """Adjacent parts, until they have READ_OFFSETS together."""
    run: list[Part] = []
    for part in parts:
        if run and (part[0][0] != run[-1][0][1] or part[0][1] - run[0][0][0] > READ_OFFSETS):
            yield run
            run = []
        run.append(part)
    if run:
        yield run


def _overlap(one: OffsetRange, other: OffsetRange) -> OffsetRange:
    return max(one[0], other[0]), min(one[1], other[1])


def _consecutive(offsets: pl.Series) -> list[OffsetRange]:
    """Consecutive offsets, as ranges."""
    ranges: list[OffsetRange] = []
    for offset in offsets.sort():
        if ranges and ranges[-1][1] == offset:
            ranges[-1] = (ranges[-1][0], offset + 1)
        else:
            ranges.append((offset, offset + 1))
    return ranges
