"""Which records of Kafka have a dead letter, read on demand from the topic of dead letters itself."""

from collections.abc import Collection

import polars as pl

from domain.lake.keys import Chain
from domain.ledger.ports import RecordLog
from schemas.batch import BatchDecoder
from schemas.topics import DEAD_LETTERS

EARLIER_MS = 24 * 3_600_000
"""Read from so much earlier than asked: brokers' clocks differ, and partitions are asked about in any order."""


class Letters:
    """Remembers what it has read, so that each dead letter is read once as time goes on."""

    def __init__(self, log: RecordLog, decoder: BatchDecoder) -> None:
        self._log = log
        self._decoder = decoder
        self._since: int | None = None
        self._next: dict[int, int] = {}
        """By partition of the topic."""
        self._named: set[tuple[str, int, int]] = set()
        """(topic id, partition, offset)"""

    def about(self, chain: Chain, offsets: Collection[int], since: int | None) -> set[int]:
        """Those of the chain's offsets that a dead letter of the lake sink names.

        ``since``: when Kafka appended the first of them, in ms. The sink publishes dead letters before the object, so
        whoever knows the object finds them. TransientError while Kafka is away.
        """
        if since is None:
            return set()
        if self._since is None or since < self._since:
            self._since, self._next = since - EARLIER_MS, {}
            self._named.clear()
        for partition, first, end in self._log.since(DEAD_LETTERS.name, max(0, self._since)):
            for batch in self._log.read(DEAD_LETTERS.name, partition, self._next.get(partition, first), end):
                self._take([payload for _, payload in batch])
            self._next[partition] = end
        return {offset for offset in offsets if (chain.topic_id, chain.partition, offset) in self._named}

    def _take(self, payloads: list[bytes | None]) -> None:
        letters = self._decoder.decode(DEAD_LETTERS.record, payloads).frame.filter(pl.col("step") == "lake")
        self._named.update(letters.select("topic_id", "partition", "offset").iter_rows())
