"""What a database that was restored from a dump has to learn from Kafka and the lake before it serves.

Its counters are those of the dump. A number given after the dump is in one of the two, or no reader has seen it. So a
counter that is raised to the newest number there gives none twice.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from domain.outbox.rows import Key
from schemas.events import CountedRecord


@dataclass(slots=True)
class Restoring:
    """One topic's counters, compared with its records in any order."""

    topic: str
    counters: Mapping[str, int]
    """As restored, by key."""
    raised: dict[str, int] = field(default_factory=dict)
    """What counters have to become, by key."""
    lacking: dict[tuple[Key, int], CountedRecord] = field(default_factory=dict)
    """Records that the dump lacks, by key and seq; also those of keys that it does not know."""

    def take(self, key: str, record: CountedRecord) -> None:
        counter = self.counters.get(key, 0)
        if record.seq <= counter:
            return
        self.lacking[Key(self.topic, key), record.seq] = record
        if key in self.counters:
            self.raised[key] = max(record.seq, self.raised.get(key, counter))
