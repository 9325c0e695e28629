"""What every source holds now, as the frames that the ledger's checks compare.

Every frame is polars. ``offset`` is a Kafka offset, ids are text.
"""

import asyncio
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import chain as chained
from itertools import islice
from pathlib import Path
from typing import Any

import msgspec
import polars as pl

from domain.history.reading import HistoryReader
from domain.lake.keys import Chain
from domain.ledger.compare import READ_OFFSETS, Part, split_by_object
from domain.ledger.ports import History, Tables
from domain.ledger.sources import Sources
from schemas.events import ViewingRecord
from schemas.topics import EVENT_TOPICS, TOPICS

POSITIONS = {"topic": pl.String, "partition": pl.Int32, "offset": pl.Int64}
RECORDS = {**POSITIONS, "event_id": pl.String}
KAFKA = {
    **RECORDS,
    "valid": pl.Boolean,
    "playback_session_id": pl.String,
    "seq": pl.Int64,
    "device_id": pl.String,
}
PARTITIONS = {
    "topic": pl.String,
    "partition": pl.Int32,
    "log_start": pl.Int64,
    "log_end": pl.Int64,
    "in_lake": pl.Int64,
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
    "kind": pl.String,
}
SESSIONS = {"playback_session_id": pl.String, "seq": pl.Int64}
CLIENT = {"event_id": pl.String, "outcome": pl.String}
TABLE_EVENTS = {"topic": pl.String, "event_id": pl.String}
TAKEN = {"topic": pl.String, "partition": pl.Int32, "taken": pl.Int64}

HISTORIES_AT_ONCE = 32
_PLAYBACK = EVENT_TOPICS["playback"].name


@dataclass(frozen=True, slots=True)
class TableContents:
    """What the Iceberg tables hold. They are filled by jobs, so they say themselves how far they have come."""

    events: pl.DataFrame
    """TABLE_EVENTS: one row for each row of a table."""
    taken: pl.DataFrame
    """TAKEN: the next offset to take, of each partition that a table has read."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    partitions: pl.DataFrame
    """PARTITIONS: Kafka's first and next offset of every partition, and how many lake rows lie between them,
    without those that compaction removed from Kafka."""
    kafka: pl.DataFrame
    """KAFKA: one row for each record. valid: by the contract. Session and seq are set for playback events only."""
    objects: pl.DataFrame
    """OBJECTS: the lake's chains, with what their metadata say, and how many rows were read."""
    missing: pl.DataFrame
    """RECORDS: valid in Kafka, and not in the lake."""
    surplus: pl.DataFrame
    """RECORDS: in the lake, and not in Kafka."""
    damaged: tuple[str, ...]
    """Why objects could not be read."""
    dead_letters: pl.DataFrame
    """POSITIONS: distinct records in Kafka that a dead letter names."""
    history: pl.DataFrame
    """SESSIONS: newest seq of every session, as members read it."""
    client: pl.DataFrame | None
    """CLIENT: the clients' own logs, one row for each event. None if no client keeps one here."""
    tables: TableContents | None
    """None when there are no tables."""


@dataclass(slots=True)
class _Rows:
    """The snapshot's rows while they are collected."""

    partitions: list[tuple[Any, ...]] = field(default_factory=list)
    objects: list[tuple[Any, ...]] = field(default_factory=list)
    damaged: list[str] = field(default_factory=list)
    kafka: list[pl.DataFrame] = field(default_factory=list)
    missing: list[pl.DataFrame] = field(default_factory=list)
    surplus: list[pl.DataFrame] = field(default_factory=list)


def take_snapshot(
    sources: Sources,
    history: History,
    tables: Tables,
    client: Iterable[tuple[str, str]] | None,
    progress: Callable[[str], None],
) -> Snapshot:
    """Read and compare everything. ``client``: (event id, outcome) from the clients' own logs, if they keep any.

    ``progress`` gets the name of what is being read. Run it while the pipeline is idle: records in flight count as
    missing. TransientError while a backend is unreachable.
    """
    chains = [Chain(topic, topic_id, partition) for topic, topic_id, partition, *_ in sources.log.spans(TOPICS)]
    rows = _Rows()
    for chain in chains:
        progress(f"Kafka and lake: {chain.topic}[{chain.partition}]")
        _compare(sources, chain, rows)
    topics = {(chain.topic_id, chain.partition): chain.topic for chain in chains}
    named = [(topics[at[:2]], *at[1:]) for at in sources.comparer.dead_letters.all() if at[:2] in topics]
    progress("Cassandra: every history")
    return Snapshot(
        partitions=_frame(rows.partitions, PARTITIONS),
        kafka=pl.concat([_frame([], KAFKA), *rows.kafka]),
        objects=_frame(rows.objects, OBJECTS),
        missing=pl.concat([_frame([], RECORDS), *rows.missing]),
        surplus=pl.concat([_frame([], RECORDS), *rows.surplus]),
        damaged=tuple(rows.damaged),
        dead_letters=_frame(named, POSITIONS),
        history=_frame(list(history.newest_seqs()), SESSIONS),
        client=None if client is None else _frame(list(client), CLIENT),
        tables=_tables(tables, chains, progress),
    )


def _compare(sources: Sources, chain: Chain, rows: _Rows) -> None:
    objects = list(sources.objects(chain, 0))
    log = sources.offsets(chain)  # after the lake: what the lake has, Kafka had before
    in_lake = 0
    read = {each.key: 0 for each in objects}
    end = max(log[1], *(each.end for each in objects), 0)
    for comparison in sources.comparer.compare(chain, _cut(split_by_object((0, end), objects)), log):
        if comparison.lake_object:
            read[comparison.lake_object.key] += comparison.lake.height
            if comparison.problem and comparison.lake_object.kind == "data":
                rows.damaged += [f"{chain.topic}[{chain.partition}]: {each.what}" for each in comparison.findings]
        in_lake += comparison.lake.filter(pl.col("offset") >= log[0]).height - comparison.superseded
        rows.kafka.append(_placed(comparison.kafka, chain, KAFKA))
        rows.missing.append(_placed(comparison.missing, chain, RECORDS))
        rows.surplus.append(_placed(comparison.surplus, chain, RECORDS))
    at = chain.topic, chain.partition
    rows.partitions.append((*at, *log, in_lake))
    rows.objects += [
        (*at, each.key, each.start, each.end, each.records, read[each.key], each.dead_letters, each.kind)
        for each in objects
    ]


def _cut(parts: Iterable[Part]) -> Iterator[Part]:
    """What is in no object in pieces, so that no more of Kafka is read at once than for objects."""
    for (start, end), lake_object in parts:
        step = READ_OFFSETS if lake_object is None else end - start
        for first in range(start, end, step):
            yield (first, min(end, first + step)), lake_object


def _placed(frame: pl.DataFrame, chain: Chain, schema: dict[str, Any]) -> pl.DataFrame:
    """The frame's columns of the schema, with topic and partition."""
    known = frame.with_columns(topic=pl.lit(chain.topic), partition=pl.lit(chain.partition))
    if "seq" in schema and chain.topic != _PLAYBACK:  # others may name a session too, but have no seq in it
        known = known.with_columns(playback_session_id=None, seq=None)
    return known.select(pl.col(name).cast(kind) for name, kind in schema.items())


def _tables(tables: Tables, chains: Iterable[Chain], progress: Callable[[str], None]) -> TableContents | None:
    events: list[pl.DataFrame] = []
    taken: list[tuple[str, int, int]] = []
    for family, topic in EVENT_TOPICS.items():
        progress(f"Tables: {family}")
        if (found := tables.read(family)) is not None:
            positions, ids = found
            events.append(pl.DataFrame({"event_id": ids}).select(pl.lit(topic.name).alias("topic"), "event_id"))
            taken += [
                (chain.topic, chain.partition, positions.get((chain.topic_id, chain.partition), 0))
                for chain in chains
                if chain.topic == topic.name
            ]
    if not events:
        return None
    return TableContents(pl.concat([_frame([], TABLE_EVENTS), *events]), _frame(taken, TAKEN))


def _frame(rows: list[tuple[Any, ...]], schema: dict[str, Any]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=schema, orient="row")


class HistorySource:
    """Every profile's history, read as members read it. Satisfies ``domain.ledger.ports.History``."""

    def __init__(self, profiles: Iterable[str], reader: HistoryReader) -> None:
        self._profiles = profiles
        self._reader = reader

    def newest_seqs(self) -> Iterator[tuple[str, int]]:
        """Sessions in an unreadable chunk are missing. Raises TransientError."""
        rest = iter(self._profiles)
        while profiles := list(islice(rest, HISTORIES_AT_ONCE)):
            for record in asyncio.run(self._records(profiles)):
                yield record.playback_session_id, record.seq

    async def _records(self, profiles: Iterable[str]) -> Iterable[ViewingRecord]:
        found = await asyncio.gather(*map(self._reader.read_all, profiles))
        return chained.from_iterable(whole.records for whole in found)


class _Line(msgspec.Struct):
    event_id: str
    outcome: str


def read_client_logs(folder: Path) -> Iterator[tuple[str, str]] | None:
    """(event id, last outcome) of every event in the clients' logs (JSON lines). None if the folder has no log."""
    files = sorted(folder.glob("*.jsonl"))
    if not files:
        return None
    decode = msgspec.json.Decoder(_Line).decode
    last: dict[str, str] = {}
    for file in files:
        with file.open("rb") as lines:
            last |= {line.event_id: line.outcome for line in map(decode, lines)}
    return iter(last.items())
