"""The equation of the compacted topic: the newest record of each title is the same in the bucket, Kafka and the lake.

Each record is an object in the bucket before it is in Kafka, and in Kafka before it is in the lake: a difference is
normal for a moment. Compaction removes other records of a title; of the newest one, all sides must speak for ever.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

from domain.lake.keys import Chain
from domain.lake.reading import read_rows
from domain.ledger.checks import Check, checked
from domain.ledger.sources import Sides
from schemas.topics import ASSETS


class Newest(NamedTuple):
    seq: int
    event_id: str


class RecordObjects(Protocol):
    def newest_by_title(self) -> Mapping[str, Newest]:
        """Of every title that has a record object in the bucket. Raises TransientError."""
        ...


@dataclass(slots=True)
class _Partition:
    """What was read of one partition; nothing is read twice."""

    kafka_position: int = 0
    last: dict[str, tuple[int, Newest]] = field(default_factory=dict)
    """Title to the offset of its last record in Kafka, which is the one that compaction keeps."""
    lake_position: int = 0
    newest: dict[str, Newest] = field(default_factory=dict)
    """Title to the record with its highest seq in the lake."""


class TitleLedger:
    def __init__(self, sides: Sides, records: RecordObjects) -> None:
        self._sides = sides
        self._records = records
        self._partitions: dict[Chain, _Partition] = {}

    def differences(self) -> dict[str, str]:
        """What differs now, by title. TransientError while a backend is unreachable."""
        bucket = self._records.newest_by_title()  # before Kafka, and Kafka before the lake: as records travel
        self._follow()
        kafka, lake = self._kafka(), self._lake()
        sides = {title: (bucket.get(title), kafka.get(title), lake.get(title)) for title in {*bucket, *kafka, *lake}}
        return {title: _text(title, *found) for title, found in sorted(sides.items()) if len({*found}) > 1}

    def check(self, table: tuple[Mapping[tuple[str, int], int], Collection[str]] | None) -> Check:
        """For ``playhead ledger``. ``table``: positions and event ids of the table of assets; None: there is none."""
        differences = self.differences()
        if table is not None:
            positions, event_ids = table
            differences |= {
                title: f"{title}: record {newest.seq} is not in the table"
                for chain, partition in self._partitions.items()
                for title, (offset, newest) in partition.last.items()
                if offset < positions.get((chain.topic_id, chain.partition), 0) and newest.event_id not in event_ids
            }
        titles = len(self._kafka())
        right = ("newest also in bucket, lake, table", len(self._kafka().keys() - differences.keys()))
        return checked("titles", ("with a record in Kafka", titles), right, list(differences.values()))

    def _follow(self) -> None:
        """Read what is new in Kafka, then in the lake. A topic that was made again is read from its beginning."""
        log = self._sides.log
        spans = [(Chain(topic, topic_id, n), start, end) for topic, topic_id, n, start, end in log.spans([ASSETS.name])]
        self._partitions = {chain: self._partitions.get(chain, _Partition()) for chain, *_ in spans}
        for chain, start, end in spans:
            partition = self._partitions[chain]
            self._read_kafka(chain, partition, max(start, partition.kafka_position), end)
            if partition.lake_position < end:
                self._read_lake(chain, partition)

    def _read_kafka(self, chain: Chain, partition: _Partition, start: int, end: int) -> None:
        for batch in self._sides.log.records(chain.topic, chain.partition, start, end) if start < end else ():
            frame = self._sides.comparer.decoder.decode(ASSETS.record, [payload for _, payload, _ in batch]).frame
            for row in frame.select("_index", ASSETS.key, "seq", "event_id").iter_rows(named=True):
                partition.last[row[ASSETS.key]] = batch[row["_index"]][0], Newest(row["seq"], row["event_id"])
        partition.kafka_position = end

    def _read_lake(self, chain: Chain, partition: _Partition) -> None:
        for each in self._sides.objects(chain, partition.lake_position):
            try:
                rows = [row for _, row in read_rows(each, self._sides.store.get(each.key))] if each.records else []
            except (KeyError, ValueError):  # lost or damaged: the comparison record by record says so
                return
            for row in rows:
                found = Newest(row["seq"], row["event_id"])
                partition.newest[row[ASSETS.key]] = max(found, partition.newest.get(row[ASSETS.key], found))
            partition.lake_position = each.end

    def _kafka(self) -> dict[str, Newest]:
        return _highest(
            {title: newest for title, (_, newest) in each.last.items()} for each in self._partitions.values()
        )

    def _lake(self) -> dict[str, Newest]:
        return _highest(each.newest for each in self._partitions.values())


def _highest(sides: Iterable[Mapping[str, Newest]]) -> dict[str, Newest]:
    """A title is in one partition, unless the topic got more of them."""
    highest: dict[str, Newest] = {}
    for side in sides:
        highest |= {title: max(newest, highest.get(title, newest)) for title, newest in side.items()}
    return highest


def _text(title: str, bucket: Newest | None, kafka: Newest | None, lake: Newest | None) -> str:
    named = zip(("bucket", "Kafka", "lake"), (bucket, kafka, lake), strict=True)
    records = [f"{side} {f'record {newest.seq} ({newest.event_id})' if newest else 'none'}" for side, newest in named]
    return f"{title}: newest in {', '.join(records)}"
