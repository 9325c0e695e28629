"""Checks a chain again and again, one page of keys at a time: does each object still start where the last one ends?

An object that was compared may be lost later. Keys and metadata are enough to detect that.
"""

from itertools import islice

from domain.lake import keys
from domain.lake.keys import Chain
from domain.lake.ports import ObjectReader
from domain.lake.reading import parse_metadata

PAGE = 100
"""Objects a call: a day's chain takes a few minutes."""


class Scrub:
    def __init__(self, store: ObjectReader, chain: Chain) -> None:
        self._store = store
        self._chain = chain
        self._from = self._expected = 0
        self._ends: dict[int, int] = {}
        """Object start to object end. They never change."""

    def next_page(self, position: int) -> list[tuple[int, int]]:
        """Ranges of offsets, start to before end, that the chain's next page below ``position`` lacks.

        TransientError while the store is unreachable.
        """
        holes: list[tuple[int, int]] = []
        page = list(islice(self._store.list(self._chain.prefix, self._chain.just_before(self._from)), PAGE))
        starts = [start for key in page if (start := keys.parse(key)[1]) < position]
        for start in starts:
            if start > self._expected:
                holes.append((self._expected, start))
            self._expected = max(self._expected, self._end(start))
        if len(starts) == PAGE:
            self._from = starts[-1] + 1
        else:
            if self._expected < position:
                holes.append((self._expected, position))
            self._from = self._expected = 0
        if holes:
            self._ends.clear()  # an object that was written again may end elsewhere
        return holes

    def _end(self, start: int) -> int:
        if start not in self._ends:
            try:
                key = self._chain.key(start)
                self._ends[start] = parse_metadata(key, self._store.head(key)).end
            except KeyError:  # deleted since it was listed
                return start
        return self._ends[start]
