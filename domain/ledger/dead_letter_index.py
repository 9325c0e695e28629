"""Which records of Kafka have a dead letter, read on demand from the dead-letter topic."""

from collections.abc import Collection

import polars as pl

from domain.lake.keys import Chain
from domain.ledger.ports import RecordLog
from schemas.batch import BatchDecoder
from schemas.topics import DEAD_LETTERS

EARLIER_MS = 24 * 3_600_000
"""Start reading this much earlier than asked: brokers' clocks differ, and partitions are asked about in any order."""


class DeadLetterIndex:
    """Remembers what it has read: over time, each dead letter is read once."""

    def __init__(self, log: RecordLog, decoder: BatchDecoder) -> None:
        self._log = log
        self._decoder = decoder
        self._since: int | None = None
        self._next: dict[int, int] = {}
        """Partition of the topic to the next offset to read."""
        self._named: set[tuple[str, int, int]] = set()
        """(topic id, partition, offset)"""

    def find(self, chain: Chain, offsets: Collection[int], since: int | None) -> set[int]:
        """Those of the chain's offsets that a dead letter of the lake sink names.

        ``since``: when Kafka appended the first of them, in ms. The sink publishes dead letters before it puts the
        object: if the object is there, they are too. TransientError while Kafka is unreachable.
        """
        if since is None:
            return set()
        named = self._read(since)
        return {offset for offset in offsets if (chain.topic_id, chain.partition, offset) in named}

    def all(self) -> Collection[tuple[str, int, int]]:
        """(topic id, partition, offset) of each record that a dead letter names. TransientError as above."""
        return self._read(0)

    def _read(self, since: int) -> set[tuple[str, int, int]]:
        if self._since is None or since < self._since:
            self._since, self._next = max(0, since - EARLIER_MS), {}
            self._named.clear()
        for partition, first, end in self._log.since(DEAD_LETTERS.name, self._since):
            for batch in self._log.records(DEAD_LETTERS.name, partition, self._next.get(partition, first), end):
                self._add([payload for _, payload, _ in batch])
            self._next[partition] = end
        return self._named

    def _add(self, payloads: list[bytes | None]) -> None:
        dead_letters = self._decoder.decode(DEAD_LETTERS.record, payloads).frame.filter(pl.col("step") == "lake")
        self._named.update(dead_letters.select("topic_id", "partition", "offset").iter_rows())
