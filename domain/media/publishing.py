"""Publishes an asset record: first as an object in the bucket, which gives it its ``seq``, then to Kafka.

Objects are put if absent, so two publishers never give one ``seq`` to two records, and a record that was killed on its
way to Kafka is found again by the next attempt. Kafka's compaction keeps a title's *last* record, whatever its ``seq``:
a publisher that was overtaken on the way therefore publishes the newest record once more.
"""

from collections.abc import Sequence
from typing import Protocol
from uuid import uuid4

from msgspec.structs import replace

from domain.clock import Clock
from schemas.events import Asset
from schemas.rules import check

CLOCKS_MS = 3_600_000
"""No two clocks differ by more. If they do, a record that Kafka has is published once more."""


class AssetRecords(Protocol):
    """The record objects. Both raise TransientError."""

    def newest(self, title_id: str) -> Asset | None:
        """The record with the highest seq of the title."""
        ...

    def put_if_absent(self, asset: Asset) -> bool:
        """False when the title has a record of this seq."""
        ...


class AssetTopic(Protocol):
    """Kafka. Both raise TransientError."""

    def last(self, title_id: str, since: int) -> Asset | None:
        """The last record of the title in its partition: the one that compaction keeps. None if Kafka got none since
        then, in ms."""
        ...

    def publish(self, records: Sequence[Asset]) -> None:
        """Returns when Kafka has all of them."""
        ...


class AssetPublisher:
    def __init__(self, records: AssetRecords, topic: AssetTopic, now: Clock) -> None:
        self._records = records
        self._topic = topic
        self._now = now

    def publish(self, asset: Asset) -> Asset:
        """Make this the video of its title; returns the record, which Kafka has by then.

        ``event_id``, ``received_at`` and ``seq`` are given here. What is live already is not published again.
        Raises InvalidEvent, and TransientError while bucket or Kafka is unreachable: then publish again.
        """
        check(self._numbered(asset, 1))
        while True:
            newest = self._records.newest(asset.title_id)
            if newest is not None and _content(newest) == _content(asset):
                if self._topic.last(asset.title_id, newest.received_at - CLOCKS_MS) == newest:
                    return newest
                return self._to_kafka(newest)
            record = self._numbered(asset, 1 if newest is None else newest.seq + 1)
            if self._records.put_if_absent(record):
                return self._to_kafka(record)

    def remove(self, title_id: str) -> Asset:
        """Say that the title has no video any more. KeyError if it never had one."""
        newest = self._records.newest(title_id)
        if newest is None:
            raise KeyError(title_id)
        return self.publish(replace(newest, status="removed"))

    def _numbered(self, asset: Asset, seq: int) -> Asset:
        return replace(asset, event_id=str(uuid4()), received_at=self._now(), seq=seq)

    def _to_kafka(self, record: Asset) -> Asset:
        self._topic.publish([record])
        while (newest := self._records.newest(record.title_id)) is not None and newest.seq > record.seq:
            record = newest
            self._topic.publish([record])
        return record


def _content(asset: Asset) -> Asset:
    return replace(asset, event_id="", received_at=0, seq=0)
