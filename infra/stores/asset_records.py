"""Records of assets as objects in the bucket of the videos: put if absent, which gives each its ``seq``."""

import time
from uuid import uuid4

import msgspec
from msgspec.structs import replace

from domain.media.files import record_object
from infra.engines.s3 import ObjectStore
from schemas.events import Asset


class AssetRecords:
    def __init__(self, store: ObjectStore) -> None:
        self._store = store

    def newest(self, title_id: str) -> Asset | None:
        """The record with the highest seq of the title."""
        keys = list(self._store.list(f"assets/{title_id}/"))
        return msgspec.json.decode(self._store.get(keys[-1]), type=Asset) if keys else None

    def publish(self, asset: Asset) -> Asset:
        """Make this the newest record of its title, unless it is; returns it with id, time and seq."""
        while True:
            newest = self.newest(asset.title_id)
            if newest and replace(newest, event_id="", received_at=0, seq=0) == replace(
                asset, event_id="", received_at=0, seq=0
            ):
                return newest
            record = replace(
                asset,
                event_id=str(uuid4()),
                received_at=time.time_ns() // 1_000_000,
                seq=newest.seq + 1 if newest else 1,
            )
            key = record_object(asset.title_id, record.seq)
            if self._store.put_if_absent(key, msgspec.json.encode(record), {}, content_type="application/json"):
                return record
