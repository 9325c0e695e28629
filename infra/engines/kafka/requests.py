"""Writes the topic of compaction requests."""

import asyncio
from collections.abc import Sequence

from infra.engines.kafka.bulk import BulkProducer
from infra.engines.registry import Registry
from infra.runtime.settings import Settings
from schemas.codec import encode
from schemas.events import CompactionRequest
from schemas.framing import frame
from schemas.topics import COMPACTION_REQUESTS


class KafkaCompactionRequests:
    """Satisfies ``domain.history.ports.CompactionRequests``."""

    def __init__(self, settings: Settings, registry: Registry) -> None:
        self._registry = registry
        self._producer = BulkProducer(settings)
        self._one_at_a_time = asyncio.Lock()
        self._schema_id: int | None = None

    async def publish(self, requests: Sequence[CompactionRequest]) -> None:
        """Returns when Kafka has all of them. On a TransientError publish all of them again."""
        async with self._one_at_a_time:
            await asyncio.to_thread(self._publish, requests)

    def _publish(self, requests: Sequence[CompactionRequest]) -> None:
        if self._schema_id is None:
            self._schema_id = self._registry.ids()[COMPACTION_REQUESTS.record]
        schema_id = self._schema_id
        self._producer.write(
            [
                (COMPACTION_REQUESTS.name, request.profile_id.encode(), frame(schema_id, encode(request)))
                for request in requests
            ]
        )
