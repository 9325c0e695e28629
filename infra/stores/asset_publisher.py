"""Where asset records are published: objects in the bucket of the videos, and the compacted topic."""

from collections.abc import Sequence
from contextlib import suppress
from typing import cast

import msgspec

from domain.clock import system_clock
from domain.ledger.titles import Newest
from domain.media.files import RECORDS, record_object, record_objects, title_of
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
    """One JSON object for each record.

    Satisfies ``domain.media.publishing.AssetRecords`` and ``domain.ledger.titles.RecordObjects``.
    """

    def __init__(self, store: ObjectStore) -> None:
        self._store = store
        self._read: dict[str, Newest] = {}
        """By key: an object never changes."""

    def newest(self, title_id: str) -> Asset | None:
        keys = list(self._store.list(record_objects(title_id)))
        return msgspec.json.decode(self._store.get(keys[-1]), type=Asset) if keys else None

    def newest_by_title(self) -> dict[str, Newest]:
        """Of every title that has a record. Raises TransientError."""
        try:
            newest = {title_of(key): key for key in self._store.list(RECORDS)}
        except KeyError:  # there is no bucket before the first upload
            return {}
        self._read = {key: self._read.get(key) or self._newest(key) for key in newest.values()}
        return {title: self._read[key] for title, key in newest.items()}

    def _newest(self, key: str) -> Newest:
        record = msgspec.json.decode(self._store.get(key), type=Asset)
        return Newest(record.seq, record.event_id)

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

    def last(self, title_id: str, since: int) -> Asset | None:
        """Reads what was appended since then, which is little if the title's record is young."""
        found: dict[int, Asset] = {}
        for partition, start, end in self._log.since(ASSETS.name, since):
            for batch in self._log.read(ASSETS.name, partition, start, end):
                for _, payload in batch:
                    with suppress(InvalidEvent):  # the lake sink makes its dead letter
                        record = cast(Asset, self._registry.decode(ASSETS.record, payload))
                        if record.title_id == title_id:
                            found[partition] = record
        return max(found.values(), key=lambda record: record.seq, default=None)
