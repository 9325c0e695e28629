"""Keys of lake objects: ``raw/<topic>/<topic id>/partition=<P>/<start offset, 20 digits>.avro``.

A key holds no time, so a partition's objects list in the order of their offsets. Kafka's topic id separates a
recreated topic, whose offsets start at 0 again, from the old one.
"""

import re
from dataclasses import dataclass

ROOT = "raw/"
_KEY = re.compile(r"raw/([^/]+)/([^/]+)/partition=(\d+)/(\d{20})\.avro")


@dataclass(frozen=True, slots=True, order=True)
class Chain:
    """One partition's objects. Each one's end offset is the next one's start."""

    topic: str
    topic_id: str
    partition: int

    @property
    def prefix(self) -> str:
        return f"{ROOT}{self.topic}/{self.topic_id}/partition={self.partition}/"

    def key(self, start: int) -> str:
        return f"{self.prefix}{start:020d}.avro"

    def just_before(self, start: int) -> str:
        """Sorts after every key below ``start`` and before the key of ``start`` itself."""
        return f"{self.prefix}{start:020d}"


def parse(key: str) -> tuple[Chain, int]:
    """The chain and start offset in a key. Raises ValueError for a foreign key."""
    match = _KEY.fullmatch(key)
    if match is None:
        raise ValueError(f"{key!r} is not the name of a lake object")
    topic, topic_id, partition, start = match.groups()
    return Chain(topic, topic_id, int(partition)), int(start)
