"""Kafka topics: names, and how long records are kept. Partition counts and replication are settings."""

from dataclasses import dataclass

DAY_MS = 24 * 60 * 60 * 1000
COMPACTION_LAG_MS = 7 * DAY_MS
"""A compacted topic has every record that is younger. Of older ones it has at least the last one of each key."""
LONGEST_COMPACTION_LAG_MS = 14 * DAY_MS
"""By then Kafka begins to remove what newer records replace."""
Partition = tuple[str, int]
"""Topic and partition number."""


@dataclass(frozen=True, slots=True)
class Topic:
    name: str
    record: str
    """Its Avro record: the stem of ``schemas/avro/<record>.avsc``."""
    retention_ms: int | None = None
    """None: the topic is compacted."""
    key: str = ""
    """Of a compacted topic: the field that is the records' key. The record with the highest ``seq`` of a key holds;
    there are no tombstones, since an end is a record, too."""

    @property
    def compacted(self) -> bool:
        return self.retention_ms is None

    @property
    def subject(self) -> str:
        """Its subject in the schema registry."""
        return f"{self.name}-value"


FAMILIES = ("ui", "playback", "error", "diagnostic", "processing", "performance")
EVENT_TOPICS = {family: Topic(f"playhead.{family}", family, 7 * DAY_MS) for family in FAMILIES}
COMPACTION_REQUESTS = Topic("playhead.compaction_requests", "compaction_request", DAY_MS)
DEAD_LETTERS = Topic("playhead.dead_letters", "dead_letter", 30 * DAY_MS)
ASSETS = Topic("playhead.assets", "asset", key="title_id")
TOPICS = {topic.name: topic for topic in (*EVENT_TOPICS.values(), COMPACTION_REQUESTS, DEAD_LETTERS, ASSETS)}
