"""What Kafka and the lake hold of one partition, compared, as frames. Chains are compared apart, so in any process."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import chain as chained
from itertools import islice
from typing import Any

import polars as pl

from domain.lake.keys import Chain
from domain.lake.reading import LakeObject
from domain.ledger.comparison import SESSION, Comparison
from domain.ledger.sources import Sides
from domain.ledger.spans import READ_OFFSETS, Part, consecutive, split_by_object
from domain.ledger.state import Finding
from schemas.topics import EVENT_TOPICS

POSITIONS = {"topic": pl.String, "partition": pl.Int32, "offset": pl.Int64}
RECORDS = {**POSITIONS, "event_id": pl.String}
KAFKA = {**RECORDS, "device_id": pl.String, "valid": pl.Boolean, "named": pl.UInt64, "digest": pl.UInt64}
NEWEST = {**POSITIONS, **SESSION}
PARTITIONS = {
    "topic": pl.String,
    "partition": pl.Int32,
    "log_start": pl.Int64,
    "log_end": pl.Int64,
    "in_lake": pl.Int64,
    "since": pl.Int64,
}
OBJECTS = {
    "topic": pl.String,
    "partition": pl.Int32,
    "key": pl.String,
    "start": pl.Int64,
    "end": pl.Int64,
    "records": pl.Int64,
    "rows": pl.Int64,
    "dead_letters": pl.Int64,
    "absent": pl.Int64,
    "kind": pl.String,
}
_PLAYBACK = EVENT_TOPICS["playback"].name
_NO_END = 2**62


@dataclass(frozen=True, slots=True)
class ChainSnapshot:
    chain: Chain
    partition: pl.DataFrame
    """PARTITIONS, one row: Kafka's first and next offset, how many lake rows lie between them, without those that
    compaction removed from Kafka, and when Kafka appended the first record that it still has, in ms."""
    kafka: pl.DataFrame
    """KAFKA: one row for each record. valid: by the contract. named: what names an event together with its id, hashed;
    some clients give one id to two events."""
    newest: pl.DataFrame
    """NEWEST: the playback events with the highest seq of their session. Usually one for each session."""
    objects: pl.DataFrame
    """OBJECTS. rows is null for an object that lies within others."""
    missing: pl.DataFrame
    """RECORDS"""
    surplus: pl.DataFrame
    """RECORDS"""
    damaged: tuple[str, ...]
    changed: tuple[str, ...]


@dataclass(slots=True)
class _Parts:
    """The snapshot's rows while they are collected."""

    chain: Chain
    log_start: int
    read: list[pl.DataFrame] = field(default_factory=list)
    """Kafka's records since the last ``reduce``, as they were compared."""
    kafka: list[pl.DataFrame] = field(default_factory=list)
    newest: list[pl.DataFrame] = field(default_factory=list)
    missing: list[pl.DataFrame] = field(default_factory=list)
    surplus: list[pl.DataFrame] = field(default_factory=list)
    damaged: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    rows: dict[str, int] = field(default_factory=dict)
    in_lake: int = 0
    since: int | None = None

    def add(self, comparison: Comparison) -> None:
        chain, lake, changed = self.chain, comparison.lake, comparison.changed
        place = f"{chain.topic}[{chain.partition}]"
        if each := comparison.lake_object:
            self.rows[each.key] = self.rows.get(each.key, 0) + lake.height
            if comparison.problem and each.kind == "data":
                self.damaged += [f"{place}: {finding.what}" for finding in comparison.findings]
        self.changed += [f"{place}: {Finding.of(run, run, changed.what).what}" for run in consecutive(changed.offsets)]
        if comparison.span[0] < self.log_start:
            lake = lake.filter(pl.col("offset") >= self.log_start)
        self.in_lake += lake.height - comparison.superseded
        for rows, into in ((comparison.missing, self.missing), (comparison.surplus, self.surplus)):
            if rows.height:
                into.append(_placed(rows, chain).select(*RECORDS))
        self.read.append(comparison.kafka)
        if sum(frame.height for frame in self.read) > READ_OFFSETS:
            self.reduce()

    def reduce(self) -> None:
        """Keep less of what was read. Objects are small, so this is done for many at once."""
        if not self.read:
            return
        kafka, self.read = _placed(pl.concat(self.read), self.chain), []
        if self.since is None and kafka.height:
            self.since = kafka["appended"][0]
        playback = self.chain.topic == _PLAYBACK
        names = ("device_id", "playback_session_id", "seq") if playback else ("device_id",)
        self.kafka.append(kafka.with_columns(named=pl.struct(names).hash()).select(*KAFKA))
        if playback:
            self.newest.append(_newest(kafka.filter("valid")).select(*NEWEST))


def compare_chain(sides: Sides, chain: Chain) -> ChainSnapshot:
    """Read and compare a whole chain, object by object. TransientError while a backend is unreachable."""
    found = sides.objects(chain, 0)
    first = list(islice(found, 1))  # a store that reads ahead has listed all names now
    log = sides.offsets(chain)  # after the lake: what the lake has, Kafka had before
    objects: list[LakeObject] = []
    parts = _Parts(chain, log[0])
    spans = split_by_object((0, _NO_END), _noted(chained(first, found), objects))
    for comparison in sides.comparer.compare(chain, _cut(spans, log[1]), log):
        parts.add(comparison)
    parts.reduce()
    at = chain.topic, chain.partition
    return ChainSnapshot(
        chain,
        partition=to_frame([(*at, *log, parts.in_lake, parts.since)], PARTITIONS),
        kafka=pl.concat([to_frame([], KAFKA), *parts.kafka]),
        newest=_newest(pl.concat([to_frame([], NEWEST), *parts.newest])),
        objects=to_frame(
            [
                (
                    *at,
                    each.key,
                    each.start,
                    each.end,
                    each.records,
                    parts.rows.get(each.key),
                    each.dead_letters,
                    each.absent,
                    each.kind,
                )
                for each in objects
            ],
            OBJECTS,
        ),
        missing=pl.concat([to_frame([], RECORDS), *parts.missing]),
        surplus=pl.concat([to_frame([], RECORDS), *parts.surplus]),
        damaged=tuple(parts.damaged),
        changed=tuple(parts.changed),
    )


def _newest(events: pl.DataFrame) -> pl.DataFrame:
    return events.filter(pl.col("seq") == pl.col("seq").max().over("playback_session_id"))


def _noted(objects: Iterable[LakeObject], into: list[LakeObject]) -> Iterator[LakeObject]:
    for each in objects:
        into.append(each)
        yield each


def _cut(parts: Iterable[Part], log_end: int) -> Iterator[Part]:
    """What is in no object in pieces, so that no more of Kafka is read at once than for objects."""
    for (start, end), lake_object in parts:
        if lake_object:
            yield (start, end), lake_object
            continue
        for first in range(start, min(end, log_end), READ_OFFSETS):
            yield (first, min(end, log_end, first + READ_OFFSETS)), None


def _placed(frame: pl.DataFrame, chain: Chain) -> pl.DataFrame:
    return frame.with_columns(topic=pl.lit(chain.topic), partition=pl.lit(chain.partition, pl.Int32))


def to_frame(rows: list[tuple[Any, ...]], schema: dict[str, Any]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=schema, orient="row")
