"""Every record of a topic that the lake or Kafka still holds: each object of the lake, then what only Kafka has."""

from collections import defaultdict
from collections.abc import Callable, Iterator

import structlog

from domain.lake import container
from domain.lake.keys import Chain
from domain.lake.ports import ObjectReader
from domain.lake.reading import LakeObject, read_objects, verified
from domain.ledger.ports import RecordLog
from domain.ledger.spans import split_by_object
from schemas.framing import frame

_log = structlog.get_logger(__name__)


class WholeTopic:
    def __init__(self, log: RecordLog, store: ObjectReader) -> None:
        self._log = log
        self._store = store

    def payloads(self, topic: str, may_hold: Callable[[bytes], bool] = lambda _: True) -> Iterator[list[bytes | None]]:
        """The topic's records as they are in Kafka, in batches. TransientError while a backend is unreachable.

        ``may_hold``: whether a block of an object is worth reading. Of an object without such a block nothing comes.
        """
        readable: dict[Chain, list[LakeObject]] = defaultdict(list)
        for each in read_objects(self._store, topic=topic):
            try:
                payloads = self._rows(each, may_hold)
            except (KeyError, ValueError) as error:  # Kafka may still have its records
                _log.warning("passed over", key=each.key, why=str(error))
                continue
            readable[each.chain].append(each)
            yield payloads
        for _, topic_id, partition, start, end in self._log.spans([topic]):
            for (first, after), lake_object in split_by_object(
                (start, end), readable[Chain(topic, topic_id, partition)]
            ):
                if lake_object is None:
                    for batch in self._log.records(topic, partition, first, after):
                        yield [payload for _, payload, _ in batch]

    def _rows(self, lake_object: LakeObject, may_hold: Callable[[bytes], bool]) -> list[bytes | None]:
        """Raises KeyError when the object does not exist, ValueError when it cannot be read."""
        body = verified(lake_object, self._store.get(lake_object.key))
        _, blocks = container.read_blocks(body)
        if lake_object.schema_id is None or not any(may_hold(block) for _, block in blocks):
            return []
        _, datums = container.read_datums(body)
        return [frame(lake_object.schema_id, datum) for datum in datums]
