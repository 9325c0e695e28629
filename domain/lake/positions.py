"""How far a table has read the lake: stored as JSON in its snapshots' properties."""

import json
from collections.abc import Iterable, Mapping

from domain.lake.reading import LakeObject

POSITIONS_KEY = "playhead.positions"
"""The snapshot property."""
Positions = Mapping[tuple[str, int], int]
"""(topic id, partition) -> the next offset to read."""


def encode(positions: Positions) -> str:
    """Compact JSON: topic id -> partition -> offset."""
    nested: dict[str, dict[str, int]] = {}
    for (topic_id, partition), position in sorted(positions.items()):
        nested.setdefault(topic_id, {})[str(partition)] = position
    return json.dumps(nested, separators=(",", ":"))


def decode(text: str) -> Positions:
    nested: dict[str, dict[str, int]] = json.loads(text)
    return {
        (topic_id, int(partition)): position
        for topic_id, partitions in nested.items()
        for partition, position in partitions.items()
    }


def after(positions: Positions, objects: Iterable[LakeObject]) -> Positions:
    """The positions once these objects, the next ones of their chains, are read."""
    return {**positions, **{(each.chain.topic_id, each.chain.partition): each.end for each in objects}}
