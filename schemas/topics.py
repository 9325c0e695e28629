"""Kafka topics: names, and how long records are kept. Partition counts and replication are settings."""

from dataclasses import dataclass

HOUR_MS = 60 * 60 * 1000
DAY_MS = 24 * HOUR_MS
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
    """The field that is the records' key, if ``seq`` counts the records of each key. Of a compacted topic, the record
    with the highest ``seq`` holds, and an end is a record: there are no tombstones."""

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
CHANGE_TOPICS = {
    "accounts": Topic("playhead.accounts", "account_record", 30 * DAY_MS, key="account_id"),
    "entitlements": Topic("playhead.entitlements", "entitlement_record", 30 * DAY_MS, key="account_id"),
    "revocations": Topic("playhead.revocations", "revocation_record", 25 * HOUR_MS, key="account_id"),
}
"""What services say of their data, in the transaction that changes it. ``seq`` has no gap."""
TABLE_TOPICS = {**EVENT_TOPICS, **CHANGE_TOPICS}
"""Each record of these is a row of a table, by the table's name."""
TOPICS = {topic.name: topic for topic in (*TABLE_TOPICS.values(), COMPACTION_REQUESTS, DEAD_LETTERS, ASSETS)}
