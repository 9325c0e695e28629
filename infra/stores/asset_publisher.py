"""Where asset records are published: objects in the bucket of the videos, and the compacted topic."""

from collections.abc import Sequence
from contextlib import suppress
from typing import cast

import msgspec

from domain.clock import system_clock
from domain.media.files import record_object, record_objects
from domain.media.publishing import AssetPublisher
from infra.engines.kafka.publisher import RecordPublisher
from infra.engines.kafka.reader import TopicReader
from infra.engines.registry import Registry
from infra.engines.s3 import ObjectStore
from infra.runtime.settings import Settings
from schemas.errors import InvalidEvent
from schemas.events import Asset
from schemas.topics import ASSETS


def asset_publisher(settings: Settings) -> AssetPublisher:
    store, registry = ObjectStore(settings, settings.media_bucket), Registry(settings)
    return AssetPublisher(RecordObjects(store), KafkaAssets(settings, registry), system_clock)


class RecordObjects:
    """Satisfies ``domain.media.publishing.AssetRecords``: one JSON object for each record."""

    def __init__(self, store: ObjectStore) -> None:
        self._store = store

    def newest(self, title_id: str) -> Asset | None:
        keys = list(self._store.list(record_objects(title_id)))
        return msgspec.json.decode(self._store.get(keys[-1]), type=Asset) if keys else None

    def put_if_absent(self, asset: Asset) -> bool:
        return self._store.put_if_absent(record_object(asset.title_id, asset.seq), msgspec.json.encode(asset), {})


class KafkaAssets:
    """Satisfies ``domain.media.publishing.AssetTopic``."""

    def __init__(self, settings: Settings, registry: Registry) -> None:
        self._registry = registry
        self._publisher = RecordPublisher(settings, registry, ASSETS, ASSETS.key)
        self._log = TopicReader(settings)

    def publish(self, records: Sequence[Asset]) -> None:
        self._publisher.publish(records)

    def last(self, title_id: str) -> Asset | None:
        """Reads the whole topic, which has few records for each title."""
        found: dict[int, Asset] = {}
        for topic, _, partition, start, end in self._log.spans([ASSETS.name]):
            for batch in self._log.read(topic, partition, start, end):
                for _, payload in batch:
                    with suppress(InvalidEvent):  # the lake sink makes its dead letter
                        record = cast(Asset, self._registry.decode(ASSETS.record, payload))
                        if record.title_id == title_id:
                            found[partition] = record
        return max(found.values(), key=lambda record: record.seq, default=None)
