"""The viewing records of some members, made again from every playback event that the lake and Kafka still hold."""

from collections.abc import Collection, Mapping, Sequence

import polars as pl

from domain.history.viewing_record import newest_per_session
from domain.lake.ports import ObjectReader
from domain.ledger.ports import RecordLog
from domain.ledger.whole_topic import WholeTopic
from schemas.batch import BatchDecoder
from schemas.events import ViewingRecord
from schemas.topics import EVENT_TOPICS

PLAYBACK = EVENT_TOPICS["playback"]


class MemberEvents:
    def __init__(self, log: RecordLog, store: ObjectReader, decoder: BatchDecoder) -> None:
        self._topic = WholeTopic(log, store)
        self._decoder = decoder

    def records(self, profiles: Collection[str]) -> Mapping[str, Sequence[ViewingRecord]]:
        """By profile: each session's newest state. Reads the whole lake of playback events.

        TransientError while a backend is unreachable.
        """
        ids = [profile.encode() for profile in profiles]
        events = [
            decoded.filter(pl.col("profile_id").is_in(list(profiles)))
            for payloads in self._topic.payloads(PLAYBACK.name, lambda block: any(each in block for each in ids))
            if (decoded := self._decoder.decode(PLAYBACK.record, payloads).frame).height
        ]
        found: dict[str, list[ViewingRecord]] = {profile: [] for profile in profiles}
        for record in newest_per_session(pl.concat(events)).records if events else ():
            found[record.profile_id].append(record)
        return found
