"""The viewing records of some members, made again from every playback event that the lake and Kafka still hold."""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence

import polars as pl
import structlog

from domain.history.viewing_record import newest_per_session
from domain.lake import container
from domain.lake.keys import Chain
from domain.lake.ports import ObjectReader
from domain.lake.reading import LakeObject, read_objects, verified
from domain.ledger.ports import RecordLog
from domain.ledger.spans import split_by_object
from schemas.batch import BatchDecoder
from schemas.events import ViewingRecord
from schemas.framing import frame
from schemas.topics import EVENT_TOPICS

PLAYBACK = EVENT_TOPICS["playback"]
_log = structlog.get_logger(__name__)


class MemberEvents:
    def __init__(self, log: RecordLog, store: ObjectReader, decoder: BatchDecoder) -> None:
        self._log = log
        self._store = store
        self._decoder = decoder

    def records(self, profiles: Collection[str]) -> Mapping[str, Sequence[ViewingRecord]]:
        """By profile: each session's newest state. Reads the whole lake of playback events.

        TransientError while a backend is unreachable.
        """
        ids = [profile.encode() for profile in profiles]
        events = [
            decoded.filter(pl.col("profile_id").is_in(list(profiles)))
            for payloads in self._payloads(ids)
            if (decoded := self._decoder.decode(PLAYBACK.record, payloads).frame).height
        ]
        found: dict[str, list[ViewingRecord]] = {profile: [] for profile in profiles}
        for record in newest_per_session(pl.concat(events)).records if events else ():
            found[record.profile_id].append(record)
        return found

    def _payloads(self, ids: Sequence[bytes]) -> Iterator[list[bytes | None]]:
        """All that may be about these profiles, in batches: each object of the lake, then what only Kafka has."""
        readable: dict[Chain, list[LakeObject]] = defaultdict(list)
        for each in read_objects(self._store, topic=PLAYBACK.name):
            try:
                payloads = self._rows(each, ids)
            except (KeyError, ValueError) as error:  # Kafka may still have its records
                _log.warning("passed over", key=each.key, why=str(error))
                continue
            readable[each.chain].append(each)
            yield payloads
        for topic, topic_id, partition, start, end in self._log.spans([PLAYBACK.name]):
            for (first, after), lake_object in split_by_object(
                (start, end), readable[Chain(topic, topic_id, partition)]
            ):
                if lake_object is None:
                    for batch in self._log.records(topic, partition, first, after):
                        yield [payload for _, payload, _ in batch]

    def _rows(self, lake_object: LakeObject, ids: Sequence[bytes]) -> list[bytes | None]:
        """Raises KeyError when the object does not exist, ValueError when it cannot be read."""
        body = verified(lake_object, self._store.get(lake_object.key))
        _, blocks = container.read_blocks(body)
        if lake_object.schema_id is None or not any(profile in block for _, block in blocks for profile in ids):
            return []
        _, datums = container.read_datums(body)
        return [frame(lake_object.schema_id, datum) for datum in datums]
