"""How old an offset is, told by when its partition's log was seen to have grown beyond it."""

from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass, field
from operator import itemgetter

from services.ops.ports import Partition

LONGEST = 2_000
"""Sights kept of one partition; then every second one goes, and ages are told less exactly."""
Sight = tuple[int, int]
"""(time in ms, where the log ended then)"""
_end = itemgetter(1)


@dataclass(slots=True)
class LogAges:
    _sights: dict[Partition, list[Sight]] = field(default_factory=dict)

    def saw(self, at: int, ends: Mapping[Partition, int]) -> None:
        for partition, end in ends.items():
            sights = self._sights.setdefault(partition, [])
            if sights and end < sights[-1][1]:  # the topic was recreated
                sights.clear()
            if not sights or end > sights[-1][1]:
                sights.append((at, end))
            if len(sights) > LONGEST:
                del sights[1:-1:2]

    def age(self, partition: Partition, offset: int, now: int) -> int:
        """Milliseconds since a record was first seen at or after this offset; 0 when there is none."""
        sights = self._sights.get(partition, [])
        later = bisect_right(sights, offset, key=_end)
        return now - sights[later][0] if later < len(sights) else 0

    def forget(self, partition: Partition, before: int) -> None:
        """Nobody will ask for an offset below ``before`` any more."""
        sights = self._sights.get(partition, [])
        del sights[: min(bisect_right(sights, before, key=_end), len(sights) - 1)]
