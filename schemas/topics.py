"""Kafka topics: names and retention. Partition counts and replication are settings."""

from dataclasses import dataclass

DAY_MS = 24 * 60 * 60 * 1000
Partition = tuple[str, int]
"""Topic and partition number."""


@dataclass(frozen=True, slots=True)
class Topic:
    name: str
    record: str
    """Its Avro record: the stem of ``schemas/avro/<record>.avsc``."""
    retention_ms: int

    @property
    def subject(self) -> str:
        """Its subject in the schema registry."""
        return f"{self.name}-value"


FAMILIES = ("ui", "playback", "error", "diagnostic", "processing", "performance")
EVENT_TOPICS = {family: Topic(f"playhead.{family}", family, 7 * DAY_MS) for family in FAMILIES}
COMPACTION_REQUESTS = Topic("playhead.compaction_requests", "compaction_request", DAY_MS)
DEAD_LETTERS = Topic("playhead.dead_letters", "dead_letter", 30 * DAY_MS)
TOPICS = {topic.name: topic for topic in (*EVENT_TOPICS.values(), COMPACTION_REQUESTS, DEAD_LETTERS)}
