"""Reads every side of the ledger, each from its own place and none from another's word."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import polars as pl

from domain.lake.keys import Chain
from domain.lake.ports import ObjectStore
from domain.lake.reading import LakeObject, read_objects, read_rows
from domain.ledger import snapshot as sides
from domain.ledger.ports import History, KafkaLog, Span, Tables
from domain.ledger.snapshot import Sides, TableSide
from schemas.batch import BatchDecoder
from schemas.topics import DEAD_LETTERS, EVENT_TOPICS, TOPICS

_EVENT_TOPICS = {topic.name for topic in EVENT_TOPICS.values()}
Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Places:
    kafka: KafkaLog
    lake: ObjectStore
    history: History
    tables: Tables
    decoder: BatchDecoder


def collect(places: Places, client: Iterable[tuple[str, str]] | None, progress: Progress) -> Sides:
    """All sides as they stand now. ``client``: (event id, outcome) of the clients' own logs, if they keep any.

    ``progress`` is told what is being read. The pipeline should be idle: what is under way counts as missing.
    """
    spans = [span for span in (Span(*each) for each in places.kafka.spans(TOPICS)) if span.end]
    kafka: list[pl.DataFrame] = []
    letters: list[pl.DataFrame] = []
    for span in spans:
        progress(f"Kafka: {span.topic}[{span.partition}]")
        for batch in places.kafka.read(span.topic, span.partition, span.start, span.end):
            records, named = _decoded(span, batch, places.decoder)
            kafka.append(records)
            letters.append(named)
    lake = _lake(places.lake, spans, progress)
    progress("Cassandra: every history")
    return Sides(
        partitions=_frame([(s.topic, s.partition, s.start, s.end) for s in spans], sides.PARTITIONS),
        kafka=pl.concat([_frame([], sides.KAFKA), *kafka]),
        objects=lake.objects,
        lake=lake.rows,
        damaged=lake.damaged,
        dead_letters=pl.concat([_frame([], sides.POSITIONS), *letters]).unique(),
        history=_frame(list(places.history.newest_seqs()), sides.SESSIONS),
        client=None if client is None else _frame(list(client), sides.CLIENT),
        tables=_tables(places.tables, spans, progress),
    )


def _decoded(
    span: Span, batch: list[tuple[int, bytes | None]], decoder: BatchDecoder
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """One row a record, and the places in Kafka that its dead letters name."""
    decoded = decoder.decode(TOPICS[span.topic].record, [value for _, value in batch])
    offsets = pl.DataFrame({"offset": [offset for offset, _ in batch]}).with_row_index("_index")
    frame = decoded.frame
    names = [name for name in ("event_id", "device_id", "playback_session_id", "seq") if name in frame.columns]
    if span.topic != EVENT_TOPICS["playback"].name:  # others may name a session too, but have no seq in it
        names = [name for name in names if name in ("event_id", "device_id")]
    records = offsets.join(frame.select("_index", *names), on="_index", how="left").with_columns(
        topic=pl.lit(span.topic),
        partition=pl.lit(span.partition),
        valid=~pl.col("_index").is_in([bad.index for bad in decoded.invalid]),
    )
    for name in sides.KAFKA.keys() - set(records.columns):
        records = records.with_columns(pl.lit(None).alias(name))
    letters = _frame([], sides.POSITIONS)
    if span.topic == DEAD_LETTERS.name:
        letters = frame.filter(pl.col("step") == "lake").select(*_cast(sides.POSITIONS))
    return records.select(*_cast(sides.KAFKA)), letters


class _Lake(NamedTuple):
    objects: pl.DataFrame
    rows: pl.DataFrame
    damaged: tuple[str, ...]


def _lake(store: ObjectStore, spans: Iterable[Span], progress: Progress) -> _Lake:
    objects: list[tuple[Any, ...]] = []
    rows: list[pl.DataFrame] = []
    damaged: list[str] = []
    for span in spans:
        progress(f"Lake: {span.topic}[{span.partition}]")
        for each in read_objects(store, Chain(span.topic, span.topic_id, span.partition)):
            place = span.topic, span.partition
            objects.append((*place, each.key, each.start, each.end, each.records, each.dead_letters, each.kind))
            try:
                rows.append(_frame(list(_rows(each, store)), sides.RECORDS))
            except ValueError as error:
                damaged.append(str(error))
    return _Lake(_frame(objects, sides.OBJECTS), pl.concat([_frame([], sides.RECORDS), *rows]), damaged=tuple(damaged))


def _rows(of: LakeObject, store: ObjectStore) -> Iterator[tuple[str, int, int, str | None]]:
    if of.kind == "gap":
        return
    named = of.chain.topic in _EVENT_TOPICS
    for offset, row in read_rows(of, store.get(of.key)):
        yield of.chain.topic, of.chain.partition, offset, row["event_id"] if named else None


def _tables(tables: Tables, spans: Iterable[Span], progress: Progress) -> TableSide | None:
    events: list[pl.DataFrame] = []
    taken: list[tuple[str, int, int]] = []
    for family, topic in EVENT_TOPICS.items():
        progress(f"Tables: {family}")
        if (found := tables.read(family)) is not None:
            positions, ids = found
            events.append(pl.DataFrame({"event_id": ids}).select(pl.lit(topic.name).alias("topic"), "event_id"))
            taken += [
                (span.topic, span.partition, positions.get((span.topic_id, span.partition), 0))
                for span in spans
                if span.topic == topic.name
            ]
    if not events:
        return None
    return TableSide(pl.concat([_frame([], sides.TABLE_EVENTS), *events]), _frame(taken, sides.TAKEN))


def _frame(rows: list[tuple[Any, ...]], schema: dict[str, Any]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=schema, orient="row")


def _cast(schema: dict[str, Any]) -> list[pl.Expr]:
    return [pl.col(name).cast(dtype) for name, dtype in schema.items()]
