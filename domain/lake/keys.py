"""Names of lake objects: ``raw/<topic>/<topic id>/partition=<P>/<start position, 20 digits>.avro``.

No time stands in a key, so a partition's objects list in order of their positions. Kafka's own topic id
keeps a recreated topic, whose offsets begin again, apart from the old one.
"""

import re
from dataclasses import dataclass

ROOT = "raw/"
_KEY = re.compile(r"raw/([^/]+)/([^/]+)/partition=(\d+)/(\d{20})\.avro")


@dataclass(frozen=True, slots=True, order=True)
class Chain:
    """One partition's objects: each one's end position is the next one's start."""

    topic: str
    topic_id: str
    partition: int

    @property
    def prefix(self) -> str:
        return f"{ROOT}{self.topic}/{self.topic_id}/partition={self.partition}/"

    def key(self, start: int) -> str:
        return f"{self.prefix}{start:020d}.avro"

    def just_before(self, start: int) -> str:
        """Sorts after every key below ``start`` and before ``start``'s own."""
        return f"{self.prefix}{start:020d}"


def parse(key: str) -> tuple[Chain, int]:
    """The chain and start position that a key names. Raises ValueError for a foreign key."""
    found = _KEY.fullmatch(key)
    if found is None:
        raise ValueError(f"{key!r} is not the name of a lake object")
    topic, topic_id, partition, start = found.groups()
    return Chain(topic, topic_id, int(partition)), int(start)
