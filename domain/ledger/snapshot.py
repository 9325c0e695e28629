"""What every source holds now, as the frames that the ledger's checks compare.

Every frame is polars. ``offset`` is a Kafka offset, ids are text.
"""

import asyncio
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain as chained
from itertools import islice
from pathlib import Path

import msgspec
import polars as pl
import structlog

from domain.clock import Clock
from domain.history.reading import HistoryReader
from domain.lake.keys import Chain
from domain.ledger.chain_snapshot import KAFKA, NEWEST, OBJECTS, PARTITIONS, POSITIONS, RECORDS, ChainSnapshot, to_frame
from domain.ledger.comparison import STATE
from domain.ledger.foreign import ForeignObjects, find_foreign
from domain.ledger.ports import History, Tables
from domain.ledger.sources import Sides
from schemas.errors import TooManyDeletions
from schemas.events import ViewingRecord
from schemas.topics import TABLE_TOPICS, TOPICS

HISTORY = {
    "profile_id": pl.String,
    "playback_session_id": pl.String,
    "seq": pl.Int64,
    "received_at": pl.Int64,
    **STATE,
}
CLIENT = {"event_id": pl.String, "outcome": pl.String}
TABLE_EVENTS = {"topic": pl.String, "event_id": pl.String, "received_at": pl.Int64, "digest": pl.UInt64}
TAKEN = {"topic": pl.String, "partition": pl.Int32, "taken": pl.Int64}

HISTORIES_AT_ONCE = 64

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class TableContents:
    """What the Iceberg tables hold. They are filled by jobs, so they say themselves how far they have come."""

    events: pl.DataFrame
    """TABLE_EVENTS: one row for each row of a table."""
    taken: pl.DataFrame
    """TAKEN: the next offset to take, of each partition that a table has read."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    began: int
    """When the reading began, in ms. What was received later may be missing on any side."""
    partitions: pl.DataFrame
    """PARTITIONS"""
    kafka: pl.DataFrame
    """KAFKA: one row for each record."""
    newest: pl.DataFrame
    """NEWEST: each session's newest state in Kafka."""
    objects: pl.DataFrame
    """OBJECTS: the lake's chains, with what their metadata say, and how many rows were read."""
    missing: pl.DataFrame
    """RECORDS: valid in Kafka, and not in the lake."""
    surplus: pl.DataFrame
    """RECORDS: in the lake, and not in Kafka."""
    damaged: tuple[str, ...]
    """Why objects could not be read."""
    changed: tuple[str, ...]
    """Which records have other values in the lake than in Kafka."""
    foreign: ForeignObjects
    dead_letters: pl.DataFrame
    """POSITIONS: distinct records in Kafka that a dead letter names."""
    history: pl.DataFrame
    """HISTORY: newest state of every session, as members read it."""
    client: pl.DataFrame | None
    """CLIENT: the clients' own logs, one row for each event. None if no client keeps one here."""
    tables: TableContents | None
    """None when there are no tables."""

    def judged_since(self, topic: str) -> int | None:
        """From which time of receipt, in ms, Kafka still has every record of the topic. None if that is unknown."""
        partitions = self.partitions.filter(pl.col("topic") == topic)
        if topic not in self.foreign.older and (partitions["log_start"] == 0).all():
            return 0
        since = partitions["since"]
        return None if since.has_nulls() or since.is_empty() else int(since.max())  # type: ignore[arg-type]


@dataclass(frozen=True, slots=True)
class Stores:
    """What is compared besides the chains."""

    history: History
    tables: Tables
    client: Iterable[tuple[str, str]] | None
    """(event id, outcome) from the clients' own logs, if they keep any."""


def take_snapshot(
    sides: Sides,
    compare: Callable[[Sequence[Chain]], Iterable[ChainSnapshot]],
    stores: Stores,
    progress: Callable[[str], None],
    now: Clock,
) -> Snapshot:
    """Read and compare everything.

    ``compare`` compares chains, in any order. ``progress`` gets the name of what was read. Run it while the pipeline is
    idle: records in flight count as missing. TransientError while a backend is unreachable.
    """
    began = now()
    chains = [Chain(topic, topic_id, partition) for topic, topic_id, partition, *_ in sides.log.spans(TOPICS)]
    parts: list[ChainSnapshot] = []
    for part in compare(chains):
        progress(f"Kafka and lake: {part.chain.topic}[{part.chain.partition}]")
        parts.append(part)
    partitions = pl.concat([to_frame([], PARTITIONS), *(part.partition for part in parts)])
    first = partitions.drop_nulls("since").group_by("topic").agg(pl.col("since").min())
    topics = {(chain.topic_id, chain.partition): chain.topic for chain in chains}
    named = [(topics[at[:2]], *at[1:]) for at in sides.comparer.dead_letters.all() if at[:2] in topics]
    progress("Cassandra: every history")
    return Snapshot(
        began=began,
        partitions=partitions,
        kafka=pl.concat([to_frame([], KAFKA), *(part.kafka for part in parts)]),
        newest=pl.concat([to_frame([], NEWEST), *(part.newest for part in parts)]),
        objects=pl.concat([to_frame([], OBJECTS), *(part.objects for part in parts)]),
        missing=pl.concat([to_frame([], RECORDS), *(part.missing for part in parts)]),
        surplus=pl.concat([to_frame([], RECORDS), *(part.surplus for part in parts)]),
        damaged=tuple(line for part in parts for line in part.damaged),
        changed=tuple(line for part in parts for line in part.changed),
        foreign=find_foreign(sides.store, chains, dict(first.iter_rows())),
        dead_letters=to_frame(named, POSITIONS),
        history=_histories(stores.history),
        client=None if stores.client is None else to_frame(list(stores.client), CLIENT),
        tables=_tables(stores.tables, chains, progress),
    )


def _histories(history: History) -> pl.DataFrame:
    rows = [tuple(getattr(record, name) for name in HISTORY) for record in history.records()]
    return to_frame(rows, HISTORY)


def _tables(tables: Tables, chains: Iterable[Chain], progress: Callable[[str], None]) -> TableContents | None:
    events: list[pl.DataFrame] = []
    taken: list[tuple[str, int, int]] = []
    for name, topic in TABLE_TOPICS.items():
        progress(f"Tables: {name}")
        if (found := tables.read(name)) is not None:
            events.append(found.rows.select(pl.lit(topic.name).alias("topic"), "event_id", "received_at", "digest"))
            taken += [
                (chain.topic, chain.partition, found.taken.get((chain.topic_id, chain.partition), 0))
                for chain in chains
                if chain.topic == topic.name
            ]
    if not events:
        return None
    return TableContents(pl.concat([to_frame([], TABLE_EVENTS), *events]), to_frame(taken, TAKEN))


class HistorySource:
    """Every profile's history, read as members read it. Satisfies ``domain.ledger.ports.History``."""

    def __init__(self, profiles: Iterable[str], reader: HistoryReader) -> None:
        self._profiles = profiles
        self._reader = reader

    def records(self) -> Iterator[ViewingRecord]:
        """Sessions in an unreadable chunk are missing, and those of a profile with too many deletions.

        Raises TransientError.
        """
        rest = iter(self._profiles)
        while profiles := list(islice(rest, HISTORIES_AT_ONCE)):
            yield from asyncio.run(self._records(profiles))

    async def _records(self, profiles: Iterable[str]) -> Iterable[ViewingRecord]:
        return chained.from_iterable(await asyncio.gather(*map(self._of, profiles)))

    async def _of(self, profile_id: str) -> Sequence[ViewingRecord]:
        try:
            return (await self._reader.read_all(profile_id)).records
        except TooManyDeletions as error:
            log.warning("history not readable", profile=profile_id, reason=str(error))
            return []


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
