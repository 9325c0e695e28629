"""The age of an offset: the time since its partition's log was observed to have grown beyond it."""

from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass, field
from operator import itemgetter

from schemas.topics import Partition

MAX_OBSERVATIONS = 2_000
"""Kept per partition. Beyond that every second one is dropped, and ages get less exact."""
Observation = tuple[int, int]
"""(time in ms, end of the log)"""
_end = itemgetter(1)


@dataclass(slots=True)
class OffsetAges:
    _observations: dict[Partition, list[Observation]] = field(default_factory=dict)

    def observe(self, at: int, ends: Mapping[Partition, int]) -> None:
        for partition, end in ends.items():
            observations = self._observations.setdefault(partition, [])
            if observations and end < observations[-1][1]:  # the topic was recreated
                observations.clear()
            if not observations or end > observations[-1][1]:
                observations.append((at, end))
            if len(observations) > MAX_OBSERVATIONS:
                del observations[1:-1:2]

    def age(self, partition: Partition, offset: int, now: int) -> int:
        """Milliseconds since a record was first seen at or after this offset; 0 when there is none."""
        observations = self._observations.get(partition, [])
        later = bisect_right(observations, offset, key=_end)
        return now - observations[later][0] if later < len(observations) else 0

    def forget(self, partition: Partition, before: int) -> None:
        """Offsets below ``before`` are not needed any more."""
        observations = self._observations.get(partition, [])
        del observations[: min(bisect_right(observations, before, key=_end), len(observations) - 1)]
