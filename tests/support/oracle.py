"""What every profile's history must be, computed from what was sent. Knows nothing of Kafka, batches or stores."""

from collections.abc import Iterable
from typing import Any

import msgspec

from domain.history.merge import newer
from schemas.events import Playback, ViewingRecord
from tests.support.builders import recorded

Comparable = dict[str, Any]
OF_A_DELIVERY = frozenset({"received_at", "event_time", "start_time", "moved_at"})


def expected_history(events: Iterable[Playback]) -> dict[str, dict[str, Comparable]]:
    """Profile -> session -> its newest state, by (seq, received_at, encoded value), with what it keeps."""
    newest: dict[tuple[str, str], ViewingRecord] = {}
    for event in events:
        record = recorded(event)
        key = (record.profile_id, record.playback_session_id)
        newest[key] = newer(newest[key], record) if key in newest else record
    return by_profile(newest.values())


def by_profile(records: Iterable[ViewingRecord]) -> dict[str, dict[str, Comparable]]:
    histories: dict[str, dict[str, Comparable]] = {}
    for record in records:
        histories.setdefault(record.profile_id, {})[record.playback_session_id] = comparable(record)
    return histories


def comparable(record: ViewingRecord) -> Comparable:
    """All but the fields that differ from one delivery of an event to the next."""
    fields = msgspec.structs.asdict(record)
    return {name: value for name, value in fields.items() if name not in OF_A_DELIVERY}
