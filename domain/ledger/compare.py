"""Compares a range of a partition's offsets: Kafka's records against the rows of the lake object."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import compress
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
from schemas.framing import HEADER_BYTES, frame
from schemas.topics import COMPACTION_LAG_MS, TOPICS

OffsetRange = tuple[int, int]
"""Offsets: start to before end."""
Part = tuple[OffsetRange, LakeObject | None]
"""Offsets, and the object that must hold them. None: there is no object."""
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
IN_NO_OBJECT = "in no lake object"
IN_TWO_OBJECTS = "in two lake objects"
BEYOND_THE_LOG = "in a lake object, and beyond the end of Kafka's log"
READ_OFFSETS = 50_000
"""Kafka is read for about this many offsets at once."""


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
    changed: "Changed"
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


@dataclass(frozen=True, slots=True)
class Changed:
    """Records that the lake holds under their offset and event id with other values than Kafka."""

    offsets: pl.Series
    fields: tuple[str, ...]
    """In which at least one of them differs."""

    @property
    def what(self) -> str:
        return f"in the lake with another {', '.join(self.fields)} than in Kafka"


_NO_EVENTS = pl.DataFrame(schema=EVENT)
_NO_OFFSETS = pl.Series("offset", [], dtype=pl.Int64)
_UNCHANGED = Changed(_NO_OFFSETS, ())


class _Kafka(NamedTuple):
    payloads: Sequence[bytes | None]
    frame: pl.DataFrame
    """One row a payload."""
    values: pl.DataFrame
    """As decoded: the valid ones."""

    def rows(self, span: OffsetRange) -> slice:
        """Which payloads lie in the span."""
        offsets = self.frame["offset"]
        return slice(offsets.search_sorted(span[0]), offsets.search_sorted(span[1]))


class _Rows(NamedTuple):
    """A lake object's rows."""

    frame: pl.DataFrame
    """LAKE."""
    changed: Changed
    same: bool
    """They are, byte for byte, the valid records that Kafka has at the object's offsets."""


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
        held, problem = _Rows(pl.DataFrame(schema=LAKE), _UNCHANGED, same=False), None
        if lake_object is None:
            problem = IN_NO_OBJECT
        elif lake_object.kind == "gap":
            problem = "in a gap object: they had left Kafka before the lake read them"
        else:
            try:
                held = self._rows(chain, lake_object, kafka)
            except KeyError:  # deleted since it was listed
                problem = IN_NO_OBJECT
            except ValueError as error:
                problem = f"unreadable in the lake: {error}"
        at = kafka.rows(span)
        records = kafka.frame[at]
        lake = (
            held.frame
            if lake_object and span == (lake_object.start, lake_object.end)
            else held.frame.filter(within(span))
        )
        missing, surplus, superseded = _NO_EVENTS, _NO_EVENTS, 0
        if not held.same:
            comparable = lake.filter(pl.col("offset") >= log[0])
            if lake_object and TOPICS[chain.topic].compacted and not problem:
                gone = set(comparable["offset"]).difference(records["offset"])
                replaced = self._superseded(chain, lake_object, gone, log)
                comparable, superseded = comparable.filter(~pl.col("offset").is_in(replaced)), len(replaced)
            valid = records.filter("valid")
            missing = valid.join(comparable, on=[*EVENT], how="anti", nulls_equal=True).select(*EVENT)
            surplus = comparable.join(valid, on=[*EVENT], how="anti", nulls_equal=True).select(*EVENT)
        return Comparison(
            span,
            lake_object,
            kafka=records,
            lake=lake,
            expired=max(0, min(span[1], log[0]) - span[0]),
            problem=problem,
            missing=missing,
            surplus=surplus,
            changed=replace(
                held.changed, offsets=held.changed.offsets.filter(held.changed.offsets.is_between(*span, "left"))
            ),
            superseded=superseded,
            unnamed=_NO_OFFSETS if problem else self._unnamed(chain, records),
        )

    def _unnamed(self, chain: Chain, records: pl.DataFrame) -> pl.Series:
        """The offsets of invalid records without a dead letter."""
        if records["valid"].all():
            return _NO_OFFSETS
        invalid = records.filter(~pl.col("valid"))
        named = self.dead_letters.find(chain, set(invalid["offset"]), min(invalid["appended"], default=None))
        return invalid["offset"].filter(~invalid["offset"].is_in(named))

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
            return _Kafka((), pl.DataFrame(schema=KAFKA), pl.DataFrame())
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
        wanted = {"event_id": pl.String, "received_at": pl.Int64, "device_id": pl.String, **SESSION}
        named = [pl.col(name) if name in decoded.frame.columns else pl.lit(None).alias(name) for name in wanted]
        values = decoded.frame.select("_index", *named, pl.lit(True).alias("valid")).with_columns(
            digest=row_digest(decoded.frame)
        )
        joined = log_df.join(values, on="_index", how="left", maintain_order="left").with_columns(
            hour=pl.coalesce("received_at", "appended") // HOUR_MS, valid=pl.col("valid").fill_null(False)
        )
        return _Kafka(payloads, joined.select(pl.col(name).cast(kind) for name, kind in KAFKA.items()), decoded.frame)

    def _rows(self, chain: Chain, lake_object: LakeObject, kafka: _Kafka) -> _Rows:
        """Raises KeyError when the object does not exist, ValueError when it cannot be read."""
        body = verified(lake_object, self._store.get(lake_object.key))
        if lake_object.schema_id is None:  # all of it was invalid
            return _Rows(pl.DataFrame(schema=LAKE), _UNCHANGED, same=False)
        at = kafka.rows((lake_object.start, lake_object.end))
        here, payloads = kafka.frame[at], kafka.payloads[at]
        if not here["valid"].all():
            payloads = list(compress(payloads, here["valid"]))
            here = here.filter("valid")
        metadata, blocks = container.read_blocks(body)
        offsets = row_offsets(lake_object, metadata)
        if offsets == here["offset"].to_list() and (here["schema_id"] == lake_object.schema_id).all():
            datums = (payload[HEADER_BYTES:] for payload in payloads if payload)
            if b"".join(datums) == b"".join(
                block for _, block in blocks
            ):  # the same bytes: no need to decode them again
                return _Rows(here[[*LAKE]], _UNCHANGED, same=True)
        return self._decoded(chain, lake_object, body, kafka)

    def _decoded(self, chain: Chain, lake_object: LakeObject, body: bytes, kafka: _Kafka) -> _Rows:
        metadata, datums = container.read_datums(body)
        rows = dict(zip(row_offsets(lake_object, metadata), datums, strict=True))
        payloads = [frame(lake_object.schema_id or 0, datum) for datum in rows.values()]
        decoded = self._decoder.decode(TOPICS[chain.topic].record, payloads).frame
        values = decoded.select(
            "_index",
            pl.col("event_id") if "event_id" in decoded.columns else pl.lit(None, pl.String).alias("event_id"),
            (pl.col("received_at") // HOUR_MS if "received_at" in decoded.columns else pl.lit(None, pl.Int64)).alias(
                "hour"
            ),
        )
        indexed = pl.DataFrame({"offset": pl.Series(list(rows), dtype=pl.Int64)}).with_row_index("_index")
        lake = indexed.join(values, on="_index", how="left", maintain_order="left").select(
            pl.col(name).cast(kind) for name, kind in LAKE.items()
        )
        return _Rows(lake, self._changed(kafka, lake_object, list(rows.items()), decoded), same=False)

    def _changed(
        self, kafka: _Kafka, lake_object: LakeObject, rows: list[tuple[int, bytes]], decoded: pl.DataFrame
    ) -> Changed:
        """Of the rows that have an offset and an event id of Kafka's, those with other values."""
        ours = {row["_index"]: row for row in decoded.iter_rows(named=True)}
        theirs = {row["_index"]: row for row in kafka.values.iter_rows(named=True)} if rows else {}
        places = {offset: index for index, offset in enumerate(kafka.frame["offset"])}
        offsets, fields = [], set()
        for index, (offset, datum) in enumerate(rows):
            at = places.get(offset, -1)
            mine, other = ours.get(index), theirs.get(at)
            if mine is None or other is None or mine.get("event_id") != other.get("event_id"):
                continue
            if kafka.payloads[at] != frame(lake_object.schema_id or 0, datum):
                differing = {name for name in mine if name != "_index" and mine[name] != other[name]}
                fields |= differing
                offsets += [offset] if differing else []
        return Changed(pl.Series("offset", offsets, dtype=pl.Int64), tuple(sorted(fields)))


def row_digest(records: pl.DataFrame) -> pl.Series:
    """One number a row, of all its flat values: the same in every process. Lists, maps and records are left out."""
    flat = [name for name, kind in records.schema.items() if not kind.is_nested() and name != "_index"]
    return records.select(sorted(flat)).hash_rows()


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


def overlaps(objects: Iterable[LakeObject]) -> Iterator[OffsetRange]:
    """The offsets that more than one of a chain's objects hold. ``objects``: in order."""
    end = 0
    for each in objects:
        if each.start < min(end, each.end):
            yield each.start, min(end, each.end)
        end = max(end, each.end)


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


def consecutive(offsets: pl.Series) -> list[OffsetRange]:
    """Consecutive offsets, as ranges."""
    ranges: list[OffsetRange] = []
    for offset in offsets.sort():
        if ranges and ranges[-1][1] == offset:
            ranges[-1] = (ranges[-1][0], offset + 1)
        else:
            ranges.append((offset, offset + 1))
    return ranges
